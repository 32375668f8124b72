"""What the attestation client of the images is given, in enclaves and in domains."""

from __future__ import annotations

from dataclasses import dataclass

from ppmlctl.kubernetes.pod_parts import Manifest, of_secret, plain
from ppmlctl.protection.addresses import host_and_port, without_path

ATTESTING_ACCOUNT = {
    "APP_ID": "app_id",
    "API_KEY": "api_key",
    "ATTESTATION_ID": "app_id",
    "ATTESTATION_KEY": "api_key",
    "ATTESTATION_POLICYID": "policy_id",
}
"""Variables, and where the account's Secret has each. BigDL 2.2's entrypoint wants `ATTESTATION_ID` and `…_KEY`, its
scripts the other names; later releases read those alone."""
OF_ENTRYPOINT = frozenset({"ATTESTATION_ID", "ATTESTATION_KEY"})


@dataclass(frozen=True)
class Attestation:
    """What the attestation client inside the pods is given. `url` is its service's.

    `quote_type` is the images' name for who makes the quote; None leaves it to them, who ask Gramine.
    """

    url: str
    service: str
    secret: str
    pccs_url: str | None = None
    quote_type: str | None = None
    must_succeed: bool = True
    """Whether a run whose logs do not report it has failed."""

    @property
    def variables(self) -> dict[str, str]:
        """What `attestation.sh` reads, without the account. The entrypoint adds the API's path to PCCS_URL."""
        return {
            "ATTESTATION": "true",
            "ATTESTATION_URL": ":".join(host_and_port(self.url)),
            "ATTESTATION_TYPE": self.service,
            **({"QUOTE_TYPE": self.quote_type} if self.quote_type else {}),
            **({"PCCS_URL": without_path(self.pccs_url)} if self.pccs_url else {}),
        }


def attestation_environment(attestation: Attestation | None) -> list[Manifest]:
    """What `attestation.sh` reads. The account comes from a secret; upstream passes it on as arguments in the pod."""
    if attestation is None:
        return []
    return [*plain(attestation.variables), *of_secret(attestation.secret, ATTESTING_ACCOUNT)]

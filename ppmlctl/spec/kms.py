"""`kms:` the key management service that enrols, attests and keeps policies."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ppmlctl.spec.names import Boolean, FilePath, Fingerprint, HttpsUrl, Integer, Measurement
from ppmlctl.spec.section import Choice, Section

TcbStatus = Literal[
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
]


class ServerTls(Choice):
    """`kms.ehsm.tls`: at most one of `ca`, `fingerprint` and `insecure`; none means the system's certificates."""

    alternatives: ClassVar[tuple[str, ...]] = ("ca", "fingerprint", "insecure")
    may_be_empty: ClassVar[bool] = True

    ca: FilePath | None = Field(None, description="Certificates to trust the server by.")
    fingerprint: Fingerprint | None = Field(None, description="SHA-256 of the server's certificate.")
    insecure: Boolean = Field(default=False, description="Trusts any certificate. Every plan says so.")


class Identity(Section):
    """`kms.ehsm.identity`"""

    mr_signer: Measurement | None = Field(None, description="MRSIGNER that the server's quote must show.")
    mr_enclave: Measurement | None = Field(None, description="MRENCLAVE that the server's quote must show.")
    prod_id: Integer | None = Field(None, description="Product id that the server's quote must show.", ge=0, le=65535)
    min_svn: Integer | None = Field(None, description="Lowest security version to accept.", ge=0, le=65535)


class AcceptTcb(Section):
    """`kms.ehsm.accept_tcb`"""

    statuses: tuple[TcbStatus, ...] = Field(("UpToDate",), description="TCB statuses to accept.")
    advisories: tuple[str, ...] = Field((), description="Intel advisories to accept, such as INTEL-SA-00615.")


class Ehsm(Section):
    """`kms.ehsm`"""

    url: HttpsUrl | None = Field(
        None, description="The server. Required for target cluster; the sandbox brings its own."
    )
    tls: ServerTls = Field(ServerTls(), description="How the server is authenticated.")
    trust_root: FilePath | None = Field(
        None,
        description="Root certificate to verify quotes with instead of Intel's. Verdicts then read `private root`.",
    )
    attest: Literal["required", "warn", "skip"] = Field(
        "required", description="What follows when the server's quote is not accepted."
    )
    freshness: Literal["require", "accept"] = Field(
        "accept",
        description="require: the quote must bind our challenge. accept: it need not; today's EHSM binds none.",
    )
    identity: Identity = Field(Identity(), description="What the server's quote must show.")
    accept_tcb: AcceptTcb = Field(AcceptTcb(), description="Which state of the server's platform is good enough.")
    enroll: Boolean = Field(default=True, description="Enrols an account, kept in the vault.")
    # A model has a method `register` (of ABCMeta) already, so this one key is an alias.
    register_measurement: Boolean = Field(
        default=True, alias="register", description="Uploads MRENCLAVE and MRSIGNER and keeps the policy id."
    )


class Kms(Section):
    """`kms`"""

    ehsm: Ehsm = Field(description="Intel's eHSM.")

"""How the releases of EHSM differ that are met: the one that BigDL deploys, and today's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppmlctl.ehsm import DigestMode, KeyUsage, MessageType, PaddingMode, canonical_request
from ppmlctl.sandbox.ehsm.payloads import FIELDS, Base64, Field, payload_fault

_LARGEST_SIGNED = 8900  # bytes of canonical text that the enclave's request has room for
_DIGEST = (*(field for field in FIELDS["Sign"] if field.name == "keyid"), Field("digest", Base64(8192)))
_SIGNATURE = tuple(field for field in FIELDS["Verify"] if field.name == "signature")


@dataclass(frozen=True)
class Release:
    """Today's."""

    version: str = "sandbox"
    signs_nonces: bool = True

    def signed_text(self, body: Mapping[str, Any]) -> str | None:
        """The text that a request's signature covers; None where it is too long."""
        text = canonical_request(body)
        return text if len(text.encode("utf-8", "replace")) <= _LARGEST_SIGNED else None

    def serves(self, action: str) -> bool:  # noqa: ARG002 - the older one asks
        """Whether this release knows an action at all."""
        return True

    def payload_fault(self, action: str, payload: Any) -> str | None:
        """The first thing wrong with an action's payload, in the service's words."""
        return payload_fault(action, payload)

    def translated(self, action: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 - the older one asks
        """A payload in today's words."""
        return payload


@dataclass(frozen=True)
class Release032(Release):
    """v0.3.2: nonces are neither signed nor looked at, requests may be long, keys are for any use.

    Of its paddings and digests only those are served that ppmlctl asks for: PSS with SHA-256 for RSA's signatures.
    """

    version: str = "0.3.2"
    signs_nonces: bool = False

    def signed_text(self, body: Mapping[str, Any]) -> str | None:
        """See Release."""
        return canonical_request({name: value for name, value in body.items() if name != "nonce"})

    def serves(self, action: str) -> bool:
        """See Release."""
        return action not in {"GetPublicKey", "GetParametersForImport", "ImportKeyMaterial"}

    def payload_fault(self, action: str, payload: Any) -> str | None:
        """See Release."""
        if action in ("Sign", "Verify") and isinstance(payload, dict):
            fields = _DIGEST if action == "Sign" else (*_DIGEST, *_SIGNATURE)
            return next((fault for field in fields if (fault := field.check(payload))), None)
        return payload_fault(action, payload)

    def translated(self, action: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """See Release."""
        if action == "CreateKey":
            signs = payload.get("padding_mode") == "PAD_RSA_PKCS1_PSS" or str(payload["keyspec"]).startswith("EH_EC")
            return {**payload, "keyusage": KeyUsage.SIGN_VERIFY if signs else KeyUsage.ENCRYPT_DECRYPT}
        if action in ("Sign", "Verify"):
            how = {"message_type": MessageType.DIGEST, "digest_mode": DigestMode.SHA_256}
            return {**payload, "message": payload["digest"], "padding_mode": PaddingMode.PKCS1_PSS, **how}
        return payload

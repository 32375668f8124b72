"""What each action's payload must hold, and the service's words where it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ppmlctl.sandbox.ehsm.envelope import utf16_length

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_UUID = re.compile(r"[a-z0-9]{8}(?:-[a-z0-9]{4}){3}-[a-z0-9]{12}")
_UUID_LENGTH, _MEASUREMENT_LENGTH = 36, 64


@dataclass(frozen=True)
class Field:
    """One text of a payload; `fault` says what is wrong with its value."""

    name: str
    fault: Callable[[str], str | None]
    required: bool = True

    def check(self, payload: Mapping[str, Any]) -> str | None:
        """What is wrong with this field of a payload, in the service's words."""
        value = payload.get(self.name)
        if value is None or value == "":
            return f"Missing required parameters, The {self.name} cannot be empty." if self.required else None
        fault = self.fault(value) if isinstance(value, str) else "must be of string type."
        return f"Parameter invalid, The {self.name} {fault}" if fault else None


def _base64(longest: int) -> Callable[[str], str | None]:
    def fault(value: str) -> str | None:
        if utf16_length(value) > longest:
            return "length error."
        return None if _BASE64.fullmatch(value) else "not a vailed base64 string."

    return fault


def _uuid(value: str) -> str | None:
    if utf16_length(value) != _UUID_LENGTH:
        return "length error."
    return None if _UUID.fullmatch(value) else "format wrong."


def _measurement(value: str) -> str | None:
    return None if utf16_length(value) == _MEASUREMENT_LENGTH else "length error."


FIELDS: Mapping[str, tuple[Field, ...]] = {
    "GenerateQuote": (Field("challenge", _base64(4096)),),
    "VerifyQuote": (
        Field("quote", _base64(10924)),
        Field("nonce", _base64(4096)),
        Field("policyId", _uuid, required=False),
    ),
    "UploadQuotePolicy": (Field("mr_enclave", _measurement), Field("mr_signer", _measurement)),
    "GetQuotePolicy": (Field("policyId", _uuid),),
}


def payload_fault(action: str, payload: Any) -> str | None:
    """The first thing wrong with an action's payload. An absent payload of these actions is not looked at."""
    if payload is None:
        return None
    members = payload if isinstance(payload, dict) else {}
    return next((fault for field in FIELDS.get(action, ()) if (fault := field.check(members))), None)

"""What each action's payload must hold, and the service's words where it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ppmlctl.ehsm import DigestMode, KeyOrigin, KeySpec, MessageType, PaddingMode
from ppmlctl.sandbox.ehsm.envelope import utf16_length

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_UUID = re.compile(r"[a-z0-9]{8}(?:-[a-z0-9]{4}){3}-[a-z0-9]{12}")
_INTERVAL = re.compile(r"[0-9]{1,4}[d,h,m,s]")
"""A comma passes for a unit here, and is refused later."""


class Rule(Protocol):
    """What a value must be."""

    def fault(self, value: Any) -> str | None:
        """What is wrong with a value, in the service's words."""


@dataclass(frozen=True)
class Text:
    """Text within lengths in UTF-16 code units, of a form if one is named."""

    longest: int
    shortest: int = 1
    form: re.Pattern[str] | None = None

    def fault(self, value: Any) -> str | None:
        """See Rule."""
        if not isinstance(value, str):
            return "must be of string type."
        if not self.shortest <= utf16_length(value) <= self.longest:
            return "length error."
        return "format wrong." if self.form and not self.form.fullmatch(value) else None


@dataclass(frozen=True)
class Base64:
    """Standard base64 of at most so many characters."""

    longest: int

    def fault(self, value: Any) -> str | None:
        """See Rule."""
        if not isinstance(value, str):
            return "must be of string type."
        if utf16_length(value) > self.longest:
            return "length error."
        return None if _BASE64.fullmatch(value) else "not a vailed base64 string."


@dataclass(frozen=True)
class Whole:
    """A whole number; 1.0 is one too."""

    lowest: int
    highest: int | None = None

    def fault(self, value: Any) -> str | None:
        """See Rule."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or value != value or value in (float("inf"), float("-inf")) or value != int(value):  # noqa: PLR0124 - NaN is unlike itself
            return "must be of integer type."
        if self.highest is not None and value > self.highest:
            return f"value must be less than or equal to {self.highest}."
        return f"value must be greater than or equal to {self.lowest}." if value < self.lowest else None


@dataclass(frozen=True)
class OneOf:
    """One of some names."""

    names: frozenset[str]

    def fault(self, value: Any) -> str | None:
        """See Rule."""
        return None if isinstance(value, str) and value in self.names else "type is incorrect."


@dataclass(frozen=True)
class Field:
    """One member of a payload; its rule says what is wrong with its value."""

    name: str
    rule: Rule
    required: bool = True

    def check(self, payload: Mapping[str, Any]) -> str | None:
        """What is wrong with this field of a payload, in the service's words."""
        value = payload.get(self.name)
        if value is None or value == "":
            return f"Missing required parameters, The {self.name} cannot be empty." if self.required else None
        fault = self.rule.fault(value)
        return f"Parameter invalid, The {self.name} {fault}" if fault else None


def _optional(field: Field) -> Field:
    return replace(field, required=False)


_UUID_TEXT = Text(36, 36, _UUID)
_DATA = Base64(8192)
_KEY = Field("keyid", _UUID_TEXT)
_KEYSPEC = Field("keyspec", OneOf(frozenset(KeySpec)))
_AAD = Field("aad", _DATA, required=False)
_DATA_KEY = (_KEY, Field("keylen", Whole(1, 1024)), _AAD)
_PADDING = Field("padding_mode", OneOf(frozenset(PaddingMode)))
_MESSAGE = (
    _KEY,
    Field("message", _DATA),
    Field("message_type", OneOf(frozenset(MessageType))),
    Field("digest_mode", OneOf(frozenset(DigestMode))),
    _PADDING,
)
_POLICY = Field("policyId", _UUID_TEXT)
_SECRET = Field("secretName", Text(64))
_SECRET_DATA = Field("secretData", Text(4096))
_DESCRIPTION = Field("description", Text(4096, 0), required=False)

CRYPTOGRAPHIC: Mapping[str, tuple[Field, ...]] = {
    "CreateKey": (_KEYSPEC, Field("origin", OneOf(frozenset(KeyOrigin)))),
    "Encrypt": (_KEY, Field("plaintext", _DATA), _AAD),
    "Decrypt": (_KEY, Field("ciphertext", Base64(8232)), _AAD),
    "GenerateDataKey": _DATA_KEY,
    "GenerateDataKeyWithoutPlaintext": _DATA_KEY,
    "Sign": _MESSAGE,
    "Verify": (*_MESSAGE, Field("signature", _DATA)),
    "AsymmetricEncrypt": (_KEY, Field("plaintext", _DATA), _PADDING),
    "AsymmetricDecrypt": (_KEY, Field("ciphertext", _DATA), _PADDING),
    "GetPublicKey": (_KEY,),
    "GetParametersForImport": (_KEY, _KEYSPEC),
    "ImportKeyMaterial": (_KEY, _PADDING, Field("key_material", _DATA)),
    "ExportDataKey": (_KEY, Field("ukeyid", Text(8192)), _AAD, Field("olddatakey_base", Text(8192))),
}
"""The actions that refuse a request without a payload."""

FIELDS: Mapping[str, tuple[Field, ...]] = {
    **CRYPTOGRAPHIC,
    "DeleteKey": (_KEY,),
    "EnableKey": (_KEY,),
    "DisableKey": (_KEY,),
    "GenerateQuote": (Field("challenge", Base64(4096)),),
    "VerifyQuote": (Field("quote", Base64(10924)), Field("nonce", Base64(4096)), _optional(_POLICY)),
    "UploadQuotePolicy": (Field("mr_enclave", Text(64, 64)), Field("mr_signer", Text(64, 64))),
    "GetQuotePolicy": (_POLICY,),
    "CreateSecret": (
        _SECRET,
        _SECRET_DATA,
        Field("encryptionKeyId", _UUID_TEXT, required=False),
        _DESCRIPTION,
        Field("rotationInterval", Text(5, 0, _INTERVAL), required=False),
    ),
    "UpdateSecretDesc": (_SECRET, _DESCRIPTION),
    "PutSecretValue": (_SECRET, _SECRET_DATA),
    "ListSecretVersionIds": (_SECRET,),
    "ListSecrets": (_optional(_SECRET),),
    "DescribeSecret": (_SECRET,),
    "DeleteSecret": (
        _SECRET,
        Field("recoveryPeriod", Whole(1, 365), required=False),
        Field("forceDelete", Text(5, 0), required=False),
    ),
    "GetSecretValue": (_SECRET, Field("versionId", Whole(1), required=False)),
    "RestoreSecret": (_SECRET,),
}


def payload_fault(action: str, payload: Any) -> str | None:
    """The first thing wrong with an action's payload. An absent payload of these actions is not looked at."""
    if payload is None:
        return None
    members = payload if isinstance(payload, dict) else {}
    return next((fault for field in FIELDS.get(action, ()) if (fault := field.check(members))), None)

"""What an EHSM server answers: the envelope around every answer, and the typed results of the actions used here."""

from __future__ import annotations

import base64
from enum import IntEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ppmlctl.secret import Secret

SUCCESS = 200


def _decoded(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("base64 is text")  # noqa: TRY004 - pydantic turns a ValueError into a finding
    return base64.b64decode(value, validate=True)


Base64 = Annotated[bytes, BeforeValidator(_decoded)]
Hexadecimal = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}$")]


class MessageError(ValueError):
    """An answer that is not of the form EHSM's protocol gives it. Says which field is wrong, never its value."""


class Message(BaseModel):
    """A part of an answer; fields that newer servers add are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, strict=True)

    @classmethod
    def parse(cls, raw: Any) -> Self:
        """The typed message. Raises MessageError."""
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, fault['loc'])) or 'answer'}: {fault['type']}" for fault in error.errors()]
        raise MessageError("; ".join(faults))


class Envelope(Message):
    """`{code, message, result}` around every JSON answer. HTTP's own status is 200 whatever the code."""

    code: int
    message: Any = None
    """Text, but absent for an unknown appid and an empty object when the database is down."""
    result: Any = None

    @property
    def words(self) -> str:
        """The server's words, or nothing where it gave none."""
        return self.message if isinstance(self.message, str) else ""


class Version(Message):
    """The result of GetVersion."""

    version: str
    git_sha: str = ""


class Account(Message):
    """The result of Enroll: whom requests are signed as."""

    appid: Uuid
    apikey: Secret


class GeneratedQuote(Message):
    """The result of GenerateQuote. The challenge is an echo only: the quote does not bind it."""

    challenge: str
    quote: Base64


class VerificationResult(IntEnum):
    """`sgx_ql_qv_result_t` of Intel's DCAP quote verification library."""

    OK = 0
    CONFIG_NEEDED = 0xA001
    OUT_OF_DATE = 0xA002
    OUT_OF_DATE_CONFIG_NEEDED = 0xA003
    INVALID_SIGNATURE = 0xA004
    REVOKED = 0xA005
    UNSPECIFIED = 0xA006
    SW_HARDENING_NEEDED = 0xA007
    CONFIG_AND_SW_HARDENING_NEEDED = 0xA008


class QuoteVerification(Message):
    """The result of VerifyQuote. The measurements are the policy's, present only when one was named."""

    result: int
    nonce: str
    sign: str
    mr_enclave: str | None = None
    mr_signer: str | None = None

    @property
    def signed_fields(self) -> dict[str, str | int]:
        """What `sign` covers; the canonical text leaves a result of 0 out by its own rule."""
        return self.model_dump(include={"result", "nonce", "mr_enclave", "mr_signer"}, exclude_none=True)

    @property
    def verdict(self) -> VerificationResult:
        """The result by name; one that this list does not know counts as unspecified."""
        try:
            return VerificationResult(self.result)
        except ValueError:
            return VerificationResult.UNSPECIFIED

    @property
    def is_genuine(self) -> bool:
        """Whether the quote's signatures hold, whatever the state of the platform's fixes."""
        return self.verdict not in _NOT_GENUINE


_NOT_GENUINE = {VerificationResult.INVALID_SIGNATURE, VerificationResult.REVOKED, VerificationResult.UNSPECIFIED}


class UploadedPolicy(Message):
    """The result of UploadQuotePolicy."""

    policy_id: Uuid = Field(alias="policyId")


class QuotePolicy(Message):
    """The result of GetQuotePolicy. For an id that the account does not have, only the id comes back."""

    policy_id: Uuid = Field(alias="policyId")
    mr_enclave: Hexadecimal
    mr_signer: Hexadecimal

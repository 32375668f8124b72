"""EHSM without a network: its signatures, its messages, and what a quote of it is worth."""

from ppmlctl.ehsm.enumerations import DigestMode, KeyOrigin, KeySpec, KeyUsage, MessageType, PaddingMode
from ppmlctl.ehsm.messages import (
    Account,
    Envelope,
    GeneratedQuote,
    MessageError,
    QuotePolicy,
    QuoteVerification,
    UploadedPolicy,
    VerificationResult,
    Version,
)
from ppmlctl.ehsm.signature import canonical_request, canonical_text, is_empty, is_signed, sign
from ppmlctl.ehsm.verdict import FRESH, NOT_BOUND, Identity, Requirements, Shown, Verdict, binds, judge

__all__ = [
    "FRESH",
    "NOT_BOUND",
    "Account",
    "DigestMode",
    "Envelope",
    "GeneratedQuote",
    "Identity",
    "KeyOrigin",
    "KeySpec",
    "KeyUsage",
    "MessageError",
    "MessageType",
    "PaddingMode",
    "QuotePolicy",
    "QuoteVerification",
    "Requirements",
    "Shown",
    "UploadedPolicy",
    "Verdict",
    "VerificationResult",
    "Version",
    "binds",
    "canonical_request",
    "canonical_text",
    "is_empty",
    "is_signed",
    "judge",
    "sign",
]

"""Why a quote is refused: one closed set of reasons, and the two errors that carry them."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Stable words for programs. What was found in the one quote at hand is said beside it."""

    MALFORMED = "malformed"
    UNSUPPORTED_VERSION = "unsupported-version"
    UNSUPPORTED_KEY_TYPE = "unsupported-key-type"
    UNSUPPORTED_CERTIFICATION = "unsupported-certification-data"
    UNKNOWN_VENDOR = "unknown-vendor"
    COLLATERAL_MALFORMED = "collateral-malformed"
    COLLATERAL_MISMATCH = "collateral-mismatch"
    COLLATERAL_FORGED = "collateral-forged"
    OTHER_ROOT = "other-root"
    OUTSIDE_VALIDITY = "outside-validity"
    CERTIFICATE_WRONG = "certificate-wrong"
    REVOKED = "revoked"
    QE_REPORT_WRONG = "qe-report-wrong"
    QE_IDENTITY_WRONG = "qe-identity-wrong"
    TDX_MODULE_WRONG = "tdx-module-wrong"
    SIGNATURE_WRONG = "signature-wrong"
    TCB_UNKNOWN = "tcb-unknown"
    NOT_GENUINE = "not-genuine"
    DEBUG = "debug"
    TD_ATTRIBUTES_WRONG = "td-attributes-wrong"
    STATUS_NOT_ACCEPTED = "status-not-accepted"
    ADVISORY_NOT_ACCEPTED = "advisory-not-accepted"
    EXPECTATION_NOT_MET = "expectation-not-met"


_LONGEST = 400
"""Characters of what is said: the longest of the own words have half as many."""


class QuoteError(ValueError):
    """Bytes that are no quote of a form that is read here."""

    def __init__(self, words: str, reason: Reason = Reason.MALFORMED) -> None:
        super().__init__(_harmless(words))
        self.reason = reason


class QuoteUntrustedError(ValueError):
    """A quote whose chain, signatures or collateral do not hold."""

    def __init__(self, words: str, reason: Reason) -> None:
        super().__init__(_harmless(words))
        self.reason = reason


def _harmless(words: str) -> str:
    """Without what would steer a terminal, or fill it: they may hold texts of collateral that nobody has signed."""
    return "".join(character if character.isprintable() else "�" for character in words[:_LONGEST])

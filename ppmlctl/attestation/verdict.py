"""What the attestation service says of a quote.

Source: intel-analytics/BigDL, `BigDLRemoteAttestationService.scala` and `SGXDCAPQuoteVerifierImpl.scala`.
"""

from __future__ import annotations

from enum import IntEnum


class Verdict(IntEnum):
    """`result` of its answer. It is signed by nobody: only TLS says whose it is."""

    ACCEPTED = 0
    OUTDATED = 1
    """Genuine, but the platform lacks fixes or settings; the images' client passes it with a warning."""
    REFUSED = -1
    """Another measurement than the policy's, or another account's policy."""

    @property
    def passes(self) -> bool:
        """Whether the images' client lets the application start."""
        return self is not Verdict.REFUSED

"""Quotes to judge: real ones, where PPMLCTL_REAL_QUOTES names their folder, and the sandbox's own."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.dcap import Expectations, Judgement, Policy, Reason, judge_quote
from ppmlctl.sandbox.ehsm.made_up import DOMAIN, DOMAIN15
from ppmlctl.sandbox.ehsm.quoting import Quoting

REAL_AT = datetime(2025, 6, 19, 12, tzinfo=UTC)
SANDBOX_AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
SANDBOX_KINDS = ("sandbox sgx", "sandbox sgx 4", "sandbox tdx", "sandbox tdx 1.5")
GIVEN = pytest.mark.given("PPMLCTL_REAL_QUOTES")
"""Of tests that need real quotes, with their collateral, in the folder that this names."""


def real(kind: str) -> Any:
    """A real quote, where it is at hand."""
    return pytest.param(f"real {kind}", marks=GIVEN)


PARAMETERS = (real("sgx"), real("tdx"), *SANDBOX_KINDS)


@dataclass(frozen=True)
class Sample:
    """A quote that is accepted by everything beside it."""

    raw: bytes
    collateral: str
    root: bytes | None
    at: datetime
    status: str
    other_root: bytes

    def judged(self, **changes: object) -> Judgement:
        """The judgement with one thing changed."""
        given = {"raw": self.raw, "collateral": self.collateral, "root": self.root, "at": self.at}
        given |= {"expected": (), "statuses": (self.status,)} | changes
        policy = Policy(Expectations.parse(given["expected"]), given["statuses"])
        return judge_quote(given["raw"], given["collateral"], given["root"], policy, given["at"])

    def reason(self, **changes: object) -> Reason | None:
        return self.judged(**changes).reason

    def flipped(self, position: int, mask: int = 1) -> bytes:
        changed = bytearray(self.raw)
        changed[position] ^= mask
        return bytes(changed)

    @property
    def body(self) -> int:
        """Where the body begins."""
        return 54 if self.raw[0] == 5 else 48

    @property
    def signature(self) -> int:
        """Where the signature begins, after the length of the signature data."""
        size = 384 if self.raw[4] == 0 else {4: 584, 5: 648}[self.raw[0]]
        return self.body + size + 4

    def regions(self) -> Iterator[tuple[str, int, Reason]]:
        """One byte of each region, and why its change is refused."""
        at, certification = self.signature, 0 if self.raw[0] == 3 else 6
        report = at + 128 + certification
        (authentication,) = struct.unpack_from("<H", self.raw, report + 448)
        certificates = report + 450 + authentication + 6
        yield "version", 0, Reason.UNSUPPORTED_VERSION
        yield "attestation key type", 2, Reason.UNSUPPORTED_KEY_TYPE
        yield "TEE type", 4, Reason.MALFORMED
        yield "header's reserved or SVNs", 9, Reason.SIGNATURE_WRONG
        yield "QE vendor", 13, Reason.UNKNOWN_VENDOR
        yield "user data", 30, Reason.SIGNATURE_WRONG
        if self.raw[0] == 5:
            yield "body's type", 48, Reason.UNSUPPORTED_VERSION
            yield "body's size", 50, Reason.MALFORMED
        yield "body", self.body + 20, Reason.SIGNATURE_WRONG
        yield "report data", at - 5, Reason.SIGNATURE_WRONG
        yield "length", at - 4, Reason.MALFORMED
        yield "signature", at, Reason.SIGNATURE_WRONG
        yield "attestation key", at + 64, Reason.QE_REPORT_WRONG
        if certification:
            yield "outer certification type", at + 128, Reason.UNSUPPORTED_CERTIFICATION
            yield "outer certification length", at + 130, Reason.MALFORMED
        yield "QE report", report, Reason.QE_REPORT_WRONG
        yield "QE report's signature", report + 384, Reason.QE_REPORT_WRONG
        yield "authentication's length", report + 448, Reason.UNSUPPORTED_CERTIFICATION
        yield "authentication", report + 450, Reason.QE_REPORT_WRONG
        yield "certification type", certificates - 6, Reason.UNSUPPORTED_CERTIFICATION
        yield "certification length", certificates - 4, Reason.MALFORMED
        yield "first certificate's frame", certificates + 3, Reason.MALFORMED
        yield "a line's end in it", certificates + 27, Reason.MALFORMED
        first, second, third = (index for index in range(len(self.raw)) if self.raw.startswith(b"-----BEGIN", index))
        yield "PCK certificate", self._letter(second - 80), Reason.CERTIFICATE_WRONG
        yield "CA certificate", self._letter(third - 80), Reason.CERTIFICATE_WRONG
        yield "root certificate", self._letter(third + 300), Reason.OTHER_ROOT
        assert first == certificates

    def _letter(self, start: int) -> int:
        """The first byte from there on that stays a letter or digit of base64 when it is flipped by 4."""
        return next(
            i
            for i in range(start, len(self.raw))
            if bytes([self.raw[i]]).isalnum() and bytes([self.raw[i] ^ 4]).isalnum()
        )


def sample(kind: str, folder: Path) -> Sample:
    """The sample; a real one from the folder that a variable names (see GIVEN)."""
    quoting, other = (Quoting(folder / name, SANDBOX_AT.timestamp) for name in ("own", "other"))
    roots = quoting.root_ca.encode(), other.root_ca.encode()
    if kind.startswith("sandbox sgx"):
        quote = quoting.quote(version=4 if kind.endswith("4") else 3)
        return Sample(quote, quoting.collateral(), roots[0], SANDBOX_AT, "UpToDate", roots[1])
    if kind.startswith("sandbox tdx"):
        domain = DOMAIN15 if kind.endswith("1.5") else DOMAIN
        raw, collateral = quoting.quote_of_domain(domain), quoting.collateral("TDX")
        return Sample(raw, collateral, roots[0], SANDBOX_AT, "UpToDate", roots[1])
    place = os.environ["PPMLCTL_REAL_QUOTES"]
    name = kind.removeprefix("real ") + "_quote"
    raw, collateral = (Path(place) / name).read_bytes(), (Path(place) / f"{name}_collateral.json").read_text()
    status = {"real sgx": "ConfigurationAndSWHardeningNeeded", "real tdx": "UpToDate"}[kind]
    return Sample(raw, collateral, None, REAL_AT, status, roots[1])

"""The sandbox's quotes and their collateral, as a verifier sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ppmlctl.dcap import QuoteUntrustedError, QuoteVerdict, TrustRoot, parse_sgx_report, verify_quote
from ppmlctl.ehsm import NOT_BOUND, Requirements, Shown, VerificationResult, judge
from ppmlctl.sandbox.ehsm import ehsm_identity
from ppmlctl.sandbox.ehsm.quoting import Quoting

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def quoting(folder: Path, at: datetime = NOW) -> Quoting:
    return Quoting(folder, at.timestamp)


def verdict(of: Quoting, quote: bytes, root: bytes | None, at: datetime = NOW) -> QuoteVerdict:
    return verify_quote(quote, of.collateral(), root, at)


def test_a_quote_is_genuine_under_the_sandboxs_root(tmp_path: Path) -> None:
    sandbox = quoting(tmp_path)
    found = verdict(sandbox, sandbox.quote(), sandbox.root_ca.encode())
    assert found == QuoteVerdict("UpToDate", (), TrustRoot.PRIVATE)


def test_a_quote_is_not_genuine_under_intels_root_or_another_sandboxs(tmp_path: Path) -> None:
    sandbox, other = quoting(tmp_path / "a"), quoting(tmp_path / "b")
    for root in (None, other.root_ca.encode()):
        with pytest.raises(QuoteUntrustedError):
            verdict(sandbox, sandbox.quote(), root)
    assert other.verify(sandbox.quote()) is VerificationResult.INVALID_SIGNATURE


@pytest.mark.parametrize("position", [20, 120, 200, 400, 440, 600, 1000, 1100])
def test_no_byte_can_be_changed(tmp_path: Path, position: int) -> None:
    sandbox = quoting(tmp_path)
    quote = bytearray(sandbox.quote())
    quote[position] ^= 1
    assert sandbox.verify(bytes(quote)) is VerificationResult.INVALID_SIGNATURE


def test_a_quote_stays_genuine_over_a_restart(tmp_path: Path) -> None:
    quote = quoting(tmp_path).quote()
    assert quoting(tmp_path).verify(quote) is VerificationResult.OK


def test_root_and_collateral_are_exported(tmp_path: Path) -> None:
    sandbox = quoting(tmp_path)
    collateral, root = (tmp_path / "collateral.json").read_text(), (tmp_path / "quote-root.pem").read_bytes()
    assert verify_quote(sandbox.quote(), collateral, root, NOW).tcb_status == "UpToDate"


def test_collateral_is_renewed_before_it_ends(tmp_path: Path) -> None:
    now = NOW
    sandbox = Quoting(tmp_path, lambda: datetime.timestamp(now))
    first = sandbox.collateral()
    now = NOW + timedelta(days=22)
    assert sandbox.collateral() == first
    now = NOW + timedelta(days=31)
    with pytest.raises(QuoteUntrustedError):
        verify_quote(sandbox.quote(), first, sandbox.root_ca.encode(), now)
    assert verdict(sandbox, sandbox.quote(), sandbox.root_ca.encode(), now).tcb_status == "UpToDate"


def test_the_judgement_over_it_is_simulated(tmp_path: Path) -> None:
    sandbox = quoting(tmp_path)
    quote = sandbox.quote()
    genuine = verdict(sandbox, quote, sandbox.root_ca.encode())
    shown = Shown(parse_sgx_report(quote), b"challenge", genuine, channel_authenticated=True, simulated=True)
    found = judge(shown, Requirements(ehsm_identity(), private_root_accepted=True))
    assert (found.evidence, found.statement) == ("simulated", f"simulated: {NOT_BOUND}")

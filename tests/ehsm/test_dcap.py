"""Verifying quotes up to a root. The real quotes are public sample data that this repository does not carry."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ppmlctl.ehsm import QuoteUntrustedError, verify_quote


def test_bytes_that_are_no_quote_are_untrusted() -> None:
    with pytest.raises(QuoteUntrustedError):
        verify_quote(b"", "{}", None, datetime.now(UTC))


@pytest.fixture
def real_quotes() -> Path:
    folder = os.environ.get("PPMLCTL_REAL_QUOTES")
    if not folder:
        pytest.skip("PPMLCTL_REAL_QUOTES names no folder with sgx_quote and sgx_quote_collateral.json")
    return Path(folder)


def test_a_real_quote_is_verified_against_intels_root_at_its_time(real_quotes: Path) -> None:
    quote, collateral = (
        (real_quotes / "sgx_quote").read_bytes(),
        (real_quotes / "sgx_quote_collateral.json").read_text(),
    )
    verdict = verify_quote(quote, collateral, None, datetime(2025, 6, 19, 12, tzinfo=UTC))
    assert verdict.tcb_status == "ConfigurationAndSWHardeningNeeded"
    assert verdict.advisories == ("INTEL-SA-00289", "INTEL-SA-00615")
    assert verdict.root == "intel"
    with pytest.raises(QuoteUntrustedError, match="CrlExpired"):
        verify_quote(quote, collateral, None, datetime(2030, 1, 1, tzinfo=UTC))

"""The parts of verifying that need no genuine quote; `test_judgement` has the others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ppmlctl.dcap import QuoteUntrustedError, verify_quote


def test_bytes_that_are_no_quote_are_untrusted() -> None:
    with pytest.raises(QuoteUntrustedError):
        verify_quote(b"", "{}", None, datetime.now(UTC))

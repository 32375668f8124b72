"""Quantities and their one spelling."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.sandbox.kubernetes.quantity import QuantityError, amount, canonical

SUFFIXES = ["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "E2"]
quantities = st.builds(
    lambda number, suffix: f"{number}{suffix}", st.decimals(0, 4096, places=3), st.sampled_from(SUFFIXES)
)


# Each pair was read back from a Kubernetes 1.20 API server.
@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1.5Gi", "1536Mi"),
        ("1024Mi", "1Gi"),
        ("0.5Gi", "512Mi"),
        ("34359738368", "34359738368"),
        ("1000", "1k"),
        ("1e3", "1e3"),
        ("100M", "100M"),
        ("0", "0"),
        (2, "2"),
    ],
)
def test_a_quantity_is_kept_in_one_spelling(written, kept):
    assert canonical(written) == kept


@given(quantities)
def test_the_spelling_is_final_and_means_the_same(text):
    kept = canonical(text)
    assert canonical(kept) == kept
    assert abs(amount(kept) - amount(text)) < Decimal("1e-8")


@pytest.mark.parametrize("text", ["", "1x", "one", "1 Gi", "1gi", "--1", True])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(QuantityError):
        canonical(text)

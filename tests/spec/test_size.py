import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.spec import Duration, Size

UNITS = st.sampled_from(["k", "m", "g", "t", "p", "K", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi"])


@given(st.integers(0, 10**6), UNITS)
def test_a_size_is_written_back_as_it_was_spelt(count: int, unit: str) -> None:
    size = Size(f"{count}{unit}")
    assert (str(size), size.unit) == (f"{count}{unit}", unit)
    assert size.bytes == count * 1024 ** ("kmgtp".index(unit[0].lower()) + 1)


@given(st.integers(0, 10**15 - 1))
def test_bytes_are_written_in_the_largest_unit_that_divides_them(kilobytes: int) -> None:
    size = Size.of_bytes(kilobytes * 1024, "kmg")
    assert size.bytes == kilobytes * 1024
    assert size.unit == "g" or size.bytes == 0 or size.bytes % (1024 * Size(f"1{size.unit}").bytes)


def test_sizes_compare_by_bytes() -> None:
    assert Size("1024m") == Size("1G") == Size("1Gi")
    assert len({Size("1024m"), Size("1g")}) == 1
    assert [str(size) for size in sorted([Size("2g"), Size("1T"), Size("3M")])] == ["3M", "2g", "1T"]


@pytest.mark.parametrize("text", ["", "8", "g", "8 g", "-8g", "1.5g", "8gb", "8gI", "0x8g", "8\n", "9" * 16 + "g"])
def test_nothing_else_is_a_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        Size(text)


def test_durations_compare_by_seconds_and_keep_their_spelling() -> None:
    assert Duration("60m") == Duration("1h")
    assert Duration("59m") < Duration("1h") < Duration("1d")
    assert (str(Duration("90s")), Duration("90s").seconds) == ("90s", 90)


@pytest.mark.parametrize("text", ["", "30", "m", "1h30m", "-1s", "1.5h", "1w"])
def test_nothing_else_is_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        Duration(text)

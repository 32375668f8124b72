from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.sgx import VERSIONS, GramineVersionError, Layout, gramine_version, parse_offsets
from ppmlctl.sgx.layout import UPSTREAM_NAMES

_OFFSETS = "".join(f"{upstream} = {getattr(Layout(), name):#x}\n" for upstream, name in UPSTREAM_NAMES.items())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1.3.1", "1.3.1"),
        ("v1.3.1", "1.3.1"),
        ("1.3", "1.3.1"),
        ("1.3.1post~UNRELEASED", "1.3.1"),
        ("1.6.2", "1.6"),
        ("1.9", "1.9"),
    ],
)
def test_a_version_is_recognised_by_its_first_two_numbers(text: str, name: str) -> None:
    assert gramine_version(text).name == name


@pytest.mark.parametrize("text", ["", "1", "auto", "1.2", "1.10", "2.5", "x1.5"])
def test_an_unknown_version_is_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(GramineVersionError) as refused:
        gramine_version(text)
    assert str(refused.value) == (
        f"Gramine {text!r} is not among the known versions: 1.3.1, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9"
    )


def test_versions_are_listed_oldest_first() -> None:
    assert sorted(VERSIONS, key=lambda version: version.release) == list(VERSIONS)


def test_the_constants_of_an_image_are_read() -> None:
    assert parse_offsets(_OFFSETS) == Layout()
    other = _OFFSETS.replace("ENCLAVE_STACK_SIZE = 0x40000", "ENCLAVE_STACK_SIZE = 0x80000")
    assert parse_offsets(f"# a comment\nimport os\n{other}SGX_DCAP = 1\n") == Layout(stack_size=0x80000)


def test_missing_constants_are_named() -> None:
    text = _OFFSETS.replace("MMAP_MIN_ADDR", "OTHER").replace("SGX_GPR =", "OTHER =")
    with pytest.raises(GramineVersionError, match=r"^Gramine's constants lack MMAP_MIN_ADDR, SGX_GPR$"):
        parse_offsets(text)


def test_a_number_that_python_does_not_read_is_no_constant() -> None:
    with pytest.raises(GramineVersionError, match=r"^Gramine's constants lack SGX_GPR$"):
        parse_offsets(_OFFSETS.replace("SGX_GPR = 0x", "SGX_GPR = 00"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAGESIZE", "0x2000"),
        ("TCS_SIZE", "0x800"),
        ("SSA_FRAME_NUM", "0"),
        ("SSA_FRAME_SIZE", "0x1"),
        ("ENCLAVE_STACK_SIZE", "0x0"),
        ("ENCLAVE_SIG_STACK_SIZE", "0xfffffffffffff000"),
        ("SGX_GPR_SIZE", "0xffff"),
        ("SGX_HEAP_MAX", "0xff9"),
        ("DEFAULT_ENCLAVE_BASE", "1"),
        ("STACK_PROTECTOR_CANARY_DEFAULT", "99999999999999999999"),
    ],
)
def test_constants_that_describe_no_enclave_are_refused(name: str, value: str) -> None:
    lines = [line for line in _OFFSETS.splitlines() if not line.startswith(f"{name} ")]
    with pytest.raises(GramineVersionError, match=r"^Gramine's constants"):
        parse_offsets("\n".join([*lines, f"{name} = {value}"]))


@given(st.dictionaries(st.sampled_from(sorted(UPSTREAM_NAMES)), st.integers(0, 1 << 64)))
def test_any_constants_are_taken_or_refused(changed: dict[str, int]) -> None:
    try:
        parse_offsets(_OFFSETS + "".join(f"{name} = {value:#x}\n" for name, value in changed.items()))
    except GramineVersionError:
        return

"""Expectations as people write them."""

from __future__ import annotations

import pytest

from ppmlctl.dcap import ExpectationError, Expectations


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["mr_enclave"], "`mr_enclave` is not of the form name=value"),
        (["mr_enclav=00"], "`mr_enclav` cannot be expected; did you mean `mr_enclave`?"),
        (["colour=red"], "`colour` cannot be expected"),
        (["mr_enclave=00"], "mr_enclave has 64 hexadecimal digits, which `00` has not"),
        ([f"rtmr0={'0g' * 48}"], f"rtmr0 has 96 hexadecimal digits, which `{'0g' * 48}` has not"),
        (["td_attributes="], "td_attributes has 16 hexadecimal digits, which `` has not"),
        (["prod_id=65536"], "prod_id is a number from 0 to 65535, which `65536` is not"),
        (["min_svn=-1"], "min_svn is a number from 0 to 65535, which `-1` is not"),
        (["min_svn=٣"], "min_svn is a number from 0 to 65535, which `٣` is not"),
        (["debug=yes"], "debug is true or false, not `yes`"),
        (["debug=false", "debug=false"], "`debug` is expected twice"),
    ],
)
def test_what_cannot_be_understood_is_said(texts: list[str], words: str) -> None:
    with pytest.raises(ExpectationError) as caught:
        Expectations.parse(texts)
    assert str(caught.value) == words


def test_hexadecimal_may_be_written_in_either_case_and_with_its_prefix() -> None:
    assert Expectations.parse([f"mr_signer=0x{'aB' * 32}"]).values == {"mr_signer": "ab" * 32}


@pytest.mark.parametrize(("svn", "fits"), [(1, False), (2, True), (3, True)])
def test_a_least_svn_lets_higher_ones_pass(svn: int, fits: bool) -> None:  # noqa: FBT001 - a column of the table
    found = list(Expectations.parse(["min_svn=2"]).differences({"tee": "sgx", "quote_version": 3, "isv_svn": svn}))
    assert found == ([] if fits else [f"svn is {svn}, expected at least 2"])

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.keystore import KeystoreError, der


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_an_element_of_any_size_comes_back(size: int) -> None:
    content = bytes(size)
    assert der.decode(der.encode(der.OCTET_STRING, content) + b"rest", der.OCTET_STRING) == (content, b"rest")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a DER element with tag 0x04"),
        (b"\x04", "expected a DER element with tag 0x04"),
        (b"\x30\x00", "expected a DER element with tag 0x04"),
        (b"\x04\x01", "a DER element is cut short"),
        (b"\x04\x80", "a DER length cannot be read"),
        (b"\x04\x85\0\0\0\0\0", "a DER length cannot be read"),
        (b"\x04\x82\x01", "a DER length cannot be read"),
    ],
)
def test_what_is_no_element_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(KeystoreError) as error:
        der.decode(data, der.OCTET_STRING)
    assert str(error.value) == message


@given(st.binary(max_size=12))
def test_arbitrary_bytes_are_an_element_or_refused(data: bytes) -> None:
    try:
        content, rest = der.decode(data, der.OCTET_STRING)
    except KeystoreError:
        return
    assert data.endswith(content + rest)

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.keystore import (
    Entry,
    KeystoreError,
    PrivateKeyEntry,
    TrustedCertificateEntry,
    WrongPasswordError,
    read_jks,
    write_jks,
)
from ppmlctl.keystore.jks_key_protector import protect, recover
from ppmlctl.secret import Secret

PASSWORD = Secret("geheim")
ENTRIES: tuple[Entry, ...] = (
    PrivateKeyEntry("server", 1_700_000_000_000, b"a key" * 30, (b"leaf", b"root")),
    TrustedCertificateEntry("server-certificate", 1_700_000_000_001, b"leaf"),
)


def salt() -> bytes:
    return bytes(range(20))


def signed(body: bytes) -> bytes:
    """A file with a right check value, so that reading reaches the entries."""
    return body + hashlib.sha1("geheim".encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()


def test_what_was_written_is_read_back() -> None:
    assert read_jks(write_jks(ENTRIES, PASSWORD), PASSWORD) == ENTRIES


def test_the_file_begins_as_java_wants_it() -> None:
    assert write_jks(ENTRIES, PASSWORD)[:12].hex() == "feedfeed" + "00000002" + "00000002"


def test_an_empty_keystore_is_the_one_that_java_writes() -> None:
    # Bytes of java.security.KeyStore.getInstance("JKS"), loaded with null and stored with "geheim".
    assert write_jks((), PASSWORD).hex() == "feedfeed0000000200000000" + "674be047fc2be1b0c2da29c25436192acb80a15b"


def test_the_same_salt_gives_the_same_bytes_and_salts_are_random_otherwise() -> None:
    assert write_jks(ENTRIES, PASSWORD, new_salt=salt) == write_jks(ENTRIES, PASSWORD, new_salt=salt)
    assert write_jks(ENTRIES, PASSWORD) != write_jks(ENTRIES, PASSWORD)


def test_the_key_stands_nowhere_in_clear() -> None:
    assert b"a key" not in write_jks(ENTRIES, PASSWORD)
    assert "a key" not in repr(ENTRIES)


def test_another_password_is_a_clear_error() -> None:
    with pytest.raises(WrongPasswordError) as error:
        read_jks(write_jks(ENTRIES, PASSWORD), Secret("other"))
    assert str(error.value) == "the keystore does not open with this password, or was altered"


def test_a_key_under_another_password_than_the_stores_is_a_clear_error() -> None:
    protected = protect(b"key", "other", salt())
    entry = struct.pack(">I", 1) + b"\0\1a" + bytes(8) + struct.pack(">I", len(protected)) + protected + bytes(4)
    with pytest.raises(WrongPasswordError, match=r"^a private key does not open with this password, or was altered$"):
        read_jks(signed(bytes.fromhex("feedfeed0000000200000001") + entry), PASSWORD)


@pytest.mark.parametrize("position", [8, 30, 200, -1])
def test_one_altered_byte_is_noticed(position: int) -> None:
    content = bytearray(write_jks(ENTRIES, PASSWORD))
    content[position] ^= 1
    with pytest.raises(WrongPasswordError):
        read_jks(bytes(content), PASSWORD)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "too short to be a JKS file"),
        (bytes(40), "not a JKS file"),
        (b"\x30\x82" + bytes(40), "not a JKS file (perhaps PKCS#12)"),
        (bytes.fromhex("cececece00000002") + bytes(40), "a JCEKS file, not a JKS one"),
        (bytes.fromhex("feedfeed00000001") + bytes(40), "JKS version 1; only version 2 is read"),
        (signed(bytes.fromhex("feedfeed0000000200000001")), "the keystore ends too early"),
        (signed(bytes.fromhex("feedfeed00000002ffffffff")), "the keystore ends too early"),
        (signed(bytes.fromhex("feedfeed000000020000000000")), "bytes follow the last entry"),
        (signed(bytes.fromhex("feedfeed0000000200000001000000030000") + bytes(8)), "an entry has the unknown tag 3"),
        (
            signed(bytes.fromhex("feedfeed0000000200000001000000020001ff") + bytes(30)),
            "a text of the keystore cannot be read",
        ),
        (
            signed(bytes.fromhex("feedfeed0000000200000001000000020000") + bytes(8) + b"\0\1X" + bytes(4)),
            "a certificate is of another type than X.509",
        ),
    ],
)
def test_what_is_no_keystore_is_said_so(content: bytes, message: str) -> None:
    with pytest.raises(KeystoreError) as error:
        read_jks(content, PASSWORD)
    assert str(error.value) == message


def test_two_entries_cannot_share_an_alias_in_any_case() -> None:
    twice = (TrustedCertificateEntry("A", 0, b""), TrustedCertificateEntry("a", 0, b""))
    with pytest.raises(KeystoreError, match="same alias"):
        write_jks(twice, PASSWORD)


@pytest.mark.parametrize("password", [Secret(b"\xff"), Secret("\ud800")])
def test_a_password_that_is_no_text_is_refused(password: Secret) -> None:
    with pytest.raises(KeystoreError) as error:
        write_jks(ENTRIES, password)
    assert str(error.value) == "the password is not valid text"


def test_a_salt_of_another_size_is_refused() -> None:
    with pytest.raises(KeystoreError, match="the salt of a JKS key has 20 bytes"):
        write_jks(ENTRIES, PASSWORD, new_salt=lambda: b"short")


def test_a_text_too_long_for_the_format_is_refused() -> None:
    with pytest.raises(KeystoreError, match="too long"):
        write_jks((TrustedCertificateEntry("x" * 65536, 0, b""),), PASSWORD)


@given(st.binary(max_size=80))
def test_a_protected_key_is_recovered(key: bytes) -> None:
    assert recover(protect(key, "geheim", salt()), "geheim") == key


aliases = st.text(max_size=20).map(str.lower).filter(lambda alias: alias.lower() == alias)
entries = st.lists(
    st.one_of(
        st.builds(PrivateKeyEntry, aliases, st.integers(0, 2**64 - 1), st.binary(), st.lists(st.binary()).map(tuple)),
        st.builds(TrustedCertificateEntry, aliases, st.integers(0, 2**64 - 1), st.binary()),
    ),
    unique_by=lambda entry: entry.alias,
    max_size=4,
)


@given(entries, st.text(max_size=12))
def test_any_keystore_survives_writing_and_reading(written: list[Entry], password: str) -> None:
    assert read_jks(write_jks(written, Secret(password)), Secret(password)) == tuple(written)


@given(st.binary(max_size=200))
def test_arbitrary_entries_are_read_or_refused(body: bytes) -> None:
    for content in (body, signed(bytes.fromhex("feedfeed00000002") + body)):
        read_or_refused(content)


@given(st.data())
def test_a_mutated_keystore_is_read_or_refused(data: st.DataObject) -> None:
    valid = write_jks(ENTRIES, PASSWORD, new_salt=salt)[:-20]
    position = data.draw(st.integers(0, len(valid)))
    removed = data.draw(st.integers(0, 4))
    inserted = data.draw(st.binary(max_size=4))
    read_or_refused(signed(valid[:position] + inserted + valid[position + removed :]))


@given(st.binary(max_size=120))
def test_an_arbitrary_protected_key_is_refused(content: bytes) -> None:
    with pytest.raises(KeystoreError):
        recover(content, "geheim")


def read_or_refused(content: bytes) -> None:
    try:
        read_jks(content, PASSWORD)
    except KeystoreError:
        return

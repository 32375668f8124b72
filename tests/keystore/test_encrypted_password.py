import shutil
import subprocess
from pathlib import Path

import pytest

from ppmlctl.keystore import KeystoreError, decrypt_password, encrypt_password, new_password_key, password_fault
from ppmlctl.secret import Secret

PASSWORD = Secret("ein-geheimnis")


@pytest.fixture(scope="module")
def key() -> bytes:
    return new_password_key()


def test_the_password_comes_back(key: bytes) -> None:
    assert decrypt_password(key, encrypt_password(key, PASSWORD)) == PASSWORD


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_command_of_the_images_reads_it(key: bytes, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_bytes(key)
    (tmp_path / "output.bin").write_bytes(encrypt_password(key, PASSWORD))
    done = subprocess.run(
        ["sh", "-c", "openssl rsautl -inkey key.txt -decrypt <output.bin"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"ein-geheimnis"


def test_a_ciphertext_for_another_key_does_not_give_the_password(key: bytes) -> None:
    encrypted = encrypt_password(new_password_key(), PASSWORD)
    try:
        assert decrypt_password(key, encrypted) != PASSWORD
    except KeystoreError as error:
        assert str(error) == "the encrypted password does not belong to its key"  # noqa: PT017 - one of two outcomes


@pytest.mark.parametrize("encrypted", [b"", b"short", bytes(255), b"\xff" * 256, bytes(300)])
def test_what_is_no_ciphertext_is_refused(key: bytes, encrypted: bytes) -> None:
    with pytest.raises(KeystoreError) as error:
        decrypt_password(key, encrypted)
    assert str(error.value) == "the encrypted password does not belong to its key"


def test_a_password_too_long_for_the_key_is_refused(key: bytes) -> None:
    with pytest.raises(KeystoreError) as error:
        encrypt_password(key, Secret("x" * 246))
    assert str(error.value) == "the password is too long for this key"


@pytest.mark.parametrize("password", ["123456", "x" * 128, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"])
def test_a_password_that_all_consumers_take_has_no_fault(password: str) -> None:
    assert password_fault(Secret(password)) is None


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("", "it has 0 characters; keytool and RSA take 6 to 128"),
        ("12345", "it has 5 characters; keytool and RSA take 6 to 128"),
        ("x" * 129, "it has 129 characters; keytool and RSA take 6 to 128"),
        ("two words", "it has a blank or a character beyond ASCII; the submit script splits words at blanks"),
        ("geh\u00e4im", "it has a blank or a character beyond ASCII; the submit script splits words at blanks"),
        ("geheim\n", "it has a blank or a character beyond ASCII; the submit script splits words at blanks"),
    ],
)
def test_a_password_that_one_consumer_refuses_is_named(password: str, fault: str) -> None:
    assert password_fault(Secret(password)) == fault

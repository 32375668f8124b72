import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.keystore import KeystoreError, WrongPasswordError, read_pkcs12, write_pkcs12
from ppmlctl.secret import Secret

PASSWORD = Secret("ein-geheimnis")


@pytest.fixture(scope="module")
def content(key: bytes, certificate: bytes) -> bytes:
    return write_pkcs12("server", key, certificate, PASSWORD)


def test_what_was_written_is_read_back(content: bytes, key_der: bytes, certificate_der: bytes) -> None:
    assert read_pkcs12(content, PASSWORD) == (key_der, certificate_der)


def test_another_password_is_a_clear_error(content: bytes) -> None:
    with pytest.raises(WrongPasswordError) as error:
        read_pkcs12(content, Secret("other"))
    assert str(error.value) == "the PKCS#12 file does not open with this password, or was altered"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_reads_it_without_its_legacy_provider(
    content: bytes, key: bytes, certificate: bytes, tmp_path: Path
) -> None:
    (tmp_path / "keystore.pkcs12").write_bytes(content)
    shown = subprocess.run(
        ["openssl", "pkcs12", "-in", "keystore.pkcs12", "-nodes", "-passin", "env:PASSWORD"],
        cwd=tmp_path,
        env={"PASSWORD": PASSWORD.reveal_text(), "PATH": "/usr/bin:/bin:/usr/local/bin"},
        capture_output=True,
        check=True,
    ).stdout
    assert key in shown
    assert certificate in shown
    assert b"friendlyName: server" in shown


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(KeystoreError):
        read_pkcs12(content, PASSWORD)

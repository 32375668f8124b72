"""Java's own tool reads what is written here, and what it writes is read here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ppmlctl.keystore import (
    PrivateKeyEntry,
    TrustedCertificateEntry,
    read_jks,
    read_pkcs12,
    write_jks,
    write_pkcs12,
)
from ppmlctl.secret import Secret

pytestmark = pytest.mark.skipif(shutil.which("keytool") is None, reason="keytool (a Java runtime) is not installed")
PASSWORD = Secret("ein-geheimnis")


def keytool(*arguments: str, folder: Path) -> str:
    environment = os.environ | {"STOREPASS": PASSWORD.reveal_text(), "LC_ALL": "C", "JAVA_TOOL_OPTIONS": ""}
    done = subprocess.run(
        ["keytool", *arguments], cwd=folder, env=environment, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def keystore(key: bytes, certificate: bytes, key_der: bytes, certificate_der: bytes, tmp_path: Path) -> Path:
    entries = (
        PrivateKeyEntry("server", 1_700_000_000_000, key_der, (certificate_der,)),
        TrustedCertificateEntry("server-certificate", 1_700_000_000_000, certificate_der),
    )
    (tmp_path / "keystore.jks").write_bytes(write_jks(entries, PASSWORD))
    (tmp_path / "keystore.pkcs12").write_bytes(write_pkcs12("server", key, certificate, PASSWORD))
    return tmp_path


def test_keytool_lists_both_entries_of_the_jks(keystore: Path) -> None:
    listed = keytool("-list", "-keystore", "keystore.jks", "-storepass:env", "STOREPASS", folder=keystore)
    assert "Keystore type: JKS" in listed
    assert "server, Nov 14, 2023, PrivateKeyEntry," in listed
    assert "server-certificate, Nov 14, 2023, trustedCertEntry," in listed


def test_keytool_exports_the_certificate_of_the_jks(keystore: Path, certificate_der: bytes) -> None:
    keytool(
        *("-exportcert", "-keystore", "keystore.jks", "-storepass:env", "STOREPASS", "-alias", "server"),
        *("-file", "out.der"),
        folder=keystore,
    )
    assert (keystore / "out.der").read_bytes() == certificate_der


def test_keytool_takes_the_private_key_out_of_the_jks(keystore: Path, key_der: bytes, certificate_der: bytes) -> None:
    keytool(
        *("-importkeystore", "-srckeystore", "keystore.jks", "-srcstoretype", "JKS", "-srcstorepass:env", "STOREPASS"),
        *("-destkeystore", "out.p12", "-deststoretype", "PKCS12", "-deststorepass:env", "STOREPASS"),
        *("-srcalias", "server"),
        folder=keystore,
    )
    assert read_pkcs12((keystore / "out.p12").read_bytes(), PASSWORD) == (key_der, certificate_der)


def test_keytool_lists_the_pkcs12(keystore: Path) -> None:
    listed = keytool("-list", "-keystore", "keystore.pkcs12", "-storepass:env", "STOREPASS", folder=keystore)
    assert "Keystore type: PKCS12" in listed
    assert "PrivateKeyEntry" in listed


def test_a_jks_that_keytool_made_is_read(keystore: Path, key_der: bytes, certificate_der: bytes) -> None:
    keytool(
        *("-importkeystore", "-srckeystore", "keystore.pkcs12", "-srcstorepass:env", "STOREPASS"),
        *("-destkeystore", "out.jks", "-deststoretype", "JKS", "-deststorepass:env", "STOREPASS"),
        *("-destalias", "schl\u00fcssel", "-srcalias", "server"),
        folder=keystore,
    )
    (entry,) = read_jks((keystore / "out.jks").read_bytes(), PASSWORD)
    assert isinstance(entry, PrivateKeyEntry)
    assert (entry.key, entry.chain) == (key_der, (certificate_der,))

"""Hadoop's credential file. Java's own tool opens it; a run on a real cluster (tests/e2e) shows that Spark reads it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ppmlctl.keystore import write_credentials
from ppmlctl.keystore.credential_store import DEFAULT_PASSWORD
from ppmlctl.secret import Secret


def test_the_same_passwords_give_the_same_bytes_without_the_password_in_them() -> None:
    first = write_credentials({"spark.ssl.keyPassword": Secret("ein-geheimnis")})
    assert first == write_credentials({"spark.ssl.keyPassword": Secret("ein-geheimnis")})
    assert b"ein-geheimnis" not in first
    assert first != write_credentials({"spark.ssl.keyPassword": Secret("another-one")})


@pytest.mark.skipif(shutil.which("keytool") is None, reason="keytool (a Java runtime) is not installed")
def test_java_opens_it_and_lists_its_keys(tmp_path: Path) -> None:
    password = Secret("ein-geheimnis")
    content = write_credentials({"spark.ssl.keyPassword": password, "spark.ssl.keyStorePassword": password})
    (tmp_path / "c.jceks").write_bytes(content)
    command = ["keytool", "-list", "-storetype", "JCEKS", "-keystore", "c.jceks", "-storepass", DEFAULT_PASSWORD]
    listed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert [line.split(",")[0] for line in listed.stdout.splitlines() if "SecretKeyEntry" in line] == [
        "spark.ssl.keypassword",
        "spark.ssl.keystorepassword",
    ]

"""The key client that goes into images, run as `encrypted-fsd.sh` runs it, against the embedded EHSM over real TLS."""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ppmlctl.clients.ehsm import EhsmClient, ServerTrust
from ppmlctl.effects import Effects
from ppmlctl.ehsm import Account, KeySpec
from ppmlctl.key_client import key_client_program
from ppmlctl.key_client import program as key_client
from ppmlctl.key_client.program import ADDITIONAL_DATA
from ppmlctl.protection import EncryptedFs, encrypted_variables
from ppmlctl.sandbox.ehsm import make_app
from ppmlctl.sandbox.ehsm.release import Release, Release032
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import ensure_certificates


@dataclass(frozen=True)
class Served:
    """An EHSM, one account with a wrapped data key, and the script with its key files."""

    folder: Path
    port: int
    ca: Path
    certificate: Path
    account: Account
    plaintext: str

    @property
    def fingerprint(self) -> str:
        first = self.certificate.read_text().partition("-----END CERTIFICATE-----")
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0] + first[1] + "\n")).hexdigest()

    def run(self, trust: dict[str, str], **account: str) -> subprocess.CompletedProcess[str]:
        variables = {"APPID": self.account.appid, "APIKEY": self.account.apikey.reveal_text(), **account, **trust}
        files = ["-pkp", str(self.folder / "primary"), "-dkp", str(self.folder / "data")]
        words = ["-api", "get_data_key_plaintext", "-ip", "127.0.0.1", "-port", str(self.port), *files]
        program = [sys.executable, "-I", str(self.folder / "client.py"), *words]
        environment = {"PATH": os.environ["PATH"], **variables}
        return subprocess.run(program, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=[Release(), Release032()], ids=["today", "0.3.2"])
def ehsm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("key-client")
    certificates = ensure_certificates(folder / "tls")
    with served(make_app(folder / "state", release=request.param), certificates) as port:
        url, trust = f"https://127.0.0.1:{port}", ServerTrust(ca=certificates.ca)
        with EhsmClient(url, Effects("ehsm", writes_allowed=True), trust=trust) as client:
            account = client.enroll()
            keyid = client.keys.create(account, KeySpec.AES_GCM_256)
            aad = base64.b64decode(ADDITIONAL_DATA)
            wrapped = client.keys.generate_wrapped_data_key(account, keyid, 32, aad)
            plain = client.keys.decrypt(account, keyid, wrapped, aad)
        (folder / "primary").write_text(keyid)
        (folder / "data").write_text(base64.b64encode(wrapped).decode())
        (folder / "client.py").write_bytes(key_client_program())
        plaintext = base64.b64encode(plain.reveal_bytes()).decode()
        yield Served(folder, port, certificates.ca, certificates.certificate, account, plaintext)


def test_the_plain_key_is_printed_and_nothing_else(ehsm: Served) -> None:
    run = ehsm.run({"PPMLCTL_EHSM_CA": ehsm.ca.read_text()})
    assert (run.returncode, run.stdout, run.stderr) == (0, f"{ehsm.plaintext}\n", "")


def test_ehsm_is_trusted_by_what_the_environment_says(ehsm: Served) -> None:
    written = ehsm.fingerprint.upper()
    pinned = encrypted_variables(EncryptedFs("h:1", "a", "s", fingerprint=f"sha256:{written}"))
    trusts = [{"PPMLCTL_EHSM_FINGERPRINT": pinned["PPMLCTL_EHSM_FINGERPRINT"]}, {"PPMLCTL_EHSM_INSECURE": "true"}]
    assert [ehsm.run(trust).stdout for trust in trusts] == [f"{ehsm.plaintext}\n"] * 2


@pytest.mark.parametrize(
    ("trust", "said"),
    [
        ({}, "certificate verify failed"),
        ({"PPMLCTL_EHSM_FINGERPRINT": "0" * 64}, "EHSM's certificate is not the pinned one: its SHA-256 is "),
        ({"PPMLCTL_EHSM_CA": "no certificate"}, ""),
    ],
)
def test_another_server_is_sent_nothing(ehsm: Served, trust: dict[str, str], said: str) -> None:
    before = requests_at(ehsm)
    run = ehsm.run(trust)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"ppmlctl: no data key from EHSM at 127.0.0.1:{ehsm.port}: ")
    assert said in run.stderr
    assert requests_at(ehsm) == before


def requests_at(ehsm: Served) -> int:
    return len((ehsm.folder / "state/requests.jsonl").read_text().splitlines())


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({"APIKEY": "another-key-that-nobody-may-see"}, "EHSM does not unwrap the data key: 400 sign error"),
        ({"APPID": "11111111-2222-3333-4444-555555555555"}, "EHSM does not unwrap the data key: 400 (no words)"),
        ({"APPID": ""}, "APPID is empty"),
    ],
)
def test_a_refusal_is_told_in_ehsms_words_and_without_secrets(ehsm: Served, account: dict[str, str], said: str) -> None:
    run = ehsm.run({"PPMLCTL_EHSM_CA": ehsm.ca.read_text()}, **account)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == f"ppmlctl: no data key from EHSM at 127.0.0.1:{ehsm.port}: {said}\n"


def test_a_server_writes_no_line_of_its_own_into_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"code": 400, "message": "no\r\nPi is roughly 3.14\x1b[2J\u202e" + "x" * 5000}
    monkeypatch.setattr(key_client, "_answer", lambda *_: said)
    monkeypatch.setenv("APPID", "a")
    monkeypatch.setenv("APIKEY", "b")
    (tmp_path / "key").write_text("k")
    files = ["-pkp", str(tmp_path / "key"), "-dkp", str(tmp_path / "key")]
    words = ["client.py", "-api", "get_data_key_plaintext", "-ip", "h", "-port", "1", *files]
    monkeypatch.setattr(sys, "argv", words)
    assert key_client.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "ppmlctl: no data key from EHSM at h:1: EHSM does not unwrap the data key: 400 "
        r"no\r\nPi is roughly 3.14\x1b[2J\u202exxx"
    )
    assert len(line) < 1200


def test_it_is_text_for_the_oldest_python_of_the_images() -> None:
    assert ast.parse(key_client_program(), feature_version=(3, 8))

"""Whatever file is given to whatever command: one clear message, exit 1, and never a trace of a surprise."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from enclave_command import Command, key_file

from ppmlctl.cli.main import run

_NOISE = random.Random(1).randbytes(1808)
_GARBAGE = {
    "nothing": b"",
    "noise": _NOISE,
    "zeros": bytes(1808),
    "short": bytes(256),
    "text": b"[sgx]\nenclave_size = 7\n",
    "a key's head": b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
    "an ELF's head": b"\x7fELF\x02\x01\x01" + bytes(200),
}
_COMMANDS = {
    "inspect": "inspect {}",
    "inspect a layout": "inspect --layout {}",
    "key": "key {}",
    "public half": "key {} --public out",
    "measure manifest": "measure --manifest {} --loader libpal.so --gramine 1.3.1",
    "measure manifest, version unknown": "measure --manifest {} --loader libpal.so",
    "measure loader": "measure --manifest bash.manifest.sgx --loader {} --gramine 1.3.1",
    "measure offsets": "measure --manifest bash.manifest.sgx --loader libpal.so --offsets {}",
    "sign key": "sign --manifest bash.manifest.sgx --loader libpal.so --gramine 1.3.1 --key {} --output out",
    "attach part": "attach --signed-part {} --signature {} --public-key {} --output out",
    "diff": "diff {} bash.manifest.sgx",
    "diff the other": "diff bash.manifest.sgx {}",
}


@pytest.mark.parametrize("kind", [*_GARBAGE, "a folder", "missing"])
@pytest.mark.parametrize("command", _COMMANDS)
def test_garbage_is_answered_with_a_finding(
    command: str, kind: str, enclave: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert enclave.files
    key_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    garbage = tmp_path / "garbage"
    if kind == "a folder":
        garbage.mkdir()
    elif kind in _GARBAGE:
        garbage.write_bytes(_GARBAGE[kind])
        garbage.chmod(0o600)

    assert run(["enclave", *_COMMANDS[command].format(*["garbage"] * 3).split(), "-o", "json"]) == 1
    out = json.loads(enclave.streams.readouterr().out)
    codes = [error["code"] for error in out.get("errors", [])]
    assert "internal-error" not in codes
    assert codes or out.get("signature_valid") is False or out.get("same") is False
    assert not (tmp_path / "out").exists()

"""An environment whose enclave is signed by a command: asked once, never by a plan, and again for a new key."""

from __future__ import annotations

import pytest
from flows.place import Place, changed

from ppmlctl.sgx import Sigstruct
from ppmlctl.sgx.signing_key import SigningKey

pytestmark = pytest.mark.long

_FILE = """\
version: 1
name: quickstart
target: sandbox
images:
  base: {rootfs: ./base}
  custom: {name: ppml/quickstart, tag: "1", enclave_size: 64M}
enclave:
  signer: {command: [./sign], public_key: signer.pem}
"""
_SCRIPT = "#!/bin/sh\necho asked >> hsm/log\nexec openssl dgst -sha256 -sign hsm/key.pem\n"


def _give_key(place: Place) -> str:
    key = SigningKey.generate()
    (place.folder / "hsm").mkdir(exist_ok=True)
    (place.folder / "hsm" / "key.pem").write_bytes(key.to_pem().reveal_bytes())
    (place.folder / "signer.pem").write_bytes(key.public_pem())
    return key.mr_signer


def _asked(place: Place) -> int:
    log = place.folder / "hsm" / "log"
    return log.read_text().count("asked") if log.exists() else 0


def test_an_external_signer_is_asked_once_for_each_key(place: Place) -> None:
    (place.folder / "ppml.yaml").write_text(_FILE)
    (place.folder / "sign").write_text(_SCRIPT)
    (place.folder / "sign").chmod(0o755)
    first = _give_key(place)

    code, plan = place.plan()
    assert (code, _asked(place)) == (2, 0)
    assert changed(plan)["enclave"] == "create"
    assert place.apply()["outputs"]["mr_signer"] == first
    assert Sigstruct.from_bytes((place.folder / ".ppml/enclave/bash.sig").read_bytes()).mr_signer == first
    assert place.plan()[0] == 0
    assert place.apply()["recap"]["changed"] == 0
    assert _asked(place) == 1

    place.edit("signer: {", "findings: {file_check_policy: warn}\n  signer: {")
    assert changed(place.plan()[1]) == {"enclave": "update"}
    assert place.apply()["recap"]["failed"] == 0
    assert _asked(place) == 1

    second = _give_key(place)
    assert set(changed(place.plan()[1])) == {"enclave-key", "enclave", "custom-image"}
    assert place.apply()["outputs"]["mr_signer"] == second
    assert _asked(place) == 2
    assert "hsm" not in place.lockfile.decode()

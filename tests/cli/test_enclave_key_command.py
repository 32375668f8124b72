"""`ppmlctl enclave key` makes keys once, and tells who signs with one."""

from __future__ import annotations

import stat
from pathlib import Path

from enclave_command import Command, key_file
from sgx.gramine_vectors import MR_SIGNERS


def test_a_key_is_made_for_its_owner_only_and_can_sign(enclave: Command, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "enclave-key.pem"
    made = enclave.json("key", file, "--make")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert enclave.json("key", file) == made
    enclave.json("sign", *enclave.files, "--key", file, "--output", tmp_path / "bash.sig")
    assert enclave.json("inspect", tmp_path / "bash.sig")["mr_signer"] == made["mr_signer"]


def test_an_existing_file_is_never_overwritten(enclave: Command, tmp_path: Path) -> None:
    file = tmp_path / "anything"
    file.write_text("precious")
    _, err = enclave.text("key", file, "--make", code=1)
    assert err == (
        "error[signing-key-exists]: a key is never overwritten\n"
        f"  is   {file}\n"
        "  why  enclaves that are deployed, and the policies at EHSM, know their signer by it\n"
        "  fix  name another file; what a key signed cannot be signed by another as the same signer\n"
    )
    assert file.read_text() == "precious"


def test_both_halves_of_a_key_tell_the_same_signer(enclave: Command, tmp_path: Path) -> None:
    file, public = key_file(tmp_path), tmp_path / "public.pem"
    told = enclave.json("key", file, "--public", public)
    assert told == {"mr_signer": MR_SIGNERS["first"], "key": str(file), "public_key": str(public)}
    assert enclave.json("key", public)["mr_signer"] == MR_SIGNERS["first"]
    assert b"PRIVATE" not in public.read_bytes()


def test_a_missing_key_is_not_made_by_itself(enclave: Command, tmp_path: Path) -> None:
    _, err = enclave.text("key", tmp_path / "none.pem", code=1)
    assert err == f"error[enclave-file]: a file cannot be read\n  is   {tmp_path}/none.pem: No such file or directory\n"

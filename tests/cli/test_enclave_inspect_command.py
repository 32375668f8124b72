"""`ppmlctl enclave inspect` shows a SIGSTRUCT, and fails where the processor would refuse it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from enclave_command import Command
from sgx.gramine_vectors import MR_SIGNERS, RESIGNED, TAMPERED, VECTORS

_SAMPLE = VECTORS["v1.3.1/defaults/tiny-packed"]


def test_it_tells_what_was_signed(enclave: Command, tmp_path: Path) -> None:
    vector = VECTORS["v1.9/debug-1g-16/hand-odd"]
    (tmp_path / "bash.sig").write_bytes(vector.sigstruct)
    assert enclave.json("inspect", tmp_path / "bash.sig") == {
        "mr_enclave": vector.mr_enclave,
        "mr_signer": MR_SIGNERS["first"],
        "isv_prod_id": 7,
        "isv_svn": 42,
        "debug": True,
        "date": "2024-02-29",
        "signature_valid": True,
        "broken": [],
        "attributes": {
            "flags": "0x0000000000000006",
            "flags_mask": "0xffffffffffffffff",
            "xfrm": "0x0000000000000003",
            "xfrm_mask": "0xfffffffffff9ff1b",
            "misc_select": "0x00000000",
            "misc_mask": "0xffffffff",
        },
    }


def test_it_tells_people_in_rows(enclave: Command, tmp_path: Path) -> None:
    (tmp_path / "bash.sig").write_bytes(_SAMPLE.sigstruct)
    out, _ = enclave.text("inspect", tmp_path / "bash.sig")
    assert out == (
        f"mr_enclave       {_SAMPLE.mr_enclave}\nmr_signer        {MR_SIGNERS['first']}\nisv_prod_id      0\n"
        "isv_svn          0\ndebug            no\ndate             2024-02-29\nsignature_valid  yes\n"
        "broken           none\n"
    )


@pytest.mark.parametrize("tampered", TAMPERED[:-1], ids=[case["breaks"] for case in TAMPERED[:-1]])
def test_a_tampered_one_is_shown_and_fails(tampered: dict[str, Any], enclave: Command, tmp_path: Path) -> None:
    raw = bytearray(_SAMPLE.sigstruct)
    raw[tampered["offset"]] ^= tampered["xor"]
    (tmp_path / "bash.sig").write_bytes(raw)

    told = enclave.json("inspect", tmp_path / "bash.sig", code=1)
    assert told["signature_valid"] is False
    assert {part for part in ("header", "header2", "vendor", "reserved", "q1", "q2") if part in told["broken"]} == {
        word.strip(",") for word in tampered["breaks"].split() if word.strip(",") not in ("signature", "and")
    } & {"header", "header2", "vendor", "reserved", "q1", "q2"}


@pytest.mark.parametrize(("name", "signer", "raw"), RESIGNED[:3], ids=[name for name, _, _ in RESIGNED[:3]])
def test_one_that_was_signed_again_names_its_signer(
    name: str, signer: str, raw: bytes, enclave: Command, tmp_path: Path
) -> None:
    (tmp_path / "bash.sig").write_bytes(raw)
    told = enclave.json("inspect", tmp_path / "bash.sig")
    assert (told["mr_signer"], told["mr_enclave"]) == (MR_SIGNERS[signer], VECTORS[name].mr_enclave)


def test_a_swapped_signature_fails(enclave: Command, tmp_path: Path) -> None:
    other = VECTORS["v1.3.1/defaults/tiny-separate"].sigstruct
    raw = _SAMPLE.sigstruct[:516] + other[516:900] + _SAMPLE.sigstruct[900:1040] + other[1040:]
    (tmp_path / "bash.sig").write_bytes(raw)
    assert enclave.json("inspect", tmp_path / "bash.sig", code=1)["broken"] == ["signature"]


@pytest.mark.parametrize("size", [0, 1807, 1809])
def test_another_size_is_no_sigstruct(size: int, enclave: Command, tmp_path: Path) -> None:
    file = tmp_path / "bash.sig"
    file.write_bytes(_SAMPLE.sigstruct.ljust(size, b"\0")[:size])
    _, err = enclave.text("inspect", file, code=1)
    assert err == (
        "error[sigstruct-size]: this is no SIGSTRUCT\n"
        f"  is   {file} has {size} bytes\n"
        "  why  a SIGSTRUCT has 1808; it is the .sig file beside the manifest\n"
    )
    assert enclave.json("inspect", file, code=1)["errors"][0]["code"] == "sigstruct-size"


def test_one_source_is_wanted(enclave: Command, tmp_path: Path) -> None:
    for arguments in ([], [tmp_path / "bash.sig", "--layout", tmp_path]):
        _, err = enclave.text("inspect", *arguments, code=1)
        assert err == (
            "error[usage]: one SIGSTRUCT is wanted\n"
            f"  is   {'2 are' if arguments else 'none is'} named\n"
            "  fix  name a file, or --image REF, or --layout FOLDER\n"
        )

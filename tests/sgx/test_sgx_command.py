from __future__ import annotations

import json
from pathlib import Path

import pytest
from gramine_vectors import VECTORS, elf

from ppmlctl.sgx.__main__ import main
from ppmlctl.sgx.layout import UPSTREAM_NAMES, Layout

_VECTOR = VECTORS["v1.3.1/nonpie/tiny-based"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    manifest, loader = tmp_path / "bash.manifest.sgx", tmp_path / "libpal.so"
    manifest.write_text(_VECTOR.manifest.manifest_sgx)
    loader.write_bytes(elf(_VECTOR.elf))
    return ["--manifest", str(manifest), "--loader", str(loader)]


def test_measure_prints_the_measurement(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", *files, "--gramine", "1.3.1"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "mr_enclave": _VECTOR.mr_enclave,
        "enclave_size": 512 << 20,
        "threads": 4,
        "debug": False,
        "isv_prod_id": 0,
        "isv_svn": 0,
    }


def test_measure_takes_the_constants_of_the_image(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offsets = tmp_path / "_offsets.py"
    offsets.write_text(
        "".join(f"{name} = {getattr(Layout(gpr_size=0xC0), ours)}\n" for name, ours in UPSTREAM_NAMES.items())
    )

    assert main(["measure", *files, "--gramine", "1.3.1", "--offsets", str(offsets)]) == 0
    assert json.loads(capsys.readouterr().out)["mr_enclave"] != _VECTOR.mr_enclave


def test_sigstruct_shows_what_was_signed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bash.sig").write_bytes(_VECTOR.sigstruct)

    assert main(["sigstruct", "--sig", str(tmp_path / "bash.sig")]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "mr_enclave": _VECTOR.mr_enclave,
        "mr_signer": "a4d860beec0dc3ba8d6c557dd72188e6afd6a0c9bf5379d38691e2f52cf329a3",
        "debug": False,
        "isv_prod_id": 0,
        "isv_svn": 0,
        "date": "2024-02-29",
    }


def test_what_is_wrong_is_said_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bash.sig").write_bytes(b"")

    assert main(["sigstruct", "--sig", str(tmp_path / "bash.sig")]) == 1
    assert capsys.readouterr() == ("", "SIGSTRUCT: wrong size\n")
    assert main(["measure", "--manifest", "none", "--loader", "none", "--gramine", "1.3.1"]) == 1
    assert capsys.readouterr().err == "[Errno 2] No such file or directory: 'none'\n"


def test_a_missing_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["measure", "--gramine", "1.3.1"])
    assert "the following arguments are required: --manifest, --loader" in capsys.readouterr().err

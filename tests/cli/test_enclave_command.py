"""`ppmlctl enclave measure` gives what the real signer measured, and says what is wrong with a file."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest

from ppmlctl.cli.main import run
from ppmlctl.sgx.layout import UPSTREAM_NAMES, Layout

VECTORS = json.loads((Path(__file__).parents[1] / "sgx" / "gramine-vectors.json").read_text())
(VECTOR,) = [vector for vector in VECTORS["vectors"] if vector["id"] == "v1.3.1/nonpie/tiny-based"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    manifest, loader = tmp_path / "bash.manifest.sgx", tmp_path / "libpal.so"
    manifest.write_text(VECTORS["manifests"][VECTOR["manifest"]]["manifest_sgx"])
    loader.write_bytes(gzip.decompress(base64.b64decode(VECTORS["elfs"][VECTOR["elf"]]["gzip_base64"])))
    return ["enclave", "measure", "--manifest", str(manifest), "--loader", str(loader)]


def test_it_prints_the_measurement(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*files, "--gramine", "1.3.1", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "mr_enclave": VECTOR["mrenclave"],
        "enclave_size": 512 << 20,
        "threads": 4,
        "debug": False,
        "isv_prod_id": 0,
        "isv_svn": 0,
    }


def test_it_takes_the_constants_of_a_fork(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fork = Layout(gpr_size=0xC0)
    (tmp_path / "_offsets.py").write_text(
        "".join(f"{name} = {getattr(fork, ours)}\n" for name, ours in UPSTREAM_NAMES.items())
    )
    assert run([*files, "--gramine", "1.3.1", "--offsets", str(tmp_path / "_offsets.py"), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["mr_enclave"] != VECTOR["mrenclave"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (["--gramine", "9.9"], "enclave-not-measurable"),
        (["--gramine", "1.3.1", "--loader", "/nowhere/libpal.so"], "enclave-file"),
        (["--gramine", "1.3.1", "--loader", __file__], "enclave-not-measurable"),
    ],
)
def test_a_wrong_file_or_version_is_told(
    files: list[str], wrong: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*files, *wrong]) == 1
    assert capsys.readouterr().err.startswith(f"error[{code}]")

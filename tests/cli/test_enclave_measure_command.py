"""`ppmlctl enclave measure` gives what the real signer measured, and says what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from enclave_command import Command
from sgx.gramine_vectors import VECTORS

from ppmlctl.sgx.layout import UPSTREAM_NAMES, Layout


def test_it_prints_the_measurement(enclave: Command) -> None:
    assert enclave.json("measure", *enclave.files) == {
        "mr_enclave": enclave.vector.mr_enclave,
        "enclave_size": 512 << 20,
        "threads": 4,
        "debug": False,
        "isv_prod_id": 0,
        "isv_svn": 0,
        "gramine": "1.3.1",
        "findings": [],
    }


def test_it_prints_rows_for_people(enclave: Command) -> None:
    out, err = enclave.text("measure", *enclave.files)
    assert out == (
        f"mr_enclave    {enclave.vector.mr_enclave}\n"
        "enclave_size  536870912\nthreads       4\ndebug         no\nisv_prod_id   0\nisv_svn       0\n"
        "gramine       1.3.1\nfindings      none\n"
    )
    assert err == ""


@pytest.mark.parametrize("name", ["v1.3.1/nonpie", "v1.5/defaults", "v1.7/edmm", "v1.9/cpu-mixed"])
def test_the_manifests_keys_tell_the_version(name: str, enclave: Command) -> None:
    enclave.vector = next(vector for vector in VECTORS.values() if vector.manifest.name == name)
    found = enclave.json("measure", *enclave.files, "--gramine", "auto")
    assert (found["mr_enclave"], found["gramine"]) == (enclave.vector.mr_enclave, name[1:].split("/", maxsplit=1)[0])


def test_it_takes_the_constants_of_a_fork(enclave: Command, tmp_path: Path) -> None:
    fork, offsets = Layout(gpr_size=0xC0), tmp_path / "_offsets.py"
    offsets.write_text("".join(f"{name} = {getattr(fork, ours)}\n" for name, ours in UPSTREAM_NAMES.items()))
    assert enclave.json("measure", *enclave.files, "--offsets", offsets)["mr_enclave"] != enclave.vector.mr_enclave


@pytest.mark.long
def test_a_slow_measurement_is_remembered_until_something_changes(enclave: Command, tmp_path: Path) -> None:
    enclave.vector = VECTORS["v1.3.1/huge-16g-1024/tiny-packed"]
    files, store = enclave.files, tmp_path / "cache" / "ppmlctl" / "measurements.json"
    first = enclave.json("measure", *files)
    written = store.stat().st_mtime_ns

    assert enclave.json("measure", *files) == first
    (tmp_path / "bash.manifest.sgx").write_bytes((tmp_path / "bash.manifest.sgx").read_bytes() + b"#\n")
    assert enclave.json("measure", *files)["mr_enclave"] != first["mr_enclave"] == enclave.vector.mr_enclave
    assert store.stat().st_mtime_ns != written


def test_weaknesses_are_told_with_their_line(enclave: Command, tmp_path: Path) -> None:
    files, manifest = enclave.files, tmp_path / "bash.manifest.sgx"
    manifest.write_text(manifest.read_text().replace("debug = false", "debug = true"))
    line = manifest.read_text().split("debug = true")[0].count("\n") + 1

    _, err = enclave.text("measure", *files)
    assert err == (
        "warning[enclave-finding]: the manifest of the enclave has a weakness\n"
        f"  at   {manifest}:{line}:1  sgx.debug\n"
        "  is   sgx.debug is on\n"
        "  why  a debugger can read the enclave: it protects nothing\n"
    )
    assert [finding["name"] for finding in enclave.json("measure", *files)["findings"]] == ["sgx_debug"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            ["--gramine", "9.9"],
            (
                "error[gramine-version]: the version of Gramine cannot be used\n"
                "  is   Gramine '9.9' is not among the known versions: 1.3.1, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9\n"
                "  fix  name it: --gramine 1.3.1\n"
            ),
        ),
        (
            ["--loader", "/nowhere/libpal.so"],
            ("error[enclave-file]: a file cannot be read\n  is   /nowhere/libpal.so: No such file or directory\n"),
        ),
        (
            ["--loader", __file__],
            (
                "error[enclave-not-measurable]: the enclave cannot be measured\n"
                "  is   the loader is no 64-bit little-endian ELF file for x86-64\n"
            ),
        ),
        (
            ["--offsets", __file__],
            ("error[gramine-version]: the version of Gramine cannot be used\n  is   Gramine's constants lack DEFAULT_"),
        ),
        (
            ["--manifest", "/dev/null"],
            "error[enclave-file]: a file cannot be read\n  is   /dev/null: it is a device, not a regular file\n",
        ),
    ],
)
def test_a_wrong_file_or_version_is_told(enclave: Command, wrong: list[str], message: str) -> None:
    _, err = enclave.text("measure", *enclave.files, *wrong, code=1)
    assert err.startswith(message)

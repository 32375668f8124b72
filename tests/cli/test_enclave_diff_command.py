"""`ppmlctl enclave diff` names what makes two enclaves measure differently, and where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from enclave_command import Command, key_file, vector_files
from sgx.gramine_vectors import MR_SIGNERS, VECTORS, Vector, elf

_VECTOR = VECTORS["v1.3.1/nonpie/hand-odd"]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with the same manifest and loader."""
    for name in ("a", "b"):
        vector_files(_VECTOR, tmp_path / name)
    return tmp_path / "a", tmp_path / "b"


def _edit(folder: Path, before: str, after: str) -> None:
    manifest = folder / "bash.manifest.sgx"
    assert before in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(before, after))


def _told(enclave: Command, folders: tuple[Path, Path]) -> list[tuple[Any, ...]]:
    found = enclave.json("diff", *folders, code=1)
    assert found["same"] is False
    assert found["sides"][0]["measured"] != found["sides"][1]["measured"]
    return [tuple(one.values()) for one in found["differences"]]


def test_the_same_is_the_same(enclave: Command, folders: tuple[Path, Path]) -> None:
    side = {"measured": _VECTOR.mr_enclave, "signed": None}
    assert enclave.json("diff", *folders) == {
        "same": True,
        "sides": [{"place": str(folder), **side} for folder in folders],
        "differences": [],
    }


def test_a_changed_key_is_named_with_its_lines(enclave: Command, folders: tuple[Path, Path]) -> None:
    _edit(folders[1], "thread_num = 4", "# more\nthread_num = 8")
    line = _VECTOR.manifest.manifest_sgx.split("thread_num")[0].count("\n") + 1
    assert _told(enclave, folders) == [("manifest", "sgx.thread_num", "4", "8", [line, line + 1], True)]


def test_a_key_on_one_side_only_and_entries_of_arrays(enclave: Command, folders: tuple[Path, Path]) -> None:
    _edit(folders[1], '"-c", ', "")
    _edit(folders[1], "debug = false\n", "")
    text = _VECTOR.manifest.manifest_sgx
    argv, debug = (text.split(key)[0].count("\n") + 1 for key in ("argv =", "debug ="))
    assert _told(enclave, folders) == [
        ("manifest", "loader.argv", '"-c"', None, [argv, None], True),
        ("manifest", "sgx.debug", "false", None, [debug, None], True),
    ]


def test_what_only_looks_different_counts_too(enclave: Command, folders: tuple[Path, Path]) -> None:
    _edit(folders[1], "thread_num = 4", "thread_num =  4")
    line = _VECTOR.manifest.manifest_sgx.split("thread_num")[0].count("\n") + 1
    assert _told(enclave, folders) == [("manifest", "text", "thread_num = 4", "thread_num =  4", [line, line], True)]


def test_a_changed_trusted_file_is_named(enclave: Command, tmp_path: Path) -> None:
    vector: Vector = VECTORS["v1.3.1/dcap-tree/hand-loader"]
    for name in ("a", "b"):
        vector_files(vector, tmp_path / name)
    digest = "b6a98d9ce9a2d9149288fa3df42d377c3e42737afdcdaf714e33c0a100b51060"
    _edit(tmp_path / "b", digest, "ab" * 32)

    found = _told(enclave, (tmp_path / "a", tmp_path / "b"))
    line = vector.manifest.manifest_sgx.split('"file:/fx/data/a.txt"')[0].count("\n") + 1
    assert ("trusted file", "file:/fx/data/a.txt", "ab" * 32) in [
        (part, name, after) for part, name, _, after, *_ in found
    ]
    assert {part for part, *_ in found} == {"trusted file"}
    assert [line, line] in [lines for *_, lines, _ in found]


def test_a_stripped_or_changed_loader_is_told(enclave: Command, folders: tuple[Path, Path]) -> None:
    loader = bytearray(elf(_VECTOR.elf))
    loader[40] ^= 0x10
    loader[0x3300] ^= 1
    (folders[1] / "libpal.so").write_bytes(loader)

    found = _told(enclave, folders)
    assert [(part, name) for part, name, *_ in found] == [
        ("loader", "section headers (strip, objcopy or another linker)"),
        ("loader", "content of PT_LOAD segment 0, from 0x6000 on"),
        ("loader", "content of PT_LOAD segment 1, from 0x0 on"),
    ]


def test_another_loader_is_told_by_its_shape(enclave: Command, folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "other.so").write_bytes(elf("tiny-packed"))
    manifest = folders[0] / "bash.manifest.sgx"
    found = enclave.json("diff", manifest, manifest, "--loader-b", tmp_path / "other.so", code=1)["differences"]
    names = [one["name"] for one in found]
    assert {"entry point", "number of PT_LOAD segments", "PT_LOAD segment 0"} <= set(names)


def test_bytes_behind_the_loader_are_not_measured(enclave: Command, folders: tuple[Path, Path]) -> None:
    (folders[1] / "libpal.so").write_bytes(elf(_VECTOR.elf) + b"appended")
    found = enclave.json("diff", *folders)
    assert [(one["name"], one["measured"]) for one in found["differences"]] == [("bytes that are not loaded", False)]


def test_another_version_measures_differently(enclave: Command, tmp_path: Path) -> None:
    for name, vector in (("a", "v1.3.1/defaults/hand-loader"), ("b", "v1.5/defaults/hand-loader")):
        vector_files(VECTORS[vector], tmp_path / name)
    found = _told(enclave, (tmp_path / "a", tmp_path / "b"))
    assert ("gramine", "version", "1.3.1", "1.5", [None, None], True) in found


def test_sigstructs_alone_tell_what_they_state(enclave: Command, tmp_path: Path) -> None:
    first, second = VECTORS["v1.3.1/debug-1g-16/hand-odd"], VECTORS["v1.3.1/defaults/hand-loader"]
    for name, vector in (("a.sig", first), ("b.sig", second)):
        (tmp_path / name).write_bytes(vector.sigstruct)

    out, _ = enclave.text("diff", tmp_path / "a.sig", tmp_path / "b.sig", code=1)
    assert out == (
        f"a  {first.mr_enclave}  {tmp_path}/a.sig\n"
        f"b  {second.mr_enclave}  {tmp_path}/b.sig\n"
        f"sigstruct mr_enclave  (not measured)\n  - {first.mr_enclave}\n  + {second.mr_enclave}\n"
        "sigstruct isv_prod_id  (not measured)\n  - 7\n  + 0\n"
        "sigstruct isv_svn  (not measured)\n  - 42\n  + 0\n"
        "sigstruct flags  (not measured)\n  - 0x6\n  + 0x4\n"
        "name manifests with their loaders, or images: a SIGSTRUCT says that a measurement differs, not why\n"
    )


def test_a_signature_for_something_else_is_seen(enclave: Command, folders: tuple[Path, Path], tmp_path: Path) -> None:
    enclave.json(
        "sign", *vector_files(_VECTOR, folders[0]), "--key", key_file(tmp_path), "--output", folders[0] / "bash.sig"
    )
    (folders[1] / "bash.sig").write_bytes(VECTORS["v1.3.1/nonpie/tiny-based"].sigstruct)
    out, _ = enclave.text("diff", *folders)
    assert f"   signed is another measurement: {VECTORS['v1.3.1/nonpie/tiny-based'].mr_enclave}\n" in out
    assert MR_SIGNERS["first"] not in out, "both have the same signer"


@pytest.mark.parametrize("name", ["none", "bash.manifest.sgx"])
def test_what_is_no_enclave_is_told(name: str, enclave: Command, tmp_path: Path) -> None:
    (tmp_path / "bash.manifest.sgx").write_bytes(b"\xff\xfe garbage")
    found = enclave.json("diff", tmp_path / name, tmp_path / name, code=1)
    assert found["errors"][0]["code"] in ("enclave-file", "gramine-version")

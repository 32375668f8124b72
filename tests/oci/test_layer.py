"""The bytes of a layer."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from ppmlctl.oci import (
    EPOCH,
    LAYER,
    Entry,
    Folder,
    ImageError,
    Symlink,
    entries_of_folder,
    file_of_bytes,
    write_layer,
)


def layer_of(*entries: Entry) -> bytes:
    stream = io.BytesIO()
    write_layer(entries, stream)
    return stream.getvalue()


def members(layer: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        return archive.getmembers()


def test_the_descriptor_says_digest_and_size_of_what_was_written() -> None:
    stream = io.BytesIO()
    descriptor = write_layer([file_of_bytes("a", b"x" * 40_000)], stream)
    written = stream.getvalue()
    assert descriptor.digest == f"sha256:{hashlib.sha256(written).hexdigest()}"
    assert (descriptor.media_type, descriptor.size) == (LAYER, len(written))


def test_the_order_in_which_entries_are_given_does_not_matter() -> None:
    entries: list[Entry] = [Folder("b"), file_of_bytes("b/c", b"1"), Symlink("a", "b/c"), file_of_bytes("b-d", b"2")]
    assert layer_of(*entries) == layer_of(*reversed(entries))


def test_owner_time_and_mode_are_the_same_for_every_file() -> None:
    layer = layer_of(Folder("d"), file_of_bytes("d/run", b"#!", executable=True), file_of_bytes("d/data", b""))
    seen = [(m.name, m.mode, m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members(layer)]
    assert seen == [
        ("d", 0o755, EPOCH, 0, 0, "", ""),
        ("d/data", 0o644, EPOCH, 0, 0, "", ""),
        ("d/run", 0o755, EPOCH, 0, 0, "", ""),
    ]


def test_long_and_non_ascii_paths_are_kept() -> None:
    path = "/".join(["ä" * 60] * 4)
    assert [m.name for m in members(layer_of(file_of_bytes(path, b"1")))] == [path]


def test_these_bytes_never_change() -> None:
    """A change of this digest makes every image of every user another one."""
    layer = layer_of(Folder("ppml"), file_of_bytes("ppml/bash.sig", b"sig"), Symlink("bin", "usr/bin"))
    assert hashlib.sha256(layer).hexdigest() == "a5b81f1d1298b76c060d7a340d72f0549760c3ccf73678ccb40d2d72c0420394"


def test_a_folder_gives_hidden_files_links_and_empty_folders(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_bytes(b"h")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "dangling").symlink_to("/nowhere")
    found = [(type(entry).__name__, entry.path) for entry in entries_of_folder(tmp_path)]
    assert found == [("File", ".hidden"), ("Symlink", "bin"), ("Symlink", "dangling"), ("Folder", "empty")]


def test_only_the_owners_right_to_execute_is_kept(tmp_path: Path) -> None:
    for name, mode in (("plain", 0o600), ("group", 0o674), ("run", 0o700), ("setuid", 0o4711)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    executable = {entry.path: getattr(entry, "executable", None) for entry in entries_of_folder(tmp_path)}
    assert executable == {"group": False, "plain": False, "run": True, "setuid": True}


def test_a_name_that_is_not_utf8_is_kept(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    (tmp_path / name).write_bytes(b"1")
    assert [m.name for m in members(layer_of(*entries_of_folder(tmp_path)))] == [name]


def test_every_special_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "etc" / "other")
    with pytest.raises(ImageError) as caught:
        entries_of_folder(tmp_path)
    assert sorted(d.found for d in caught.value.diagnostics) == ["etc/other is a named pipe", "pipe is a named pipe"]
    assert str(caught.value).splitlines()[0] == (
        "error[image-special-file]: an image can hold only files, folders and symbolic links"
    )


def test_a_name_that_means_a_removal_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".wh.passwd").touch()
    with pytest.raises(ImageError, match=r"a name that begins with \.wh\. means a removal"):
        entries_of_folder(tmp_path)


@pytest.mark.parametrize("path", ["", "/", ".", "../x", "a/../../x", "a\0b", "etc/.wh.passwd"])
def test_a_path_that_names_no_file_of_the_image_is_refused(path: str) -> None:
    with pytest.raises(ImageError):
        file_of_bytes(path, b"")


def test_a_base_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        entries_of_folder(tmp_path / "missing")
    assert str(caught.value) == (
        "error[image-base-missing]: the base of an image is not there\n"
        f"  is   {tmp_path}/missing is neither a folder nor an OCI layout"
    )

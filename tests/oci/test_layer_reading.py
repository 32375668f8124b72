"""No layer is believed without its digest, and none costs more than its bounds."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from layout_folder import LayoutFolder, gzipped

from ppmlctl.oci import ImageError, Layout, blob_path, entries_of_folder
from ppmlctl.oci.config import environment_of


def words_of(folder: Path, layer: bytes) -> str:
    layout = LayoutFolder(folder)
    layout.index(layout.image(gzipped(file=b"below"), layer))
    with pytest.raises(ImageError) as refused:
        Layout(folder).read_files(["file"])
    return refused.value.diagnostics[0].found.partition(": ")[2]


def test_a_layer_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    layout = LayoutFolder(tmp_path / "layout")
    image = layout.image(gzipped(file=b"signed"))
    layout.index(image)
    read = Layout(tmp_path / "layout")
    (layer,) = read.manifest.layers
    other = gzipped(file=b"foreign")
    blob_path(read.folder, layer.digest).write_bytes(other + b"\0" * (layer.size - len(other)))
    with pytest.raises(ImageError, match=r"the layer's content has another digest|cannot be read"):
        read.read_files(["file"])
    with pytest.raises(ImageError, match=r"the layer's content has another digest|cannot be read"):
        read.tree()


def test_bytes_behind_the_archive_count(tmp_path: Path) -> None:
    layout = LayoutFolder(tmp_path / "layout")
    layout.index(layout.image(gzipped(file=b"signed")))
    read = Layout(tmp_path / "layout")
    place = blob_path(read.folder, read.manifest.layers[0].digest)
    place.write_bytes(place.read_bytes()[:-1] + b"\1")
    with pytest.raises(ImageError):
        read.tree()


def _members(*members: tarfile.TarInfo) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"\0" * member.size) if member.size else None)
    return stream.getvalue()


def _link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.LNKTYPE, target
    return member


def _long_name(size: int) -> bytes:
    """A header that says that a name of so many bytes follows, and where it begins, packed."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, size
    packer = zlib.compressobj(9, wbits=31)
    pieces = [packer.compress(header.tobuf(tarfile.GNU_FORMAT))]
    pieces += [packer.compress(b"a" * (1 << 20)) for _ in range(4)]
    return b"".join([*pieces, packer.flush()])


def _chain_of_names() -> bytes:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1
    return gzip.compress((header.tobuf(tarfile.GNU_FORMAT) + b"a".ljust(512, b"\0")) * 5000)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a long name": (lambda: _long_name(1 << 29), "the layer cannot be read: a header has 536870912 bytes"),
    "a chain of names": (_chain_of_names, "the layer cannot be read: headers follow headers without end"),
    "a link to itself": (lambda: _members(_link("a", "a")), "a is a hard link to a, which is no file before it"),
    "a link to nothing": (lambda: _members(_link("a", "b")), "a is a hard link to b, which is no file before it"),
    "no archive": (lambda: b"text" * 200, "the layer cannot be read: invalid header"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_no_layer_holds_is_one_message(kind: str, tmp_path: Path) -> None:
    make, words = REFUSED[kind]
    assert words_of(tmp_path / "layout", make()) == words


def test_a_hard_link_is_the_file_below_that_it_leads_to(tmp_path: Path) -> None:
    layout = LayoutFolder(tmp_path / "layout")
    layout.index(layout.image(gzipped(file=b"below"), _members(_link("a", "file"), _link("b", "a"))))
    assert Layout(tmp_path / "layout").read_files(["a", "b"]) == {"a": b"below", "b": b"below"}


def test_the_size_of_what_a_hard_link_leads_to_counts(tmp_path: Path) -> None:
    large = tarfile.TarInfo("large")
    large.size = 2000
    layout = LayoutFolder(tmp_path / "layout")
    layout.index(layout.image(_members(large, _link("a", "large"))))
    with pytest.raises(ImageError, match="large has 2000 bytes, more than 1000"):
        Layout(tmp_path / "layout").read_files(["a"], most=1000)


def test_a_blob_that_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    layout = LayoutFolder(tmp_path / "layout")
    layout.index(layout.image(gzipped(file=b"signed")))
    read = Layout(tmp_path / "layout")
    place = blob_path(read.folder, read.manifest.layers[0].digest)
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(ImageError, match="it is a named pipe, not a regular file"):
        read.tree()


def test_whiteouts_cost_what_they_remove(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(1000)]
    layout = LayoutFolder(tmp_path / "layout")
    base = _members(*(tarfile.TarInfo(f"d/{name}") for name in names))
    layout.index(layout.image(base, _members(*(tarfile.TarInfo(f"d/.wh.{name}") for name in names[1:]))))
    tree = Layout(tmp_path / "layout").tree()
    assert tree.get("d/f0") is not None
    assert all(tree.get(f"d/{name}") is None for name in names[1:])


ODD = {
    '{"config": 5}': "its `config` is no object",
    '{"config": {"Env": 5}}': "its `config.Env` is no list of texts",
    '{"config": {"Labels": [1]}}': "its `config.Labels` is no object of texts",
    '{"config": {"Labels": {"a": 1}}}': "its `config.Labels` is no object of texts",
    '{"config": {"Cmd": "sh"}}': "its `config.Cmd` is no list of texts",
    '{"config": {"User": []}}': "its `config.User` is no text",
    '{"rootfs": {"diff_ids": [1]}}': "its `rootfs.diff_ids` is no list of texts",
    '{"history": 1}': "its `history` is no list",
    '{"config": {"User": "\\ud800"}}': "is not JSON",
}


@pytest.mark.parametrize("config", ODD)
def test_a_configuration_of_another_shape_is_one_message(config: str, tmp_path: Path) -> None:
    layout = LayoutFolder(tmp_path / "layout")
    described = layout.blob(config.encode(), "application/vnd.oci.image.config.v1+json")
    manifest = {"schemaVersion": 2, "config": described, "layers": []}
    layout.index(layout.blob(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json"))
    with pytest.raises(ImageError) as refused:
        Layout(tmp_path / "layout").config()
    assert refused.value.diagnostics[0].found == f"{described['digest']}: {ODD[config]}"


def test_an_engine_may_say_odd_variables() -> None:
    assert environment_of({"Config": {"Env": 5}}) == {}
    assert environment_of({"Config": {"Env": [1, "A=b"]}}) == {"A": "b"}


def test_folders_are_nested_as_deep_as_paths_go(tmp_path: Path) -> None:
    folders = [f"{tmp_path}/base" + "/d" * depth for depth in range(1500)]
    for folder in folders:
        os.mkdir(folder)  # noqa: PTH102 - a Path splits what it is given, each time
    try:
        entries = entries_of_folder(tmp_path / "base")
    finally:
        for folder in reversed(folders):
            os.rmdir(folder)  # noqa: PTH106 - as above; what cleans up after tests gives up at such depths
    assert entries[-1].path == "d/" * 1498 + "d"

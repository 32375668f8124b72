from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ppmlctl.sgx import Entry, FolderTree, Kind, TreeError, gramine_version
from ppmlctl.sgx.trusted_files import expand_trusted_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_text("of the image")
    root = tmp_path / "image"
    (root / "usr/lib").mkdir(parents=True)
    (root / "usr/lib/a").write_text("content")
    return root


def _link(root: Path, path: str, target: str) -> FolderTree:
    (root / path).symlink_to(target)
    return FolderTree(root)


@pytest.mark.parametrize("target", ["usr/lib", "/usr/lib", "../usr/lib", "../../../usr/./lib"])
def test_links_lead_where_they_would_inside_the_image(root: Path, target: str) -> None:
    tree = _link(root, "lib", target)

    assert tree.kind("/lib") is Kind.FOLDER
    assert tree.read("/lib/a") == b"content"
    assert list(tree.entries("/lib")) == [Entry("a", Kind.FILE, is_link=False)]


@pytest.mark.parametrize("target", ["../outside", "/../outside", "nowhere", "loop", "a/b"])
def test_links_that_lead_outside_or_nowhere_are_as_if_not_there(root: Path, target: str) -> None:
    tree = _link(root, "loop", target)

    assert tree.kind("/loop") is None
    assert [entry.name for entry in tree.entries("/")] == ["usr"]
    with pytest.raises(TreeError, match=r"^/loop does not exist$"):
        tree.read("/loop")


def test_a_link_to_a_file_is_marked_as_link(root: Path) -> None:
    tree = _link(root, "usr/lib/b", "a")
    assert sorted(tree.entries("/usr/lib"), key=lambda entry: entry.name) == [
        Entry("a", Kind.FILE, is_link=False),
        Entry("b", Kind.FILE, is_link=True),
    ]


def test_digests_are_those_of_the_content(root: Path) -> None:
    assert FolderTree(root).digest("/usr/lib/a") == hashlib.sha256(b"content").hexdigest()


def test_a_folder_cannot_be_read(root: Path) -> None:
    for answer in (FolderTree(root).read, FolderTree(root).digest):
        with pytest.raises(TreeError, match=r"^/usr cannot be read: Is a directory$"):
            answer("/usr")


def test_a_missing_folder_has_no_entries(root: Path) -> None:
    assert list(FolderTree(root).entries("/none")) == []


def test_folders_are_listed_as_deep_as_paths_go(tmp_path: Path) -> None:
    folders = [f"{tmp_path}/base" + "/d" * depth for depth in range(1200)]
    for folder in folders:
        os.mkdir(folder)  # noqa: PTH102 - a Path splits what it is given, each time
    deepest = f"{folders[-1]}/file"
    os.close(os.open(deepest, os.O_CREAT))
    try:
        listed = expand_trusted_files(["file:/d/"], FolderTree(tmp_path / "base"), gramine_version("1.6"))
    finally:
        os.unlink(deepest)  # noqa: PTH108 - as above
        for folder in reversed(folders):
            os.rmdir(folder)  # noqa: PTH106 - as above; what cleans up after tests gives up at such depths
    assert [file.uri for file in listed] == ["file:" + "/d" * 1199 + "/file"]

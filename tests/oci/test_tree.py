"""Laying files over a base."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.oci import Entry, Folder, ImageError, Symlink, file_of_bytes
from ppmlctl.oci.tree import Kind, Node, Tree, laid_over

BASE: list[Entry] = [
    Folder("usr"),
    Folder("usr/bin"),
    Symlink("bin", "usr/bin"),
    Symlink("loop", "loop"),
    Symlink("up", "../../usr"),
    file_of_bytes("etc", b""),
]


def laid(*paths: str) -> list[str]:
    files = [file_of_bytes(path, b"") for path in paths]
    return [entry.path for entry in laid_over(files, Tree.of_entries(BASE))]


@pytest.mark.parametrize(
    ("path", "entries"),
    [
        ("usr/bin/x", ["usr/bin/x"]),
        ("bin/x", ["usr/bin/x"]),
        ("up/bin/x", ["usr/bin/x"]),
        ("usr/share/x", ["usr/share", "usr/share/x"]),
        ("bin", ["bin"]),
        ("/a/b/c", ["a", "a/b", "a/b/c"]),
    ],
)
def test_folders_that_exist_are_not_named_again_and_links_are_followed(path: str, entries: list[str]) -> None:
    assert laid(path) == entries


@pytest.mark.parametrize("paths", [("etc/x",), ("loop/x",), ("usr",), ("a", "a/b"), ("a/b", "a"), ("x", "./x")])
def test_paths_that_exclude_each_other_are_refused(paths: tuple[str, ...]) -> None:
    with pytest.raises(ImageError):
        laid(*paths)


def tree(*layers: dict[str, Kind]) -> Tree:
    merged = Tree()
    for layer in layers:
        merged.add_layer((path, Node(kind)) for path, kind in layer.items())
    return merged


def test_a_whiteout_removes_what_lower_layers_have() -> None:
    merged = tree({"d": Kind.FOLDER, "d/x": Kind.FILE, "e": Kind.FILE}, {".wh.d": Kind.FILE})
    assert (merged.get("d"), merged.get("d/x"), merged.get("e")) == (None, None, Node(Kind.FILE))


def test_an_opaque_folder_hides_lower_layers_and_keeps_its_own_members() -> None:
    merged = tree({"d": Kind.FOLDER, "d/old": Kind.FILE}, {"d/new": Kind.FILE, "d/.wh..wh..opq": Kind.FILE})
    assert (merged.get("d/old"), merged.get("d/new")) == (None, Node(Kind.FILE))


def test_a_file_in_place_of_a_folder_removes_what_was_in_it() -> None:
    assert tree({"d": Kind.FOLDER, "d/x": Kind.FILE}, {"d": Kind.FILE}).get("d/x") is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("abc./", max_size=6))), st.text("abc./", max_size=8))
def test_links_lead_somewhere_inside_the_image_or_to_an_error(links: list[tuple[str, str]], path: str) -> None:
    merged = Tree()
    merged.add_layer((name, Node(Kind.LINK, target)) for name, target in links)
    try:
        resolved = merged.resolve(path)
    except ImageError:
        return
    assert ".." not in resolved.split("/")
    assert not resolved.startswith("/")

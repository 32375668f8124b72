from __future__ import annotations

import hashlib

import pytest

from ppmlctl.sgx import ContentTree, Entry, Kind, TreeError

_TREE = ContentTree({"/usr/lib/a": b"alpha", "/usr/lib/deep/b": b"beta", "/c": b""})


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", Kind.FOLDER),
        ("/usr", Kind.FOLDER),
        ("/usr/lib/", Kind.FOLDER),
        ("/usr//lib/../lib/a", Kind.FILE),
        ("/../c", Kind.FILE),
        ("/none", None),
        ("/c/d", None),
    ],
)
def test_folders_are_there_because_of_their_files(path: str, kind: Kind | None) -> None:
    assert _TREE.kind(path) is kind


def test_entries_are_what_is_directly_in_a_folder() -> None:
    assert sorted(_TREE.entries("/usr/lib"), key=lambda entry: entry.name) == [
        Entry("a", Kind.FILE, is_link=False),
        Entry("deep", Kind.FOLDER, is_link=False),
    ]
    assert sorted(entry.name for entry in _TREE.entries("/")) == ["c", "usr"]
    assert list(_TREE.entries("/none")) == []


def test_contents_and_digests_are_those_given() -> None:
    assert _TREE.read("/usr/lib/deep/b") == b"beta"
    assert _TREE.digest("/usr/lib/a") == hashlib.sha256(b"alpha").hexdigest()
    with pytest.raises(TreeError, match=r"^/usr does not exist$"):
        _TREE.read("/usr")

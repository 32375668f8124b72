from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ppmlctl.sgx import FolderTree, ManifestError, TreeError, gramine_version
from ppmlctl.sgx.trusted_files import TrustedFile, expand_trusted_files

_GIVEN = "ab" * 32


@pytest.fixture
def tree(tmp_path: Path) -> FolderTree:
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/a").write_text("alpha")
    (tmp_path / "data/deep/b").write_text("beta")
    return FolderTree(tmp_path)


def _expand(entries: object, tree: FolderTree, version: str = "1.3.1", folder: str = "/") -> list[tuple[str, str]]:
    files = expand_trusted_files(entries, tree, gramine_version(version), folder)
    return [(file.uri, _name(file)) for file in files]


def _name(file: TrustedFile) -> str:
    names = {hashlib.sha256(text.encode()).hexdigest(): text for text in ("alpha", "beta")} | {_GIVEN: "given"}
    return names[file.sha256 or ""]


def test_relative_uris_start_from_the_working_folder(tree: FolderTree) -> None:
    assert _expand(["file:a", "file:deep/"], tree, folder="/data") == [("file:a", "alpha"), ("file:deep/b", "beta")]


def test_a_given_hash_is_taken_though_the_file_is_missing(tree: FolderTree) -> None:
    assert _expand([{"uri": "file:/none", "sha256": _GIVEN}], tree) == [("file:/none", "given")]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.3.1", [("file:/data//a", "alpha"), ("file:/data/a", "alpha"), ("file:/data/deep/b", "beta")]),
        ("1.5", [("file:/data/a", "alpha"), ("file:/data/deep/b", "beta")]),
        ("1.7", [("file:/data//a", "alpha"), ("file:/data/a", "alpha"), ("file:/data/deep/b", "beta")]),
    ],
)
def test_versions_treat_spellings_of_one_path_differently(
    version: str, expected: list[tuple[str, str]], tree: FolderTree
) -> None:
    assert _expand(["file:/data//a", "file:/data/"], tree, version) == expected


@pytest.mark.parametrize(("version", "count"), [("1.3.1", 2), ("1.5", 1), ("1.7", 1)])
def test_versions_treat_duplicates_differently(version: str, count: int, tree: FolderTree) -> None:
    assert _expand(["file:/data/a", "file:/data/a"], tree, version) == [("file:/data/a", "alpha")] * count


def test_a_hash_given_later_counts_from_v1_6_on(tree: FolderTree) -> None:
    entries = ["file:/data/a", "file:/data/deep/b", {"uri": "file:/data/a", "sha256": _GIVEN}]

    assert _expand(entries, tree, "1.6") == [("file:/data/a", "given"), ("file:/data/deep/b", "beta")]
    assert _expand(entries, tree, "1.5") == [("file:/data/a", "alpha"), ("file:/data/deep/b", "beta")]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("file:/data/a", "sgx.trusted_files is not an array"),
        ([1], "an entry of sgx.trusted_files is neither a URI nor a table of uri and sha256"),
        (
            [{"uri": "file:/data/a", "size": 1}],
            "an entry of sgx.trusted_files is neither a URI nor a table of uri and sha256",
        ),
        (["/data/a"], "the URI '/data/a' of sgx.trusted_files does not begin with file:"),
        ([{"sha256": _GIVEN}], "the URI None of sgx.trusted_files does not begin with file:"),
        (
            [{"uri": "file:/data/a", "sha256": "abc"}],
            "the sha256 of file:/data/a in sgx.trusted_files is not 64 hexadecimal digits",
        ),
        (
            [{"uri": "file:/data/", "sha256": _GIVEN}],
            "the folder file:/data/ of sgx.trusted_files cannot have one sha256",
        ),
        (["file:/data"], 'the URI file:/data of sgx.trusted_files is a folder and does not end with "/"'),
        (["file:/data/a/"], 'the URI file:/data/a/ of sgx.trusted_files ends with "/" and is no folder'),
        (
            [{"uri": "file:/x", "sha256": _GIVEN}, {"uri": "file:/x", "sha256": "cd" * 32}],
            "file:/x stands in sgx.trusted_files with two different hashes",
        ),
    ],
)
def test_refuses_entries_of_the_wrong_shape(entries: object, message: str, tree: FolderTree) -> None:
    with pytest.raises(ManifestError) as refused:
        _expand(entries, tree, "1.7")
    assert str(refused.value) == message


def test_a_missing_folder_is_named(tree: FolderTree) -> None:
    with pytest.raises(TreeError, match=r"^file:/none/ of"):
        _expand(["file:/none/"], tree)

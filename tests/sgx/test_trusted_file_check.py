from __future__ import annotations

import hashlib

import pytest
from gramine_vectors import MANIFESTS, Manifest

from ppmlctl.sgx import ChangedFile, ContentTree, FolderTree, ManifestError, changed_trusted_files

_ALPHA, _BETA = (hashlib.sha256(text).hexdigest() for text in (b"alpha", b"beta"))
_WITH_FILES = [manifest for manifest in MANIFESTS.values() if "file:/fx/" in manifest.manifest_sgx]


def _manifest(*entries: str) -> bytes:
    return f"[sgx]\ntrusted_files = [{', '.join(entries)}]\n".encode()


def _entry(uri: str, sha256: str) -> str:
    return f'{{ uri = "{uri}", sha256 = "{sha256}" }}'


@pytest.mark.parametrize("manifest", _WITH_FILES, ids=[manifest.name for manifest in _WITH_FILES])
def test_the_tree_that_gramine_hashed_differs_only_where_a_made_up_hash_was_given(
    manifest: Manifest, vector_tree: FolderTree
) -> None:
    changed = changed_trusted_files(manifest.manifest_sgx.encode(), vector_tree)

    assert [file.uri for file in changed if file.trusted not in manifest.text] == []


def test_changed_and_missing_files_are_named_in_the_manifests_order() -> None:
    tree = ContentTree({"/ppml/a": b"alpha", "/ppml/b": b"changed"})
    manifest = _manifest(_entry("file:/ppml/b", _BETA), _entry("file:/ppml/a", _ALPHA), _entry("file:/ppml/c", _ALPHA))

    changed = changed_trusted_files(manifest, tree)

    other = hashlib.sha256(b"changed").hexdigest()
    assert changed == (
        ChangedFile("file:/ppml/b", "/ppml/b", _BETA, other),
        ChangedFile("file:/ppml/c", "/ppml/c", _ALPHA, None),
    )
    assert [str(file) for file in changed] == [
        f"/ppml/b has SHA-256 {other}; file:/ppml/b is trusted with {_BETA}",
        f"/ppml/c is missing; file:/ppml/c is trusted with SHA-256 {_ALPHA}",
    ]


def test_a_relative_uri_starts_from_the_working_folder() -> None:
    manifest = _manifest(_entry("file:a", _ALPHA.upper()))
    assert changed_trusted_files(manifest, ContentTree({"/ppml/a": b"alpha"}), "/ppml") == ()


def test_a_folder_in_the_place_of_a_file_is_a_missing_file() -> None:
    manifest = _manifest(_entry("file:/ppml", _ALPHA))
    (changed,) = changed_trusted_files(manifest, ContentTree({"/ppml/a": b"alpha"}))
    assert changed.found is None


def test_the_entry_point_is_checked_too() -> None:
    manifest = f'[loader.entrypoint]\nuri = "file:/libos"\nsha256 = "{_ALPHA}"\n'.encode()
    assert changed_trusted_files(manifest, ContentTree({"/libos": b"alpha"})) == ()
    (changed,) = changed_trusted_files(manifest, ContentTree({"/libos": b"beta"}))
    assert changed == ChangedFile("file:/libos", "/libos", _ALPHA, _BETA)


def test_a_manifest_that_is_not_finished_is_refused() -> None:
    with pytest.raises(ManifestError) as refused:
        changed_trusted_files(_manifest('"file:/ppml/a"'), ContentTree({"/ppml/a": b"alpha"}))
    assert str(refused.value) == "file:/ppml/a is trusted without a sha256; this is no finished manifest"

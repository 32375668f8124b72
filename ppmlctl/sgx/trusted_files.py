"""`sgx.trusted_files`: folders walked, every file hashed, in the order in which Gramine's tools write them.

Source: `expand_all_trusted_files` in `python/graminelibos/manifest.py` of Gramine at v1.3.1 to v1.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ppmlctl.sgx.errors import ManifestError, TreeError
from ppmlctl.sgx.gramine import Duplicates, GramineVersion
from ppmlctl.sgx.tree import Kind, Tree

_SCHEME = "file:"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


@dataclass(frozen=True)
class TrustedFile:
    """One entry; `sha256` is None until the file is hashed, and one that the manifest gives is taken as it is."""

    uri: str
    sha256: str | None

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.uri.removeprefix(_SCHEME))


def expand_trusted_files(entries: object, tree: Tree, version: GramineVersion, folder: str = "/") -> list[TrustedFile]:
    """All trusted files with their hashes. `folder` is where relative URIs start from.

    Raises ManifestError for entries of the wrong shape, TreeError for files that are not there.
    """
    expanded = [file for entry in listed_files(entries) for file in _walked(entry, tree, folder)]
    return [_hashed(file, tree, folder) for file in _merged(expanded, version.duplicates)]


def trusted_paths(entries: object, folder: str = "/") -> list[str]:
    """The paths that have to be read to hash the trusted files, in order. Raises ManifestError."""
    return list(dict.fromkeys(absolute_path(entry, folder) for entry in listed_files(entries) if entry.sha256 is None))


def listed_files(entries: object) -> Iterator[TrustedFile]:
    """The entries as they stand, folders too. Raises ManifestError for those of the wrong shape."""
    if not isinstance(entries, list):
        raise ManifestError("sgx.trusted_files is not an array")
    for entry in entries:
        given = {"uri": entry} if isinstance(entry, str) else entry
        if not isinstance(given, dict) or not given.keys() <= {"uri", "sha256"}:
            raise ManifestError("an entry of sgx.trusted_files is neither a URI nor a table of uri and sha256")
        uri, sha256 = given.get("uri"), given.get("sha256") or None
        if not isinstance(uri, str) or not uri.startswith(_SCHEME):
            raise ManifestError(f"the URI {uri!r} of sgx.trusted_files does not begin with {_SCHEME}")
        if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
            raise ManifestError(f"the sha256 of {uri} in sgx.trusted_files is not 64 hexadecimal digits")
        yield TrustedFile(uri, sha256)


def _walked(entry: TrustedFile, tree: Tree, folder: str) -> Iterator[TrustedFile]:
    if entry.sha256 is not None:
        if entry.uri.endswith("/"):
            raise ManifestError(f"the folder {entry.uri} of sgx.trusted_files cannot have one sha256")
        yield entry
        return
    kind = tree.kind(absolute_path(entry, folder))
    if kind is None:
        raise TreeError(f"{entry.uri} of sgx.trusted_files does not exist")
    if kind is Kind.FOLDER and not entry.uri.endswith("/"):
        raise ManifestError(f'the URI {entry.uri} of sgx.trusted_files is a folder and does not end with "/"')
    if kind is Kind.FILE and entry.uri.endswith("/"):
        raise ManifestError(f'the URI {entry.uri} of sgx.trusted_files ends with "/" and is no folder')
    if kind is Kind.FILE:
        yield entry
    else:
        yield from (TrustedFile(f"{_SCHEME}{path}", None) for path in _files_below(entry.path, tree, folder))


def _files_below(path: PurePosixPath, tree: Tree, folder: str) -> Iterator[PurePosixPath]:
    """By path components, compared by code point; hidden files too, but not what is behind a link to a folder."""
    to_come = _last_first(path, tree, folder)
    while to_come:
        below, kind, is_link = to_come.pop()
        if kind is Kind.FILE:
            yield below
        elif not is_link:
            to_come += _last_first(below, tree, folder)


def _last_first(path: PurePosixPath, tree: Tree, folder: str) -> list[tuple[PurePosixPath, Kind, bool]]:
    found = sorted(tree.entries(_absolute(path, folder)), key=lambda entry: entry.name, reverse=True)
    return [(path / entry.name, entry.kind, entry.is_link) for entry in found]


def _merged(files: Iterable[TrustedFile], duplicates: Duplicates) -> Iterable[TrustedFile]:
    if duplicates is Duplicates.KEEP:
        return files
    merged: dict[str, TrustedFile] = {}
    for file in files:
        if duplicates is Duplicates.FIRST_PATH:
            normalized = f"{_SCHEME}{file.path}"
            merged.setdefault(normalized, TrustedFile(normalized, file.sha256))
            continue
        known = merged.get(file.uri)
        if known and known.sha256 and file.sha256 and known.sha256 != file.sha256:
            raise ManifestError(f"{file.uri} stands in sgx.trusted_files with two different hashes")
        if known is None or known.sha256 is None:
            merged[file.uri] = file
    return merged.values()


def _hashed(file: TrustedFile, tree: Tree, folder: str) -> TrustedFile:
    return file if file.sha256 else TrustedFile(file.uri, tree.digest(absolute_path(file, folder)))


def absolute_path(file: TrustedFile, folder: str) -> str:
    """Where the file of an entry lies; relative URIs start from `folder`."""
    return _absolute(file.path, folder)


def _absolute(path: PurePosixPath, folder: str) -> str:
    return str(PurePosixPath(folder) / path)

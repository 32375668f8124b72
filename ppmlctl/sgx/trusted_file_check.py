"""Whether the files that a finished manifest trusts are still the ones it was made for.

Gramine refuses a changed file only when the program opens it; here it is told before anything is signed or deployed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ppmlctl.sgx.errors import ManifestError
from ppmlctl.sgx.manifest import read_finished_manifest, sgx_table
from ppmlctl.sgx.tree import Kind, Tree
from ppmlctl.sgx.trusted_files import TrustedFile, absolute_path, listed_files


@dataclass(frozen=True)
class ChangedFile:
    """A trusted file that the tree has otherwise. SHA-256 in hex; `found` is None where no such file is."""

    uri: str
    path: str
    trusted: str
    found: str | None

    def __str__(self) -> str:
        if self.found is None:
            return f"{self.path} is missing; {self.uri} is trusted with SHA-256 {self.trusted}"
        return f"{self.path} has SHA-256 {self.found}; {self.uri} is trusted with {self.trusted}"


def changed_trusted_files(manifest_sgx: bytes, tree: Tree, working_folder: str = "/") -> tuple[ChangedFile, ...]:
    """The trusted files of a `.manifest.sgx` that are missing in `tree` or have another content, in its order.

    From Gramine 1.8 on the entry point counts as well. Relative URIs start from `working_folder`; each file is hashed
    once. Raises ManifestError for what is no finished manifest: no TOML, or a trusted file without its hash. TreeError
    if a file is there and cannot be read.
    """
    digests: dict[str, str | None] = {}
    changed = []
    for file in _trusted(read_finished_manifest(manifest_sgx)):
        if file.sha256 is None:
            raise ManifestError(f"{file.uri} is trusted without a sha256; this is no finished manifest")
        path = absolute_path(file, working_folder)
        if path not in digests:
            digests[path] = tree.digest(path) if tree.kind(path) is Kind.FILE else None
        found, trusted = digests[path], file.sha256.lower()
        if found != trusted:
            changed.append(ChangedFile(file.uri, path, trusted, found))
    return tuple(changed)


def trusted_file_paths(manifest_sgx: bytes, working_folder: str = "/") -> list[str]:
    """Where the files lie that a `.manifest.sgx` trusts, in its order. Raises ManifestError."""
    files = _trusted(read_finished_manifest(manifest_sgx))
    return list(dict.fromkeys(absolute_path(file, working_folder) for file in files))


def _trusted(manifest: Mapping[str, object]) -> Iterator[TrustedFile]:
    yield from listed_files(sgx_table(manifest).get("trusted_files", []))
    loader = manifest.get("loader")
    entrypoint = loader.get("entrypoint") if isinstance(loader, Mapping) else None
    if isinstance(entrypoint, Mapping):
        yield from listed_files([entrypoint])

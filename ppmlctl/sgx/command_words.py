"""The file with the words that an enclave runs, which its manifest has to trust.

Source: "Manifest syntax" of Gramine's documentation, `loader.argv_src_file`. BigDL's is /ppml/secured_argvs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from ppmlctl.sgx.errors import ManifestError
from ppmlctl.sgx.manifest import read_manifest, sgx_table
from ppmlctl.sgx.trusted_files import absolute_path, listed_files

_SCHEME = "file:"


@dataclass(frozen=True)
class CommandWords:
    """`path` in the image, and the SHA-256 in hex that the manifest trusts it with."""

    path: str
    sha256: str


def command_words(manifest_sgx: bytes, working_folder: str) -> CommandWords | None:
    """The words of a finished manifest; None where it names no file with words, or one in an encrypted folder.

    Raises ManifestError where it names a file that it does not trust: whoever has the image could change it.
    """
    manifest = read_manifest(manifest_sgx)
    uri = _uri(manifest)
    if uri is None:
        return None
    path = _path(uri, working_folder)
    for file in listed_files(sgx_table(manifest).get("trusted_files", [])):
        if absolute_path(file, working_folder) == path and file.sha256 is not None:
            return CommandWords(path, file.sha256.lower())
    if any(PurePosixPath(path).is_relative_to(folder) for folder in _encrypted_folders(manifest)):
        return None
    raise ManifestError(f"the words that the enclave runs, {uri} (loader.argv_src_file), are not in sgx.trusted_files")


def words_path(manifest: Mapping[str, object], working_folder: str) -> str | None:
    """Where a manifest has the words that the enclave runs; None where it names no file."""
    uri = _uri(manifest)
    return _path(uri, working_folder) if uri is not None else None


def _uri(manifest: Mapping[str, object]) -> str | None:
    loader = manifest.get("loader")
    uri = loader.get("argv_src_file") if isinstance(loader, Mapping) else None
    return uri if isinstance(uri, str) and uri.startswith(_SCHEME) else None


def _path(uri: str, working_folder: str) -> str:
    return str(PurePosixPath(working_folder) / uri.removeprefix(_SCHEME))


def _encrypted_folders(manifest: Mapping[str, object]) -> list[str]:
    fs = manifest.get("fs")
    mounts = fs.get("mounts") if isinstance(fs, Mapping) else None
    return [
        mount["path"]
        for mount in (mounts if isinstance(mounts, list) else ())
        if isinstance(mount, Mapping) and mount.get("type") == "encrypted" and isinstance(mount.get("path"), str)
    ]

"""Gramine's manifest: read, and what of it decides about the enclave.

Only the bytes of `.manifest.sgx` are measured; the TOML is read for sizes, threads and switches. Keys that are absent
count as the version's defaults, as in the tools. Source: `manifest.py` and `sgx_sign.py` of Gramine's graminelibos.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from ppmlctl.sgx.attributes import Attributes, attributes_of
from ppmlctl.sgx.errors import ManifestError
from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.layout import PAGE

DEFAULT_ENCLAVE_SIZE = "256M"
DEFAULT_ENCLAVE_SIZE_EDMM = "1024G"
DEFAULT_THREADS = 4

_SIZE = re.compile(r"(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[1-9][0-9]*|0+)([KMG]?)", re.ASCII)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_LONGEST_NUMBER = 66
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DEEP_KEY = re.compile(rf"(?:\.[ \t]*{_PART}[ \t]*){{64}}")
"""Tables within tables without end: reading them takes time that grows with the square of their number."""
_ENDLESS_NUMBER = re.compile(r"\b0[xob][0-9a-fA-F_]{256}")
"""TOML's integers have 64 bits; Python reads any, and may not print what it has read."""
_ADDRESS_LIMIT = 1 << 47
_UINT16 = 1 << 16


@dataclass(frozen=True)
class EnclaveSettings:
    """What the manifest says about the enclave; sizes in bytes."""

    enclave_size: int
    threads: int
    nonpie: bool
    edmm: bool
    isv_prod_id: int
    isv_svn: int
    attributes: Attributes


def read_manifest(content: bytes | str) -> dict[str, object]:
    """The manifest as nested tables. Raises ManifestError for what is no TOML in UTF-8, or beyond all measure."""
    try:
        text = content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError:
        raise ManifestError("the manifest is not UTF-8 text") from None
    if _DEEP_KEY.search(text):
        raise ManifestError("the manifest is nested too deeply")
    if _ENDLESS_NUMBER.search(text):
        raise ManifestError("the manifest has a number of more than 64 bits")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ManifestError("the manifest is nested too deeply") from None
    except ValueError as error:
        raise ManifestError(f"the manifest is no TOML: {error}") from None


def read_finished_manifest(content: bytes) -> dict[str, object]:
    """The same for a `.manifest.sgx`, of which every byte is measured. Raises ManifestError for CRLF too.

    Gramine's tools end lines with LF, so a carriage return is the work of an editor, of git or of a copy.
    """
    if b"\r" in content:
        raise ManifestError("the manifest has CRLF line ends, which Gramine's tools never write: it was changed since")
    return read_manifest(content)


def sgx_table(manifest: Mapping[str, object]) -> Mapping[str, object]:
    """The `[sgx]` table, empty if absent. Raises ManifestError."""
    sgx = manifest.get("sgx", {})
    if not isinstance(sgx, Mapping):
        raise ManifestError("sgx is not a table")
    return sgx


def parse_size(text: object) -> int:
    """Bytes of a size as Gramine reads it: a number (also 0x, 0o, 0b) and K, M, G or nothing. Raises ManifestError."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) and len(text) <= _LONGEST_NUMBER else None
    if match is None:
        raise ManifestError(f"{_shown(text)} is no size: a string such as 512M or 16G, with K, M or G in upper case")
    return int(match[1], 0) * _UNITS[match[2]]


def is_power_of_two(size: int) -> bool:
    """Whether ECREATE and Gramine's loader would take an enclave of `size` bytes; the signing tool takes others too."""
    return size > 0 and size & (size - 1) == 0


def enclave_settings(manifest: Mapping[str, object], version: GramineVersion) -> EnclaveSettings:
    """What the manifest means to this version of Gramine, defaults filled in. Raises ManifestError."""
    sgx = sgx_table(manifest)
    edmm = version.has_edmm and _switch(sgx, "edmm_enable")
    size = sgx.get(
        "enclave_size", DEFAULT_ENCLAVE_SIZE_EDMM if edmm and version.edmm_enlarges else DEFAULT_ENCLAVE_SIZE
    )
    return EnclaveSettings(
        enclave_size=_enclave_size(size),
        threads=_threads(sgx, version),
        nonpie=not version.has_nonpie_switch or _switch(sgx, "nonpie_binary"),
        edmm=edmm,
        isv_prod_id=_integer(sgx.get("isvprodid", 0), "sgx.isvprodid", 0, _UINT16 - 1),
        isv_svn=_integer(sgx.get("isvsvn", 0), "sgx.isvsvn", 0, _UINT16 - 1),
        attributes=attributes_of(sgx, version),
    )


def _enclave_size(text: object) -> int:
    size = parse_size(text)
    if size == 0 or size % PAGE or size > _ADDRESS_LIMIT:
        raise ManifestError(
            f"sgx.enclave_size {_shown(text)} is no enclave size: whole pages of 4096 bytes, at most 2^47"
        )
    return size


def _threads(sgx: Mapping[str, object], version: GramineVersion) -> int:
    for key in version.threads_keys:
        if key in sgx:
            return _integer(sgx[key], f"sgx.{key}", 1, _ADDRESS_LIMIT // PAGE)
    return DEFAULT_THREADS


def _switch(sgx: Mapping[str, object], key: str) -> bool:
    value = sgx.get(key, False)
    if not isinstance(value, int):
        raise ManifestError(f"sgx.{key} is neither true nor false")
    return bool(value)


def _integer(value: object, name: str, lowest: int, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise ManifestError(f"{name} {_shown(value)} is no whole number from {lowest} to {highest}")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_NUMBER else f"{text[:_LONGEST_NUMBER]}…"

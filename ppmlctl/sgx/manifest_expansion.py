"""From a rendered manifest to `.manifest.sgx`: defaults filled in, trusted files hashed, written as the tools write it.

Source: `Manifest.__init__` and `dumps` in `python/graminelibos/manifest.py` of Gramine at v1.3.1 to v1.9. Every byte
counts, because these bytes are measured.
"""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.sgx.errors import ManifestError
from ppmlctl.sgx.gramine import GramineVersion, TomlStyle
from ppmlctl.sgx.manifest import (
    DEFAULT_ENCLAVE_SIZE,
    DEFAULT_ENCLAVE_SIZE_EDMM,
    DEFAULT_THREADS,
    read_manifest,
    sgx_table,
)
from ppmlctl.sgx.toml_writer import write_toml
from ppmlctl.sgx.tree import Tree
from ppmlctl.sgx.trusted_files import expand_trusted_files

_REQUIRE_KEYS = ("require_avx", "require_avx512", "require_mpx", "require_pkru", "require_amx")
_CPU_FEATURES = {
    "avx": "unspecified",
    "avx512": "unspecified",
    "amx": "unspecified",
    "mpx": "disabled",
    "pkru": "disabled",
}


def expand_manifest(
    manifest: str, tree: Tree, version: GramineVersion, *, libos: str, working_folder: str = "/"
) -> bytes:
    """The `.manifest.sgx` that the tools of this version write for `manifest`, of which the files lie in `tree`.

    `libos` is the path of Gramine's LibOS, the default of `loader.entrypoint` from v1.8 on; relative URIs start from
    `working_folder`. Raises ManifestError, and TreeError for files that are not there.
    """
    expanded = read_manifest(manifest)
    if version.toml_style is TomlStyle.TOML_0_10:
        _refuse_mixed_arrays(expanded)
    sgx = dict(sgx_table(expanded))
    expanded["sgx"] = sgx
    for key, value in _defaults(sgx, version):
        sgx.setdefault(key, value)
    if version.toml_style is TomlStyle.TOML_0_10:
        # gramine-manifest writes so far, level by level, and gramine-sgx-sign goes by the order that it reads there.
        expanded = read_manifest(write_toml(expanded, version.toml_style))
        sgx = expanded["sgx"] = dict(sgx_table(expanded))
    if version.has_cpu_features and not (version.has_require_keys and any(key in sgx for key in _REQUIRE_KEYS)):
        sgx["cpu_features"] = _with_features(sgx.get("cpu_features", {}))
    files = expand_trusted_files(sgx["trusted_files"], tree, version, working_folder)
    sgx["trusted_files"] = [{"uri": file.uri, "sha256": file.sha256} for file in files]
    if version.has_entrypoint_table:
        _complete_entrypoint(expanded, tree, version, libos)
    return _encoded(write_toml(expanded, version.toml_style))


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:  # Linux allows any bytes in names, and the tools end with this error too
        line = text[text.rfind("\n", 0, error.start) + 1 :].partition("\n")[0]
        raise ManifestError(f"a file's name is not in UTF-8, which manifests are in: {line.strip()!a}") from None


def _defaults(sgx: dict[str, object], version: GramineVersion) -> Iterator[tuple[str, object]]:
    """The keys of `[sgx]` in the order in which the tools append those that are missing."""
    size_comes_late = version.edmm_enlarges
    yield "trusted_files", []
    if not size_comes_late:
        yield "enclave_size", DEFAULT_ENCLAVE_SIZE
    if not any(key in sgx for key in version.threads_keys):
        yield version.threads_keys[0], DEFAULT_THREADS
    yield from (("isvprodid", 0), ("isvsvn", 0), ("remote_attestation", "none"), ("debug", False))
    if not version.has_cpu_features:
        yield from ((key, False) for key in (*_REQUIRE_KEYS, *version.exinfo_keys))
    if version.has_nonpie_switch:
        yield "nonpie_binary", False
    yield "enable_stats", False
    if size_comes_late:
        yield "edmm_enable", False
        yield "enclave_size", DEFAULT_ENCLAVE_SIZE_EDMM if sgx.get("edmm_enable") else DEFAULT_ENCLAVE_SIZE
    if version.has_cpu_features and not (version.has_require_keys and "require_exinfo" in sgx):
        yield "use_exinfo", False


def _with_features(given: object) -> dict[str, object]:
    if not isinstance(given, dict):
        raise ManifestError("sgx.cpu_features is not a table")
    return given | {feature: choice for feature, choice in _CPU_FEATURES.items() if feature not in given}


def _complete_entrypoint(manifest: dict[str, object], tree: Tree, version: GramineVersion, libos: str) -> None:
    loader = manifest.setdefault("loader", {})
    if not isinstance(loader, dict):
        raise ManifestError("loader is not a table")
    entrypoint = loader.get("entrypoint", {})
    if isinstance(entrypoint, str) and version.takes_entrypoint_text:
        entrypoint = {"uri": entrypoint}
    if not isinstance(entrypoint, dict):
        raise ManifestError("loader.entrypoint is not a table of uri and sha256")
    loader["entrypoint"] = entrypoint
    uri = entrypoint.setdefault("uri", f"file:{libos}")
    if "sha256" not in entrypoint:
        entrypoint["sha256"] = expand_trusted_files([uri], tree, version)[0].sha256


def _refuse_mixed_arrays(value: object) -> None:
    """The library that v1.3 reads with knows TOML 0.5, where the elements of an array are of one type."""
    if isinstance(value, list) and len({type(element) for element in value}) > 1:
        raise ManifestError("an array mixes texts, numbers or tables; Gramine v1.3 cannot read that")
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for member in members:
        _refuse_mixed_arrays(member)

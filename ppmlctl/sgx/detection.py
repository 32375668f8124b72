"""Which Gramine an image carries, from the best trace of it that is there.

In this order: `__version__` of `graminelibos`, its package metadata, dpkg's list, the keys of a finished manifest. The
constants come from the image itself wherever it has them: a fork may say 1.3.1 and lay its enclaves out differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ppmlctl.sgx.errors import GramineVersionError, ManifestError
from ppmlctl.sgx.gramine import GramineVersion, gramine_version
from ppmlctl.sgx.layout import parse_offsets
from ppmlctl.sgx.manifest import read_manifest, sgx_table
from ppmlctl.sgx.tree import Kind, Tree

MINOR_VERSIONS = range(6, 15)
"""Of Python 3, in which packages may be installed; for those who cannot list an image's folders."""

_LIBRARIES = ("/usr/local/lib", "/usr/lib", "/usr/lib64")
_PACKAGES = ("dist-packages", "site-packages")
_OFFSETS = ("graminelibos/_offsets.py", "_graminelibos_offsets.py")
_DPKG = "/var/lib/dpkg/status"

_VERSION = re.compile(r"""^__version__\s*=\s*['"]([^'"\n]+)['"]""", re.MULTILINE)
_FIELD = re.compile(r"^Version:\s*(\S+)", re.MULTILINE)
_DPKG_GRAMINE = re.compile(r"^Package: gramine$.*?^Version: (\S+)$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class DetectedGramine:
    """The version, with the image's own layout if it carries one, and the file or keys that tell."""

    version: GramineVersion
    source: str
    offsets: str | None = None
    """Path of the file with the image's constants."""


def detect_gramine(tree: Tree, manifest_sgx: bytes | None = None) -> DetectedGramine:
    """The version of Gramine in `tree`; the keys of `manifest_sgx` are asked last.

    Raises GramineVersionError if nothing tells, or what tells is not known here: then it has to be named by hand.
    """
    source, text = _number(tree, list(_package_folders(tree)), manifest_sgx)
    return _with_constants(tree, gramine_version(text), source)


def known_gramine(tree: Tree, name: str) -> DetectedGramine:
    """The version that somebody named, still with the image's own constants. Raises GramineVersionError."""
    return _with_constants(tree, gramine_version(name), "named by hand")


def _with_constants(tree: Tree, version: GramineVersion, source: str) -> DetectedGramine:
    for path in (f"{folder}/{name}" for folder in _package_folders(tree) for name in _OFFSETS):
        if tree.kind(path) is Kind.FILE:
            return DetectedGramine(replace(version, layout=parse_offsets(_text(tree, path))), source, path)
    return DetectedGramine(version, source)


def places_of_traces() -> list[str]:
    """Every path that may tell the version, for engines that hand out files of an image by name only."""
    pythons = ("python3", *(f"python3.{minor}" for minor in MINOR_VERSIONS))
    folders = [f"{library}/{python}/{package}" for library in _LIBRARIES for python in pythons for package in _PACKAGES]
    names = ("graminelibos/__init__.py", *_OFFSETS)
    return [_DPKG, *(f"{folder}/{name}" for folder in folders for name in names)]


def _package_folders(tree: Tree) -> Iterator[str]:
    for library in _LIBRARIES:
        pythons = (entry.name for entry in tree.entries(library) if entry.name.startswith("python3"))
        for python in sorted(pythons):
            yield from (f"{library}/{python}/{packages}" for packages in _PACKAGES)


def _number(tree: Tree, packages: list[str], manifest_sgx: bytes | None) -> tuple[str, str]:
    for path, pattern in _places(tree, packages):
        match = pattern.search(_text(tree, path)) if tree.kind(path) is Kind.FILE else None
        if match:
            return path, match[1].rpartition(":")[2]
    if manifest_sgx is not None:
        return "the keys of the manifest", _by_keys(manifest_sgx)
    raise GramineVersionError("nothing in the image tells its version of Gramine")


def _places(tree: Tree, packages: list[str]) -> Iterator[tuple[str, re.Pattern[str]]]:
    yield from ((f"{folder}/graminelibos/__init__.py", _VERSION) for folder in packages)
    for folder in packages:
        for name in sorted(entry.name for entry in tree.entries(folder)):
            if name.startswith("graminelibos") and name.endswith(".dist-info"):
                yield f"{folder}/{name}/METADATA", _FIELD
    yield _DPKG, _DPKG_GRAMINE


def _by_keys(manifest_sgx: bytes) -> str:
    """Versions that cannot be told apart so (1.6 and 1.7, 1.8 and 1.9) measure alike."""
    try:
        manifest = read_manifest(manifest_sgx)
        sgx, loader = sgx_table(manifest), manifest.get("loader")
    except ManifestError as error:
        raise GramineVersionError(f"the version of Gramine is not known, because {error}") from None
    if isinstance(loader, Mapping) and isinstance(loader.get("entrypoint"), Mapping):
        return "1.9"
    for version, keys in (
        ("1.7", {"cpu_features"}),
        ("1.4", {"max_threads", "nonpie_binary"}),
        ("1.5", {"max_threads", "edmm_enable"}),
        ("1.3.1", {"thread_num", "support_exinfo"}),
    ):
        if keys <= sgx.keys():
            return version
    raise GramineVersionError("the keys of the manifest do not tell the version of Gramine")


def _text(tree: Tree, path: str) -> str:
    return tree.read(path).decode(errors="replace")

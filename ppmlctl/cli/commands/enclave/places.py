"""Where an enclave's files are: in a folder, in an image at the Docker engine, in an OCI layout, or one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ppmlctl.cli.commands.enclave.files import read, sigstruct_of
from ppmlctl.cli.commands.enclave.measured import AUTO, not_measurable, version_of
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.oci import MARKER
from ppmlctl.sgx import ContentTree, Enclave, FolderTree, SgxError, Tree, TreeError, detect_gramine, places_of_traces
from ppmlctl.sgx.detection import known_gramine
from ppmlctl.sgx.sigstruct import SIGSTRUCT_SIZE

IMAGE = "image:"
"""What the name of an image at the Docker engine begins with, where a path could stand too."""

_LOADER = "/usr/local/lib/x86_64-linux-gnu/gramine/sgx/libpal.so"


@dataclass(frozen=True)
class Names:
    """The absolute paths in an image; those of BigDL's unless said otherwise."""

    sigstruct: str = "/ppml/bash.sig"
    loader: str = _LOADER

    @property
    def manifest(self) -> str:
        """Gramine's tools name both files alike."""
        return f"{self.sigstruct.removesuffix('.sig')}.manifest.sgx"


def enclave_at(place: str, gramine: str, loader: Path | None) -> Enclave:
    """What lies at `place`: `image:REF`, a folder, a SIGSTRUCT, or a manifest with `loader` or libpal.so beside it."""
    path = Path(place)
    if place.startswith(IMAGE):
        return enclave_of_image(place.removeprefix(IMAGE), Names(), gramine)
    if path.is_dir():
        return enclave_of_folder(path, gramine)
    content = read(path)
    if len(content) == SIGSTRUCT_SIZE and b"\0" in content:
        return Enclave(sigstruct=sigstruct_of(content, place))
    beside = path.parent / "libpal.so"
    chosen = loader or (beside if beside.is_file() else None)
    version = version_of(gramine, content, None)
    return Enclave(content, read(chosen) if chosen else None, version)


def enclave_of_image(reference: str, names: Names, gramine: str) -> Enclave:
    """The enclave in an image at the Docker engine. Raises what the client raises, and `enclave-not-in-image`."""
    from ppmlctl.clients.docker import DockerClient
    from ppmlctl.effects import Effects

    with DockerClient(Effects("docker", writes_allowed=True)) as docker:
        files = docker.read_files(reference, _wanted(names))
    return _of_tree(ContentTree(files), names, gramine, reference)


def enclave_of_layout(folder: Path, names: Names, gramine: str) -> Enclave:
    """The enclave in an OCI layout. Raises ImageError, and `enclave-not-in-image`."""
    from ppmlctl.oci import Layout

    return _of_tree(ContentTree(Layout(folder).read_files(_wanted(names))), names, gramine, str(folder))


def enclave_of_folder(folder: Path, gramine: str) -> Enclave:
    """The enclave in an OCI layout, a root file system, or a folder with the files themselves."""
    if (folder / MARKER).is_file():
        return enclave_of_layout(folder, Names(), gramine)
    if (folder / Names().manifest.removeprefix("/")).is_file():
        return _of_tree(FolderTree(folder), Names(), gramine, str(folder))
    names = Names("/bash.sig", "/libpal.so")
    return _of_tree(FolderTree(folder), names, gramine, str(folder))


def _wanted(names: Names) -> Iterable[str]:
    return [names.sigstruct, names.manifest, names.loader, *places_of_traces()]


def _of_tree(tree: Tree, names: Names, gramine: str, place: str) -> Enclave:
    files = {path: _file(tree, path) for path in (names.manifest, names.loader, names.sigstruct)}
    manifest, loader, sigstruct = files.values()
    if sigstruct is None and manifest is None:
        title = "there is no enclave in the image"
        found = f"{place} has neither {names.sigstruct} nor {names.manifest}"
        fix = "say where the SIGSTRUCT is: --path /folder/name.sig"
        raise InputError(Diagnostic("enclave-not-in-image", title, found, fix=fix))
    try:
        version = detect_gramine(tree, manifest).version if gramine == AUTO else known_gramine(tree, gramine).version
    except SgxError as error:
        if manifest is not None and loader is not None:
            raise InputError(not_measurable(error)) from None
        version = None
    return Enclave(manifest, loader, version, sigstruct_of(sigstruct, names.sigstruct) if sigstruct else None)


def _file(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.read(path)
    except TreeError:
        return None

"""Reading an OCI image layout: a folder with index.json and content-addressed blobs.

Source: OCI image-spec v1.1, image-layout.md.
"""

from __future__ import annotations

import lzma
import posixpath
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ppmlctl.files import read_bytes
from ppmlctl.oci.descriptor import INDEX, MANIFEST, Descriptor, Manifest, parse_index, parse_manifest, parse_object
from ppmlctl.oci.digest import digest_of
from ppmlctl.oci.entry import image_path
from ppmlctl.oci.faults import bad_layout
from ppmlctl.oci.tree import Kind, Node, Tree

MARKER = "oci-layout"
MARKER_CONTENT = b'{"imageLayoutVersion":"1.0.0"}'
INDEX_FILE = "index.json"

MOST_READ = 1 << 26
"""Bytes of one file that is read whole; a loader with its symbols fits many times over."""
_LARGEST_TEXT = 1 << 22
"""Bytes of index, manifest or configuration, as registries allow for a manifest."""
_PLATFORM = {"os": "linux", "architecture": "amd64"}
"""SGX exists on this platform only."""


class Layout:
    """The one image of a layout folder that fits linux/amd64. Reads; writes nothing."""

    def __init__(self, folder: Path) -> None:
        """Reads index and manifest. Raises ImageError where `folder` holds no such image."""
        self.folder = folder
        if not (folder / MARKER).is_file():
            raise bad_layout(str(folder), f"has no file {MARKER}")
        self.descriptor = self._find(parse_index(self._read(folder / INDEX_FILE), INDEX_FILE), INDEX_FILE)
        self.manifest: Manifest = parse_manifest(self.blob(self.descriptor), self.descriptor.digest)

    def blob_path(self, descriptor: Descriptor) -> Path:
        """Where the blob lies, whether or not it is there."""
        return blob_path(self.folder, descriptor.digest)

    def blob(self, descriptor: Descriptor) -> bytes:
        """The blob's content. Raises ImageError where it is missing or not what its digest says."""
        content = self._read(self.blob_path(descriptor))
        if digest_of(content) != descriptor.digest:
            raise bad_layout(descriptor.digest, "the blob's content has another digest")
        return content

    def config(self) -> dict[str, Any]:
        """The image's configuration."""
        return parse_object(self.blob(self.manifest.config), self.manifest.config.digest)

    def tree(self) -> Tree:
        """The merged file system of the layers. Reads all of them once."""
        tree = Tree()
        for number, layer in enumerate(self.manifest.layers):
            with _readable(layer.digest), self._opened(layer) as archive:
                tree.add_layer(_members(archive, number))
        return tree

    def read_files(self, paths: Iterable[str], most: int = MOST_READ) -> dict[str, bytes]:
        """The contents of those `paths` that are files of the image; symbolic links are followed inside it.

        Raises ImageError where one has more than so many bytes.
        """
        tree = self.tree()
        wanted = {path: tree.get(tree.resolve(image_path(path))) for path in paths}
        members: dict[int, dict[str, bytes]] = {}
        for node in wanted.values():
            if node and node.kind is Kind.FILE:
                members.setdefault(node.layer, {})[node.member] = b""
        for number, contents in members.items():
            self._read_members(self.manifest.layers[number], contents, most)
        return {
            path: members[node.layer][node.member] for path, node in wanted.items() if node and node.kind is Kind.FILE
        }

    def _read_members(self, layer: Descriptor, contents: dict[str, bytes], most: int) -> None:
        with _readable(layer.digest), self._opened(layer) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.name in contents else None
                if stream is not None and member.size > most:
                    raise bad_layout(layer.digest, f"{member.name} has {member.size} bytes, more than {most}")
                if stream is not None:
                    contents[member.name] = stream.read()

    def _find(self, manifests: tuple[Descriptor, ...], place: str, *, nested: bool = False) -> Descriptor:
        fitting = [found for found in manifests if _PLATFORM.items() <= found.platform.items() or not found.platform]
        if len(fitting) != 1:
            raise bad_layout(place, f"holds {len(fitting)} images for linux/amd64 where one is wanted")
        found = fitting[0]
        if found.media_type == INDEX and not nested:
            return self._find(parse_index(self.blob(found), found.digest), found.digest, nested=True)
        if found.media_type != MANIFEST:
            raise bad_layout(place, f"points at {found.media_type}, which is no image")
        return found

    def _opened(self, layer: Descriptor) -> tarfile.TarFile:
        return tarfile.open(self.blob_path(layer), mode="r:*")

    @staticmethod
    def _read(path: Path) -> bytes:
        try:
            return read_bytes(path, _LARGEST_TEXT)
        except OSError as error:
            raise bad_layout(str(path), error.strerror or "cannot be read") from None


def blob_path(folder: Path, digest: str) -> Path:
    """Where a layout keeps the blob of `digest`."""
    algorithm, _, value = digest.partition(":")
    return folder / "blobs" / algorithm / value


def _members(archive: tarfile.TarFile, layer: int) -> Iterator[tuple[str, Node]]:
    for member in archive:
        path = posixpath.normpath(f"/{member.name}").lstrip("/")
        if member.isdir():
            node = Node(Kind.FOLDER)
        elif member.issym():
            node = Node(Kind.LINK, member.linkname)
        else:
            node = Node(Kind.FILE if member.isreg() or member.islnk() else Kind.OTHER, "", layer, member.name)
        if path:
            yield path, node


@contextmanager
def _readable(digest: str) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise bad_layout(digest, f"the layer cannot be read: {error}") from None

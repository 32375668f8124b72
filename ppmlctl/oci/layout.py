"""Reading an OCI image layout: a folder with index.json and content-addressed blobs.

Source: OCI image-spec v1.1, image-layout.md.
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ppmlctl.files import read_bytes
from ppmlctl.oci.config import refuse_odd_config
from ppmlctl.oci.descriptor import INDEX, MANIFEST, Descriptor, Manifest, parse_index, parse_manifest, parse_object
from ppmlctl.oci.digest import digest_of
from ppmlctl.oci.entry import image_path
from ppmlctl.oci.faults import bad_layout
from ppmlctl.oci.layer_reading import members_of
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
        digest = self.manifest.config.digest
        document = parse_object(self.blob(self.manifest.config), digest)
        refuse_odd_config(document, digest)
        return document

    def tree(self) -> Tree:
        """The merged file system of the layers. Reads all of them once. Raises ImageError where one is another."""
        tree = Tree()
        for number, layer in enumerate(self.manifest.layers):
            with members_of(self.blob_path(layer), layer) as members:
                tree.add_layer(_nodes((member for _, member in members), number, tree, layer.digest))
        return tree

    def read_files(self, paths: Iterable[str], most: int = MOST_READ) -> dict[str, bytes]:
        """The contents of those `paths` that are files of the image; symbolic links are followed inside it.

        Raises ImageError where one has more than so many bytes.
        """
        tree = self.tree()
        wanted = {path: tree.get(tree.resolve(image_path(path))) for path in paths}
        members: dict[int, dict[int, bytes]] = {}
        for node in wanted.values():
            if node and node.kind is Kind.FILE:
                members.setdefault(node.layer, {})[node.member] = b""
        for number, contents in members.items():
            self._read_members(self.manifest.layers[number], contents, most)
        return {
            path: members[node.layer][node.member] for path, node in wanted.items() if node and node.kind is Kind.FILE
        }

    def _read_members(self, layer: Descriptor, contents: dict[int, bytes], most: int) -> None:
        with members_of(self.blob_path(layer), layer) as members:
            for place, (archive, member) in enumerate(members):
                stream = archive.extractfile(member) if place in contents and member.isreg() else None
                if stream is not None and member.size > most:
                    raise bad_layout(layer.digest, f"{member.name} has {member.size} bytes, more than {most}")
                if stream is not None:
                    contents[place] = stream.read()

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


def _nodes(members: Iterable[tarfile.TarInfo], layer: int, below: Tree, digest: str) -> Iterator[tuple[str, Node]]:
    """What the members are. A hard link is the file that it leads to, in this layer or in one below."""
    here: dict[str, Node] = {}
    for place, member in enumerate(members):
        path = _normal(member.name)
        if member.isdir():
            node = Node(Kind.FOLDER)
        elif member.issym():
            node = Node(Kind.LINK, member.linkname)
        elif member.islnk():
            node = _linked(path, _normal(member.linkname), here, below, digest)
        else:
            node = Node(Kind.FILE if member.isreg() else Kind.OTHER, "", layer, place)
        if path:
            here[path] = node
            yield path, node


def _linked(path: str, target: str, here: dict[str, Node], below: Tree, digest: str) -> Node:
    node = None if target == path else here.get(target) or below.get(target)
    if node is None or node.kind is Kind.FOLDER:
        raise bad_layout(digest, f"{path} is a hard link to {target}, which is no file before it")
    return node


def _normal(name: str) -> str:
    return posixpath.normpath(f"/{name}").lstrip("/")

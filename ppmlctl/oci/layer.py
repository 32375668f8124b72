"""A layer: a tar archive whose bytes depend on paths, kinds, executable bits and contents alone.

Layers are left uncompressed (`application/vnd.oci.image.layer.v1.tar`). The output of gzip differs between versions of
zlib and between zlib and zlib-ng, so a compressed layer would have another digest on another machine.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from ppmlctl.oci.descriptor import LAYER, Descriptor
from ppmlctl.oci.entry import Entry, File, Folder, by_path

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

EPOCH = 315_532_800
"""1980-01-01T00:00:00Z, the time of every file, in seconds: zip, and so jar, can write no earlier one."""

_EXECUTABLE = 0o755
_PLAIN = 0o644
_LINK = 0o777


class Sink(Protocol):
    """Takes the bytes of a layer in order."""

    def write(self, data: bytes, /) -> int: ...


class _Measured(io.RawIOBase):
    """Passes bytes on, counting and hashing them."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: ReadableBuffer) -> int:
        content = bytes(data)
        self._hash.update(content)
        self._size += len(content)
        return self._sink.write(content)

    def descriptor(self) -> Descriptor:
        return Descriptor(LAYER, f"sha256:{self._hash.hexdigest()}", self._size)


def write_layer(entries: Iterable[Entry], sink: Sink) -> Descriptor:
    """Writes the layer of `entries` to `sink`, in the order of their paths, and says its digest and size.

    Raises OSError when a file cannot be read or shrinks meanwhile.
    """
    measured = _Measured(sink)
    with tarfile.open(fileobj=measured, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for entry in sorted(entries, key=by_path):
            _add(archive, entry)
    return measured.descriptor()


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    if isinstance(entry, File):
        with entry.open() as content:
            header = _header(entry.path, tarfile.REGTYPE, _EXECUTABLE if entry.executable else _PLAIN)
            header.size = _size(content)
            archive.addfile(header, content)
    elif isinstance(entry, Folder):
        archive.addfile(_header(entry.path, tarfile.DIRTYPE, _EXECUTABLE))
    else:
        header = _header(entry.path, tarfile.SYMTYPE, _LINK)
        header.linkname = entry.target
        archive.addfile(header)


def _header(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.type, header.mode, header.mtime = kind, mode, EPOCH
    return header


def _size(content: io.BufferedIOBase) -> int:
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    return size

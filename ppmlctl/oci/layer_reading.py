"""Reading a layer once, from its beginning to its end, within bounds; its digest is known at the end.

Nothing of a layer is believed before the block of `members_of` has ended, which refuses other content than its
digest's.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self, cast

from ppmlctl.files import open_regular
from ppmlctl.oci.descriptor import Descriptor
from ppmlctl.oci.faults import bad_layout

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_MEMBERS = 500_000
"""Of one layer; large images have a fifth of it."""
MOST_UNPACKED = 1 << 36
"""Bytes of one layer."""
_LARGEST_HEADER = 1 << 20
"""Bytes of a long name or of pax records; Linux knows paths of 4096."""
_LONG = {
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
}
_PIECE = 1 << 20
_GZIP = b"\x1f\x8b"


class BoundedMember(tarfile.TarInfo):
    """A header whose long names and records are no longer than paths can be: they are read whole."""

    def _proc_member(self, archive: tarfile.TarFile) -> Self:
        if self.type in _LONG and self.size > _LARGEST_HEADER:
            raise tarfile.ReadError(f"a header has {self.size} bytes")
        return cast("Self", super()._proc_member(archive))  # type: ignore[misc] # its stub leaves it out


class _Counted(io.RawIOBase):
    """Passes on what is read from another stream, hashed, and stops at a size."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        super().__init__()
        self._stream = stream
        self._most = most
        self.hash = hashlib.sha256()
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        content = self._stream.read(len(view))
        self.count += len(content)
        if self.count > self._most:
            raise tarfile.ReadError(f"it has more than {self._most} bytes")
        self.hash.update(content)
        view[: len(content)] = content
        return len(content)


@contextmanager
def members_of(blob: Path, layer: Descriptor) -> Iterator[Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]]:
    """The members of a layer, each with the archive that its content can be read from before the next one is asked for.

    The block must go through all of them. Raises ImageError at its end where the blob is another one than `layer`
    says, and anywhere in it where the blob is no archive within bounds.
    """
    try:
        with open_regular(blob) as file:
            raw = _Counted(file, layer.size)
            packed = io.BufferedReader(raw, _PIECE)
            with tarfile.open(fileobj=_unpacked(packed), mode="r|", tarinfo=BoundedMember) as archive:
                yield _members(archive)
            while packed.read(_PIECE):
                pass
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise bad_layout(layer.digest, f"the layer cannot be read: {_words(error)}") from None
    except RecursionError:
        raise bad_layout(layer.digest, "the layer cannot be read: headers follow headers without end") from None
    if f"sha256:{raw.hash.hexdigest()}" != layer.digest or raw.count != layer.size:
        raise bad_layout(layer.digest, "the layer's content has another digest")


def _unpacked(packed: io.BufferedReader[_Counted]) -> IO[bytes]:
    stream = gzip.GzipFile(fileobj=packed) if packed.peek(2).startswith(_GZIP) else packed
    return io.BufferedReader(_Counted(cast("IO[bytes]", stream), MOST_UNPACKED), _PIECE)


def _members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    for count, member in enumerate(archive):
        if count >= MOST_MEMBERS:
            raise tarfile.ReadError(f"it has more than {MOST_MEMBERS} members")
        yield archive, member
        archive.members = []  # type: ignore[attr-defined] # it would keep all of them


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)

"""A folder of this machine as the root file system of an image."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ppmlctl.diagnostics import Diagnostic
from ppmlctl.oci.entry import WHITEOUT, Entry, Folder, Symlink, by_path, file_of_source, parents
from ppmlctl.oci.faults import ImageError, bad_path, no_base, special_file, unreadable

_KINDS = {stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}


def entries_of_folder(root: Path, *, only: Collection[str] | None = None) -> list[Entry]:
    """Everything below `root` in a layer's order, or `only` those paths; hidden files and symbolic links as they are.

    Owner, times, extended attributes and modes are left behind, except whether the owner may execute a file: they
    belong to this checkout, not to the image. Hard links become files of their own. Raises ImageError that names every
    special or unreadable file.
    """
    if not root.is_dir():
        raise no_base(str(root))
    faults: list[Diagnostic] = []
    wanted = None if only is None else {*only, *(parent for path in only for parent in parents(path))}
    entries = sorted(_walk(root, wanted, faults), key=by_path)
    if faults:
        raise ImageError(*faults)
    return entries


def _walk(root: Path, wanted: Collection[str] | None, faults: list[Diagnostic]) -> Iterator[Entry]:
    """Folder by folder, with a list of those to come instead of recursion: a base may be nested as deep as paths go."""
    to_come = [(str(root), "")]
    while to_come:
        folder, prefix = to_come.pop()
        try:
            members = list(os.scandir(folder))
        except OSError as error:
            faults.append(unreadable(prefix or ".", error.strerror or ""))
            continue
        yield from _members(members, prefix, wanted, faults, to_come)


def _members(
    members: Iterable[os.DirEntry[str]],
    prefix: str,
    wanted: Collection[str] | None,
    faults: list[Diagnostic],
    folders: list[tuple[str, str]],
) -> Iterator[Entry]:
    for member in members:
        path = f"{prefix}{member.name}"
        if wanted is not None and path not in wanted:
            continue
        if member.name.startswith(WHITEOUT):
            faults.extend(bad_path(path, f"a name that begins with {WHITEOUT} means a removal").diagnostics)
        elif member.is_symlink():
            yield Symlink(path, str(Path(member.path).readlink()))
        elif member.is_dir(follow_symlinks=False):
            yield Folder(path)
            folders.append((member.path, f"{path}/"))
        else:
            yield from _file(member, path, faults)


def _file(member: os.DirEntry[str], path: str, faults: list[Diagnostic]) -> Iterator[Entry]:
    mode = member.stat(follow_symlinks=False).st_mode
    if not stat.S_ISREG(mode):
        faults.append(special_file(path, _KINDS.get(stat.S_IFMT(mode), "special file")))
    elif not os.access(member.path, os.R_OK):
        faults.append(unreadable(path, "permission denied"))
    else:
        yield file_of_source(path, Path(member.path), executable=bool(mode & stat.S_IXUSR))

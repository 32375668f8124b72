"""What two commands of BigDL's Makefile print, told from an image without running anything of it.

`dirname $(shell which bash)`: by the image's PATH. `cc -dumpmachine`: on Debian and Ubuntu the compiler's links end at
a file that is named after the machine, such as `x86_64-linux-gnu-gcc-9`.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Mapping

from ppmlctl.sgx.errors import MakefileError

LinkEnds = Callable[[Iterable[str]], Mapping[str, str]]
"""Of those paths that lead to files of the image: where they end, symbolic links followed inside it."""

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What engines set where the image does not (Docker's `DefaultPathEnvUnix`)."""

_COMPILER = re.compile(r"(.+)-(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(?:-[0-9.]+)?")


class ImagePrograms:
    """The programs of one image, found as its shell finds them."""

    def __init__(self, path: str, link_ends: LinkEnds) -> None:
        self._path = path
        self._link_ends = link_ends
        self._found: dict[str, tuple[str, str] | None] = {}

    def printed(self, command: str) -> str:
        """What the command prints, if it is one of these. Raises MakefileError."""
        try:
            words = shlex.split(command)
        except ValueError:
            words = []
        match words:
            case ["dirname", path]:
                return posixpath.dirname(path) or "."
            case ["which", name]:
                return self._program(name)[0]
            case [name, "-dumpmachine"]:
                return self._machine(name)
        raise MakefileError(f"the value is computed by a shell command, which is not run: {command[:80].strip()}")

    def _machine(self, compiler: str) -> str:
        path, end = self._program(compiler)
        named = _COMPILER.fullmatch(posixpath.basename(end))
        if named is None:
            raise MakefileError(f"the name of the compiler {path}, which is {end}, does not tell its machine")
        return named[1]

    def _program(self, name: str) -> tuple[str, str]:
        """Its path as `which` prints it, and the file that this leads to."""
        if name not in self._found:
            folders = [folder or "." for folder in self._path.split(":")]
            places = [name] if "/" in name else [f"{folder.rstrip('/')}/{name}" for folder in folders]
            ends = self._link_ends(dict.fromkeys(places))
            self._found[name] = next(((place, ends[place]) for place in places if place in ends), None)
        found = self._found[name]
        if found is None:
            raise MakefileError(f"the image has no program {name[:80]} in its PATH ({self._path[:200]})")
        return found

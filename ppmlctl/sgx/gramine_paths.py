"""Where Gramine's files lie in an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from ppmlctl.sgx.errors import GramineVersionError
from ppmlctl.sgx.tree import Kind, Tree

PREFIXES = (
    "/usr/local/lib/x86_64-linux-gnu/gramine",
    "/usr/lib/x86_64-linux-gnu/gramine",
    "/usr/local/lib64/gramine",
    "/usr/lib64/gramine",
    "/usr/local/lib/gramine",
    "/usr/lib/gramine",
)
"""meson's `pkglibdir` for each prefix and library folder in use; BigDL's is the first."""


@dataclass(frozen=True)
class GraminePaths:
    """The paths below `pkglibdir`, as meson installs them."""

    pkglibdir: PurePosixPath

    @property
    def loader(self) -> PurePosixPath:
        """What is put into the enclave first, and measured."""
        return self.pkglibdir / "sgx/libpal.so"

    @property
    def libos(self) -> PurePosixPath:
        return self.pkglibdir / "libsysdb.so"

    def runtime(self, libc: str = "glibc") -> PurePosixPath:
        """The folder of the C library that runs on Gramine."""
        return self.pkglibdir / "runtime" / libc


def find_gramine(tree: Tree) -> GraminePaths:
    """The installed Gramine. Raises GramineVersionError if none with an SGX loader is in `tree`."""
    for prefix in PREFIXES:
        paths = GraminePaths(PurePosixPath(prefix))
        if tree.kind(str(paths.loader)) is Kind.FILE:
            return paths
    raise GramineVersionError("no Gramine with an SGX loader (sgx/libpal.so) is in the image")

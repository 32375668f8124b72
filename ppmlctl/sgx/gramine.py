"""What differs between the versions of Gramine, as far as manifest, measurement and SIGSTRUCT go.

Source: `python/graminelibos/{manifest,sgx_sign,sigstruct}.py` of Gramine at v1.3.1 to v1.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from ppmlctl.sgx.errors import GramineVersionError
from ppmlctl.sgx.layout import Layout


class TomlStyle(StrEnum):
    """Which library writes the manifest, and so its bytes."""

    TOML_0_10 = "toml 0.10"
    TOMLI_W = "tomli-w"


class Duplicates(StrEnum):
    """What becomes of a trusted file that is listed twice."""

    KEEP = "keep"
    FIRST_PATH = "first path"
    MERGE_URI = "merge uri"


@dataclass(frozen=True)
class GramineVersion:
    """One release line, such as (1, 3), and the enclave layout its images carry."""

    name: str
    layout: Layout = field(default=Layout(), repr=False)

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor number; patch releases do not differ here."""
        major, minor, *_ = self.name.split(".")
        return int(major), int(minor)

    @property
    def threads_keys(self) -> tuple[str, ...]:
        """The keys of `[sgx]` that give the number of threads; the first one present counts."""
        return {(1, 3): ("thread_num",), (1, 4): ("max_threads", "thread_num")}.get(self.release, ("max_threads",))

    @property
    def has_nonpie_switch(self) -> bool:
        """Whether `sgx.nonpie_binary` decides about the base address; later versions always use the lowest one."""
        return self.release <= (1, 4)

    @property
    def has_edmm(self) -> bool:
        return self.release >= (1, 4)

    @property
    def edmm_enlarges(self) -> bool:
        """Whether EDMM changes the default enclave size from 256M to 1024G."""
        return self.release >= (1, 5)

    @property
    def has_require_keys(self) -> bool:
        return self.release <= (1, 7)

    @property
    def has_cpu_features(self) -> bool:
        return self.release >= (1, 6)

    @property
    def exinfo_keys(self) -> tuple[str, ...]:
        keys = {(1, 3): ("support_exinfo",), (1, 4): ("require_exinfo",), (1, 5): ("require_exinfo",)}
        both = ("require_exinfo", "use_exinfo") if self.has_require_keys else ("use_exinfo",)
        return keys.get(self.release, both)

    @property
    def switches_are_booleans(self) -> bool:
        """Whether `debug = 1` does not count as `debug = true`."""
        return self.release >= (1, 6)

    @property
    def has_entrypoint_table(self) -> bool:
        return self.release >= (1, 8)

    @property
    def takes_entrypoint_text(self) -> bool:
        return self.release <= (1, 8)

    @property
    def has_bcd_date(self) -> bool:
        return self.release >= (1, 5)

    @property
    def toml_style(self) -> TomlStyle:
        return TomlStyle.TOML_0_10 if self.release <= (1, 3) else TomlStyle.TOMLI_W

    @property
    def duplicates(self) -> Duplicates:
        if self.release <= (1, 3):
            return Duplicates.KEEP
        return Duplicates.FIRST_PATH if self.release <= (1, 5) else Duplicates.MERGE_URI


VERSIONS = tuple(GramineVersion(name) for name in ("1.3.1", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"))
"""Oldest first. 1.3.1 (BigDL has a fork of it), 1.5, 1.7 and 1.9 are checked with their tools, the others were read."""

_NUMBER = re.compile(r"v?([0-9]{1,3}\.[0-9]{1,3})(?![0-9])")


def gramine_version(text: str) -> GramineVersion:
    """The version that `text` names: `1.5`, `v1.6.2` and `1.3.1post~UNRELEASED` alike. Raises GramineVersionError."""
    number = _NUMBER.match(text)
    for version in VERSIONS:
        if number and version.name.split(".")[:2] == number[1].split("."):
            return version
    known = ", ".join(version.name for version in VERSIONS)
    raise GramineVersionError(f"Gramine {text[:40]!r} is not among the known versions: {known}")

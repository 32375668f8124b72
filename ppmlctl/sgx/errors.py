"""The errors of this package: each is a ValueError whose text says what is wrong with the input.

SgxError
├── SigstructError      a SIGSTRUCT is broken; `broken` names the parts
├── SigningKeyError     a key is no RSA-3072 key with exponent 3
├── LoaderError         the loader (libpal.so) is no ELF file that Gramine could load
├── ManifestError       a manifest, or a template of one, cannot be used
│   └── TreeError       a file that a manifest needs cannot be had
├── MeasurementError    manifest and loader do not fit into one enclave
└── GramineVersionError the version of Gramine is not known
"""

from __future__ import annotations


class SgxError(ValueError):
    """Something that this package was given is wrong."""


class SigstructError(SgxError):
    """A SIGSTRUCT is broken. `broken` holds the names of the parts: `size`, `header`, `signature`, `q1`…"""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        super().__init__(f"SIGSTRUCT: wrong {', '.join(broken)}")


class SigningKeyError(SgxError):
    """A key cannot sign or verify enclaves."""


class LoaderError(SgxError):
    """The loader is no ELF file that Gramine could load into an enclave."""


class ManifestError(SgxError):
    """A manifest, or a template of one, cannot be used."""


class TreeError(ManifestError):
    """A file that a manifest needs cannot be had."""


class MeasurementError(SgxError):
    """Manifest and loader do not fit into one enclave."""


class GramineVersionError(SgxError):
    """The version of Gramine is not known."""

"""The errors of this package: each is a ValueError whose text says what is wrong with the input.

SgxError
├── SigstructError      a SIGSTRUCT is broken; `broken` names the parts
├── SigningKeyError     a key is no RSA-3072 key with exponent 3
├── LoaderError         the loader (libpal.so) is no ELF file that Gramine could load
├── ManifestError       a manifest, or a template of one, cannot be used
│   ├── MakefileError   a Makefile does not tell the values of a template's variables without being run
│   ├── UndefinedVariableError  a template asks for a variable that nothing gives
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


class MakefileError(ManifestError):
    """A Makefile does not tell a value without being run. `line` counts from 1; None where no line is to blame."""

    def __init__(self, text: str, line: int | None = None, variable: str | None = None) -> None:
        super().__init__(text)
        self.line = line
        self.variable = variable
        """The template's variable whose value was asked for, where it was one alone."""


class UndefinedVariableError(ManifestError):
    """A template asks for a variable that nothing gives. `line` of the template counts from 1."""

    def __init__(self, text: str, line: int | None = None, variable: str | None = None) -> None:
        super().__init__(text)
        self.line = line
        self.variable = variable


class TreeError(ManifestError):
    """A file that a manifest needs cannot be had."""


class MeasurementError(SgxError):
    """Manifest and loader do not fit into one enclave."""


class GramineVersionError(SgxError):
    """The version of Gramine is not known."""

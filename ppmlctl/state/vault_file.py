"""The text of `ppml.vault`: JSON with sorted keys, one line per entry; a change of one secret changes one line."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ppmlctl.diagnostics import Diagnostic, Location, StateError
from ppmlctl.state.vault_cipher import Scrypt

VERSION = 1


def _from_base64(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("expected base64 text")  # noqa: TRY004 - pydantic collects ValueError, not TypeError
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("expected base64 text") from None


Base64 = Annotated[bytes, BeforeValidator(_from_base64)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class _Versioned(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)

    version: int = Field(ge=1)


class _Kdf(_Model):
    name: Literal["scrypt"]
    n: int
    p: int
    r: int
    salt: Base64


class _Text(_Model):
    version: Literal[1]
    environment: str = Field(min_length=1)
    kdf: _Kdf
    check: Base64
    digest_key: Base64
    entries: dict[str, Base64]


@dataclass(frozen=True)
class VaultFile:
    """What stands in the file. `check`, `digest_key` and the entries are sealed values (nonce and ciphertext)."""

    environment: str
    scrypt: Scrypt
    check: bytes
    digest_key: bytes
    entries: Mapping[str, bytes]


def render(file: VaultFile) -> bytes:
    """The file's bytes: the same value gives the same bytes."""
    scrypt = file.scrypt
    kdf = {"name": "scrypt", "n": scrypt.n, "p": scrypt.p, "r": scrypt.r, "salt": _to_base64(scrypt.salt)}
    text = {
        "version": VERSION,
        "environment": file.environment,
        "kdf": kdf,
        "check": _to_base64(file.check),
        "digest_key": _to_base64(file.digest_key),
        "entries": {name: _to_base64(sealed) for name, sealed in file.entries.items()},
    }
    return (json.dumps(text, indent=2, sort_keys=True) + "\n").encode()


def parse(content: bytes, name: str) -> VaultFile:
    """The vault in `content`; `name` is the file's name for messages.

    Raises StateError: `vault-version-newer` for the file of a later ppmlctl, `vault-corrupt` for what is no vault.
    """
    try:
        version = _Versioned.model_validate_json(content).version
        if version > VERSION:
            _refuse_newer(version, name)
        text = _Text.model_validate_json(content)
    except ValidationError as error:
        _refuse_corrupt(_first_fault(error), name)
    scrypt = Scrypt(salt=text.kdf.salt, n=text.kdf.n, r=text.kdf.r, p=text.kdf.p)
    if not scrypt.is_acceptable():
        _refuse_corrupt("kdf: these scrypt parameters are invalid or beyond a second and 256 MiB of memory", name)
    return VaultFile(text.environment, scrypt, text.check, text.digest_key, text.entries)


def _to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _refuse_newer(version: int, name: str) -> NoReturn:
    raise StateError(
        Diagnostic(
            "vault-version-newer",
            "the vault was written by a newer ppmlctl",
            found=f"{name} has version {version}, this ppmlctl reads up to {VERSION}",
            why="writing it with this version would lose what it does not know",
            fix="install the ppmlctl that wrote it, or a later one",
            at=Location(name, 1, 1),
        )
    )


def _refuse_corrupt(found: str, name: str) -> NoReturn:
    raise StateError(
        Diagnostic(
            "vault-corrupt",
            "the vault file cannot be read",
            found=found,
            why="it holds the environment's only copy of made secrets, so it is not written anew",
            fix=f"restore it, for example: git checkout -- {name}",
            at=Location(name, 1, 1),
        )
    )

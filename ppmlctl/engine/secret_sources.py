"""Secrets that ppml.yaml names for the engines themselves, fetched when one of them needs them."""

from __future__ import annotations

from collections.abc import Callable

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.modules._given_secret import from_file, from_variable
from ppmlctl.modules.context import Files, SecretStore
from ppmlctl.secret import Secret
from ppmlctl.spec import SecretSource

SecretOf = Callable[[SecretSource], Secret]


def secret_of(source: SecretSource, files: Files, vault: SecretStore) -> Secret:
    """The secret; revealing it raises SecretLockedError, or PpmlError where nothing is there: `secret-missing`."""
    if source.env is not None:
        name = source.env
        return Secret(
            handle=f"env:{name}", load=lambda: _there(from_variable(name), f"variable {name} is not set, or empty")
        )
    if source.file is not None:
        path = source.file
        return Secret(
            handle=f"file:{path}", load=lambda: _there(from_file(files, path), f"file {path} is not there, or empty")
        )
    entry = str(source.vault)
    return Secret(handle=f"vault:{entry}", load=lambda: vault.get(entry).reveal())


def _there(secret: Secret | None, otherwise: str) -> str | bytes:
    if secret is None:
        title, fix = "a secret that ppml.yaml names is not there", "put it there, or name another source"
        raise InputError(Diagnostic("secret-missing", title, found=otherwise, fix=fix))
    return secret.reveal()

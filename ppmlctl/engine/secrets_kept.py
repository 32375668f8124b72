"""Secrets by their handles: where a recorded result says its secret is kept, fetched when it is revealed."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.files import read_bytes
from ppmlctl.modules.context import Engines, SecretStore
from ppmlctl.secret import Secret, SecretLockedError


class SecretsKept:
    """Resolves `vault:NAME`, `file:PATH` and `kubernetes:NAMESPACE/NAME/KEY`."""

    def __init__(self, root: Path, vault: SecretStore, engines: Callable[[], Engines]) -> None:
        self._root = root
        self._vault = vault
        self._engines = engines

    def resolve(self, handle: str) -> Secret:
        """A secret that is fetched later; raises StateError then, where it is not kept there any more."""
        return Secret(handle=handle, load=lambda: self._fetch(handle))

    def _fetch(self, handle: str) -> str | bytes:
        place, _, name = handle.partition(":")
        if place == "vault":
            return self._vault.get(name).reveal()
        if place == "file":
            return self._read(name)
        if place == "kubernetes":
            return self._from_cluster(name)
        raise StateError(Diagnostic("secret-handle", "the lockfile names a place for secrets that is unknown", handle))

    def _read(self, name: str) -> bytes:
        try:
            return read_bytes(self._root / name)
        except OSError as error:
            raise StateError(
                Diagnostic(
                    "secret-file-missing",
                    "a secret file that the lockfile records is missing here",
                    found=f"{name}: {error.strerror}",
                    why="it is never made anew, since others may hold what was made from it",
                    fix="restore the file from where you keep it",
                )
            ) from None

    def _from_cluster(self, name: str) -> bytes:
        from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - not every command talks to a cluster

        namespace, secret, key = name.split("/")
        found = self._engines().kubernetes.get(ObjectKey("v1", "Secret", namespace, secret))
        try:
            return base64.b64decode((found or {})["data"][key])
        except KeyError:
            # Somebody deleted it: its task makes it again, and until then nobody can have the value.
            raise SecretLockedError(f"kubernetes:{name}") from None

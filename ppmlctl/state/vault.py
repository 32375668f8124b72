"""The environment's secret store `ppml.vault`: safe to commit, each entry encrypted on its own.

Additional data of every entry is environment id and entry name, so an entry cannot be moved to another name or
environment unnoticed; the header is bound to the check value likewise. Not hidden: names and lengths of entries, and
which of them a commit changed. Not detected: an old, once valid entry put back (git's history shows that).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from dataclasses import replace
from pathlib import Path

from ppmlctl.files import PRIVATE, read_bytes, rehearse_write, write_atomic
from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.state import vault_faults as faults
from ppmlctl.state.vault_cipher import KEY_SIZE, Scrypt, SealError, derive_key, new_scrypt, seal, unseal
from ppmlctl.state.vault_file import VaultFile, parse, render

_CHECK = b"ppml.vault"
_LONGEST_NAME = 253
_ROOM = 4096
"""Bytes, more than an account takes."""


class Vault:
    """Named secrets of one environment. Safe for threads; two processes are kept apart by the environment's lock.

    Without a password it is locked: names are visible, values raise SecretLockedError.
    """

    def __init__(self, path: Path, file: VaultFile, key: bytes | None) -> None:
        """Use `create` or `open`."""
        self.path = path
        self._file = file
        self._key = key
        self._lock = threading.RLock()

    @classmethod
    def create(cls, path: Path, environment_id: str, password: Secret) -> Vault:
        """Makes an empty vault at `path`, durably. Raises StateError when a file is there or the password is empty."""
        if path.exists():
            raise faults.exists(path)
        file, key = _sealed_header(environment_id, password, digest_key=os.urandom(KEY_SIZE))
        write_atomic(path, render(file), mode=PRIVATE)
        return cls(path, file, key)

    @classmethod
    def open(cls, path: Path, password: Secret | None, *, environment_id: str | None = None) -> Vault:
        """The vault at `path`; locked when `password` is None.

        Raises StateError: `vault-missing`, `vault-unreadable`, `vault-corrupt`, `vault-version-newer`,
        `vault-password-wrong`, and `vault-environment-other` when `environment_id` is given and is not the vault's.
        """
        file = parse(_read(path), path.name)
        if environment_id is not None and file.environment != environment_id:
            raise faults.other_environment(path, file.environment, environment_id)
        key = None if password is None else _checked_key(file, password, path)
        return cls(path, file, key)

    @property
    def environment_id(self) -> str:
        """The environment whose secrets these are."""
        return self._file.environment

    def is_locked(self) -> bool:
        """Whether values are out of reach, because no password was given."""
        return self._key is None

    def names(self) -> list[str]:
        """The entries' names, sorted. Works on a locked vault."""
        return sorted(self._file.entries)

    def get(self, name: str) -> Secret:
        """The entry as a secret with handle `vault:NAME`, decrypted when first revealed (always as bytes).

        Raises StateError `vault-entry-missing` at once. Revealing raises SecretLockedError on a locked vault and
        StateError `vault-entry-tampered` where the entry was altered.
        """
        if name not in self._file.entries:
            raise faults.entry_missing(self.path, name)
        return Secret(handle=f"vault:{name}", load=lambda: self._reveal(name))

    def put(self, name: str, value: bytes | str | Secret) -> None:
        """Stores a value durably. An equal value writes nothing and leaves the file as it is.

        Raises SecretLockedError on a locked vault, StateError for a bad name, an altered entry, or a vault that was
        replaced or got another password since it was opened.
        """
        _check_name(name)
        plain = _plain(value)
        with self._lock:
            key = self._unlocked(name)
            self._refresh()
            if name in self._file.entries and hmac.compare_digest(self._reveal(name), plain):
                return
            sealed = seal(key, plain, _entry_context(self._file.environment, name))
            self._write(replace(self._file, entries={**self._file.entries, name: sealed}))

    def remove(self, name: str) -> None:
        """Removes an entry durably; one that is not there writes nothing. Raises as `put` does."""
        with self._lock:
            self._unlocked(name)
            self._refresh()
            if name not in self._file.entries:
                return
            rest = {other: sealed for other, sealed in self._file.entries.items() if other != name}
            self._write(replace(self._file, entries=rest))

    def prove_writable(self) -> None:
        """Takes every step of a `put`, and changes nothing: before a secret is made that nobody else keeps.

        Raises as `put` does, and OSError.
        """
        with self._lock:
            self._unlocked("write")
            self._refresh()
            rehearse_write(self.path, render(self._file), more=_ROOM, mode=PRIVATE)

    def rekey(self, password: Secret) -> None:
        """Encrypts all entries anew under another password, or after a crash none. Digests stay the same."""
        with self._lock:
            self._unlocked("rekey")
            self._refresh()
            values = {name: self._reveal(name) for name in self.names()}
            header, key = _sealed_header(self._file.environment, password, digest_key=self._digest_key())
            context = self._file.environment
            entries = {name: seal(key, value, _entry_context(context, name)) for name, value in values.items()}
            self._write(replace(header, entries=entries))
            self._key = key

    def digest(self, value: bytes) -> str:
        """HMAC-SHA256 (hex) of a secret value, fit for the lockfile: only whoever opens this vault can compare it.

        Survives `rekey`. Raises SecretLockedError on a locked vault.
        """
        with self._lock:
            self._unlocked("digest")
            return hmac.new(self._digest_key(), value, hashlib.sha256).hexdigest()

    def _reveal(self, name: str) -> bytes:
        with self._lock:
            key = self._unlocked(name)
            if name not in self._file.entries:
                raise faults.entry_missing(self.path, name)
            try:
                return unseal(key, self._file.entries[name], _entry_context(self._file.environment, name))
            except SealError:
                raise faults.entry_tampered(self.path, name) from None

    def _digest_key(self) -> bytes:
        try:
            return unseal(self._unlocked("digest"), self._file.digest_key, _digest_key_context(self._file.environment))
        except SealError:
            raise faults.header_tampered(self.path) from None

    def _unlocked(self, purpose: str) -> bytes:
        if self._key is None:
            raise SecretLockedError(f"vault:{purpose}")
        return self._key

    def _refresh(self) -> None:
        """Takes over what another process wrote since, so that a write never undoes it."""
        now = parse(_read(self.path), self.path.name)
        if replace(now, entries=self._file.entries) != self._file:
            raise faults.replaced(self.path)
        self._file = now

    def _write(self, file: VaultFile) -> None:
        write_atomic(self.path, render(file), mode=PRIVATE)
        self._file = file


def _sealed_header(environment_id: str, password: Secret, *, digest_key: bytes) -> tuple[VaultFile, bytes]:
    if not password.reveal_bytes():
        raise faults.password_empty()
    scrypt = new_scrypt()
    key = derive_key(password, scrypt)
    return VaultFile(
        environment=environment_id,
        scrypt=scrypt,
        check=seal(key, _CHECK, _check_context(environment_id, scrypt)),
        digest_key=seal(key, digest_key, _digest_key_context(environment_id)),
        entries={},
    ), key


def _checked_key(file: VaultFile, password: Secret, path: Path) -> bytes:
    key = derive_key(password, file.scrypt)
    try:
        unseal(key, file.check, _check_context(file.environment, file.scrypt))
    except SealError:
        raise faults.password_wrong(path) from None
    return key


def _entry_context(environment_id: str, name: str) -> bytes:
    return _context(environment_id, "entry", name)


def _digest_key_context(environment_id: str) -> bytes:
    return _context(environment_id, "digest-key")


def _check_context(environment_id: str, scrypt: Scrypt) -> bytes:
    return _context(environment_id, "check", scrypt.salt.hex(), str(scrypt.n), str(scrypt.r), str(scrypt.p))


def _context(*parts: str) -> bytes:
    return "\0".join(parts).encode()


def _plain(value: bytes | str | Secret) -> bytes:
    if isinstance(value, Secret):
        return value.reveal_bytes()
    return value.encode() if isinstance(value, str) else value


def _check_name(name: str) -> None:
    if not (name.isprintable() and name == name.strip() and 0 < len(name) <= _LONGEST_NAME):
        raise faults.name_invalid(name)


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except FileNotFoundError:
        raise faults.missing(path) from None
    except OSError as error:
        raise faults.unreadable(path, error.strerror or "") from error

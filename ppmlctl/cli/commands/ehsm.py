"""`ppmlctl ehsm …`"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from typing import Any

import typer

from ppmlctl.cli.run_view import listening
from ppmlctl.diagnostics import Diagnostic, InputError, StateError
from ppmlctl.engine import Options, Session
from ppmlctl.engine.ehsm_account import EhsmAccess, recorded_account, users_of
from ppmlctl.engine.operations import operation
from ppmlctl.files import PRIVATE, write_atomic
from ppmlctl.secret import Secret

_CHALLENGE_BYTES = 32
_SHOWN_OF_VERDICT = ("verdict", "root", "tcb_status", "advisories", "mr_enclave", "mr_signer", "collateral_until")


def status(file: Path, *, as_json: bool) -> None:
    """The server, the verdict on it, and what the account has there."""
    access = recorded_account(_reading(file))
    account = access.account
    told = {
        "url": access.client.url,
        "version": access.client.get_version().version,
        "account": account.appid,
        **{name: access.attestation.result[name] for name in _SHOWN_OF_VERDICT},
        "keys": len(access.client.keys.list(account)),
        "secrets": len(access.client.secrets.list(account)),
    }
    _tell(told if as_json else _lines(told))


def save_quote(file: Path, to: Path) -> None:
    """A fresh quote of the server's enclave, as it came, for whoever wants to judge it without ppmlctl's verdict."""
    access = recorded_account(_reading(file))
    quote = access.client.generate_quote(access.account, secrets.token_bytes(_CHALLENGE_BYTES))
    write_atomic(to, quote)
    typer.echo(f"a quote of {len(quote)} bytes is in {to}")


def list_keys(file: Path, *, as_json: bool) -> None:
    """All keys of the account, with the tasks that made them."""
    session = _reading(file)
    access = recorded_account(session)
    keys = [
        {
            "keyid": key.keyid,
            "spec": key.keyspec,
            "enabled": key.enabled,
            "expires": _day(key.expires),
            "tasks": users_of(session, key.keyid),
        }
        for key in access.client.keys.list(access.account)
    ]
    _tell(keys if as_json else _table(keys) or "the account has no keys")


def switch_key(file: Path, keyid: str, *, enabled: bool) -> None:
    """Lets a key be used, or not. One that a task declares is put back by the next apply."""
    with _writing(file) as session:
        access = recorded_account(session)
        _check_key(access, keyid)
        (access.client.keys.enable if enabled else access.client.keys.disable)(access.account, keyid)
    typer.echo(f"{keyid} is {'enabled' if enabled else 'disabled'}")


def delete_key(file: Path, keyid: str, *, yes: bool) -> None:
    """Deletes a key that no task has, after a yes; what it encrypted is lost."""
    with _writing(file) as session:
        access = recorded_account(session)
        _check_key(access, keyid)
        users = users_of(session, keyid)
        if users:
            title, why = "tasks have this key", "what they encrypted with it would be lost"
            fix = "take them out of ppml.yaml, apply, then delete the key"
            raise StateError(Diagnostic("ehsm-key-used", title, f"{keyid}: {', '.join(users)}", why, fix))
        if not yes and not _agrees(f"Delete {keyid}? What it encrypted is lost."):
            return
        access.client.keys.delete(access.account, keyid)
    typer.echo(f"{keyid} is gone")


def list_secrets(file: Path, *, as_json: bool) -> None:
    """Names and descriptions; no value is asked for."""
    access = recorded_account(_reading(file))
    listed = [
        {
            "name": secret.name,
            "description": secret.description,
            "created": _day(secret.created),
            "leaves": _day(secret.planned_delete_time) if secret.planned_delete_time else None,
        }
        for secret in access.client.secrets.list(access.account)
    ]
    _tell(listed if as_json else _table(listed) or "the account has no secrets")


def get_secret(file: Path, name: str, *, version: int | None, to: Path | None, reveal: bool) -> None:
    """One value, to a file of mode 0600 or, asked for by name, to stdout byte for byte."""
    if to is None and not reveal:
        fix = f"ppmlctl ehsm secrets get {name} --to FILE"
        why = "a value is shown on request only: --reveal"
        raise InputError(Diagnostic("secret-not-shown", "where the value shall go is not said", name, why, fix))
    access = recorded_account(_reading(file))
    _check_secret(access, name)
    found = access.client.secrets.get(access.account, name, version)
    if found is None:
        known = [str(one.version) for one in access.client.secrets.versions(access.account, name)]
        title = "the secret has no such version"
        raise InputError(Diagnostic("ehsm-no-version", title, f"{name}: {version}", fix=f"it has {', '.join(known)}"))
    if to is not None:
        write_atomic(to, found.data.reveal_bytes(), mode=PRIVATE)
        typer.echo(f"{name}, version {found.version}, is in {to}")
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(found.data.reveal_bytes() + (b"\n" if sys.stdout.isatty() else b""))


def show_policies(file: Path, *, as_json: bool) -> None:
    """The recorded policies, as EHSM has them now."""
    session = _reading(file)
    access = recorded_account(session)
    recorded = {a: e.result for a, e in sorted(session.recorded.items()) if e.module == "ehsm_policy"}
    policies: list[dict[str, Any]] = []
    for address, result in recorded.items():
        found = access.client.get_quote_policy(access.account, result["policy_id"])
        measured = {"mr_enclave": found.mr_enclave, "mr_signer": found.mr_signer} if found else {}
        policies.append({"task": address, "policy_id": result["policy_id"], "found": bool(found), **measured})
    _tell(policies if as_json else "\n\n".join(map(_lines, policies)) or "no policy was registered")


def _reading(file: Path) -> Session:
    return Session(Options(file, prompt=(lambda: getpass("Vault password: ")) if sys.stdin.isatty() else None))


@contextmanager
def _writing(file: Path) -> Iterator[Session]:
    """An environment that may write; no apply runs meanwhile."""
    prompt = (lambda: getpass("Vault password: ")) if sys.stdin.isatty() else None
    with listening(as_json=False) as listener, operation(file, listener, prompt=prompt) as session:
        yield session


def _check_key(access: EhsmAccess, keyid: str) -> None:
    known = [key.keyid for key in access.client.keys.list(access.account)]
    if keyid not in known:
        fix = _known(known, "kms.ehsm.keys")
        raise InputError(Diagnostic("ehsm-no-key", "the account has no such key", keyid, fix=fix))


def _check_secret(access: EhsmAccess, name: str) -> None:
    """EHSM's own answer to a wrong name is one that needs its log to be understood."""
    known = [secret.name for secret in access.client.secrets.list(access.account)]
    if name not in known:
        fix = _known(known, "kms.ehsm.secrets")
        raise InputError(Diagnostic("ehsm-no-secret", "the account has no such secret", name, fix=fix))


def _known(names: Sequence[str], section: str) -> str:
    return f"name one of: {', '.join(sorted(names))}" if names else f"it has none; declare one in {section}"


def _agrees(question: str) -> bool:
    if sys.stdin.isatty():
        return typer.confirm(question)
    title = "there is no terminal to ask on"
    raise InputError(Diagnostic("not-confirmed", title, why="it cannot be undone", fix="say it in advance: --yes"))


def _tell(told: Any) -> None:
    typer.echo(told if isinstance(told, str) else json.dumps(told, ensure_ascii=False))


def _table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows below the names of their fields, in columns."""
    if not rows:
        return ""
    texts = [list(rows[0]), *([_word(value) for value in row.values()] for row in rows)]
    widths = [max(len(text[column]) for text in texts) for column in range(len(texts[0]))]
    return "\n".join("  ".join(map(str.ljust, text, widths)).rstrip() for text in texts)


def _lines(row: dict[str, Any]) -> str:
    return "\n".join(f"{name:<16} {_word(value)}" for name, value in row.items())


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value in (None, "") or isinstance(value, Secret) else str(value)


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()

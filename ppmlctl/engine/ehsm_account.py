"""The account at EHSM that an apply recorded, for commands that ask or change something there themselves."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.engine.session import Session
from ppmlctl.modules.context import EhsmServer
from ppmlctl.planning import Recorded

if TYPE_CHECKING:
    from ppmlctl.clients.ehsm import EhsmClient
    from ppmlctl.ehsm import Account


@dataclass(frozen=True)
class EhsmAccess:
    """The client of an attested server, and the account that was released from quarantine."""

    client: EhsmClient
    account: Account
    attestation: Recorded


def recorded_account(session: Session) -> EhsmAccess:
    """What the lockfile records. Raises StateError where no server was attested yet, or the vault is locked.

    An account whose server was not accepted is never used: nothing was recorded for it.
    """
    from ppmlctl.ehsm import Account  # noqa: PLC0415 - not every command talks to EHSM

    attested = [entry for entry in session.recorded.values() if entry.module == "ehsm_attest"]
    if not attested:
        title, why = "no EHSM was attested yet", "its account is not used before its quote was accepted"
        raise StateError(Diagnostic("ehsm-not-attested", title, why=why, fix="ppmlctl apply"))
    result = attested[0].result
    if not result["apikey"].is_available():
        fix = "set PPML_VAULT_PASSWORD, name a key file (vault.key_file), or run on a terminal"
        raise StateError(Diagnostic("vault-locked", "the vault is locked", found="the account's apikey", fix=fix))
    if session.sandboxed and session.sandbox is None:
        fix = f"ppmlctl sandbox up -f {shlex.quote(str(session.options.file))}"
        raise StateError(Diagnostic("sandbox-stopped", "the sandbox does not run", fix=fix))
    client = session.engines.ehsm(_server(attested[0].inputs["server"]))
    return EhsmAccess(client, Account(appid=result["appid"], apikey=result["apikey"]), attested[0])


def users_of(session: Session, keyid: str) -> list[str]:
    """The tasks whose records name a key."""
    return sorted(address for address, entry in session.recorded.items() if entry.result.get("keyid") == keyid)


def _server(inputs: Mapping[str, Any]) -> EhsmServer:
    return EhsmServer(inputs["url"], inputs.get("ca"), inputs.get("fingerprint"), bool(inputs.get("insecure")))

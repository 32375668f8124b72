"""The account at EHSM that an apply recorded, for commands that ask or change something there themselves."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.engine.session import Session
from ppmlctl.planning import Recorded

if TYPE_CHECKING:
    from ppmlctl.clients.ehsm import EhsmClient
    from ppmlctl.ehsm import Account


_ATTEST = "ehsm_attest"


@dataclass(frozen=True)
class EhsmAccess:
    """The client of an attested server, and the account that was released from quarantine."""

    client: EhsmClient
    account: Account
    attestation: Recorded


def recorded_account(session: Session) -> EhsmAccess:
    """The account of the task that attests, where the lockfile records that this very server was attested.

    Raises StateError where it was not, where the vault is locked, and where the lockfile was altered. An account whose
    server was not accepted is never used: nothing was recorded for it.
    """
    session.check_records()
    wanted = [one for one, kind in session.wanted_as_recorded() if kind == _ATTEST]
    found = [(one, session.recorded[one.address]) for one in wanted if one.address in session.recorded]
    if not found:
        raise _not_attested("")
    attesting, entry = found[0]
    module = session.modules[_ATTEST]
    if module.asks(attesting.inputs) != module.asks(entry.inputs):
        was = dict(module.asks(entry.inputs) or ()).get("url", "another server")
        raise _not_attested(f"{was} was, and ppml.yaml names {attesting.args.server.url}")
    if not attesting.args.can_ask():
        fix = "set PPML_VAULT_PASSWORD, name a key file (vault.key_file), or run on a terminal"
        raise StateError(Diagnostic("vault-locked", "the vault is locked", found="the account's apikey", fix=fix))
    if session.sandboxed and session.sandbox is None:
        fix = f"ppmlctl sandbox up -f {shlex.quote(str(session.options.file))}"
        raise StateError(Diagnostic("sandbox-stopped", "the sandbox does not run", fix=fix))
    return EhsmAccess(attesting.args.server.client(session.context), attesting.args.account(), entry)


def users_of(session: Session, keyid: str) -> list[str]:
    """The tasks whose records name a key."""
    return sorted(address for address, entry in session.recorded.items() if entry.result.get("keyid") == keyid)


def _not_attested(found: str) -> StateError:
    title, why = "no EHSM was attested yet", "its account is not used before its quote was accepted"
    return StateError(Diagnostic("ehsm-not-attested", title, found=found, why=why, fix="ppmlctl apply"))

"""A plan kept in a file: what was shown, so that apply does exactly that or refuses.

It holds digests, no value and no path of this machine: any checkout of the same commit may carry it out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shlex
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ppmlctl.diagnostics import Diagnostic, InputError, StateError
from ppmlctl.engine.plan_identity import Digest, PlanIdentity, differences, identify, other_environment
from ppmlctl.engine.session import Session
from ppmlctl.files import LARGEST_RECORD, PRIVATE, read_text, write_atomic
from ppmlctl.planning import Plan
from ppmlctl.state.vault_cipher import SALT_SIZE, Scrypt, derive_key

VERSION = 2


def save_plan(path: Path, plan: Plan, session: Session) -> None:
    """Writes the plan's identity with mode 0600.

    Raises StateError where a secret has no digest, since another value of it would not be noticed.
    """
    found = identify(plan, session, session.digest, cluster=session.cluster_identity(plan))
    if found.without_digest() and session.has_only_a_password:
        salt = os.urandom(SALT_SIZE)
        by_password = digest_by_password(session, salt.hex())
        found = identify(plan, session, by_password, cluster=found.cluster).model_copy(update={"salt": salt.hex()})
    unread = found.without_digest()
    if unread:
        raise _without_digest(unread)
    content = {"version": VERSION, **found.model_dump(mode="json")}
    write_atomic(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode(), mode=PRIVATE)


def read_plan(path: Path) -> PlanIdentity:
    """Reads what `save_plan` wrote. Raises InputError where that is something else."""
    try:
        content = json.loads(read_text(path, LARGEST_RECORD))
        if not isinstance(content, dict) or content.pop("version", None) != VERSION:
            raise _unreadable(path, "this ppmlctl has not written it")
        return PlanIdentity.model_validate(content)
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors(include_input=False)[0]["loc"])
        raise _unreadable(path, f"{where} is not what ppmlctl writes") from None
    except (ValueError, RecursionError):
        raise _unreadable(path, "it is no JSON") from None


def digest_by_password(session: Session, salt: str) -> Digest:
    """Of a first plan's secrets, which no vault has a key for yet: as hard to guess as the vault's password is.

    Raises StateError where no password is given.
    """
    key = derive_key(session.password_of_vault(), Scrypt(bytes.fromhex(salt)))
    return lambda value: hmac.new(key, value, hashlib.sha256).hexdigest()


def check_same(shown: PlanIdentity, now: PlanIdentity, file: Path) -> None:
    """Raises StateError where the plan of the environment in `file` is another than what was shown; says how."""
    stranger = other_environment(shown, now)
    if stranger:
        raise StateError(
            Diagnostic(
                "plan-of-another-environment",
                "the saved plan is another environment's",
                found=stranger,
                why="only what was shown is applied",
                fix="name the file that the plan was made from: -f FILE",
            )
        )
    moved = differences(shown, now)
    if moved:
        raise StateError(
            Diagnostic(
                "plan-outdated",
                "the world has moved since the plan was made",
                found="\n".join(moved),
                why="only what was shown is applied",
                fix=f"look at the plan again:\nppmlctl plan -f {shlex.quote(str(file))}",
            )
        )


def _unreadable(path: Path, found: str) -> InputError:
    title = "this is no saved plan that can be read"
    return InputError(Diagnostic("saved-plan", title, found=f"{path}: {found}", fix=f"ppmlctl plan --save {path}"))


def _without_digest(addresses: Any) -> StateError:
    return StateError(
        Diagnostic(
            "plan-without-secrets",
            "this plan cannot be saved for apply",
            found=f"secrets of {', '.join(addresses)} have no digest: the vault is locked, or not made yet",
            why="another value of them would be applied unnoticed",
            fix="set PPML_VAULT_PASSWORD or name a key file (vault.key_file); the first apply, or `ppmlctl vault set`, "
            "makes the vault",
        )
    )

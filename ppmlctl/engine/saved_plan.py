"""A plan kept in a file: what was shown, so that apply does exactly that or refuses.

It holds no secret value: actions with masked fields, and digests of ppml.yaml and of the lockfile.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import Diagnostic, InputError, StateError
from ppmlctl.files import PRIVATE, write_atomic
from ppmlctl.planning import Plan, PlannedAction
from ppmlctl.planning.diff import LOCKED, SECRET
from ppmlctl.secret import MASK, Secret
from ppmlctl.unknown import Unknown

if TYPE_CHECKING:
    from ppmlctl.engine.session import Session

VERSION = 1


@dataclass(frozen=True)
class SavedPlan:
    """What was shown, in a form that can be compared."""

    file: Path
    environment: str
    lockfile: str
    actions: tuple[Mapping[str, Any], ...]
    rotate: tuple[str, ...] = ()

    @classmethod
    def of(cls, plan: Plan, session: Session) -> SavedPlan:
        """The plan as this session made it."""
        actions = tuple(_as_data(action) for action in plan.actions)
        return cls(
            session.options.file,
            session.store.lockfile.environment,
            _lockfile_digest(session),
            actions,
            session.options.rotate,
        )


def save_plan(path: Path, plan: Plan, session: Session) -> None:
    """Writes the plan with mode 0600, and where its ppml.yaml is: so it can be applied from any folder."""
    saved = SavedPlan.of(plan, session)
    content = {
        "version": VERSION,
        "file": str(saved.file.absolute()),
        "environment": saved.environment,
        "lockfile": saved.lockfile,
        "rotate": list(saved.rotate),
        "actions": list(saved.actions),
    }
    write_atomic(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode(), mode=PRIVATE)


def read_plan(path: Path) -> SavedPlan:
    """Reads what `save_plan` wrote. Raises InputError where that is something else."""
    try:
        return _from_data(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            Diagnostic(
                "saved-plan",
                "this is no saved plan that can be read",
                found=f"{path}: {error.strerror or error if isinstance(error, OSError) else type(error).__name__}",
                fix=f"ppmlctl plan --save {path}",
            )
        ) from None


def _from_data(content: Mapping[str, Any]) -> SavedPlan:
    if content["version"] != VERSION:
        raise ValueError(f"version {content['version']}")
    file, environment, lockfile = Path(content["file"]), content["environment"], content["lockfile"]
    return SavedPlan(file, environment, lockfile, tuple(content["actions"]), tuple(content["rotate"]))


def check_unchanged(shown: SavedPlan, plan: Plan, session: Session) -> None:
    """Refuses where the world or the files moved since the plan was shown, and says what differs."""
    now = SavedPlan.of(plan, session)
    before = {action["address"]: action for action in shown.actions}
    after = {action["address"]: action for action in now.actions}
    differing = sorted(address for address in before | after if not _same(before.get(address), after.get(address)))
    if not differing and shown.lockfile == now.lockfile:
        return
    lines = [f"{address}: {_told(before.get(address))} → {_told(after.get(address))}" for address in differing]
    raise StateError(
        Diagnostic(
            "plan-outdated",
            "the world has moved since the plan was made",
            found="\n".join(lines) or "the lockfile is another one",
            why="only what was shown is applied",
            fix=f"look at the plan again:\nppmlctl plan -f {shlex.quote(str(shown.file))}",
        )
    )


def _same(before: Any, after: Any) -> bool:
    """Equal, where a digest that a locked vault could not give equals every digest."""
    if LOCKED in (before, after):
        return True
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(_same(value, after[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return bool(before == after)


def _told(action: Mapping[str, Any] | None) -> str:
    if action is None:
        return "not planned"
    fields = ", ".join(field["path"] for field in action["fields"])
    return f"{action['action']}{f' ({fields})' if fields else ''}"


def _lockfile_digest(session: Session) -> str:
    path = session.store.path
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _as_data(action: PlannedAction) -> Mapping[str, Any]:
    fields = [{"path": f.path, "before": _plain(f.before), "after": _plain(f.after)} for f in action.fields]
    return {
        "address": action.address,
        "module": action.module,
        "action": action.action.value,
        "conditional": action.conditional,
        "reasons": list(action.reasons),
        "fields": fields,
        "needs": list(action.needs),
    }


def _plain(value: Any) -> Any:
    """JSON-like data; secrets masked, but keyed digests kept, since a changed secret is another plan."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Unknown):
        return {"unknown": value.source}
    if isinstance(value, Mapping):
        return dict(value) if value.keys() == {SECRET} else {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value

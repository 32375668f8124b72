"""What tells one plan from all others: whose it is, what each action is made from, and what was there.

Two plans are the same where the lockfile was read in the same state, the files declare the same, and every action is
made from the same arguments in the same world. How an action is shown plays no part. Values are kept as digests only,
secrets as digests by a key; a value that was shown as not known yet is bound by what the files declare.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from ppmlctl.modules.base import public
from ppmlctl.planning import ABSENT, ActionKind, Observed, Plan, PlannedAction, Wanted
from ppmlctl.planning.diff import LOCKED, SECRET
from ppmlctl.secret import MASK, Secret
from ppmlctl.unknown import Unknown, unknowns_in

if TYPE_CHECKING:
    from ppmlctl.engine.session import Session

Digest = Callable[[bytes], str | None]
"""Keyed digest of a secret value; None where there is no key."""

UNKNOWN = "unknown"
UNREAD = "locked"
"""In the place of a digest: a value that apply will know, a secret that nobody could read."""

GIVEN = "given value"
"""The path of a secret that a variable or a file gives."""

_LONGEST_VALUE = 100
_PLAIN_STEP = re.compile(r"[\w /-]+")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ActionIdentity(_Part):
    """One action. `inputs` holds the digest of each value of its arguments by its path, such as `manifest.data.a`."""

    address: str
    module: str
    action: str
    conditional: bool
    needs: list[str]
    inputs: dict[str, str]
    observed: str | None
    """Digest of what was there; None where nobody could look, or nothing depends on it."""


class PlanIdentity(_Part):
    """One plan. `lockfile` is the digest of the lockfile as it was read, empty where there was none."""

    name: str
    target: str
    environment: str
    cluster: dict[str, str]
    serial: int
    lockfile: str
    declaration: str
    rotate: list[str]
    replace: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    skip_tags: list[str] = Field(default_factory=list)
    salt: str = Field(default="", pattern=r"^([0-9a-f]{32})?$")
    """Hex. What the digests of secrets are made with beside the vault's password; empty: its key, or no secret."""
    actions: list[ActionIdentity]
    values: dict[str, dict[str, str]] = Field(default_factory=dict, exclude=True)
    """The values themselves in words, by address and path, secrets masked. Serves display only, and is not kept."""

    def without_digest(self) -> list[str]:
        """The tasks with a secret that could not be read."""
        return [action.address for action in self.actions if UNREAD in action.inputs.values()]


def identify(plan: Plan, session: Session, digest: Digest, *, cluster: Mapping[str, str] | None = None) -> PlanIdentity:
    """The identity of a plan that this session made. `cluster` is what tells its cluster from others, where asked."""
    read = session.store.as_read
    leaves = {action.address: _leaves_of(action, plan, session, digest) for action in plan.actions}
    return PlanIdentity(
        name=session.environment.name,
        target=session.environment.target,
        environment=read.environment if read else "",
        cluster=dict(cluster or {}),
        serial=read.serial if read else 0,
        lockfile=read.digest if read else "",
        declaration=session.expanded.digest,
        rotate=list(session.options.rotate),
        replace=list(session.options.replace),
        tags=list(plan.selection.only),
        skip_tags=list(plan.selection.skip),
        actions=[_action(action, plan, leaves[action.address]) for action in plan.actions],
        values={at: {path: _in_words(value) for path, value in found.items()} for at, found in leaves.items()},
    )


def other_environment(shown: PlanIdentity, now: PlanIdentity) -> str:
    """How `now` is of another environment than what was shown; empty where it is not."""
    if (shown.name, shown.target) != (now.name, now.target):
        return f"it is for {shown.name} ({shown.target}), and here is {now.name} ({now.target})"
    if shown.environment and now.environment and shown.environment != now.environment:
        return f"it is for the environment {shown.environment}, and the lockfile here is of {now.environment}"
    for name, uid in shown.cluster.items():
        if now.cluster.get(name) not in {None, uid}:
            return f"it is for the cluster whose {name} is {uid}, and here it is {now.cluster[name]}"
    return ""


def differences(shown: PlanIdentity, now: PlanIdentity) -> list[str]:
    """How `now` is another plan, in lines for people; none where it is the same."""
    lines = []
    if shown.lockfile != now.lockfile:
        lines.append(f"the lockfile: {_lockfile(shown)} → {_lockfile(now)}")
    before = {action.address: action for action in shown.actions}
    after = {action.address: action for action in now.actions}
    for address in dict.fromkeys((*before, *after)):
        values = now.values.get(address, {})
        found = _moved(before.get(address), after.get(address), values)
        lines += [f"{address}: {line}" for line in found]
    if not lines and shown.declaration != now.declaration:
        lines.append("ppml.yaml or a playbook declares something else")
    if not lines and (shown.rotate, shown.replace) != (now.rotate, now.replace):
        lines.append("something else is to be made anew")
    if (shown.tags, shown.skip_tags) != (now.tags, now.skip_tags):
        lines.append("other tags are asked for")
    return lines


def _moved(shown: ActionIdentity | None, now: ActionIdentity | None, values: Mapping[str, str]) -> Iterator[str]:
    if shown is None or now is None or (shown.action, shown.module) != (now.action, now.module):
        yield f"{_told(shown)} → {_told(now)}"
        return
    changed = list(_inputs(shown.inputs, now.inputs, values))
    yield from changed
    if not changed and None not in {shown.observed, now.observed} and shown.observed != now.observed:
        yield "what is there has changed"
    elif not changed and (shown.conditional, shown.needs) != (now.conditional, now.needs):
        yield "what it waits for has changed"


def _inputs(shown: Mapping[str, str], now: Mapping[str, str], values: Mapping[str, str]) -> Iterator[str]:
    unknown = {path for path, digest in shown.items() if digest == UNKNOWN}
    for path in dict.fromkeys((*shown, *now)):
        if shown.get(path) == now.get(path) or path in unknown or any(_is_below(path, place) for place in unknown):
            continue
        if path not in now:
            yield f"{path} is not given any more"
        else:
            yield f"{path} is {values.get(path, 'another')} now"


def _is_below(path: str, place: str) -> bool:
    return path.startswith((f"{place}.", f"{place}["))


def _told(action: ActionIdentity | None) -> str:
    return action.action if action else "not planned"


def _lockfile(plan: PlanIdentity) -> str:
    return f"serial {plan.serial}" if plan.lockfile else "none"


def _leaves_of(action: PlannedAction, plan: Plan, session: Session, digest: Digest) -> dict[str, Any]:
    wanted = plan.wanted.get(action.address)
    if wanted is None or action.action is ActionKind.DELETE:
        return {}  # what is removed is in the lockfile, which counts as a whole
    given = plan.observed.get(action.address, ABSENT).given
    inputs = dict(session.modules[action.module].whole_inputs(wanted.args, digest))
    return dict(_leaves("", inputs | ({} if given is None else {GIVEN: public(given, digest)})))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value and value.keys() != {SECRET}:
        for name, member in value.items():
            step = str(name) if _PLAIN_STEP.fullmatch(str(name)) else json.dumps(str(name), ensure_ascii=False)
            yield from _leaves(f"{path}.{step}" if path else step, member)
    elif isinstance(value, list) and value:
        for index, member in enumerate(value):
            yield from _leaves(f"{path}[{index}]", member)
    else:
        yield path, value


def _action(action: PlannedAction, plan: Plan, leaves: Mapping[str, Any]) -> ActionIdentity:
    return ActionIdentity(
        address=action.address,
        module=action.module,
        action=_action_word(action),
        conditional=action.conditional,
        needs=list(action.needs),
        inputs={path: _leaf_digest(value) for path, value in leaves.items()},
        observed=_seen(action, plan.wanted.get(action.address), plan.observed.get(action.address, ABSENT)),
    )


def _action_word(action: PlannedAction) -> str:
    """Whether a removal leaves its thing is part of what was shown."""
    removes = action.action is ActionKind.DELETE
    return f"{action.action.value} ({action.removal.value})" if removes else action.action.value


def _leaf_digest(value: Any) -> str:
    if isinstance(value, Unknown):
        return UNKNOWN
    return UNREAD if value == LOCKED else _digest_of(value)


def _seen(action: PlannedAction, wanted: Wanted | None, observed: Observed) -> str | None:
    """What was there for an action. What a kept thing does meanwhile changes nothing of what is done."""
    if wanted is None or not observed.looked_at or action.action is ActionKind.KEEP:
        return None
    there: list[Any] = [observed.exists, observed.version]
    if not any(unknowns_in(wanted.inputs)):
        found = {field.path: field.before for field in action.fields}
        there += [_plain(one) for one in (observed.fields, observed.foreseen, found)]
    return _digest_of(there)


def _digest_of(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    """JSON-like data; a secret by where it is kept, which its owner's arguments bind already."""
    if isinstance(value, Secret):
        return {"secret": value.handle}
    if isinstance(value, Unknown):
        return {"unknown": value.source}
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)


def _in_words(value: Any) -> str:
    if isinstance(value, Unknown):
        return str(value)
    if isinstance(value, Mapping) and value.keys() == {SECRET}:
        return MASK
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"

"""A plan for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ppmlctl.cli.errors import as_data, text_of
from ppmlctl.cli.style import Style
from ppmlctl.cli.tags import selection_lines
from ppmlctl.cli.terminal_text import on_one_line
from ppmlctl.diagnostics import Diagnostic
from ppmlctl.engine import Whereabouts
from ppmlctl.planning import ActionKind, FieldChange, Plan, PlannedAction, Selection
from ppmlctl.planning.diff import SECRET
from ppmlctl.secret import MASK, Secret
from ppmlctl.unknown import Unknown

SYMBOLS = {
    ActionKind.CREATE: "+",
    ActionKind.UPDATE: "~",
    ActionKind.REPLACE: "±",
    ActionKind.DELETE: "-",
    ActionKind.RUN: "▶",
    ActionKind.KEEP: " ",
}
LONGEST_VALUE = 100
"""Characters of a value in the text view."""


def plan_as_data(plan: Plan, warnings: Sequence[Diagnostic], where: Whereabouts) -> dict[str, Any]:
    """`plan -o json`."""
    return {
        "environment": asdict(where),
        "selection": selection_as_data(plan.selection),
        "summary": plan.summary(),
        "actions": [action_as_data(action) for action in plan.actions],
        "warnings": [
            *(as_data(warning) for warning in (*warnings, *plan.warnings)),
            *({"message": note} for note in plan.notes),
        ],
    }


def selection_as_data(selection: Selection) -> dict[str, Any]:
    """What the plan is about: the tags that are asked for, what is there by need, and what is left out."""
    return {
        "tags": list(selection.only),
        "skip_tags": list(selection.skip),
        "included": list(selection.included),
        "left_out": list(selection.left_out),
    }


def action_as_data(action: PlannedAction) -> dict[str, Any]:
    """One action; secrets are masked, what is not known yet says so."""
    return {
        "address": action.address,
        "module": action.module,
        "action": action.action.value,
        "conditional": action.conditional,
        "because_of": list(action.because_of),
        "reasons": list(action.reasons),
        "fields": [_field_as_data(field) for field in action.fields],
        "outcome": [_field_as_data(field) for field in action.outcome],
        "removal": action.removal.value if action.action is ActionKind.DELETE else None,
        "evidence": action.evidence.value if action.evidence else None,
    }


def plan_text(plan: Plan, warnings: Sequence[Diagnostic], style: Style, where: Whereabouts) -> str:
    """The plan as Terraform's readers expect it: where, what, why, field by field, warnings, one summary line."""
    blocks = ["\n".join([header(where, style), *map(on_one_line, selection_lines(plan.selection))])]
    blocks += ["\n".join(_action_lines(action, style)) for action in plan.acting()]
    chain = list(_measurement_chain(plan, style))
    if chain:
        blocks.append("\n".join(chain))
    blocks += [text_of(warning, style) for warning in (*warnings, *plan.warnings)]
    if plan.notes:
        blocks.append("\n".join(f"{style.yellow('note')}: {note}" for note in plan.notes))
    blocks.append(style.bold(summary_line(plan)))
    return "\n\n".join(blocks)


def header(where: Whereabouts, style: Style) -> str:
    """The first line of what is shown."""
    return f"{style.bold(f'Environment {where.name}')}  {style.dim(', '.join(where.parts()))}"


def summary_line(plan: Plan) -> str:
    """`Plan: 2 to create, …`, or that there is nothing to do."""
    counts = plan.summary()
    left_out = f", {len(plan.selection.left_out)} left out" if plan.selection.left_out else ""
    if plan.is_empty():
        return f"No changes. {counts['keep']} as recorded{left_out}."
    words = {"create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete"}
    words |= {"run": "to run", "conditional": "if changed", "forget": "to forget and keep"}
    parts = [f"{counts[kind]} {word}" for kind, word in words.items() if counts[kind]]
    return f"Plan: {', '.join(parts)}, {counts['keep']} unchanged{left_out}."


def _action_lines(action: PlannedAction, style: Style) -> Iterator[str]:
    colour = _colour(action, style)
    symbol = SYMBOLS[action.action] + ("?" if action.conditional else "")
    verb = "forget" if action.only_forgets else action.action.value
    verb = f"{verb} (if changed)" if action.conditional else verb
    address = style.bold(on_one_line(action.address))
    yield f"{colour(f'{symbol:<2}')} {address}  {style.dim(action.module)}  {colour(verb)}"
    for reason in action.reasons:
        yield f"     {style.dim('# ' + on_one_line(reason))}"
    for field in action.fields:
        yield f"     {field_line(field)}"
    for field in action.outcome:
        yield f"     {style.cyan('⇒')} {field_line(field)}"


def field_line(field: FieldChange) -> str:
    """`path: before → after`; a new field shows its value alone."""
    after = shown(field.after)
    path = on_one_line(field.path)
    return f"{path}: {after}" if field.before is None else f"{path}: {shown(field.before)} → {after}"


def shown(value: Any) -> str:
    """A value on one line, secrets masked."""
    plain = masked(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    text = " ".join(text.split()) if isinstance(plain, str) else text
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def masked(value: Any) -> Any:
    """Plain data in which nothing is secret and nothing unknown is missing."""
    if isinstance(value, Secret) or (isinstance(value, Mapping) and value.keys() == {SECRET}):
        return MASK
    if isinstance(value, Unknown):
        return str(value)
    if isinstance(value, Mapping):
        return {name: masked(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [masked(member) for member in value]
    return value


def whole(value: Any) -> str:
    """An output in full: people copy it."""
    plain = masked(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _field_as_data(field: FieldChange) -> dict[str, Any]:
    return {"path": field.path, "before": masked(field.before), "after": masked(field.after)}


def _measurement_chain(plan: Plan, style: Style) -> Iterator[str]:
    """A new MRENCLAVE and everything that follows from it, in one line."""
    for action in plan.acting():
        for field in action.outcome:
            if field.path == "mr_enclave":
                behind = ", ".join(_behind(plan, action.address))
                values = f"{str(field.before)[:12]}… → {str(field.after)[:12]}…"
                yield f"{style.cyan('MRENCLAVE')} {values}: {behind or 'nothing depends on it'}"


def _behind(plan: Plan, address: str) -> Iterator[str]:
    reached = {address}
    words = {ActionKind.REPLACE: "anew", ActionKind.RUN: "runs again", ActionKind.UPDATE: "follows"}
    for action in plan.acting():
        if reached & set(action.needs):
            reached.add(action.address)
            if action.action in words:
                yield f"{action.address} {words[action.action]}"


def _colour(action: PlannedAction, style: Style) -> Any:
    return {
        ActionKind.CREATE: style.green,
        ActionKind.UPDATE: style.yellow,
        ActionKind.REPLACE: style.magenta,
        ActionKind.DELETE: style.red,
        ActionKind.RUN: style.cyan,
        ActionKind.KEEP: style.dim,
    }[action.action]

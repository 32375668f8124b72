"""`--tags` and `--skip-tags`: words with commas between them, given as often as one likes."""

from __future__ import annotations

from collections.abc import Sequence

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.planning import Selection, Tags

_MOST_NAMED = 8
"""Addresses that a line names."""


def tags_of(only: Sequence[str] | None, skip: Sequence[str] | None) -> Tags:
    """What is asked for. Raises InputError where an option names nothing."""
    return Tags(_words("--tags", only), _words("--skip-tags", skip))


def asked_for(selection: Selection) -> str:
    """The options as they are written."""
    options = {"--tags": selection.only, "--skip-tags": selection.skip}
    return " ".join(f"{name} {','.join(words)}" for name, words in options.items() if words)


def selection_lines(selection: Selection) -> list[str]:
    """What a plan says of what it is about; nothing where it is about everything."""
    lines = []
    if selection.restricts:
        lines.append(f"Restricted by {asked_for(selection)}. Nothing is removed.")
    if selection.included:
        lines.append(f"Planned too, since it is needed: {named(selection.included)}.")
    if selection.left_out:
        why = "" if selection.restricts else ", tagged `never`"
        lines.append(f"Left out{why}, and stays as it is: {named(selection.left_out)}.")
    if selection.restricts and selection.left_out:
        lines.append("What follows from this for the rest shows in a plan without these options.")
    return lines


def named(addresses: Sequence[str]) -> str:
    """How many there are, and the first of them."""
    more = f" and {len(addresses) - _MOST_NAMED} more" if len(addresses) > _MOST_NAMED else ""
    count = f"{len(addresses)} {'task' if len(addresses) == 1 else 'tasks'}"
    return f"{count} ({', '.join(addresses[:_MOST_NAMED])}{more})"


def _words(option: str, given: Sequence[str] | None) -> tuple[str, ...]:
    words = tuple(word.strip() for text in given or () for word in text.split(",") if word.strip())
    if given and not words:
        raise InputError(Diagnostic("tags-empty", "an option names no tag", found=option, fix=f"{option} a,b"))
    return words

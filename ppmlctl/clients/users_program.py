"""Programs of the user's that are run for what they answer: what they may see of ours, and what is told of theirs."""

from __future__ import annotations

from collections.abc import Mapping

_LINES, _LINE = 5, 200
_OUR_VARIABLES = "PPML_"


def last_words(output: str) -> str:
    """The last lines as printable text, cut to a message's size."""
    printable = ("".join(c if c.isprintable() else "�" for c in line)[:_LINE] for line in output.splitlines())
    return "\n".join([line for line in printable if line.strip()][-_LINES:])


def without_our_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is meant for ppmlctl alone, as the vault's password."""
    return {name: value for name, value in environment.items() if not name.startswith(_OUR_VARIABLES)}

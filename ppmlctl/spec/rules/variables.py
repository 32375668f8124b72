"""Rules for variables."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding

TAKEN = ("env", "target", "item")
"""Names that playbooks' expressions know already: the environment, its target, and the member of a loop."""


def variables_have_free_names(environment: Environment) -> Iterator[Finding]:
    """Playbooks see variables beside names of their own."""
    for name in environment.vars:
        if name in TAKEN:
            title, why = "a variable has a taken name", "in playbooks this name means something else"
            yield Finding(("vars", name), "taken-name", title, name, why, "rename the variable", at_key=True)

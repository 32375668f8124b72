"""Variables as GNU make keeps and expands them, of a Makefile that is read and never run.

What make would compute by a function, or by a shell, has no value here, but for the commands that `image_programs`
answers from the image. Such a variable may be defined; only who asks for its value is refused.
Source: the GNU make manual, "How to Use Variables", "Functions" and "Variables from the Environment".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from ppmlctl.sgx.errors import MakefileError

Shell = Callable[[str], str]
"""What a shell's command prints, without running it. Raises MakefileError."""

_LONGEST = 1 << 16
"""Characters of one value; real ones are paths."""
_MOST_EXPANSIONS = 20_000
"""References in one Makefile. Few that name each other twice already make more than any machine can expand."""
_BUILT_IN = {"CC": "cc", "CXX": "g++", "RM": "rm -f", "MAKE": "make", "SHELL": "/bin/sh", "CURDIR": "/ppml"}
"""What make itself defines, as far as values of a manifest could name it. It knows no other compilers."""
_BRACKETS = {"(": re.compile(r"[()]"), "{": re.compile(r"[{}]")}
_DEEPEST = 100
"""Brackets within brackets; each level is read once more."""
_FUNCTION = re.compile(r"([a-z][a-z-]*)[ \t]+(.*)", re.DOTALL)
_FUNCTIONS = re.compile(
    "abspath|addprefix|addsuffix|and|basename|call|dir|error|eval|file|filter|filter-out|findstring|firstword|flavor|"
    "foreach|guile|if|info|intcmp|join|lastword|let|notdir|or|origin|patsubst|realpath|shell|sort|strip|subst|suffix|"
    "value|warning|wildcard|word|wordlist|words"
)


class Origin(IntEnum):
    """Where a definition comes from; a higher one holds against a lower one."""

    BUILT_IN = 0
    ENVIRONMENT = 1
    MAKEFILE = 2
    COMMAND_LINE = 3


@dataclass(frozen=True)
class _Variable:
    """`is_simple`: expanded when it was defined. `fault`: why it has no value; only who asks for it is told."""

    text: str
    origin: Origin
    line: int | None = None
    is_simple: bool = False
    fault: MakefileError | None = None


class MakeVariables:
    """The variables at one point of a Makefile. `shell` answers `$(shell …)`."""

    def __init__(self, command_line: Mapping[str, str], environment: Mapping[str, str], shell: Shell) -> None:
        self._shell = shell
        self._expansions = 0
        self._active: list[str] = []
        self._variables = {name: _Variable(text, Origin.BUILT_IN) for name, text in _BUILT_IN.items()}
        kept = {name: text for name, text in environment.items() if name not in {"SHELL", "CURDIR", "MAKE"}}
        self._variables |= {name: _Variable(text, Origin.ENVIRONMENT) for name, text in kept.items()}
        self._variables |= {name: _Variable(text, Origin.COMMAND_LINE) for name, text in command_line.items()}

    def define(self, name: str, operator: str, text: str, line: int, *, override: bool = False) -> None:
        """One assignment of the Makefile, by its operator: `=`, `:=`, `::=`, `?=`, `+=`."""
        known = self._variables.get(name)
        if known is not None and known.origin is Origin.COMMAND_LINE and not override:
            return
        if operator == "?=" and known is not None:
            return
        if operator == "+=" and known is not None:
            self._append(name, known, text, line)
        else:
            self._set(name, text, line, is_simple=operator in {":=", "::="})

    def define_unknown(self, name: str, reason: str, line: int) -> None:
        """A variable whose value is not to be had here."""
        self._variables[name] = _Variable("", Origin.MAKEFILE, line, fault=MakefileError(reason, line))

    def undefine(self, name: str) -> None:
        """As if it had never been defined."""
        self._variables.pop(name, None)

    def is_defined(self, name: str) -> bool:
        """As `ifdef` asks: with a text that is not empty, which is not expanded for that."""
        known = self._variables.get(name)
        return known is not None and bool(known.text or known.fault)

    def expand(self, text: str, line: int) -> str:
        """The text with its references filled in. Raises MakefileError for what only make itself could tell."""
        parts: list[str] = []
        position = length = 0
        while (dollar := text.find("$", position)) >= 0:
            parts.append(text[position:dollar])
            reference, position = _reference(text, dollar, line)
            parts.append("$" if reference is None else self._value(reference, line))
            length += len(parts[-1])
            if length > _LONGEST:
                break
        expanded = "".join((*parts, text[position:]))
        if len(expanded) > _LONGEST:
            raise MakefileError(f"a value has more than {_LONGEST} characters", line)
        return expanded

    def _value(self, reference: str, line: int) -> str:
        self._expansions += 1
        if self._expansions > _MOST_EXPANSIONS:
            raise MakefileError(f"values name each other more than {_MOST_EXPANSIONS} times", line)
        function = _FUNCTION.fullmatch(reference)
        if function and _FUNCTIONS.fullmatch(function[1]):
            if function[1] != "shell":
                raise MakefileError(f"the value is computed by make's function {function[1]}", line)
            return self._printed(self.expand(function[2], line), line)
        name = self.expand(reference, line)
        if ":" in name or name in {"@", "<", "^", "?", "*", "%", "+", "|"} or " " in name:
            raise MakefileError(f"the value is computed by make: $({name[:80]})", line)
        return self._value_of(name, line)

    def _printed(self, command: str, line: int) -> str:
        try:
            return self._shell(command)
        except MakefileError as error:
            raise MakefileError(str(error), error.line or line) from None

    def _value_of(self, name: str, line: int) -> str:
        variable = self._variables.get(name)
        if variable is None:
            return ""
        if variable.fault is not None:
            raise variable.fault
        if variable.is_simple:
            return variable.text
        if name in self._active:
            raise MakefileError(f"{name} is defined by itself", variable.line or line)
        self._active.append(name)
        try:
            return self.expand(variable.text, variable.line or line)
        finally:
            self._active.pop()

    def _set(self, name: str, text: str, line: int, *, is_simple: bool) -> None:
        fault = None
        if is_simple:
            try:
                text = self.expand(text, line)
            except MakefileError as error:
                text, fault = "", error
        self._variables[name] = _Variable(text, Origin.MAKEFILE, line, is_simple, fault)

    def _append(self, name: str, known: _Variable, text: str, line: int) -> None:
        if known.fault is not None:
            return
        try:
            added = self.expand(text, line) if known.is_simple else text
        except MakefileError as error:
            self._variables[name] = _Variable("", Origin.MAKEFILE, line, fault=error)
            return
        if not added:
            return
        joined = f"{known.text} {added}" if known.text else added
        if len(joined) > _LONGEST:
            self.define_unknown(name, f"a value has more than {_LONGEST} characters", line)
            return
        self._variables[name] = _Variable(joined, Origin.MAKEFILE, line, known.is_simple)


def _reference(text: str, dollar: int, line: int) -> tuple[str | None, int]:
    """What is named at a `$`, None for one that stands for itself, and where the text goes on."""
    following = text[dollar + 1 : dollar + 2]
    if following == "$":
        return None, dollar + 2
    if following not in _BRACKETS:
        return following, dollar + 2
    end = end_of_reference(text, dollar)
    if end is None:
        raise MakefileError(f"a reference is not closed: {text[dollar : dollar + 80]}", line)
    return text[dollar + 2 : end - 1], end


def end_of_reference(text: str, dollar: int) -> int | None:
    """Where `$(…)` or `${…}` ends, other brackets of its kind in it counted; None where it does not.

    Raises MakefileError where they are more than any Makefile nests.
    """
    opening, depth = text[dollar + 1], 0
    for bracket in _BRACKETS[opening].finditer(text, dollar + 1):
        depth += 1 if bracket[0] == opening else -1
        if not depth:
            return bracket.end()
        if depth > _DEEPEST:
            raise MakefileError("references are nested too deeply")
    return None

"""The Makefile of a base image: which variables its call of `gramine-manifest` gives to the manifest's template.

Nothing of it is run. Assignments, conditionals and recipes are read as GNU make reads them; a value is looked at only
when a template asks for it, so what else a Makefile does is no hindrance.
Source: the GNU make manual, "Writing Makefiles", "Conditional Parts of Makefiles", "Writing Recipes in Rules".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ppmlctl.sgx.errors import MakefileError
from ppmlctl.sgx.make_variables import MakeVariables, Shell, end_of_reference

_LARGEST = 1 << 20
"""Bytes; BigDL's has three thousand."""
_ASSIGNMENT = re.compile(
    r"(?P<words>(?:(?:override|export|private)[ \t]+)*)(?P<name>[^\s:#=+?!]+)[ \t]*"
    r"(?P<operator>=|\?=|:::?=|:=|\+=|!=)[ \t]*(?P<text>.*)",
    re.DOTALL,
)
_CONDITION = re.compile(r"(else[ \t]+)?(ifeq|ifneq|ifdef|ifndef)\b[ \t]*(.*)", re.DOTALL)
_QUOTED_PAIR = re.compile(r"""(?:"(?P<a>[^"]*)"|'(?P<b>[^']*)')\s*(?:"(?P<c>[^"]*)"|'(?P<d>[^']*)')""", re.DOTALL)
_IGNORED = re.compile(r"(?:export|unexport|vpath|override)\b|\$[({](?:info|warning|error)[ \t]")
_COMMENT = re.compile(r"(?<!\\)#.*", re.DOTALL)
_PROGRAM = "gramine-manifest"
_DEFINITION = re.compile(r"""(?P<quote>["']?)(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<text>.*)""", re.DOTALL)
_OPTION = re.compile(r"""(["']?)(?:-D|--define=)(.*)""", re.DOTALL)
_NOTHING_GIVEN = re.compile(r"[0-9]*[<>].*|\$[@<^?*%+|]|\$\([@<^?*%+|][DF]?\)", re.DOTALL)
"""Words that define nothing although make fills them in: redirections, targets, prerequisites."""
_SEPARATORS = frozenset(";&|")


@dataclass(frozen=True)
class _Definition:
    """`-DNAME=TEXT` of the call; `is_expanded` where make has no more say in it."""

    text: str
    line: int
    is_expanded: bool


@dataclass(frozen=True)
class _Recipe:
    target: str
    text: str
    line: int


class Makefile:
    """What one Makefile gives to the template. Values are looked at when they are asked for."""

    def __init__(self, variables: MakeVariables, definitions: Mapping[str, list[_Definition]]) -> None:
        self._variables = variables
        self._definitions = definitions

    @property
    def names(self) -> frozenset[str]:
        """The variables that the call gives."""
        return frozenset(self._definitions)

    def value_of(self, name: str) -> str | None:
        """The value that the template gets for `name`; None where the call does not give it. Raises MakefileError."""
        definitions = self._definitions.get(name, [])
        if not definitions:
            return None
        one = definitions[-1]
        if len(definitions) > 1:
            lines = ", ".join(str(each.line) for each in definitions)
            raise MakefileError(f"{name} is given {len(definitions)} times, in lines {lines}", one.line, name)
        try:
            text = one.text if one.is_expanded else self._variables.expand(one.text, one.line)
            return _as_the_shell_reads(text, one.line)
        except MakefileError as error:
            raise MakefileError(str(error), error.line or one.line, name) from None
        except RecursionError:
            raise MakefileError("references are nested too deeply", one.line, name) from None


def read_makefile(
    content: bytes, manifest: str, command_line: Mapping[str, str], environment: Mapping[str, str], shell: Shell
) -> Makefile:
    """Reads it to its end, as `make VARIABLE=VALUE…` would in that environment.

    Of several rules that call `gramine-manifest`, the one with the target `manifest` counts. Raises MakefileError for
    what cannot be read without being run: another file included, a condition that a shell decides, and the like.
    """
    if len(content) > _LARGEST:
        raise MakefileError(f"it has {len(content)} bytes, more than {_LARGEST}")
    text = content.decode(errors="surrogateescape")
    if "\0" in text:
        raise MakefileError("it holds a NUL byte", text.count("\n", 0, text.index("\0")) + 1)
    reader = _Reader(MakeVariables(command_line, environment, shell))
    try:
        for line, content_line in _logical_lines(text):
            reader.take(content_line, line)
        reader.end()
        definitions: dict[str, list[_Definition]] = {}
        for name, one in _defined(_call(reader.recipes, manifest), reader.variables):
            definitions.setdefault(name, []).append(one)
    except RecursionError:
        raise MakefileError("references are nested too deeply") from None
    return Makefile(reader.variables, definitions)


class _Reader:
    """The state between two lines of a Makefile."""

    def __init__(self, variables: MakeVariables) -> None:
        self.variables = variables
        self.recipes: list[_Recipe] = []
        self._target: str | None = None
        self._conditions: list[_Condition] = []
        self._defining = 0
        self._defined_at = 0

    def take(self, text: str, line: int) -> None:
        """One logical line, its continuations still in it."""
        if text.startswith("\t") and self._target is not None:
            if self._is_active:
                self.recipes.append(_Recipe(self._target, text[1:].replace("\\\n\t", "\\\n"), line))
            return
        if self._is_within_define(text):
            return
        content = _without_comment(_joined(text)).strip(" \t")
        if content and not self._is_conditional(content, line) and self._is_active:
            self._statement(_without_comment(_joined(text)).lstrip(" \t"), line)

    def end(self) -> None:
        """Raises MakefileError where the file ends within something that make wants ended."""
        if self._defining:
            raise MakefileError("a define has no endef", self._defined_at)
        if self._conditions:
            raise MakefileError("a conditional has no endif", self._conditions[-1].line)

    @property
    def _is_active(self) -> bool:
        return all(one.holds for one in self._conditions)

    def _is_within_define(self, text: str) -> bool:
        """`define` has its own way of ending; what is in it is no line of the Makefile."""
        first = text.split(None, 1)[:1]
        if self._defining:
            self._defining += (first == ["define"]) - (first == ["endef"])
            return True
        return False

    def _is_conditional(self, content: str, line: int) -> bool:
        if condition := _CONDITION.fullmatch(content):
            otherwise, kind, text = condition.groups()
            if otherwise:
                above = self._innermost(line)
                above.take_else(lambda: self._decide(kind, text, line))
            else:
                holds = self._is_active and self._decide(kind, text, line)
                self._conditions.append(_Condition(line, holds=holds))
            return True
        if content == "else":
            self._innermost(line).take_else(lambda: True)
            return True
        if content == "endif":
            self._innermost(line)
            self._conditions.pop()
            return True
        return False

    def _innermost(self, line: int) -> _Condition:
        if not self._conditions:
            raise MakefileError("a conditional ends or goes on that did not begin", line)
        return self._conditions[-1]

    def _decide(self, kind: str, text: str, line: int) -> bool:
        """Whether a condition holds. What is not active is not asked: its branches are all the same."""
        if not all(one.holds for one in self._conditions[:-1]):
            return False
        if kind in {"ifdef", "ifndef"}:
            return self.variables.is_defined(self.variables.expand(text, line).strip()) is (kind == "ifdef")
        one, other = (self.variables.expand(side, line) for side in _sides(text, line))
        return (one == other) is (kind == "ifeq")

    def _statement(self, text: str, line: int) -> None:
        if assignment := _ASSIGNMENT.fullmatch(text):
            self._target = None
            self._assign(assignment, line)
        elif re.match(r"(?:override[ \t]+)?define[ \t]", text):
            self._target, self._defining, self._defined_at = None, 1, line
            name = text.rsplit(maxsplit=1)[-1].rstrip("=:?+ ")
            self.variables.define_unknown(name, "the value is of several lines (define)", line)
        elif re.match(r"-?s?include[ \t]", text):
            raise MakefileError(f"it includes another file: {text[:80]}", line)
        elif undefined := re.fullmatch(r"undefine[ \t]+(\S+)\s*", text):
            self.variables.undefine(undefined[1])
        elif ":" in text:
            self._rule(text, line)
        elif not _IGNORED.match(text):
            raise MakefileError(f"a line that only make could read: {text[:80].strip()}", line)

    def _assign(self, assignment: re.Match[str], line: int) -> None:
        name, operator = assignment["name"], assignment["operator"]
        if "$" in name or name == ".RECIPEPREFIX":
            raise MakefileError(f"an assignment that only make could read: {assignment[0][:80].strip()}", line)
        if operator in {"!=", ":::="}:
            self.variables.define_unknown(name, f"the value is computed by make: {assignment[0][:80].strip()}", line)
        else:
            override = "override" in assignment["words"]
            self.variables.define(name, operator, assignment["text"], line, override=override)

    def _rule(self, text: str, line: int) -> None:
        targets, _, rest = text.partition(":")
        rest = rest.lstrip(":")
        if special := _ASSIGNMENT.fullmatch(rest.strip(" \t")):
            reason = f"the value is another one for {targets.strip()[:80]}"
            self.variables.define_unknown(special["name"], reason, line)
            return
        self._target = self._name_of(targets, line)
        _, has_recipe, recipe = rest.partition(";")
        if has_recipe:
            self.recipes.append(_Recipe(self._target, recipe, line))

    def _name_of(self, targets: str, line: int) -> str:
        """Which name a rule's target has matters only between several rules that could be meant."""
        try:
            return self.variables.expand(targets, line).strip()
        except MakefileError:
            return targets.strip()


@dataclass
class _Condition:
    """One `if…` that is not ended. `is_decided`: whether a branch of it held already."""

    line: int
    holds: bool
    is_decided: bool = False

    def take_else(self, decide: Callable[[], bool]) -> None:
        """The next branch, of which the condition is looked at only where none before it held."""
        self.is_decided = self.is_decided or self.holds
        self.holds = not self.is_decided and decide()


def _sides(text: str, line: int) -> tuple[str, str]:
    """What `ifeq` compares, in parentheses or in quotes."""
    text = text.strip()
    if quoted := _QUOTED_PAIR.fullmatch(text):
        return quoted["a"] or quoted["b"] or "", quoted["c"] or quoted["d"] or ""
    if text.startswith("(") and text.endswith(")"):
        inner, position = text[1:-1], 0
        while position < len(inner):
            if inner[position] == "$" and inner[position + 1 : position + 2] in {"(", "{"}:
                position = end_of_reference(inner, position) or len(inner)
                continue
            if inner[position] == ",":
                return inner[:position].rstrip(), inner[position + 1 :].lstrip()
            position += 1
    raise MakefileError(f"a condition that only make could read: {text[:80]}", line)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number of the first line, and the text with the continuations in it."""
    kept: list[str] = []
    start = 1
    for number, physical in enumerate(text.split("\n"), 1):
        if not kept:
            start = number
        kept.append(physical)
        if (len(physical) - len(physical.rstrip("\\"))) % 2 == 0:
            yield start, "\n".join(kept)
            kept = []
    if kept:
        yield start, "\n".join(kept)


def _joined(text: str) -> str:
    """Outside recipes a continuation and the space around it count as one space."""
    begin, *rest = text.split("\\\n")
    if not rest:
        return text
    *between, end = rest
    return " ".join((begin.rstrip(" \t"), *(line.strip(" \t") for line in between), end.lstrip(" \t")))


def _without_comment(text: str) -> str:
    return _COMMENT.sub("", text).replace("\\#", "#")


def _call(recipes: list[_Recipe], manifest: str) -> _Recipe:
    calls = [recipe for recipe in recipes if any(_is_program(word) for word, _ in _words(recipe))]
    if len(calls) > 1:
        calls = [recipe for recipe in calls if recipe.target == manifest] or calls
    if not calls:
        raise MakefileError(f"no recipe calls {_PROGRAM}, which is given the template's variables")
    if len(calls) > 1:
        lines = ", ".join(str(recipe.line) for recipe in calls)
        raise MakefileError(f"{_PROGRAM} is called {len(calls)} times, in lines {lines}", calls[1].line)
    return calls[0]


def _is_program(word: str) -> bool:
    return word.lstrip("@-+").rpartition("/")[2] == _PROGRAM


def _defined(
    call: _Recipe, variables: MakeVariables, *, is_expanded: bool = False
) -> Iterator[tuple[str, _Definition]]:
    """What the call defines, in its order, also by what a variable among its words holds."""
    words = list(_words(call, is_expanded=is_expanded))
    if not is_expanded:
        begin = next(number for number, (word, _) in enumerate(words) if _is_program(word))
        ends = [number for number, (word, _) in enumerate(words) if number > begin and word[0] in _SEPARATORS]
        words = words[begin + 1 : ends[0] if ends else None]
    rest = iter(words)
    for word, line in rest:
        option = _OPTION.fullmatch(word)
        if option or word == "--define":
            quote, text = option.groups() if option else ("", "")
            if not text:
                text, line = next(rest, ("", line))  # noqa: PLW2901 - the option's value is its next word
            yield _definition(quote + text, line, is_expanded=is_expanded)
        elif "$" in word and not is_expanded and not _NOTHING_GIVEN.fullmatch(word):
            inner = _Recipe(call.target, variables.expand(word, line), line)
            yield from _defined(inner, variables, is_expanded=True)


def _definition(text: str, line: int, *, is_expanded: bool) -> tuple[str, _Definition]:
    given = _DEFINITION.fullmatch(text)
    if given is None:
        raise MakefileError(f"{_PROGRAM} is given what is no NAME=VALUE: -D{text[:80]}", line)
    return given["name"], _Definition(given["quote"] + given["text"], line, is_expanded)


def _words(recipe: _Recipe, *, is_expanded: bool = False) -> Iterator[tuple[str, int]]:
    """The words of a recipe as its shell will split them, quotes and make's references in them, each with its line."""
    text, start, position = recipe.text, None, 0
    line, counted = recipe.line, 0
    while position < len(text):
        step, is_space = _step(text, position, is_expanded=is_expanded)
        is_separator = not is_space and step == 1 and text[position] in _SEPARATORS
        if start is not None and (is_space or is_separator):
            line, counted = line + text.count("\n", counted, start), start
            yield text[start:position].replace("\\\n", ""), line
            start = None
        if is_separator:
            yield text[position], recipe.line
        elif start is None and not is_space:
            start = position
        position += step
    if start is not None:
        yield text[start:].replace("\\\n", ""), line + text.count("\n", counted, start)


def _step(text: str, position: int, *, is_expanded: bool) -> tuple[int, bool]:
    """How many characters belong together here, and whether they separate words."""
    character, pair = text[position], text[position : position + 2]
    if pair == "\\\n":
        return 2, text[position - 1 : position].isspace() or text[position + 2 : position + 3].isspace()
    if character.isspace():
        return 1, True
    if not is_expanded and pair in {"$(", "${"}:
        return (end_of_reference(text, position) or len(text)) - position, False
    if character in "\"'":
        end = text.find(character, position + 1)
        return (end + 1 if end >= 0 else len(text)) - position, False
    return (2 if character == "\\" else 1), False


def _as_the_shell_reads(text: str, line: int) -> str:
    """The one word that a shell makes of it. Raises MakefileError where it would do more than take quotes away."""
    if "$" in text or "`" in text:
        raise MakefileError(f"the value is left to the shell: {text[:80]}", line)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:
        raise MakefileError(f"quotes are not closed: {text[:80]}", line) from None
    if len(words) > 1:
        raise MakefileError(f"the value is more than one word: {text[:80]}", line)
    return words[0] if words else ""

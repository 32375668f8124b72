"""Every code of a finding that the program can give, with its titles, read from the source.

A code is a literal, or comes through a parameter called `code`; then the calls of that function are read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from committed import ROOT

PACKAGE = ROOT / "ppmlctl"
_DETAILS = ("title", "found", "why", "fix")
CLASSES: Mapping[str, tuple[str, ...]] = {"Diagnostic": ("code", *_DETAILS), "Finding": ("path", "code", *_DETAILS)}
_TOLD = ("title", "why", "fix")
_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ELSEWHERE = {"sgx/findings.py"}
"""Files whose `Finding` is another class: a manifest's, without a code."""


@dataclass
class Code:
    """One code: what its messages say, why and what to do as far as the source tells, and where they are made."""

    titles: set[str] = field(default_factory=set)
    whys: set[str] = field(default_factory=set)
    fixes: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Function:
    """A function, as the scope that literals are looked up in."""

    file: _File
    node: ast.FunctionDef

    def texts(self, node: ast.expr | None) -> list[str]:
        """The texts that an expression may be, in the order of its alternatives; what is filled in is an ellipsis."""
        if isinstance(node, ast.Constant):
            return [node.value] if isinstance(node.value, str) else []
        if isinstance(node, ast.IfExp):
            return [*self.texts(node.body), *self.texts(node.orelse)]
        if isinstance(node, ast.JoinedStr):
            return ["".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)]
        if isinstance(node, ast.Name):
            return self.texts(self._assigned(node) or self.file.constants.get(node.id))
        return []

    def _assigned(self, name: ast.Name) -> ast.expr | None:
        """What the last assignment above gave the name."""
        found = None
        assignments = [node for node in ast.walk(self.node) if isinstance(node, ast.Assign)]
        above = (node for node in assignments if node.lineno < name.lineno)
        for node in sorted(above, key=lambda node: node.lineno):
            for target in node.targets:
                found = dict(_pairs(target, node.value)).get(name.id, found)
        return found

    def calls(self) -> Iterator[tuple[Mapping[str, ast.expr], _Function | None]]:
        """The calls that carry a code, arguments by parameter; the called function, if it is no class of findings."""
        for node in ast.walk(self.node):
            if not isinstance(node, ast.Call):
                continue
            called = self.file.called(node.func)
            parameters = CLASSES[called] if isinstance(called, str) else called.parameters if called else ()
            given = dict(zip(parameters, node.args, strict=False))
            named = {word.arg: word.value for word in node.keywords if word.arg}
            if parameters:
                yield given | named, called if isinstance(called, _Function) else None

    def own(self, detail: str) -> list[str]:
        """The titles, whys or fixes of the findings that this function itself makes."""
        findings = (given for given, called in self.calls() if called is None)
        return [text for given in findings for text in self.texts(given.get(detail))]

    @property
    def takes_a_code(self) -> bool:
        """Whether it has a parameter `code: str`; a status code is a number."""
        arguments = (*self.node.args.args, *self.node.args.kwonlyargs)
        return any(a.arg == "code" and ast.unparse(a.annotation or ast.Name("")) == "str" for a in arguments)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its parameters' names, without the object's own."""
        arguments = self.node.args
        names = [argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)]
        return tuple(name for name in names if name not in {"self", "cls"})


@dataclass(frozen=True)
class _File:
    path: Path
    tree: ast.Module
    others: dict[str, _Function]
    """Functions of all files by their dotted names, for those that are imported."""

    def functions(self) -> Iterator[_Function]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                yield _Function(self, node)

    @cached_property
    def own(self) -> dict[str, _Function]:
        """Functions with a parameter `code`."""
        return {function.node.name: function for function in self.functions() if function.takes_a_code}

    def called(self, callee: ast.expr) -> str | _Function | None:
        """A class of findings by its name, or a function that takes a code."""
        name = callee.id if isinstance(callee, ast.Name) else callee.attr if isinstance(callee, ast.Attribute) else ""
        if name in CLASSES and str(self.path.relative_to(PACKAGE)) not in ELSEWHERE:
            return name
        return self.own.get(name) or self.others.get(self.imported.get(name, ""))

    @cached_property
    def imported(self) -> dict[str, str]:
        """Where the names come from that this file imports."""
        froms = [node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom)]
        return {alias.name: f"{node.module}.{alias.name}" for node in froms for alias in node.names}

    @cached_property
    def constants(self) -> dict[str, ast.expr]:
        """What the file's own names stand for."""
        assigned = [node for node in self.tree.body if isinstance(node, ast.Assign)]
        return dict(pair for node in assigned for target in node.targets for pair in _pairs(target, node.value))

    @property
    def dotted(self) -> str:
        """Its name as a module."""
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def codes() -> dict[str, Code]:
    """All codes, sorted."""
    found: dict[str, Code] = {}
    for file in _files():
        for function in file.functions():
            for given, called in function.calls():
                words = [text for text in function.texts(given.get("code")) if _CODE.fullmatch(text)]
                details = {
                    name: function.texts(given.get(name)) or (called.own(name) if called else []) for name in _TOLD
                }
                titles = details["title"]
                alternatives = [[title] for title in titles] if len(words) == len(titles) else [titles] * len(words)
                for word, its in zip(words, alternatives, strict=True):
                    code = found.setdefault(word, Code())
                    code.titles.update(its)
                    code.whys.update(details["why"])
                    code.fixes.update(details["fix"])
                    code.packages.add(file.path.relative_to(PACKAGE).parts[0].removesuffix(".py"))
    return dict(sorted(found.items()))


def unread() -> list[str]:
    """Calls whose code is neither a literal nor a parameter, so that the list of codes could lack some."""
    wrong = []
    for file in _files():
        for function in file.functions():
            for given, _ in function.calls():
                code = given.get("code")
                passed_on = isinstance(code, ast.Attribute) or (isinstance(code, ast.Name) and code.id == "code")
                if code is not None and not passed_on and not function.texts(code):
                    wrong.append(f"{file.path.name}:{code.lineno}")
    return wrong


@cache
def _files() -> list[_File]:
    others: dict[str, _Function] = {}
    paths = sorted(PACKAGE.rglob("*.py"))
    files = [_File(path, ast.parse(path.read_text(encoding="utf-8")), others) for path in paths]
    for file in files:
        others.update({f"{file.dotted}.{name}": function for name, function in file.own.items()})
    return files


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, its)

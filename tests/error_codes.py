"""Every code of a finding that the program can give, with its titles, read from the source.

A code is a literal, or comes through a parameter called `code`; then the calls of that function are read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from committed import ROOT

PACKAGE = ROOT / "ppmlctl"
CLASSES: Mapping[str, tuple[str, ...]] = {"Diagnostic": ("code", "title"), "Finding": ("path", "code", "title")}
ELSEWHERE = {"sgx/findings.py"}
"""Files whose `Finding` is another class: a manifest's, without a code."""


@dataclass
class Code:
    """One code: what its messages say, and in which packages they are made."""

    titles: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Function:
    """A function or the top of a file, as the scope that literals are looked up in."""

    file: _File
    node: ast.AST

    @cached_property
    def values(self) -> dict[str, list[ast.expr]]:
        """What each local name is assigned."""
        found: dict[str, list[ast.expr]] = {}
        for node in ast.walk(self.node):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    for name, value in _pairs(target, node.value):
                        found.setdefault(name, []).append(value)
        return found

    def texts(self, node: ast.expr | None) -> list[str]:
        """The texts that an expression may be; what is filled in shows as an ellipsis."""
        if isinstance(node, ast.Constant):
            return [node.value] if isinstance(node.value, str) else []
        if isinstance(node, ast.IfExp):
            return [*self.texts(node.body), *self.texts(node.orelse)]
        if isinstance(node, ast.JoinedStr):
            return ["".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)]
        if isinstance(node, ast.Name):
            return [text for value in self.values.get(node.id, ()) for text in self.texts(value)]
        return []

    def calls(self) -> Iterator[tuple[Mapping[str, ast.expr], Sequence[str]]]:
        """The calls that carry a code, arguments by parameter, with the titles that the called function has itself."""
        for node in ast.walk(self.node):
            carrier = self.file.carrier(node.func) if isinstance(node, ast.Call) else None
            if isinstance(node, ast.Call) and carrier is not None:
                parameters, titles = carrier
                given = dict(zip(parameters, node.args, strict=False))
                yield given | {word.arg: word.value for word in node.keywords if word.arg}, titles


@dataclass(frozen=True)
class _File:
    path: Path
    tree: ast.Module
    others: dict[str, _Function]
    """Functions of all files by name, for those that are imported."""

    def functions(self) -> Iterator[_Function]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                yield _Function(self, node)

    @cached_property
    def own(self) -> dict[str, _Function]:
        """Functions with a parameter `code`."""
        named = {f.node.name: f for f in self.functions() if isinstance(f.node, ast.FunctionDef)}
        return {name: function for name, function in named.items() if "code" in _parameters(function.node)}

    def carrier(self, called: ast.expr) -> tuple[Sequence[str], Sequence[str]] | None:
        name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
        if name in CLASSES and str(self.path.relative_to(PACKAGE)) not in ELSEWHERE:
            return CLASSES[name], ()
        function = self.own.get(name) or (self.others.get(name) if isinstance(called, ast.Name) else None)
        if function is None:
            return None
        titles = [text for given, _ in function.calls() for text in function.texts(given.get("title"))]
        return _parameters(function.node), titles


def codes() -> dict[str, Code]:
    """All codes, sorted."""
    found: dict[str, Code] = {}
    for file in _files():
        for function in file.functions():
            for given, titles in function.calls():
                for text in function.texts(given.get("code")):
                    code = found.setdefault(text, Code())
                    code.titles.update(function.texts(given.get("title")) or titles)
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


def _files() -> list[_File]:
    others: dict[str, _Function] = {}
    paths = sorted(PACKAGE.rglob("*.py"))
    files = [_File(path, ast.parse(path.read_text(encoding="utf-8")), others) for path in paths]
    for file in files:
        others.update({name: function for name, function in file.own.items() if not name.startswith("_")})
    return files


def _parameters(node: ast.AST) -> tuple[str, ...]:
    if not isinstance(node, ast.FunctionDef):
        return ()
    names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
    return tuple(name for name in names if name not in {"self", "cls"})


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, its)

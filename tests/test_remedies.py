"""Every command of ppmlctl that a text names exists, with the options that it is given."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from committed import ROOT
from error_codes import codes

from ppmlctl.cli.app import app
from ppmlctl.explanations import TABLE

PROGRAM: Any = typer.main.get_command(app)
_NAMED = re.compile(r"\bppmlctl((?: (?!and\b|or\b|of\b|to\b|is\b)(?:-{0,2}[a-z][a-z-]*|[A-Z…][A-Z_.…]*|-))+)")


@cache
def texts() -> list[tuple[str, str]]:
    """Where, and each text of the code that names a command; docstrings are for those who read the code."""
    return [found for path in sorted((ROOT / "ppmlctl").rglob("*.py")) for found in _texts_of(path)]


def _texts_of(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    docstrings = {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        text = _text(node) if node not in inner | docstrings else None
        if text and "ppmlctl " in text:
            yield f"{path.relative_to(ROOT)}:{node.lineno}", text  # type: ignore[attr-defined] # it is an expression


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None


def commands_in(text: str) -> Iterator[list[str]]:
    """The words after `ppmlctl` that read as a command line."""
    for match in _NAMED.finditer(text):
        yield match[1].split()


def fault(words: list[str]) -> str:
    """What is wrong with a command line; empty where nothing is. What follows the command are arguments, or prose."""
    command: Any = PROGRAM
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        known = command.commands.get(words[0])
        if known is None:
            return f"there is no command {words[0]}"
        command, words = known, words[1:]
    offered = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    offered |= {"--help", "-h"}
    missing = [word for word in words if word.startswith("-") and word != "-" and word not in offered]
    return f"{command.name} has no option {', '.join(missing)}" if missing else ""


OF_THESE: Mapping[str, tuple[str, ...]] = {
    "attest-collateral": ("attest quote",),
    "attest-expectation": ("attest quote",),
    "attest-time": ("attest quote",),
    "enclave-not-in-image": ("enclave inspect",),
    "environment-locked": ("apply", "destroy"),
    "gramine-version": ("enclave measure", "enclave sign"),
    "not-confirmed": ("apply", "destroy", "ehsm keys delete"),
    "tags-keep-out-needed": ("plan", "apply"),
    "tags-leave-out-asked": ("plan", "apply"),
    "usage": ("enclave inspect",),
    "yaml-missing": ("plan", "apply", "validate", "status"),
}
"""Commands that alone give a code, so that its fix may name their option without them."""
_OTHERS = re.compile(r"\b(?:docker|git|kubectl|openssl|curl|checkout|kube-controller-manager)\b|\((?:or )?--[a-z-]+\)")


def test_a_fix_names_the_command_that_has_its_option() -> None:
    wrong = []
    for code, texts_of_code in ((name, known.fixes) for name, known in codes().items()):
        for line in (line for text in texts_of_code for line in text.splitlines()):
            for option in re.findall(r"(?<![\w(-])--[a-z][a-z-]*", line):
                before = line.partition(option)[0]
                if "ppmlctl " in before or "…" in before or _OTHERS.search(line):
                    continue
                commands = OF_THESE.get(code, ())
                if not commands or any(fault([*command.split(), option]) for command in commands):
                    wrong.append(f"{code}: {line}")
    assert wrong == []


def test_there_are_texts_that_name_commands() -> None:
    assert sum(1 for _, text in texts() for _ in commands_in(text)) > 30


def test_each_command_that_a_text_names_has_the_options_that_it_is_given() -> None:
    found = [
        f"{where}: {' '.join(words)}: {said}"
        for where, text in texts()
        for words in commands_in(text)
        if (said := fault(words)) and (words[0] in PROGRAM.commands or words[0].startswith("-"))
    ]
    assert [one for one in found if not one.startswith("ppmlctl/sandbox/")] == []  # there they are names of servers


def test_each_command_that_a_fix_names_exists() -> None:
    fixes = [(name, fix) for name, code in codes().items() for fix in code.fixes]
    remedies = [(row.name, row.remedy) for row in TABLE]
    wrong = []
    for name, text in (*fixes, *remedies):
        named = re.findall(r"(?:^|: |`|; )ppmlctl ([^`;\n]+)", text, re.MULTILINE)
        faults = ((command, fault([word.rstrip(",") for word in command.split()])) for command in named)
        wrong += [f"{name}: {command}: {said}" for command, said in faults if said]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ppmlctl vault keep NAME", "there is no command keep"),
        ("ppmlctl validate --accept-lockfile", "validate has no option --accept-lockfile"),
        ("ppmlctl apply --rotate ssl_password", ""),
        ("ppmlctl enclave digest", ""),
    ],
)
def test_what_would_not_work_is_found(text: str, said: str) -> None:
    (words,) = commands_in(text)
    assert fault(words) == said

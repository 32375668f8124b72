"""ppml.yaml -> Environment, in one go, with everything that is wrong said at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ppmlctl.diagnostics import Diagnostic, InputError, Severity, by_position
from ppmlctl.spec.defaults import with_defaults
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.input_files import missing_files
from ppmlctl.spec.key_path import KeyPath, dotted
from ppmlctl.spec.language import Language
from ppmlctl.spec.rules import check
from ppmlctl.spec.validation import validate
from ppmlctl.spec.variables import resolve_variables
from ppmlctl.spec.yaml_document import Document, Node
from ppmlctl.spec.yaml_source import read_yaml

_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Loaded:
    """A valid ppml.yaml. `folder` is where its relative paths begin; `warnings` are sorted by position."""

    environment: Environment
    document: Document
    folder: Path
    warnings: tuple[Diagnostic, ...] = ()


def load(path: Path, language: Language, *, variables: Mapping[str, str] = _NO_VARIABLES) -> Loaded:
    """The environment that `path` declares. `variables` take the place of values under `vars`.

    Raises InputError with every fault, sorted by position.
    """
    document = read_yaml(path, shown_as=str(path))
    environment, findings = _examine(document, path.parent, variables, language)
    diagnostics = [finding.in_document(document) for finding in findings]
    errors = [d for d in diagnostics if d.severity is Severity.ERROR]
    if environment is None or errors:
        raise InputError(*errors)
    return Loaded(with_defaults(environment), document, path.parent, tuple(by_position(diagnostics)))


def _examine(
    document: Document, folder: Path, given: Mapping[str, str], language: Language
) -> tuple[Environment | None, list[Finding]]:
    empty = list(_empty_values(document.root, ()))
    declared = document.value.get("vars")
    variables = resolve_variables(declared if isinstance(declared, dict) else {}, given)
    rest = {key: value for key, value in document.value.items() if key != "vars"}
    data = variables.render(rest)
    if "vars" in document.value:
        data["vars"] = variables.values if isinstance(declared, dict) else declared
    validated = validate(data, document, language.environment)
    said = {finding.path for finding in empty}
    findings = [*empty, *variables.findings, *(f for f in validated.findings if f.path not in said)]
    if validated.environment is not None:
        findings += [*check(validated.environment, language.rules), *missing_files(validated.environment, folder)]
    return validated.environment, findings


def _empty_values(node: Node, path: KeyPath) -> Iterator[Finding]:
    """Keys with nothing after them: `keys:` could mean no keys, or keys with all defaults."""
    if path[:1] == ("vars",):
        return
    if node.spelling == "":
        title, fix = "a key has no value", "write `{}` for all defaults or `null` for none, or remove the key"
        yield Finding(path, "empty-value", title, dotted(path), fix=fix, at_key=True)
    for step, member in node.members.items() if isinstance(node.members, dict) else enumerate(node.members or ()):
        yield from _empty_values(member, (*path, step))

"""The pages of docs/ that follow from the code: modules, keys of ppml.yaml, commands, codes of findings."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, get_args

import typer
from clients.kubeconfig_table import ROWS, Row
from error_codes import codes
from playbook_page import playbooks_page as language_page
from pydantic import BaseModel

from ppmlctl.cli.app import app
from ppmlctl.expressions.filters import offered_filters, offered_tests
from ppmlctl.flows.registry import language
from ppmlctl.modules.registry import kinds, module

GENERATED = "<!-- Generated from the code; PPMLCTL_WRITE_GENERATED=1 make test writes it anew. -->\n"
_CONVENTIONS = """\
Results go to standard output; progress, warnings and errors to standard error. With `-o json` a command gives one JSON
document, `apply` and `destroy` one on each line, and errors are JSON too. Nothing is coloured without a terminal, or
where `NO_COLOR` is set. `ppmlctl --install-completion` teaches your shell to complete commands and options.

| exit code | means |
| --- | --- |
| 0 | done; for `plan`: nothing to do |
| 1 | an error; a quote or signature that is refused, two enclaves that differ, a message that nothing is known about |
| 2 | `plan` found changes |
| 130 | interrupted |
| 143 | ended by SIGTERM |
"""


_KUBECONFIG = """\
A kubeconfig means to ppmlctl what it means to kubectl. Where ppmlctl is stricter, the row says what kubectl does: a way
to log in that was passed over could leave another, or a stronger, identity.

The files are those that KUBECONFIG lists, without it `~/.kube/config`. Missing and empty ones are passed over; of
contexts, clusters and users with one name the first counts. What is wrong in the context that is used is an error at
its file and line. Credentials are sent to a server that is verified by TLS, or that the kubeconfig says to trust.

Without `proxy-url`, HTTPS_PROXY or HTTP_PROXY (by the server's scheme) and NO_PROXY count, in capitals or small
letters, as they do for kubectl; servers on this machine are asked directly. EHSM, PCCS and the attestation service are
always reached directly.
"""


def modules_page() -> str:
    """Each module's text, its arguments and its result."""
    parts = [GENERATED, "# Modules\n"]
    for kind in kinds():
        declared = module(kind)
        text = (sys.modules[type(declared).__module__].__doc__ or "").strip()
        arguments = ", ".join(f"`{name}`" for name in declared.Args.model_fields)
        results = ", ".join(f"`{name}`" for name in declared.result_fields())
        parts.append(f"\n## {kind}\n\n{text}\n\nArguments: {arguments}.\n\nResult: {results}. ")
        parts.append(f"On removal: {declared.removal.value}.\n")
    return "".join(parts)


def playbooks_page() -> str:
    """The language of playbooks, and the arguments of all modules."""
    return language_page(GENERATED, offered_filters(), offered_tests())


def keys_page() -> str:
    """Every key of ppml.yaml with what it means."""
    rows = "".join(f"| `{path}` | {text} |\n" for path, text in _keys(language().environment, ""))
    head = "# ppml.yaml\n\nEvery scalar may be a `{{ }}` expression over `vars`.\n\n| key | meaning |\n| --- | --- |\n"
    return GENERATED + head + rows


def commands_page() -> str:
    """Every command with its options."""
    command: Any = typer.main.get_command(app)
    return f"{GENERATED}# Commands\n\n{_CONVENTIONS}" + "".join(_commands(command, "ppmlctl"))


def errors_page() -> str:
    """Every code of an error or a warning with what it says."""
    rows = "".join(
        f"| `{name}` | {'; or '.join(sorted(code.titles))} | {', '.join(sorted(code.packages))} |\n"
        for name, code in codes().items()
    )
    head = (
        "# Errors and warnings\n\nThe code is stable, so that scripts may ask for it (`-o json`); the words are not. "
    )
    head += (
        "Each finding also says where, what was found,\nwhy it matters and how to mend it. `made in` is a folder of "
    )
    head += "`ppmlctl/`.\n\n| code | says | made in |\n| --- | --- | --- |\n"
    return GENERATED + head + rows


def kubeconfig_page() -> str:
    """What each part of a kubeconfig means; tests hold every row to what kubectl sends."""
    rows = "".join(f"| {row.says} | {row.means}{_kubectl(row)} |\n" for row in ROWS)
    return f"{GENERATED}# Kubeconfig\n\n{_KUBECONFIG}\n| in the kubeconfig | means |\n| --- | --- |\n{rows}"


def _kubectl(row: Row) -> str:
    return f" ({row.stricter})" if row.stricter else ""


def own_codes() -> str:
    """What `ppmlctl explain` knows of the codes, as JSON."""
    told = {
        name: {"says": sorted(code.titles), "why": sorted(code.whys), "fix": sorted(code.fixes)}
        for name, code in codes().items()
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _keys(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        nested = next((t for t in _types(field.annotation) if isinstance(t, type) and issubclass(t, BaseModel)), None)
        listed = "[]" if nested and "tuple" in str(field.annotation) else ""
        yield path + listed, " ".join((field.description or "").split()).replace("|", "\\|")
        if nested:
            yield from _keys(nested, f"{path}{listed}.")


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _argument(parameter: Any) -> str:
    name = parameter.name.upper()
    return name if parameter.required else f"[{name}]"


def _commands(command: Any, path: str) -> Iterator[str]:
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from _commands(child, f"{path} {name}")
            continue
        arguments = " ".join(_argument(p) for p in child.params if p.param_type_name == "argument")
        yield f"\n## {path} {name} {arguments}".rstrip() + f"\n\n{child.help}\n\n"
        for option in (p for p in child.params if p.param_type_name == "option"):
            yield f"- `{', '.join(option.opts)}`: {option.help}\n"

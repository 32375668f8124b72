"""A secret value in the environment's vault, given by the user or made at random once.

Identity: the entry's name. Nothing replaces it: a given value that changed is put in its place, a random one stays
until it is rotated; where something stays that only the old one `opens`, that one is kept then. A source that is not
at hand here (no such variable or file) leaves what the vault holds.
Errors: `vault-entry-missing` (recorded, or to be there already, but it is not), `secret-file-readable`.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field

from ppmlctl.diagnostics import Diagnostic, InputError, StateError
from ppmlctl.modules._given_secret import from_file, from_variable
from ppmlctl.modules._retired import retire, rotation_given
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, FieldChange, Observed, Recorded, Removal, Wanted, decide
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

_ALPHABET = string.ascii_letters + string.digits


class VaultSecretArgs(ModuleArgs):
    """At most one of `value`, `env` (a variable's name) and `file` says the value; else it is made, if `generate`.

    `opens`: what stays as it is when the value is rotated, in words.
    """

    name: str
    value: Secret | None = None
    env: str | None = None
    file: str | None = None
    generate: bool = True
    length: int = Field(default=24, ge=16, le=128)
    """Characters of a random value, each worth almost six bits."""
    opens: str | None = None


class VaultSecretResult(ModuleResult):
    """`value`: by its handle `vault:NAME`."""

    name: str
    value: Secret


class VaultSecret(Module[VaultSecretArgs, VaultSecretResult]):
    """See the module's text."""

    kind = "vault_secret"
    Args = VaultSecretArgs
    Result = VaultSecretResult
    shown = ("name",)
    removal = Removal.KEEP
    follows_rotation = "what was made with the old value follows"
    echoes = frozenset({"name"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        names = set(ctx.vault.names())
        return {one.address: _observed(ctx, one.args, names) for one in wanted}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        given = observed.given
        if not observed.exists and (recorded is not None or not (given or wanted.args.generate)):
            raise StateError(_missing(wanted.args, is_recorded=recorded is not None))
        if not observed.exists or given is None:
            return decide(wanted, observed, recorded)
        changed = FieldChange("value", recorded.result.get("value") if recorded else None, given)
        return Change(ActionKind.UPDATE if recorded else ActionKind.CREATE, ("another value is given",), (changed,))

    def rotation(self, wanted: Wanted, recorded: Recorded) -> Change:
        """Raises InputError for a value that the user gives: another one is put in place where it comes from."""
        source = _source(wanted.args)
        if source is not None:
            raise InputError(rotation_given(wanted.address, source))
        change = super().rotation(wanted, recorded)
        if wanted.args.opens is None:
            return change
        lost = f"only the old value opens {wanted.args.opens}; it stays in the vault"
        return replace(change, reasons=(*change.reasons, lost))

    def apply(self, ctx: Context, args: VaultSecretArgs, observed: Observed) -> VaultSecretResult:  # noqa: ARG002 - read anew
        given = _given(ctx, args)
        if given is not None:
            ctx.vault.put(args.name, given)
        elif args.name not in ctx.vault.names() or ctx.rotating:
            if (ctx.address in ctx.recorded or not args.generate) and not ctx.rotating:
                raise StateError(_missing(args, is_recorded=ctx.address in ctx.recorded))
            if args.opens is not None and args.name in ctx.vault.names():
                retire(ctx, args.name)
            ctx.vault.put(args.name, "".join(secrets.choice(_ALPHABET) for _ in range(args.length)))
        return VaultSecretResult(name=args.name, value=ctx.vault.get(args.name))

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        return {"value": f"vault:{inputs['name']}"}

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Secrets are kept: nothing to do."""

    def kept_as(self, recorded: Recorded) -> str:
        return f"vault entry {recorded.result.get('name', '')}"


def _observed(ctx: Context, args: VaultSecretArgs, names: set[str]) -> Observed:
    """`given` is the given value, unless the vault holds it or, being locked, may hold it."""
    given = _given(ctx, args)
    if isinstance(args.name, Unknown) or args.name not in names:
        return Observed(exists=False, given=given)
    kept = ctx.vault.get(args.name)
    if given is not None and given.is_available() and kept.is_available() and given != kept:
        return Observed(foreseen={"name": args.name}, given=given)
    return Observed(foreseen={"name": args.name, "value": kept})


def _given(ctx: Context, args: VaultSecretArgs) -> Secret | None:
    if isinstance(args.value, Secret):
        return args.value
    if isinstance(args.env, str):
        return from_variable(args.env)
    if isinstance(args.file, str):
        return from_file(ctx.files, args.file)
    return None


def _source(args: VaultSecretArgs) -> str | None:
    """Where the user gives the value, in words."""
    return next((f"{word} {name}" for word, name in (("variable", args.env), ("file", args.file)) if name), None)


def _missing(args: VaultSecretArgs, *, is_recorded: bool) -> Diagnostic:
    source = _source(args)
    where = f", and the {source} is not there or empty" if source else ""
    return Diagnostic(
        "vault-entry-missing",
        "the vault has no such entry",
        found=f"no entry {args.name}{where}",
        why="the lockfile records it; it is never made anew, since others hold the same value" if is_recorded else "",
        fix=f"restore the vault, or put the value there: ppmlctl vault set {args.name}",
    )

"""A data key for an encrypted file system: random, made and wrapped by EHSM, and kept as its ciphertext alone.

Identity: the key at EHSM that wraps it; its ciphertext is the vault's entry `ADDRESS.KEYID`. Another wrapping key,
length or additional data make it replace. An old ciphertext stays in the vault, as what it encrypted needs it. Nobody
but EHSM and who may ask it ever holds the plaintext. Making one leaves nothing at EHSM.
Errors: `vault-entry-missing`, and what the client says. Source: intel/ehsm, GenerateDataKeyWithoutPlaintext; upstream's
`encrypted-fsd.sh` and its key client, which unwrap with the additional data `test`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.modules._ehsm import AccountArgs
from ppmlctl.modules._retired import retire
from ppmlctl.modules.base import Module, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, Observed, Recorded, Removal, Wanted, decide
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown


class EhsmDataKeyArgs(AccountArgs):
    """`keyid`: of the wrapping key. `length` in bytes. `aad`: in base64, as the one that unwraps will send it."""

    keyid: str
    length: Annotated[int, Field(ge=16, le=1024)] = 32
    aad: Annotated[str, Field(pattern=r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")] = "test"


class EhsmDataKeyResult(ModuleResult):
    """`ciphertext`: in base64, one line, as the images read it from a file. `digest`: of it, to tell keys apart by.

    The digest needs no key of the vault's: what it is of is random, and ciphertext already.
    """

    keyid: str
    ciphertext: Secret
    digest: str


class EhsmDataKey(Module[EhsmDataKeyArgs, EhsmDataKeyResult]):
    """See the module's text."""

    kind = "ehsm_data_key"
    Args = EhsmDataKeyArgs
    Result = EhsmDataKeyResult
    shown = ("keyid",)
    engine = "ehsm"
    removal = Removal.KEEP
    follows_rotation = "what was encrypted with the old data key needs it; its ciphertext stays in the vault"
    replace_on = frozenset({"keyid", "length", "aad"})
    echoes = frozenset({"keyid"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """What the vault holds; EHSM keeps no data key and is not asked."""
        names = set(ctx.vault.names())
        found = {}
        for one in wanted:
            keyid = _keyid(ctx, one)
            if keyid and _entry(one.address, keyid) in names:
                found[one.address] = Observed()
        return found

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """Raises StateError where the vault lacks the recorded ciphertext."""
        if recorded is not None and not observed.exists:
            raise _missing(wanted.address, recorded)
        change = decide(wanted, observed, recorded, replace_on=self.replace_on)
        if change.action is not ActionKind.REPLACE:
            return change
        return replace(change, reasons=(*change.reasons, self.follows_rotation))

    def apply(self, ctx: Context, args: EhsmDataKeyArgs, observed: Observed) -> EhsmDataKeyResult:  # noqa: ARG002 - the vault is read again
        name, recorded = _entry(ctx.address, args.keyid), ctx.recorded.get(ctx.address)
        same_wrapping = recorded is not None and recorded.result.get("keyid") == args.keyid
        if same_wrapping and recorded and (ctx.rotating or _differs(recorded, args)):
            retire(ctx, name)
            ctx.vault.remove(name)
        if name not in ctx.vault.names():
            aad = base64.b64decode(args.aad)
            keys = args.server.client(ctx).keys
            wrapped = keys.generate_wrapped_data_key(args.account(), args.keyid, args.length, aad)
            ctx.vault.put(name, base64.b64encode(wrapped).decode())
        ciphertext = ctx.vault.get(name)
        digest = hashlib.sha256(ciphertext.reveal_bytes()).hexdigest()
        return EhsmDataKeyResult(keyid=args.keyid, ciphertext=ciphertext, digest=digest, evidence=ctx.simulated)

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:
        return {"ciphertext": f"vault:{_entry(address, inputs['keyid'])}"}

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """The ciphertext is kept: nothing to do."""

    def kept_as(self, recorded: Recorded) -> str:
        """The vault's entry."""
        ciphertext = recorded.result.get("ciphertext")
        return f"data key, {getattr(ciphertext, 'handle', None) or 'in the vault'}"


def _entry(address: str, keyid: str) -> str:
    return f"{address}.{keyid}"


def _keyid(ctx: Context, one: Wanted) -> str | None:
    """The recorded wrapping key, or the wanted one."""
    recorded = ctx.recorded.get(one.address)
    if recorded is not None:
        return str(recorded.result["keyid"])
    return None if isinstance(one.args.keyid, Unknown) else one.args.keyid


def _differs(recorded: Recorded, args: EhsmDataKeyArgs) -> bool:
    return (recorded.inputs.get("length"), recorded.inputs.get("aad")) != (args.length, args.aad)


def _missing(address: str, recorded: Recorded) -> StateError:
    return StateError(
        Diagnostic(
            "vault-entry-missing",
            "the vault lacks what the lockfile records",
            found=f"{address}: the data key wrapped by {recorded.result['keyid']}",
            why="what it encrypted cannot be read with another one",
            fix="bring back the ppml.vault that belongs to this lockfile",
        )
    )

"""A key at EHSM, which encrypts or signs there and never leaves it.

Identity: the key's id, since keys at EHSM have no name. Another kind, use or account makes it replace; the old key
stays, as what it encrypted needs it. A recorded key that EHSM does not have is an error and never made anew, unless its
rotation is asked for. Whether it may be used is compared and set. A removal keeps the key: `ppmlctl ehsm keys delete`.
The call that makes it cannot be observed afterwards, so an intent is journalled first; what an interrupted apply made
is found in the list, where only one new key can be it.
Errors: `ehsm-key-missing`, and what the client says. Source: intel/ehsm, CreateKey, ListKey, EnableKey, DisableKey.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Literal

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.ehsm import KeySpec, KeyUsage
from ppmlctl.modules._ehsm import AccountArgs, refuse_unseen, seen
from ppmlctl.modules._journalled import journalled
from ppmlctl.modules.base import Module, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ABSENT, ActionKind, Change, Observed, Recorded, Removal, Wanted, decide

if TYPE_CHECKING:
    from ppmlctl.ehsm.key_messages import Key

USAGES = {"encrypt": KeyUsage.ENCRYPT_DECRYPT, "sign": KeyUsage.SIGN_VERIFY}


class EhsmKeyArgs(AccountArgs):
    """`usage`: a key is for one use only. `enabled`: whether it may be used now."""

    spec: KeySpec
    usage: Literal["encrypt", "sign"] = "encrypt"
    enabled: bool = True


class EhsmKeyResult(ModuleResult):
    """The key."""

    keyid: str
    enabled: bool


class EhsmKey(Module[EhsmKeyArgs, EhsmKeyResult]):
    """See the module's text."""

    kind = "ehsm_key"
    Args = EhsmKeyArgs
    Result = EhsmKeyResult
    shown = ("keyid",)
    engine = "ehsm"
    removal = Removal.KEEP
    follows_rotation = "data keys that it wraps are made anew; what they encrypted needs the old ones, which are kept"
    replace_on = frozenset({"appid", "spec", "usage"})

    def __init__(self) -> None:
        self._claimed: set[str] = set()
        self._claiming = Lock()

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """The recorded keys, from one list of each account."""
        listed = _Lists(ctx)
        known = [(one, ctx.recorded[one.address]) for one in wanted if one.address in ctx.recorded]
        return {one.address: seen(partial(_look, listed, one.args, recorded)) for one, recorded in known}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """Raises StateError for a recorded key that is gone, and what kept EHSM from showing it."""
        refuse_unseen(observed)
        if recorded is not None and not observed.exists:
            raise _missing(wanted.address, recorded)
        change = decide(wanted, observed, recorded, replace_on=self.replace_on)
        if recorded is not None and change.action is ActionKind.REPLACE:
            left = f"key {recorded.result['keyid']} is left at EHSM, as what it encrypted needs it"
            return replace(change, reasons=(*change.reasons, left))
        if change.action is ActionKind.KEEP and observed.detail:
            return replace(change, reasons=(f"as recorded; expires on {_day(observed.detail)}",))
        return change

    def apply(self, ctx: Context, args: EhsmKeyArgs, observed: Observed) -> EhsmKeyResult:
        refuse_unseen(observed)
        keyid = _kept(ctx, args, observed, self._claim) or _create(ctx, args)
        keys, account = args.server.client(ctx).keys, args.account()
        key = next((one for one in keys.list(account) if one.keyid == keyid), None)
        if key is not None and key.enabled != args.enabled:
            (keys.enable if args.enabled else keys.disable)(account, keyid)
        return EhsmKeyResult(keyid=keyid, enabled=args.enabled, evidence=ctx.simulated)

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """The key is kept: nothing to do."""

    def kept_as(self, recorded: Recorded) -> str:
        """The key, and how it can go."""
        keyid = recorded.result["keyid"]
        return f"EHSM key {keyid}, with which what it encrypted would be lost (ppmlctl ehsm keys delete {keyid})"

    def _claim(self, keyid: str) -> bool:
        """Whether a key that was found is for this task: two that were interrupted together must not take one."""
        with self._claiming:
            is_free = keyid not in self._claimed
            self._claimed.add(keyid)
            return is_free


class _Lists:
    """One list of keys for each account."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._found: dict[str, Mapping[str, Key]] = {}

    def of(self, args: EhsmKeyArgs) -> Mapping[str, Key]:
        if args.appid not in self._found:
            keys = args.server.client(self._ctx).keys.list(args.account())
            self._found[args.appid] = {key.keyid: key for key in keys}
        return self._found[args.appid]


def _look(listed: _Lists, args: EhsmKeyArgs, recorded: Recorded) -> Observed:
    """A key of another account than the one at hand cannot be asked for; it counts as being there."""
    if not args.can_ask() or recorded.inputs.get("appid") != args.appid:
        return Observed()
    key = listed.of(args).get(recorded.result["keyid"])
    return Observed(fields={"enabled": key.enabled}, detail=key) if key else ABSENT


def _kept(ctx: Context, args: EhsmKeyArgs, observed: Observed, claim: Callable[[str], bool]) -> str | None:
    """The key that will do: the recorded one, or what an interrupted apply made."""
    recorded, pending = ctx.recorded.get(ctx.address), ctx.intents.pending(ctx.address)
    wanted = {"appid": args.appid, "spec": args.spec, "usage": args.usage}
    if pending and wanted.items() <= pending.items():
        if "keyid" in pending:
            return str(pending["keyid"])
        orphan = _orphan(ctx, args, str(pending["newest"]))
        return orphan if orphan and claim(orphan) else None
    if recorded is None or ctx.rotating or not observed.exists:
        return None
    return str(recorded.result["keyid"]) if wanted.items() <= recorded.inputs.items() else None


def _create(ctx: Context, args: EhsmKeyArgs) -> str:
    from ppmlctl.clients.ehsm import NOTHING_DONE  # noqa: PLC0415 - not every plan needs the client

    keys, account = args.server.client(ctx).keys, args.account()
    newest = max((key.created for key in keys.list(account)), default=0)
    intent = {"operation": "CreateKey", "appid": args.appid, "spec": str(args.spec), "usage": args.usage}
    intent["newest"] = str(newest)
    with journalled(ctx, intent, NOTHING_DONE):
        keyid = keys.create(account, args.spec, USAGES[args.usage])
    ctx.intents.begin(ctx.address, {**intent, "keyid": keyid})
    return keyid


def _orphan(ctx: Context, args: EhsmKeyArgs, newest: str) -> str | None:
    """The one key of this kind that is younger than all there were; None where there is none or it cannot be told."""
    ours = {entry.result.get("keyid") for entry in ctx.recorded.values()}
    keys = args.server.client(ctx).keys.list(args.account())
    found = [key for key in keys if key.created > int(newest) and key.keyspec == args.spec and key.keyid not in ours]
    if len(found) == 1:
        return found[0].keyid
    if found:
        ctx.warn(f"an interrupted apply may have left a key that nobody uses among {len(found)} at {args.server.url}")
    return None


def _day(key: Key) -> str:
    return datetime.fromtimestamp(key.expires / 1000, UTC).date().isoformat()


def _missing(address: str, recorded: Recorded) -> StateError:
    return StateError(
        Diagnostic(
            "ehsm-key-missing",
            "EHSM does not have the recorded key any more",
            found=f"{address}: {recorded.result['keyid']}",
            why="it was deleted or expired; what it encrypted is lost, and another key would hide that",
            fix=f"restore EHSM's database, or ask for a new key:\nppmlctl apply --rotate {address}",
        )
    )

"""The token of a service account, in a Secret of its own, on every Kubernetes version.

Identity: namespace and name of the Secret; another service account replaces it. Since version 1.24 no account has
such a Secret by itself. A controller fills in token and CA; the task is done when it has. The token never expires: who
may read the Secret may act as the account until the Secret is deleted.
Errors: `k8s-no-service-account` (the controller removes a Secret whose account does not exist), `k8s-token-not-filled`.
Source: Kubernetes, "Manually create a long-lived API token for a ServiceAccount".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.kubernetes.holders import TOKEN_TYPE
from ppmlctl.modules._kubernetes import home_of, identity_of_key, recorded_key
from ppmlctl.modules._object_life import apply_object, decide_object, identity_of, observe_objects, remove_object
from ppmlctl.modules.base import Module, ModuleArgs, ObjectResult, SecretKey
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Change, FieldChange, Observed, Recorded, Removal, Wanted
from ppmlctl.secret import Secret

_ACCOUNT = "kubernetes.io/service-account.name"
_SECONDS = 60.0


class K8sTokenArgs(ModuleArgs):
    """The Secret to make, and the account that it is for."""

    name: str
    namespace: str
    service_account: str


class K8sTokenResult(ObjectResult):
    """`token` by its handle `kubernetes:NAMESPACE/NAME/token`; `ca`: the cluster's authority, PEM, public."""

    namespace: str
    name: str
    existed_before: bool
    token: Secret
    ca: str


class K8sToken(Module[K8sTokenArgs, K8sTokenResult]):
    """See the module's text."""

    kind = "k8s_token"
    Args = K8sTokenArgs
    Result = K8sTokenResult
    shown = ("name",)
    engine = "kubernetes"
    removal = Removal.DELETE
    may_be_named = True
    echoes = frozenset({"name", "namespace"})
    found_by = frozenset({"namespace", "name"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """All Secrets of each namespace by one call."""
        return observe_objects(ctx, wanted, _manifest, _other_account)

    def makes_secrets(self, args: K8sTokenArgs) -> Iterable[SecretKey]:
        return [SecretKey(args.namespace, args.name, key) for key in ("token", "ca.crt", "namespace")]

    def identity(self, args: K8sTokenArgs) -> str | None:
        return identity_of(_manifest(args))

    def recorded_identity(self, recorded: Recorded) -> str | None:
        return identity_of_key(recorded_key(recorded))

    def lives_in(self, recorded: Recorded) -> str | None:
        return home_of(recorded)

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """By the live Secret; an unfilled one, or another CA than recorded, is an update."""
        change = decide_object(wanted, _manifest(wanted.args), observed, recorded)
        if change.action is not ActionKind.KEEP or recorded is None:
            return change
        live = observed.detail.live
        if not _is_filled(live):
            return Change(ActionKind.UPDATE, ("its token is not filled in",))
        if _ca(live) != recorded.result["ca"]:
            changed = FieldChange("ca", recorded.result["ca"], _ca(live))
            return Change(ActionKind.UPDATE, ("the cluster's authority is another one",), (changed,))
        return change

    def apply(self, ctx: Context, args: K8sTokenArgs, observed: Observed) -> K8sTokenResult:
        made = apply_object(ctx, _manifest(args), observed)
        live = made.live if _is_filled(made.live) else _filled(ctx, args, made.live)
        return K8sTokenResult(
            namespace=args.namespace,
            name=args.name,
            existed_before=made.existed_before,
            stored_otherwise=made.stored_otherwise,
            token=Secret(_decoded(live, "token"), handle=f"kubernetes:{args.namespace}/{args.name}/token"),
            ca=_ca(live),
            evidence=ctx.simulated,
        )

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        return {"token": f"kubernetes:{inputs['namespace']}/{inputs['name']}/token"}

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Deletes it; the token is worth nothing from then on."""
        remove_object(ctx, recorded)


def _manifest(args: K8sTokenArgs) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": args.name,
            "namespace": args.namespace,
            "annotations": {_ACCOUNT: args.service_account},
        },
        "type": TOKEN_TYPE,
    }


def _other_account(desired: Mapping[str, Any], live: Mapping[str, Any]) -> str:
    """The controller fills a Secret once, and removes one whose account became another."""
    wanted, there = (one["metadata"].get("annotations", {}).get(_ACCOUNT) for one in (desired, live))
    return "" if wanted == there else f"its token is of service account {there}"


def _filled(ctx: Context, args: K8sTokenArgs, made: dict[str, Any]) -> dict[str, Any]:
    """The Secret once the controller has filled it. Raises EngineError where it removed it instead, or does nothing."""
    from ppmlctl.clients.kubernetes import Condition, key_of  # noqa: PLC0415 - 0.3 s that --version does not pay

    decided = Condition("data.token is filled", lambda live: live is None or _is_filled(live))
    try:
        live = ctx.engines.kubernetes.wait(key_of(made), decided, _SECONDS, stopping=ctx.stopping)
    except EngineError as error:
        if error.diagnostics[0].code != "k8s-timeout":
            raise
        raise EngineError(
            Diagnostic(
                "k8s-token-not-filled",
                "the cluster does not fill in the token of a service account",
                found=f"{key_of(made)}, for account {args.service_account}: still empty after {_SECONDS:g} s",
                why="a controller of kube-controller-manager does this; it does not run, or may not sign tokens",
                fix="ask the cluster's administrator to look at kube-controller-manager and its "
                "--service-account-private-key-file, then run the same command again",
            )
        ) from None
    if live is None:
        raise EngineError(
            Diagnostic(
                "k8s-no-service-account",
                "the service account does not exist",
                found=f"{args.namespace}/{args.service_account}; the cluster removed the Secret for its token again",
                fix="declare the account with k8s_object, as a task that this one needs",
            )
        )
    return live


def _is_filled(live: Mapping[str, Any]) -> bool:
    data = live.get("data") or {}
    return bool(data.get("token") and data.get("ca.crt"))


def _decoded(live: Mapping[str, Any], key: str) -> bytes:
    return base64.b64decode(live["data"][key])


def _ca(live: Mapping[str, Any]) -> str:
    return _decoded(live, "ca.crt").decode()

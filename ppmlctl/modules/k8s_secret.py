"""A Secret of the cluster, its values from the vault, from files or from other tasks.

Identity: namespace and name; another type replaces it. Values are compared with the live ones and shown nowhere; while
the vault is locked only the presence of the keys is compared. Keys that others added are theirs, and a Secret that has
some is not taken away unless somebody names it.
Errors: as k8s_object. Source: the seed's `kubectl create secret`; Kubernetes, "Secrets".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field

from ppmlctl.modules._kubernetes import home_of, identity_of_key, recorded_key
from ppmlctl.modules._object_company import company_of
from ppmlctl.modules._object_life import apply_object, decide_object, identity_of, observe_objects, remove_object
from ppmlctl.modules.base import Known, Module, ModuleArgs, ObjectResult, SecretKey
from ppmlctl.modules.context import Context
from ppmlctl.planning import Change, Company, Observed, Recorded, Removal, Wanted
from ppmlctl.secret import Secret


class K8sSecretArgs(ModuleArgs):
    """`data`: each key with its value, text or bytes, as the pods shall read it."""

    name: str
    namespace: str
    type: str = "Opaque"
    data: dict[str, Known[Secret]] = Field(default_factory=dict)
    force_conflicts: bool = False


class K8sSecretResult(ObjectResult):
    """Where the Secret is."""

    namespace: str
    name: str
    existed_before: bool


class K8sSecret(Module[K8sSecretArgs, K8sSecretResult]):
    """See the module's text."""

    kind = "k8s_secret"
    Args = K8sSecretArgs
    Result = K8sSecretResult
    engine = "kubernetes"
    removal = Removal.DELETE
    may_be_named = True
    shown = ("name",)
    echoes = frozenset({"name", "namespace"})
    found_by = frozenset({"namespace", "name"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """All Secrets of each namespace by one call."""
        return observe_objects(ctx, wanted, _manifest)

    def makes_secrets(self, args: K8sSecretArgs) -> Iterable[SecretKey]:
        data = args.data if isinstance(args.data, Mapping) else {}
        return [SecretKey(args.namespace, args.name, key) for key in data]

    def identity(self, args: K8sSecretArgs) -> str | None:
        return identity_of(_manifest(args))

    def recorded_identity(self, recorded: Recorded) -> str | None:
        return identity_of_key(recorded_key(recorded))

    def goes_with(self, ctx: Context, recorded: Recorded) -> Company:
        return company_of(ctx, recorded)

    def lives_in(self, recorded: Recorded) -> str | None:
        return home_of(recorded)

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """By the live values; keyed digests in the record only tell people what changed."""
        return decide_object(wanted, _manifest(wanted.args), observed, recorded)

    def apply(self, ctx: Context, args: K8sSecretArgs, observed: Observed) -> K8sSecretResult:
        made = apply_object(ctx, _manifest(args), observed, force=args.force_conflicts)
        return K8sSecretResult(
            namespace=args.namespace,
            name=args.name,
            existed_before=made.existed_before,
            stored_otherwise=made.stored_otherwise,
            evidence=ctx.simulated,
        )

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Deletes it, unless it was there before."""
        remove_object(ctx, recorded)


def _manifest(args: K8sSecretArgs) -> dict[str, Any]:
    """The Secret with its values still masked; the client reveals them when it sends."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": args.name, "namespace": args.namespace},
        "type": args.type,
        "stringData": args.data,
    }

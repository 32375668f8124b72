"""Any object of the cluster but a Secret, by its manifest.

Identity: apiVersion, kind, namespace and name; another identity replaces the object, as does a change of a field that
the API server does not let change. Made by server-side apply, as a field manager of the environment's own: fields that
the manifest does not name belong to others. Errors: k8s-conflict where another manager holds a field, unless
`force_conflicts`; k8s-other-environment; k8s-not-ours; and what the API server refuses. An object that was there before
is adopted, and kept at removal; so are volumes and claims, which hold data. A retained volume whose claim is gone is
made anew: what it points to stays, and only so another claim can have it.
Source: Kubernetes, "Server-Side Apply"; the seed's `kubectl create`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ppmlctl.kubernetes.holders import HOLD_DATA
from ppmlctl.kubernetes.readiness import READY_KINDS, has_condition, is_ready
from ppmlctl.modules._kubernetes import home_of, identity_of_key, recorded_key
from ppmlctl.modules._manifest_texts import texts_that_are_none
from ppmlctl.modules._object_company import company_of, placed_manifest
from ppmlctl.modules._object_life import (
    apply_object,
    decide_object,
    identity_of,
    observe_objects,
    remove_object,
)
from ppmlctl.modules._readiness import await_ready
from ppmlctl.modules._seconds import Seconds
from ppmlctl.modules._secret_references import keys_read
from ppmlctl.modules.base import Module, ModuleArgs, ObjectResult, SecretKey
from ppmlctl.modules.context import Context, Engines
from ppmlctl.planning import Change, Company, Observed, Recorded, Removal, Wanted
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown


class WaitFor(BaseModel):
    """What must hold before the task is done: the object is ready, a field is filled, or a condition is True.

    A wait for a kind that becomes ready by pods ends early where these cannot start: after three crashes, or when
    images could not be pulled for a minute.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ready: bool = Field(
        default=False,
        description="DaemonSet, Deployment, StatefulSet: rolled out. Job: complete. Pod: ready. Claim: bound.",
    )
    field: str | None = Field(None, description="Path of a field, such as data.token.")
    value: str | None = Field(None, description="What the field must be. Default: anything.")
    condition: str | None = Field(None, description="A type in status.conditions, such as Available.")
    seconds: Seconds = Field(300, description="How long to wait.", ge=1)

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if self.ready + (self.field is not None) + (self.condition is not None) != 1:
            raise ValueError("give one of `ready`, `field` and `condition`")
        return self

    def holds(self, live: Mapping[str, Any] | None) -> bool:
        """Whether it holds for the object."""
        if live is None:
            return False
        if self.ready:
            return is_ready(live)
        if self.condition is not None:
            return has_condition(live, self.condition)
        found: Any = live
        for name in (self.field or "").split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found not in (None, "", [], {}) if self.value is None else str(found) == self.value

    def told(self, kind: str) -> str:
        """What is waited for, in words."""
        if self.ready:
            return READY_KINDS.get(kind, "it is ready")
        if self.condition is not None:
            return f"condition {self.condition}"
        return f"{self.field} is {self.value or 'filled'}"


class K8sObjectArgs(ModuleArgs):
    """The whole manifest; what it leaves out is left to others."""

    manifest: dict[str, Any]
    wait: WaitFor | None = None
    force_conflicts: bool = False

    @model_validator(mode="after")
    def _can_become_ready(self) -> Self:
        kind = self.manifest.get("kind") if isinstance(self.manifest, Mapping) else None
        if isinstance(self.wait, WaitFor) and self.wait.ready and isinstance(kind, str) and kind not in READY_KINDS:
            raise ValueError(f"a {kind} does not tell when it is ready: wait for a `field` or `condition`")
        return self

    @field_validator("manifest")
    @classmethod
    def _is_a_manifest(cls, manifest: dict[str, Any] | Unknown) -> dict[str, Any] | Unknown:
        if isinstance(manifest, Unknown):
            return manifest
        metadata = manifest.get("metadata")
        if not {"apiVersion", "kind"} <= manifest.keys() or not isinstance(metadata, Mapping) or "name" not in metadata:
            raise ValueError("a manifest needs apiVersion, kind and metadata.name")
        if wrong := list(texts_that_are_none(manifest)):
            raise ValidationError.from_exception_data("K8sObjectArgs", wrong)
        if manifest["kind"] == "Secret" or _holds_secret(manifest):
            raise ValueError("a secret does not belong into a plain object: make a k8s_secret")
        return manifest


class K8sObjectResult(ObjectResult):
    """The object's identity."""

    api_version: str
    kind: str
    namespace: str
    name: str
    existed_before: bool


class K8sObject(Module[K8sObjectArgs, K8sObjectResult]):
    """See the module's text."""

    kind = "k8s_object"
    in_files = frozenset({"manifest"})
    Args: ClassVar[type[K8sObjectArgs]] = K8sObjectArgs
    Result = K8sObjectResult
    engine = "kubernetes"
    removal = Removal.DELETE
    may_be_named = True
    shown = ("kind", "name")
    recorded_as_digest = frozenset({"manifest"})
    found_by = frozenset({"api_version", "kind", "namespace", "name"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        return observe_objects(ctx, wanted, lambda args: args.manifest)

    def placed(self, engines: Engines, args: K8sObjectArgs) -> K8sObjectArgs:
        """Without the namespace of a kind that lives in none."""
        if isinstance(args.manifest, Unknown) or not isinstance(args.manifest["metadata"].get("namespace"), str):
            return args
        manifest = placed_manifest(engines, args.manifest)
        return args if manifest is args.manifest else args.model_copy(update={"manifest": manifest})

    def goes_with(self, ctx: Context, recorded: Recorded) -> Company:
        return company_of(ctx, recorded)

    def lives_in(self, recorded: Recorded) -> str | None:
        return home_of(recorded)

    def identity(self, args: K8sObjectArgs) -> str | None:
        return identity_of(args.manifest)

    def recorded_identity(self, recorded: Recorded) -> str | None:
        return identity_of_key(recorded_key(recorded))

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        return decide_object(wanted, wanted.args.manifest, observed, recorded)

    def apply(self, ctx: Context, args: K8sObjectArgs, observed: Observed) -> K8sObjectResult:
        made = apply_object(ctx, args.manifest, observed, force=args.force_conflicts)
        live, metadata = made.live, made.live["metadata"]
        if args.wait is not None:
            self._wait(ctx, live, args.wait)
        return K8sObjectResult(
            api_version=live["apiVersion"],
            kind=live["kind"],
            namespace=metadata.get("namespace") or "",
            name=metadata["name"],
            existed_before=made.existed_before,
            stored_otherwise=made.stored_otherwise,
            evidence=ctx.simulated,
        )

    def removal_of(self, recorded: Recorded) -> Removal:
        """Volumes and claims hold data, which outlives the environment."""
        return Removal.KEEP if recorded.result.get("kind") in HOLD_DATA else self.removal

    def reads_secrets(self, args: K8sObjectArgs) -> Iterable[SecretKey]:
        return keys_read(args.manifest) if isinstance(args.manifest, Mapping) else ()

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        remove_object(ctx, recorded)

    def _wait(self, ctx: Context, live: dict[str, Any], wait: WaitFor) -> None:
        from ppmlctl.clients.kubernetes import Condition  # noqa: PLC0415 - 0.3 s that not every command pays

        if not wait.holds(live):
            text = wait.told(live["kind"])
            ctx.tell(f"waits: {text}")
            await_ready(ctx, live, Condition(text, wait.holds), wait.seconds)


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_secret(member) for member in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_secret(member) for member in value)
    return isinstance(value, Secret)

"""An image at the Docker engine: pulled, built from a Dockerfile, or a base with a few files over it.

Identity: the reference. Nothing replaces it: a build that gives another image moves the name. A pulled image is never
removed; a built one is, while its labels say that this environment made it. Errors: `docker-*` of the client,
`dockerfile-needs-buildkit`, `image-file-changed`. Source: Docker Engine API; `ppml/trusted-bigdata/custom-image` for
what an overlay replaces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules._docker_build import (
    BuildArgs,
    OverlayArgs,
    context_of_build,
    context_of_overlay,
    inputs_of,
    is_stale,
    written_dockerfile,
)
from ppmlctl.modules._image_files import told_variables
from ppmlctl.modules.base import Known, Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.oci import ENVIRONMENT, INPUTS, TASK, Entry
from ppmlctl.planning import ActionKind, Change, FieldChange, Observed, Recorded, Wanted, decide
from ppmlctl.secret import SecretLockedError
from ppmlctl.unknown import Unknown, unknowns_in

if TYPE_CHECKING:
    from ppmlctl.clients.docker import DockerImage as Image

_NOT_IN_REGISTRY = "not in the registry"
_NOT_LISTED = ("evidence", "variables")
"""Fields of the result that a listing does not tell."""


class DockerImageArgs(ModuleArgs):
    """At most one of `build` and `overlay`; without them the image is pulled, as `pull` says when.

    `always` compares with the registry in every plan, or lets each build fetch anew what it stands on; `never` demands
    that the engine has the image. `push` sends what was built to the registry that the reference names. `labels` are
    put on what is built, beside those that say who made it.
    """

    reference: str
    pull: Literal["missing", "always", "never"] = "missing"
    build: BuildArgs | None = None
    overlay: OverlayArgs | None = None
    labels: Mapping[str, Known[str]] = {}
    platform: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> DockerImageArgs:
        named = [source for source in (self.build, self.overlay) if isinstance(source, ModuleArgs)]
        if len(named) > 1:
            raise ValueError("`build` and `overlay` exclude each other")
        return self

    @property
    def is_built(self) -> bool:
        """Whether the image is made here."""
        return self.build is not None or self.overlay is not None


class DockerImageResult(ModuleResult):
    """`id` is the engine's; `digest` what workloads are compared by: the registry's of a pulled image, else the id.

    `inputs` says what the image was built from; a pulled one has none. `variables` are those workloads may name.
    """

    reference: str
    id: str
    digest: str
    inputs: str | None = None
    variables: Mapping[str, str]


class DockerImage(Module[DockerImageArgs, DockerImageResult]):
    """See the module's text."""

    kind = "docker_image"
    Args = DockerImageArgs
    Result = DockerImageResult
    engine = "docker"
    shown = ("reference", "id")
    echoes = frozenset({"reference"})
    found_by = frozenset({"reference", "inputs"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        known = [one for one in wanted if not isinstance(one.args.reference, Unknown)]
        images = ctx.engines.docker.images() if known else []
        found = {one.address: _observed(ctx, one, images) for one in known}
        if known:
            ctx.engines.oci.remember()
        return found

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        if wanted.args.pull == "never" and not wanted.args.is_built and not observed.exists:
            raise _missing(wanted.args.reference)
        change = decide(wanted, observed, recorded)
        if recorded is None or change.action is not ActionKind.KEEP:
            return change
        before, now = recorded.result.get("inputs"), observed.detail
        if now is None or now == before:
            return change
        return Change(ActionKind.UPDATE, ("the build context changed",), (FieldChange("inputs", before, now),))

    def apply(self, ctx: Context, args: DockerImageArgs, observed: Observed) -> DockerImageResult:  # noqa: ARG002 - looked at anew, since a crash may lie between
        return _built(ctx, args) if args.is_built else _pulled(ctx, args)

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        reference = str(recorded.result["reference"])
        there = ctx.engines.docker.inspect_image(reference) if recorded.result.get("inputs") else None
        if there is None:
            return
        if there.labels.get(ENVIRONMENT) != ctx.environment:
            ctx.warn(f"{reference} was left alone: another image has this name now")
        elif not ctx.engines.docker.remove_image(reference):
            ctx.warn(f"{reference} was left alone: a running container or another image uses it")


def _observed(ctx: Context, one: Wanted, images: Sequence[Image]) -> Observed:
    args = one.args
    there = next((image for image in images if image.is_named(args.reference)), None)
    if any(unknowns_in(one.inputs)):
        return _as_seen(args, there, None, {})
    inputs = _foreseen_inputs(ctx, args)
    if there is None:
        return _as_seen(args, None, inputs, {})
    newest = _newest(ctx, args, there)
    as_wanted = not args.is_built or (
        inputs is not None and _labels(ctx, one.address, args, inputs) <= there.labels.items()
    )
    foreseen: dict[str, Any] = {}
    if as_wanted and newest == _digest(args, there):
        foreseen = dict(_result(args, there, inputs))
    elif not args.is_built:
        foreseen = {"digest": newest}
    fields = {} if newest == there.id else {"digest": newest}
    return _as_seen(args, there, inputs, foreseen, **fields)


def _as_seen(
    args: DockerImageArgs, there: Image | None, inputs: str | None, foreseen: Mapping[str, Any], **fields: str
) -> Observed:
    known = {name: value for name, value in foreseen.items() if name not in _NOT_LISTED}
    return Observed(
        exists=there is not None,
        fields={"id": there.id, **fields} if there else {},
        foreseen={"reference": args.reference, **known},
        detail=inputs,
    )


def _foreseen_inputs(ctx: Context, args: DockerImageArgs) -> str | None:
    """What it would be built from now; None for a pulled image, and where other tasks have to run before."""
    if not args.is_built or (args.overlay is not None and is_stale(ctx, args.overlay)):
        return None
    return inputs_of(ctx, _context(ctx, args), args.build, args.platform)


def _context(ctx: Context, args: DockerImageArgs) -> list[Entry]:
    if args.overlay is not None:
        return context_of_overlay(ctx, args.overlay)
    if args.build is None:
        return []
    return context_of_build(ctx, args.build)


def _built(ctx: Context, args: DockerImageArgs) -> DockerImageResult:
    from ppmlctl.clients.docker import Build, sent_dockerfile  # noqa: PLC0415 - loads docker, which not every plan needs

    there = ctx.engines.docker.inspect_image(args.reference)
    context = _context(ctx, args)
    inputs = inputs_of(ctx, context, args.build, args.platform)
    labels = _labels(ctx, ctx.address, args, inputs)
    if there is not None and labels <= there.labels.items():
        return _result(args, there, inputs)
    build = Build(
        args.reference,
        context,
        dockerfile=sent_dockerfile(ctx.files.path(args.build.context), args.build.dockerfile)
        if args.build
        else "Dockerfile",
        arguments=args.build.args if args.build else {},
        labels=dict(labels),
        platform=args.platform,
        pull=args.pull == "always" and args.build is not None,
        folder=args.build.context if args.build else None,
        written=written_dockerfile(args.build) if args.build else None,
    )
    image = ctx.engines.docker.build(build, ctx.tell_or_stop)
    if there is not None:
        _remove_superseded(ctx, there)
    ctx.engines.oci.remember()
    return _result(args, image, inputs)


def _pulled(ctx: Context, args: DockerImageArgs) -> DockerImageResult:
    there = ctx.engines.docker.inspect_image(args.reference)
    if there is None and args.pull == "never":
        raise _missing(args.reference)
    if there is None or _newest(ctx, args, there) != _digest(args, there):
        there = ctx.engines.docker.pull(args.reference, platform=args.platform, tell=ctx.tell_or_stop)
    return _result(args, there, None)


def _newest(ctx: Context, args: DockerImageArgs, there: Image) -> str:
    """The digest that workloads would get: the registry's where it counts, else the one that the image has here."""
    if args.pull == "always" and not args.is_built:
        try:
            return ctx.engines.docker.registry_digest(args.reference) or _NOT_IN_REGISTRY
        except SecretLockedError:
            return _digest(args, there)  # a plan without the vault's password takes it as unchanged, and says so
    return _digest(args, there)


def _remove_superseded(ctx: Context, image: Image) -> None:
    """Takes away what a build of ours left without a name; images that somebody else names or uses stay."""
    left = ctx.engines.docker.inspect_image(image.id)
    if left is not None and not left.references and left.labels.get(ENVIRONMENT) == ctx.environment:
        ctx.engines.docker.remove_image(image.id)


def _labels(ctx: Context, address: str, args: DockerImageArgs, inputs: str) -> AbstractSet[tuple[str, str]]:
    return {**args.labels, ENVIRONMENT: ctx.environment, TASK: address, INPUTS: inputs}.items()


def _digest(args: DockerImageArgs, image: Image) -> str:
    in_registry = None if args.is_built else image.digest_in(args.reference)
    return in_registry or image.id


def _result(args: DockerImageArgs, image: Image, inputs: str | None) -> DockerImageResult:
    return DockerImageResult(
        reference=args.reference,
        id=image.id,
        digest=_digest(args, image),
        inputs=inputs,
        variables=told_variables(image.environment or {}),
    )


def _missing(reference: str) -> EngineError:
    title = "the Docker engine does not have an image that must not be pulled"
    fix = f"docker pull {reference}"
    return EngineError(Diagnostic("docker-image-missing", title, found=reference, fix=fix))

"""An image of the Docker engine in its registry, under the reference that the engine has it by.

Nothing is sent where the registry has the image already. Identity: the reference. Nothing replaces it: another image
moves the name. Errors: `docker-image-moved`, and `docker-push-failed` of the client. A removal leaves the image in the
registry, since others may have it pulled. Source: Docker Engine API, `/images/{name}/push` and `/distribution`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules._image_files import told_variables
from ppmlctl.modules.base import Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import Observed, Recorded, Removal, Wanted
from ppmlctl.secret import SecretLockedError
from ppmlctl.unknown import Unknown

if TYPE_CHECKING:
    from ppmlctl.clients.docker import DockerImage


class DockerPushArgs(ModuleArgs):
    """The image with the engine's `image_id`, under `reference`, which names registry, repository and tag."""

    reference: str
    image_id: str


class DockerPushResult(ModuleResult):
    """As `docker_image` tells of an image, so that a reader of either takes both; `digest` is the registry's."""

    reference: str
    id: str
    digest: str
    variables: Mapping[str, str]


class DockerPush(Module[DockerPushArgs, DockerPushResult]):
    """See the module's text."""

    kind = "docker_push"
    Args = DockerPushArgs
    Result = DockerPushResult
    engine = "docker"
    removal = Removal.KEEP
    shown = ("reference", "digest")
    echoes = frozenset({"reference"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        known = [one for one in wanted if not isinstance(one.args.reference, Unknown)]
        images = ctx.engines.docker.images() if known else []
        return {one.address: _observed(ctx, one, images) for one in known}

    def apply(self, ctx: Context, args: DockerPushArgs, observed: Observed) -> DockerPushResult:  # noqa: ARG002 - looked at anew, since a crash may lie between
        docker = ctx.engines.docker
        image = _as_meant(args, docker.inspect_image(args.reference))
        known = image.digests_in(args.reference)
        digest = docker.registry_digest(args.reference) if known else None
        if digest is None or digest not in known:
            image = _as_meant(args, docker.push(args.reference, ctx.tell_or_stop))
            digest = _pushed(ctx, args.reference, image)
        return DockerPushResult(
            reference=args.reference,
            id=image.id,
            digest=digest or image.id,
            variables=told_variables(image.environment or {}),
        )

    def kept_as(self, recorded: Recorded) -> str:
        """The image, where it is."""
        return f"{recorded.result['reference']} in its registry"


def _observed(ctx: Context, one: Wanted, images: Sequence[DockerImage]) -> Observed:
    args: DockerPushArgs = one.args
    here = next((image for image in images if image.id == args.image_id), None)
    pushed = here.digests_in(args.reference) if here else ()
    foreseen = {"reference": args.reference, "id": args.image_id}
    if not pushed and not _was_pushed(ctx, one):
        return Observed(exists=False, foreseen=foreseen)  # some registries refuse to be asked for what they lack
    try:
        digest = ctx.engines.docker.registry_digest(args.reference)
    except SecretLockedError:
        return Observed(foreseen=foreseen)  # a plan without the vault's password takes it as unchanged, and says so
    if digest is None:
        return Observed(exists=False, foreseen=foreseen)
    if digest in pushed:
        foreseen["digest"] = digest
    return Observed(fields={"digest": digest}, foreseen=foreseen)


def _was_pushed(ctx: Context, one: Wanted) -> bool:
    recorded = ctx.recorded.get(one.address)
    return recorded is not None and recorded.result.get("reference") == one.args.reference


def _pushed(ctx: Context, reference: str, image: DockerImage) -> str | None:
    """The digest of what was just pushed. Only the registry knows which one that is, where the image has several."""
    known = image.digests_in(reference)
    if len(known) > 1:
        digest = ctx.engines.docker.registry_digest(reference)
        if digest in known:
            return digest
    return next(iter(known), None)


def _as_meant(args: DockerPushArgs, image: DockerImage | None) -> DockerImage:
    """The image under the reference, if it is still the one that was looked at."""
    if image is not None and image.id == args.image_id:
        return image
    raise EngineError(
        Diagnostic(
            "docker-image-moved",
            "the name of an image that is to be pushed means another image now",
            found=f"{args.reference}: {image.id if image else 'no image'}, not {args.image_id}",
            why="what is pushed must be what was built and looked at",
            fix="see who else builds or tags under this name, and apply again",
        )
    )

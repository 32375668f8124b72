"""An image as an OCI layout on this machine: a base and a few files over it, the same bytes wherever it is made.

Identity: the layout's folder. Nothing replaces it: another base, file or tag rewrites it in place. Errors: `image-*` of
`ppmlctl.oci` for bases and paths, `image-file-changed`, `image-folder-foreign`, `image-layout-failed`. Source: OCI
image-spec v1.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from ppmlctl.clients.oci import REFERENCE
from ppmlctl.modules._image_files import ImageFiles, image_files, refuse_stale, stale_files, told_variables
from ppmlctl.modules.base import Known, Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.oci import ENVIRONMENT, INPUTS, TASK, ImageConfig, Ingredients, Recipe, gather
from ppmlctl.planning import ActionKind, Change, FieldChange, Observed, Recorded, Wanted, decide
from ppmlctl.unknown import Unknown, unknowns_in

_QUICK = 64 << 20
"""Bytes; hashing as much takes about a tenth of a second."""


class OciImageArgs(ModuleArgs):
    """Paths are relative to ppml.yaml's folder, and `files` are by their path in the image.

    `file_digests` say what is in these files, by the same paths, so that a plan sees them change. What of the
    configuration is not given stays as the base has it.
    """

    name: str
    tag: str = "latest"
    base: str | None = None
    files: ImageFiles = Field(default_factory=dict)
    file_digests: ImageFiles = Field(default_factory=dict)
    environment: Mapping[str, Known[str]] = {}
    labels: Mapping[str, Known[str]] = {}
    entrypoint: Sequence[Known[str]] | None = None
    command: Sequence[Known[str]] | None = None
    working_directory: str | None = None
    user: str | None = None
    layout: str | None = None


class OciImageResult(ModuleResult):
    """`digest` names the manifest; `inputs` what the image was made of; `variables` are those workloads may name."""

    path: str
    reference: str
    digest: str
    inputs: str
    variables: Mapping[str, str]


class OciImage(Module[OciImageArgs, OciImageResult]):
    """See the module's text."""

    kind = "oci_image"
    Args = OciImageArgs
    Result = OciImageResult
    shown = ("path", "digest")

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        return {one.address: _observed(ctx, one) for one in wanted if not isinstance(_folder(one.args), Unknown)}

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        change = decide(wanted, observed, recorded)
        if recorded is None or change.action is not ActionKind.KEEP or observed.detail is None:
            return change
        before = recorded.result.get("inputs")
        if observed.detail == before:
            return change
        fields = (FieldChange("inputs", before, observed.detail),)
        return Change(ActionKind.UPDATE, ("the base or a file of it changed",), fields)

    def apply(self, ctx: Context, args: OciImageArgs, observed: Observed) -> OciImageResult:  # noqa: ARG002 - looked at anew, since the files are new
        client, folder = ctx.engines.oci, ctx.files.path(_folder(args))
        refuse_stale(ctx.files, args.files, args.file_digests, client.digests)
        made_of = _gathered(ctx, args)
        inputs = made_of.inputs(client.digests)
        annotations = {ENVIRONMENT: ctx.environment, TASK: ctx.address, INPUTS: inputs}
        there = client.inspect(folder)
        as_wanted = annotations.items() | {(REFERENCE, _reference(args))}
        if there is None or there.faults or not as_wanted <= there.annotations.items():
            ctx.tell(f"writing {_folder(args)}")
            there = client.write(folder, made_of, _reference(args), annotations)
        client.remember()
        return OciImageResult(
            path=_folder(args),
            reference=there.reference,
            digest=there.digest,
            inputs=inputs,
            variables=told_variables(made_of.environment()),
        )

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        return {"path": inputs.get("layout") or _made_folder(inputs["name"])}

    def own_files(self, inputs: Mapping[str, Any]) -> Sequence[Any]:
        """The layout: it is rewritten in place."""
        name = inputs.get("name")
        return (inputs.get("layout") or (_made_folder(name) if isinstance(name, str) else None),)

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        path = str(recorded.result["path"])
        there = ctx.engines.oci.inspect(ctx.files.path(path))
        if there is not None and there.annotations.get(ENVIRONMENT) != ctx.environment:
            ctx.warn(f"{path} was left alone: the image in it belongs to another environment")
            return
        ctx.engines.oci.remove(ctx.files.path(path))


def _observed(ctx: Context, one: Wanted) -> Observed:
    folder, client = _folder(one.args), ctx.engines.oci
    there = client.inspect(ctx.files.path(folder))
    made_of = _foreseen_ingredients(ctx, one)
    inputs = made_of.inputs(client.digests) if made_of else None
    fields: dict[str, str] = {}
    if there is not None:
        fields = {"digest": "; ".join(there.faults) or there.digest, "reference": there.reference}
    foreseen: dict[str, Any] = {"path": folder}
    if made_of and inputs and not isinstance(one.args.tag, Unknown):
        same = there is not None and not there.faults and there.annotations.get(INPUTS) == inputs
        digest = there.digest if there and same else _quick_digest(made_of)
        foreseen |= {"reference": _reference(one.args), "inputs": inputs} | ({"digest": digest} if digest else {})
        foreseen["variables"] = told_variables(made_of.environment())
    return Observed(exists=there is not None, fields=fields, foreseen=foreseen, detail=inputs)


def _foreseen_ingredients(ctx: Context, one: Wanted) -> Ingredients | None:
    """What the image would be made of now; None where that is not known before other tasks have run."""
    args, digests = one.args, ctx.engines.oci.digests
    if any(unknowns_in(one.inputs)) or stale_files(ctx.files, args.files, args.file_digests, digests):
        return None
    return _gathered(ctx, args)


def _gathered(ctx: Context, args: OciImageArgs) -> Ingredients:
    base = ctx.files.path(args.base) if args.base is not None else None
    config = ImageConfig(
        args.environment, args.labels, args.entrypoint, args.command, args.working_directory, args.user
    )
    return gather(Recipe(base, image_files(ctx.files, args.files), config))


def _quick_digest(made_of: Ingredients) -> str | None:
    """The digest that the image will have, where finding out does not make a plan slow."""
    return made_of.digest() if made_of.size() <= _QUICK else None


def _folder(args: OciImageArgs) -> str:
    """Where the layout lies. A slash becomes a character that no image name has, so no two names meet."""
    if args.layout is not None or isinstance(args.name, Unknown):
        return args.layout or args.name
    return _made_folder(args.name)


def _made_folder(name: str) -> str:
    return f".ppml/images/{name.replace('/', '~')}"


def _reference(args: OciImageArgs) -> str:
    return f"{args.name}:{args.tag}"

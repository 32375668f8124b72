"""The client container of this machine, which submits workloads: one for an environment, kept running.

Identity: its name. Another image, mount, device or network makes it anew. Secrets are private files in a private
folder, mounted one folder each; they are in no variable and no argument.
Errors: `container-name-taken`, `sgx-device-missing`, `aesm-socket-missing`, those of Docker. Source: the seed's
`docker run` of the client; upstream's guide mounts the same folders, some by `-v`, which makes folders of what is not
there.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.files import PRIVATE, read_bytes
from ppmlctl.modules.base import Known, Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.oci import labels
from ppmlctl.planning import Observed, Recorded, Wanted
from ppmlctl.protection import (
    AESM_SOCKET,
    DATA_KEY,
    ENCRYPTED_FOLDER,
    KEYS_FOLDER,
    NOTHING,
    PRIMARY_KEY,
    STORED_FOLDER,
    Access,
    Device,
    DevicePlugin,
    access_of,
)
from ppmlctl.runs.container_submitter import RUNS
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown, unknowns_in

if TYPE_CHECKING:
    from ppmlctl.clients.docker import Bind, ContainerSpec
    from ppmlctl.clients.docker import DockerContainer as Live

FOLDER = ".ppml/client"
_KUBECONFIG = "/root/.kube/config"
_IDLE = ("bash", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done")
"""The first process: it takes in what commands leave behind, and goes when it is told to."""


def _modes(value: object) -> object:
    """The modes of `env.workloads`, or modes themselves."""
    if not isinstance(value, list | tuple):
        return value
    return sorted({mode for one in value for mode in _modes_in(one)})


def _modes_in(workload: Any) -> Iterator[Any]:
    if isinstance(workload, Mapping):
        sections = (one for one in workload.values() if isinstance(one, Mapping))
        yield from (section["mode"] for section in sections if "mode" in section)
    else:
        yield workload


def _key_files(value: object) -> object:
    """Results of `ehsm_data_key` by their names, as the files that the image reads."""
    if not isinstance(value, Mapping) or any(isinstance(one, Unknown) for one in value.values()):
        return value
    fields = {PRIMARY_KEY: "keyid", DATA_KEY: "ciphertext"}
    return {f"{KEYS_FOLDER}/{name}/{file}": one[key] for name, one in value.items() for file, key in fields.items()}


class DockerContainerArgs(ModuleArgs):
    """`files`: secret files by their paths inside; None leaves one out. `modes`: what will be submitted from here.

    `data_keys`: what opens encrypted folders, by name; with any, the one below `data` is mounted.
    """

    name: str
    image: str
    image_digest: str | None = None
    files: dict[str, Known[Secret | None]] = Field(default_factory=dict)
    data_keys: Annotated[dict[str, Known[Secret]], BeforeValidator(_key_files)] = Field(default_factory=dict)
    data: str | None = None
    modes: Annotated[tuple[str, ...], BeforeValidator(_modes)] = ()
    device_plugin: DevicePlugin = "intel"
    account: str
    namespace: str
    token: Secret
    ca: str


class DockerContainerResult(ModuleResult):
    """`runs`: the folder of the runs on this machine. `current`: container and files are as declared, and it runs."""

    name: str
    runs: str = f"{FOLDER}/runs"
    current: bool = True


class DockerContainer(Module[DockerContainerArgs, DockerContainerResult]):
    """See the module's text."""

    kind = "docker_container"
    Args = DockerContainerArgs
    Result = DockerContainerResult
    engine = "docker"
    shown = ("name",)
    echoes = frozenset({"name"})
    found_by = frozenset({"name"})

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """The container by its name and the label with its inputs; the files by their contents."""
        found = {}
        for one in wanted:
            if isinstance(one.args.name, Unknown):
                continue
            container = ctx.engines.docker.containers.inspect(one.args.name)
            if container is not None:
                known = not any(unknowns_in(one.inputs))
                current = known and _is_current(ctx, one.args, container)
                found[one.address] = Observed(fields={"current": current})
        return found

    def apply(self, ctx: Context, args: DockerContainerArgs, observed: Observed) -> DockerContainerResult:  # noqa: ARG002 - looked at anew
        wanted, recorded = _files(ctx, args), ctx.recorded.get(ctx.address)
        for path in _made(ctx, recorded) if recorded else ():
            if path not in wanted:
                ctx.files.remove(str(path))
        for path, content in wanted.items():
            _write(ctx, path, content)
        ctx.files.path(f"{FOLDER}/runs").mkdir(exist_ok=True)
        spec = _spec(ctx, args)
        containers = ctx.engines.docker.containers
        found = containers.inspect(args.name)
        if found is not None and found.labels.get(labels.ENVIRONMENT) != ctx.environment:
            title = "the client container's name is taken"
            raise EngineError(Diagnostic("container-name-taken", title, found=args.name, fix=f"docker rm {args.name}"))
        if args.data and args.data_keys:
            _make_folder(Path(args.data, STORED_FOLDER))
        if found is None or not found.running or found.labels.get(labels.INPUTS) != spec.labels[labels.INPUTS]:
            if ctx.engines.docker.inspect_image(args.image) is None:
                ctx.engines.docker.pull(args.image, tell=ctx.tell_or_stop)
            containers.remove(args.name)
            containers.run(spec)
        return DockerContainerResult(name=args.name)

    def places(self, address: str, inputs: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - only some need both
        return {"runs": f"{FOLDER}/runs"}

    def own_files(self, _inputs: Mapping[str, Any]) -> Sequence[Any]:
        """The folder with the secrets that the container reads, and with its runs."""
        return (FOLDER,)

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Takes the container away, and the secret files that it was given; logs of its runs stay."""
        found = ctx.engines.docker.containers.inspect(str(recorded.result["name"]))
        if found is not None and found.labels.get(labels.ENVIRONMENT) == ctx.environment:
            ctx.engines.docker.containers.remove(found.id)
        for path in _made(ctx, recorded):
            ctx.files.remove(str(path))


def _is_current(ctx: Context, args: DockerContainerArgs, container: Live) -> bool:
    inputs = container.labels.get(labels.INPUTS) == _inputs(ctx, args)
    return inputs and container.running and all(_holds(path, text) for path, text in _files(ctx, args).items())


def _files(ctx: Context, args: DockerContainerArgs) -> dict[Path, Secret]:
    """What has to be on this machine, by place."""
    given = {**args.files, **args.data_keys, _KUBECONFIG: Secret(_kubeconfig(ctx, args))}
    root = ctx.files.path(f"{FOLDER}/files")
    return {root / path.lstrip("/"): content for path, content in given.items() if isinstance(content, Secret)}


def _made(ctx: Context, recorded: Recorded) -> Iterable[Path]:
    """The files that the recorded task was given, as far as they are where such files are put."""
    root = ctx.files.path(f"{FOLDER}/files")
    given = {**(recorded.inputs.get("files") or {}), **(recorded.inputs.get("data_keys") or {}), _KUBECONFIG: True}
    places = sorted(root / path.lstrip("/") for path, content in given.items() if content is not None)
    inside = root.resolve()
    return [path for path in places if path.resolve().is_relative_to(inside) and path.is_file()]


def _kubeconfig(ctx: Context, args: DockerContainerArgs) -> str:
    """The workloads' account at the cluster as this machine reaches it; never the user's own credentials."""
    server = ctx.engines.kubernetes.connection.server
    cluster = {"server": server, "certificate-authority-data": _base64(args.ca)}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "ppml",
            "clusters": [{"name": "ppml", "cluster": cluster}],
            "users": [{"name": args.account, "user": {"token": args.token.reveal_text()}}],
            "contexts": [
                {"name": "ppml", "context": {"cluster": "ppml", "user": args.account, "namespace": args.namespace}}
            ],
        }
    )


def _base64(text: str) -> str:
    import base64  # noqa: PLC0415 - small, and only here

    return base64.b64encode(text.encode()).decode()


def _holds(path: Path, content: Secret) -> bool:
    """Whether the file is as wanted, and nobody else's to read. A locked vault is no difference."""
    try:
        private = stat.S_IMODE(path.stat().st_mode) == PRIVATE
        return private and (not content.is_available() or read_bytes(path) == content.reveal_bytes())
    except OSError:
        return False


def _write(ctx: Context, path: Path, content: Secret) -> None:
    ctx.files.path(FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _holds(path, content):
        ctx.files.write(str(path), content.reveal_bytes(), mode=PRIVATE)


def _spec(ctx: Context, args: DockerContainerArgs) -> ContainerSpec:
    from ppmlctl.clients.docker import ContainerSpec  # noqa: PLC0415 - plans without containers do without it

    own = {labels.ENVIRONMENT: ctx.environment, labels.TASK: ctx.address, labels.INPUTS: _inputs(ctx, args)}
    devices = {_found(device): device.place for device in _access(args).devices}
    return ContainerSpec(args.name, args.image, _IDLE, own, tuple(_binds(ctx, args)), devices, network="host")


def _inputs(ctx: Context, args: DockerContainerArgs) -> str:
    """A digest of all that cannot be changed in place."""
    files = {**args.files, **args.data_keys}
    folders = sorted({str(PurePosixPath(path).parent) for path, content in files.items() if content is not None})
    parts = [
        args.image,
        args.image_digest,
        folders,
        args.data,
        bool(_access(args).devices),
        str(ctx.files.root.resolve()),
    ]
    return "sha256:" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _make_folder(path: Path) -> None:
    """As a pod's `subPath` does; a folder of shared data that is missing itself is Docker's to refuse."""
    if path.parent.is_dir():
        path.mkdir(exist_ok=True)


def _access(args: DockerContainerArgs) -> Access:
    """What enclaves need that are started in it; a domain is a node, and never this container."""
    if not {"client", "local-sgx"} & set(args.modes):
        return NOTHING
    return access_of("sgx", args.device_plugin, "client")


def _binds(ctx: Context, args: DockerContainerArgs) -> Iterable[Bind]:
    from ppmlctl.clients.docker import Bind  # noqa: PLC0415 - plans without containers do without it

    root = ctx.files.path(f"{FOLDER}/files").resolve()
    for folder in sorted({path.parent for path in _files(ctx, args)}):
        inside = folder.resolve().relative_to(root)
        yield Bind(str(folder.resolve()), f"/{inside}")
    yield Bind(str(ctx.files.path(f"{FOLDER}/runs").resolve()), RUNS, read_only=False)
    if args.data:
        yield Bind(args.data, "/ppml/data", read_only=False)
    if args.data and args.data_keys:
        yield Bind(f"{args.data}/{STORED_FOLDER}", ENCRYPTED_FOLDER, read_only=False)
    if _access(args).aesm:
        _check_socket()
        yield Bind(AESM_SOCKET, AESM_SOCKET, read_only=False)


def _found(device: Device) -> str:
    """Where this machine has it, under any of its names. Raises EngineError where it is missing."""
    there = next((place for place in device.on_host if _is(place, stat.S_ISCHR)), None)
    if there is None:
        title = "this machine has no SGX device for the client container"
        fix = "run on a machine with SGX, or say `via: job`"
        raise EngineError(Diagnostic("sgx-device-missing", title, found=" ".join(device.on_host), fix=fix))
    return there


def _check_socket() -> None:
    if not _is(AESM_SOCKET, stat.S_ISSOCK):
        title = "aesmd does not run on this machine"
        why = "quotes are made through its socket; mounted all the same, it would become a folder"
        fix = "start aesmd, or say `via: job`"
        raise EngineError(Diagnostic("aesm-socket-missing", title, found=AESM_SOCKET, why=why, fix=fix))


def _is(place: str, kind: Any) -> bool:
    try:
        return bool(kind(Path(place).stat().st_mode))
    except OSError:
        return False

"""Long-lived containers: made with their mounts, looked at, given commands, taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from docker.errors import NotFound
from docker.types import Mount

from ppmlctl.clients.docker.connection import Connection
from ppmlctl.effects import Effect, Effects


@dataclass(frozen=True)
class Bind:
    """A file or folder of the engine's machine in a container. A missing source is an error, and makes no folder."""

    source: str
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class ContainerSpec:
    """What a container is made of. `devices`: paths on the machine with the paths inside."""

    name: str
    image: str
    command: Sequence[str]
    labels: Mapping[str, str] = field(default_factory=dict)
    binds: Sequence[Bind] = ()
    devices: Mapping[str, str] = field(default_factory=dict)
    network: str = "bridge"


@dataclass(frozen=True)
class DockerContainer:
    """A container as the engine knows it. `started`: RFC 3339."""

    id: str
    running: bool
    started: str
    labels: Mapping[str, str]


class Containers:
    """Containers of one engine, by their names. Faults as those of DockerClient."""

    def __init__(self, effects: Effects, connection: Connection) -> None:
        self._effects = effects
        self._connection = connection

    def inspect(self, name: str) -> DockerContainer | None:
        """The container of that name, or None."""
        operation = f"inspect container {name}"
        with self._effects.operation(Effect.READ, operation), self._connection.request(operation) as api:
            try:
                found = api.inspect_container(name)
            except NotFound:
                return None
        state = found["State"]
        return DockerContainer(found["Id"], bool(state["Running"]), state["StartedAt"], found["Config"]["Labels"] or {})

    def run(self, spec: ContainerSpec) -> str:
        """Makes the container and starts it; its id. One that cannot start does not stay."""
        operation = f"run container {spec.name}"
        with self._connection.request(operation) as api:
            host = api.create_host_config(
                mounts=[Mount(b.target, b.source, type="bind", read_only=b.read_only) for b in spec.binds],
                devices=[f"{source}:{target}:rw" for source, target in spec.devices.items()],
                network_mode=spec.network,
            )
            with self._effects.operation(Effect.WRITE, "create container"):
                created = api.create_container(
                    spec.image,
                    list(spec.command),
                    entrypoint=[],
                    name=spec.name,
                    labels=dict(spec.labels),
                    host_config=host,
                )["Id"]
            try:
                with self._effects.operation(Effect.WRITE, "start container"):
                    api.start(created)
            except Exception:
                api.remove_container(created, force=True, v=True)
                raise
        return str(created)

    def remove(self, name: str) -> None:
        """Ends it and takes it away. A missing one is no error."""
        operation = f"remove container {name}"
        with self._effects.operation(Effect.WRITE, "remove container"), self._connection.request(operation) as api:
            try:
                api.remove_container(name, force=True, v=True)
            except NotFound:
                return

    def start_command(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts a command in the running container and does not wait for it."""
        operation = f"run a command in container {name}"
        with self._effects.operation(Effect.WRITE, "exec in container"), self._connection.request(operation) as api:
            made = api.exec_create(name, list(command), environment=dict(environment), stdout=False, stderr=False)
            api.exec_start(made["Id"], detach=True)

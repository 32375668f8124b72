"""What a run needs of the world; a module's Context has it, among other things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from ppmlctl.evidence import Evidence
from ppmlctl.planning import Recorded

if TYPE_CHECKING:
    from ppmlctl.clients.docker import DockerClient
    from ppmlctl.clients.kubernetes import KubernetesClient


class Engines(Protocol):
    """The clients that runs are carried out by."""

    @property
    def kubernetes(self) -> KubernetesClient: ...
    @property
    def docker(self) -> DockerClient: ...


class Files(Protocol):
    """Files below the environment's folder."""

    def path(self, relative: str) -> Path:
        """The place of a path given in ppml.yaml."""

    def write(self, relative: str, content: bytes) -> None:
        """Puts a file in place, whole and durably."""


class Intents(Protocol):
    """The journal of what cannot be observed afterwards."""

    def pending(self, address: str) -> Mapping[str, Any] | None:
        """The intent that an earlier, interrupted apply left for this task."""

    def begin(self, address: str, intent: Mapping[str, Any]) -> None:
        """Durably says what is about to be done; public values only."""


class World(Protocol):
    """One task's view of it."""

    @property
    def environment(self) -> str:
        """Its identity; a label on what is made."""

    @property
    def address(self) -> str:
        """The task whose run it is."""

    @property
    def engines(self) -> Engines: ...
    @property
    def files(self) -> Files: ...
    @property
    def intents(self) -> Intents: ...
    @property
    def recorded(self) -> Mapping[str, Recorded]:
        """The lockfile's entries at the start, by address."""

    @property
    def tell(self) -> Callable[[str], None]:
        """Progress for people."""

    @property
    def warn(self) -> Callable[[str], None]:
        """A warning that the recap repeats."""

    @property
    def stopping(self) -> Event:
        """Set when the user asked to stop."""

    @property
    def simulated(self) -> Evidence | None:
        """What claims about the engines are worth, where these are the sandbox's; None elsewhere."""

"""What a module may use of the world: typed clients, the vault, the journal of intents, files below the root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.effects import Effect, Effects
from ppmlctl.evidence import Evidence
from ppmlctl.files import PUBLIC, read_bytes, write_atomic
from ppmlctl.planning import Recorded
from ppmlctl.secret import Secret, SecretLockedError

if TYPE_CHECKING:
    from ppmlctl.clients.attestation import AttestationClient
    from ppmlctl.clients.docker import DockerClient
    from ppmlctl.clients.ehsm import EhsmClient
    from ppmlctl.clients.kubernetes import KubernetesClient
    from ppmlctl.clients.oci import OciClient
    from ppmlctl.clients.pccs import PccsClient

SANDBOX = "sandbox"


@dataclass(frozen=True)
class TlsServer:
    """How a server is reached and what its TLS is trusted by: a CA file, a certificate's SHA-256, or nothing."""

    url: str
    ca: str | None = None
    fingerprint: str | None = None
    insecure: bool = False


class EhsmServer(TlsServer):
    """An EHSM."""


class AttestationServer(TlsServer):
    """An attestation service."""


@dataclass(frozen=True)
class PccsServer:
    """How a PCCS is reached and what its TLS is trusted by: a CA file, or the system's certificates."""

    url: str
    ca: str | None = None


class Engines(Protocol):
    """Clients, opened when first asked for and shared by all tasks. In a plan each refuses to write."""

    @property
    def kubernetes(self) -> KubernetesClient: ...
    @property
    def docker(self) -> DockerClient: ...
    @property
    def oci(self) -> OciClient: ...
    def attestation(self, server: AttestationServer) -> AttestationClient: ...
    def ehsm(self, server: EhsmServer) -> EhsmClient: ...
    def pccs(self, server: PccsServer) -> PccsClient: ...


class SecretStore(Protocol):
    """The part of the vault that modules use."""

    def names(self) -> Sequence[str]: ...
    def get(self, name: str) -> Secret: ...
    def digest(self, value: bytes) -> str: ...
    def put(self, name: str, value: bytes | str | Secret) -> None: ...
    def remove(self, name: str) -> None: ...
    def prove_writable(self) -> None: ...


class Intents(Protocol):
    """Journal of calls that cannot be observed afterwards. Recording the task's result ends its intent."""

    def pending(self, address: str) -> Mapping[str, Any] | None:
        """The intent that an earlier, interrupted apply left for this task."""

    def begin(self, address: str, intent: Mapping[str, Any]) -> None:
        """Durably says what is about to be done; public values only."""

    def withdraw(self, address: str) -> None:
        """Durably says that nothing was done after all."""


class Files:
    """Files below the environment's folder. Writes are gated and counted like any engine's."""

    def __init__(self, root: Path, effects: Effects) -> None:
        self.root = root
        self._effects = effects

    @property
    def effects(self) -> Effects:
        """The gate, for what else happens on this machine."""
        return self._effects

    def path(self, relative: str) -> Path:
        """The place of a path given in ppml.yaml; an absolute path stays as it is."""
        return self.root / relative

    def write(self, relative: str, content: bytes, *, mode: int = PUBLIC) -> None:
        """Puts a file in place, whole and durably."""
        self._effects.admit(Effect.WRITE, f"write {relative}")
        write_atomic(self.path(relative), content, mode=mode)

    def remove(self, relative: str) -> None:
        """Takes a file away; a missing one is no error."""
        with self._effects.operation(Effect.WRITE, f"remove {relative}"):
            self.path(relative).unlink(missing_ok=True)

    def secret(self, relative: str) -> Secret:
        """A secret file by its handle; read when revealed."""
        return Secret(handle=f"file:{relative}", load=partial(read_bytes, self.path(relative)))


def _silent(_text: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Context:
    """One task's view of the world. `observe` gets one without an address, since it sees all tasks of its kind."""

    environment: str
    """Identity of the environment (UUID); labels on what is made."""
    name: str
    target: str
    files: Files
    engines: Engines
    vault: SecretStore
    intents: Intents
    recorded: Mapping[str, Recorded] = field(default_factory=dict)
    """The lockfile's entries at the start, by address."""
    force_conflicts: bool = False
    """Whether fields that other managers hold are taken over (`--force-conflicts`)."""
    address: str = ""
    rotating: bool = False
    """Whether this task's thing is to be made anew though the old one is there (`--rotate`)."""
    replacing: bool = False
    """Whether this task's thing is to be taken away first, because somebody named it (`--replace`)."""
    tell: Callable[[str], None] = _silent
    """Progress for people: what is going on right now."""
    warn: Callable[[str], None] = _silent
    """A warning that the recap repeats."""
    stopping: Event = field(default_factory=Event)
    """Set when the user asked to stop; long waits end."""

    def for_task(
        self,
        address: str,
        tell: Callable[[str], None],
        warn: Callable[[str], None],
        *,
        rotating: bool = False,
        replacing: bool = False,
    ) -> Context:
        """The same world for one task."""
        return replace(self, address=address, rotating=rotating, replacing=replacing, tell=tell, warn=warn)

    def digest(self, value: bytes) -> str | None:
        """Keyed digest of what may be secret; None while the vault is locked."""
        try:
            return self.vault.digest(value)
        except SecretLockedError:
            return None

    def tell_or_stop(self, text: str) -> None:
        """As `tell`, for what may be broken off anywhere, such as a build. Raises EngineError once the user stops."""
        if self.stopping.is_set():
            raise EngineError(Diagnostic("stopped", "a task was broken off, as was asked", fix="apply again"))
        self.tell(text)

    @property
    def simulated(self) -> Evidence | None:
        """What claims about the engines are worth here: `simulated` in the sandbox, nothing to say elsewhere."""
        return Evidence.SIMULATED if self.target == SANDBOX else None

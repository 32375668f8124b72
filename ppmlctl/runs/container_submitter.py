"""The client container of this machine, submitting one run. Its files are in a folder that both sides see."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.files import read_text
from ppmlctl.runs.begin_script import BEGIN_SCRIPT, BEGUN, LATE, LOG, NAME, STATUS
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.program import Program
from ppmlctl.runs.run import Run
from ppmlctl.runs.submitter import SubmitState
from ppmlctl.runs.world import World

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest

RUNS = "/ppml/runs"
"""The folder of the runs as the container sees it."""
_BEGINNING_SECONDS = 20.0
_END_OF_LOG = 1 << 14
"""Characters, in which the script says that it ended a run at its deadline; what was ended may say more."""


@dataclass(frozen=True)
class ClientContainer:
    """The container by its name, with the folder of this machine where its runs have their files."""

    name: str
    folder: str


class ContainerSubmitter:
    """A Submitter (see there) by a command in the client container."""

    def __init__(self, ctx: World, run: Run, program: Program, client: ClientContainer) -> None:
        self._ctx = ctx
        self._run = run
        self._program = program
        self._client = client
        self._asked = time.monotonic()

    def __str__(self) -> str:
        return f"container {self._client.name}, run {self._run.name}"

    def begin(self) -> float:
        """The command is not waited for; asked for twice, it begins once, by the making of a folder."""
        begun = self._path(BEGUN)
        if begun.is_dir():
            return max(0.001, time.time() - begun.stat().st_mtime)
        for name, text in {NAME: BEGIN_SCRIPT, **self._program.files()}.items():
            self._ctx.files.write(str(self._path(name)), text.encode())
        folder = f"{RUNS}/{self._run.name}"
        server = self._ctx.engines.kubernetes.connection.server
        words = self._program.words(server, folder)
        self._ctx.engines.docker.containers.start_command(
            self._client.name, ["setsid", "bash", f"{folder}/{NAME}", *words], self._environment()
        )
        self._asked = time.monotonic()
        return 0.0

    def look(self, pods: Pods) -> SubmitState:  # noqa: ARG002 - files say it
        state = _state(self._ctx, self._client, self._run.name)
        if state is not None:
            return state
        waits = time.monotonic() - self._asked < _BEGINNING_SECONDS
        return SubmitState("running" if waits else "failed", "" if waits else "the container did not begin it")

    def pod(self, pods: Pods) -> Manifest | None:  # noqa: ARG002 - there is none
        return None

    def log(self, pods: Pods) -> str:  # noqa: ARG002 - it is a file
        return self._text(LOG)

    def end(self) -> None:
        end_command(self._ctx, self._client, self._run.name)

    def _environment(self) -> dict[str, str]:
        """No account is in it: the script reads that from files."""
        return {**self._program.environment(), "PPMLCTL_DEADLINE": str(self._run.deadline)}

    def _path(self, name: str) -> Path:
        return _folder(self._ctx, self._client, self._run.name) / name

    def _text(self, name: str) -> str:
        return _text(self._path(name))


def state_of(ctx: World, client: ClientContainer, run: str) -> str:
    """The phase of a run's submission (see SubmitState); empty where it was not begun."""
    state = _state(ctx, client, run)
    return state.phase if state else ""


def end_command(ctx: World, client: ClientContainer, run: str) -> bool:
    """Ends the command with all that it started, and lets it write down that it ended; whether it ran."""
    state = _state(ctx, client, run)
    process = _text(_folder(ctx, client, run) / BEGUN / "process").strip()
    if state is None or state.phase != "running" or not process.isdigit():
        return False
    ctx.engines.docker.containers.start_command(client.name, ["bash", "-c", f"kill -- -{process}"], {})
    return True


def _state(ctx: World, client: ClientContainer, run: str) -> SubmitState | None:
    """By the files of the run, and by the container where they say that it runs; None: not begun."""
    folder = _folder(ctx, client, run)
    status = _text(folder / STATUS).strip()
    if status == "0":
        return SubmitState("done")
    if status:
        late = LATE in _text(folder / LOG)[-_END_OF_LOG:]
        return SubmitState("late") if late else SubmitState("failed", f"it ended with exit code {status}")
    if not (folder / BEGUN).is_dir():
        return None
    container = ctx.engines.docker.containers.inspect(client.name)
    began = (folder / BEGUN).stat().st_mtime
    if container is None or not container.running or began < _seconds(container.started):
        return SubmitState("gone", "its container was stopped while it ran")
    return SubmitState("running")


def _folder(ctx: World, client: ClientContainer, run: str) -> Path:
    return ctx.files.path(client.folder) / run


def _seconds(time_of_docker: str) -> float:
    return datetime.fromisoformat(time_of_docker.partition(".")[0].removesuffix("Z") + "+00:00").timestamp()


def _text(path: Path) -> str:
    try:
        return read_text(path, errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        title = "a file of a run cannot be read"
        raise EngineError(Diagnostic("workload-file-unreadable", title, found=f"{path}: {error.strerror}")) from None

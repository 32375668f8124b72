"""The sandbox's one local process: started, found again, and ended, by its state folder.

What the folder holds: `run.json` (the process that serves now), `ports.json` (its last ports), `kubeconfig` (0600),
`sandbox.log`, `requests.jsonl`, `tls/`, `ehsm/`, `kubernetes/`. Nothing here imports a server.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.files import PRIVATE, read_bytes, read_text, write_atomic
from ppmlctl.process_identity import start_time_of
from ppmlctl.sandbox.address import LOOPBACK, parse_address

EHSM = "ehsm"
KUBERNETES = "kubernetes"
SERVICES = (EHSM, KUBERNETES)
READY_DESCRIPTOR = 3
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_CONNECT_SECONDS = 1.0
_LOG_LINES = 5
_LOCK_SECONDS = _START_SECONDS + _STOP_SECONDS
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: where its services are, and what a client must trust."""

    state: Path
    pid: int
    ca: Path
    ehsm_url: str | None
    kubernetes_url: str | None
    kubeconfig: Path | None


@dataclass(frozen=True)
class SandboxStatus:
    """What can be seen of a sandbox whose process lives."""

    sandbox: Sandbox
    answering: bool
    """Whether every service accepted a connection just now."""


@dataclass(frozen=True)
class Run:
    """The contents of `run.json`."""

    pid: int
    start_time: int
    """When the process started, in clock ticks since boot (proc(5)): tells it from a later one with the same pid."""
    listen: str
    urls: Mapping[str, str]

    def write(self, state: Path) -> None:
        """Says where the process can be found."""
        content = json.dumps(asdict(self), indent=2, sort_keys=True).encode() + b"\n"
        write_atomic(state / "run.json", content, mode=PRIVATE)

    def forget(self, state: Path) -> None:
        """Takes `run.json` away, if it is still this process's."""
        if _read_run(state) == self:
            (state / "run.json").unlink(missing_ok=True)


def up(state: Path, only: str | None = None, listen: str | None = None) -> Sandbox:
    """Starts the sandbox of this state folder, unless it runs, and returns when it answers.

    `only` is `ehsm` or `kubernetes`; `listen` is the address to serve on, 127.0.0.1 if not given. Raises InputError for
    an address that cannot be used, and StateError when it does not start or runs already in another way.
    """
    services = SERVICES if only is None else (only,)
    host = parse_address(listen).host if listen else LOOPBACK
    state = state.absolute()
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(state / "up.lock", timeout=_LOCK_SECONDS):
        run = _living_run(state)
        if run is None:
            _start(state, services, listen)
            run = _living_run(state)
        if run is None:
            raise _not_started(state)
        if set(run.urls) != set(services) or run.listen != host:
            raise _differs(run)
        return _sandbox(state, run)


def status(state: Path) -> SandboxStatus | None:
    """The sandbox that runs on this state folder, or None."""
    run = _living_run(state.absolute())
    if run is None:
        return None
    return SandboxStatus(_sandbox(state.absolute(), run), all(_accepts(url) for url in run.urls.values()))


def down(state: Path) -> bool:
    """Ends the sandbox of this state folder and waits until it is gone. Returns whether one was running."""
    state = state.absolute()
    if not state.is_dir():
        return False
    with FileLock(state / "up.lock", timeout=_LOCK_SECONDS):
        run = _read_run(state)
        return run is not None and _end(run, state)


def environment(state: Path) -> dict[str, str]:
    """The variables with which other programs find the running sandbox. Raises StateError when it is down."""
    found = status(state)
    if found is None:
        title = "the sandbox is not running"
        raise StateError(Diagnostic("sandbox-down", title, found=str(state), fix="ppmlctl sandbox up"))
    sandbox = found.sandbox
    values = {
        "KUBECONFIG": sandbox.kubeconfig,
        "PPML_EHSM_URL": sandbox.ehsm_url,
        "PPML_EHSM_CA": sandbox.ca if sandbox.ehsm_url else None,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _sandbox(state: Path, run: Run) -> Sandbox:
    kubernetes = run.urls.get(KUBERNETES)
    kubeconfig = state / "kubeconfig" if kubernetes else None
    return Sandbox(state, run.pid, state / "tls" / "ca.pem", run.urls.get(EHSM), kubernetes, kubeconfig)


def _read_run(state: Path) -> Run | None:
    try:
        written = json.loads(read_bytes(state / "run.json"))
        return Run(written["pid"], written["start_time"], written["listen"], written["urls"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _living_run(state: Path) -> Run | None:
    run = _read_run(state)
    return run if run is not None and start_time_of(run.pid) == run.start_time else None


def _start(state: Path, services: tuple[str, ...], listen: str | None) -> None:
    """Starts the process in a session of its own and waits for its word, or its end."""
    command = [sys.executable, "-P", "-m", "ppmlctl.sandbox", "--state", str(state)]
    command += ["--ready-descriptor", str(READY_DESCRIPTOR)]
    command += ["--only", services[0]] if len(services) == 1 else []
    command += ["--listen", listen] if listen else []
    log_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    with _pipe() as (reading, writing):
        actions = [
            (os.POSIX_SPAWN_DUP2, writing, READY_DESCRIPTOR),
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(state / "sandbox.log"), log_flags, PRIVATE),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        pid = os.posix_spawn(sys.executable, command, passed_on, file_actions=actions, setsid=True)
        os.close(writing)
        ready, _, _ = select.select([reading], [], [], _START_SECONDS)
        if not ready or not os.read(reading, 1):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise _not_started(state)


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """A pipe whose ends lie above the descriptor that the child gets."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                os.close(end)


def _end(run: Run, state: Path) -> bool:
    """SIGTERM, then SIGKILL where that is not followed; never to another process that got the pid since."""
    try:
        handle = os.pidfd_open(run.pid)
    except ProcessLookupError:
        return False
    try:
        if start_time_of(run.pid) != run.start_time:
            return False
        for number in (signal.SIGTERM, signal.SIGKILL):
            signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], _STOP_SECONDS)[0]:
                break
    finally:
        os.close(handle)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(run.pid, os.WNOHANG)
    run.forget(state)
    return True


def _accepts(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or LOOPBACK, parts.port or 0), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _not_started(state: Path) -> StateError:
    log = state / "sandbox.log"
    lines = read_text(log, errors="replace").splitlines() if log.exists() else []
    found = "\n".join(lines[-_LOG_LINES:]) or "it ended without a word"
    return StateError(Diagnostic("sandbox-not-started", "the sandbox did not start", found=found, fix=f"read {log}"))


def _differs(run: Run) -> StateError:
    found = f"{' and '.join(sorted(run.urls))} on {run.listen}, process {run.pid}"
    title = "the sandbox of this state folder already runs in another way"
    return StateError(Diagnostic("sandbox-differs", title, found=found, fix="ppmlctl sandbox down"))

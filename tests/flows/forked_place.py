"""A place whose commands and sandbox are forks of a process that has loaded everything.

Loading is most of what a command takes, and hundreds are ended in the crash tests. A fork has a pid, a start time and
descriptors of its own; kill -9 ends it as any other process. Whole processes are what `Place` runs.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from flows.place import Place

import ppmlctl

SECONDS = 120
_LOADED_LATE = ("uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "uvicorn.lifespan.on")
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *(found.name for found in pkgutil.walk_packages(ppmlctl.__path__, "ppmlctl.") if "__main__" not in found.name),
        *("uvicorn", "docker", "dcap_qvl", "httpx", "jinja2.sandbox", "rich.console", *_LOADED_LATE),
    ]
)


class ForkedPlace(Place):
    """A place inside of `sandboxed`."""

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What the command prints and its exit code."""
        said = self.folder.parent / "stdout", self.folder.parent / "stderr"
        environment = {**os.environ, **self.variables, **variables}
        running = _FORKS.Process(target=_command, args=(words, self.folder, environment, *said))
        running.start()
        running.join(SECONDS)
        if running.exitcode is None:
            running.kill()
            raise subprocess.TimeoutExpired(words, SECONDS)
        return subprocess.CompletedProcess(words, running.exitcode, *(file.read_text() for file in said))


@contextmanager
def sandboxed(place: Place) -> Iterator[ForkedPlace]:
    """The same place with a sandbox of its own, which is ended after the block."""
    reading, writing = _FORKS.Pipe(duplex=False)
    running = _FORKS.Process(target=_sandbox, args=(place.sandbox, writing))
    running.start()
    writing.close()
    try:
        assert reading.poll(SECONDS), "the sandbox does not start"
        assert os.read(reading.fileno(), 1), (place.sandbox / "sandbox.log").read_text()
        yield ForkedPlace(place.folder, place.variables)
    finally:
        reading.close()
        running.kill()
        running.join()


def _command(words: tuple[str, ...], folder: Path, environment: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    from ppmlctl.cli.main import main

    _speak_into(stdout, stderr)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["ppmlctl", *words]
    main()


def _sandbox(state: Path, ready: Connection) -> None:
    from ppmlctl.sandbox.__main__ import main

    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    _speak_into(state / "sandbox.log", state / "sandbox.log")
    main(["--state", str(state), "--ready-descriptor", str(os.dup(ready.fileno()))])


def _speak_into(*files: Path) -> None:
    for descriptor, file in enumerate(files, 1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)

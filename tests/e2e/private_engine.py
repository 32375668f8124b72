"""A Docker engine of the test's own, which may be killed and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import docker
import pytest


class PrivateEngine:
    """dockerd with everything of it in one folder. Containers get the runtime of the shared engine, and no network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        # In a network namespace of its own: `--bridge none` would take the shared engine's docker0 away.
        command = ["unshare", "--net", "dockerd", "--data-root", f"{self._folder}/data"]
        command += ["--exec-root", f"{self._folder}/exec"]
        command += ["--host", self.host, "--pidfile", f"{self._folder}/pid", "--bridge", "none", "--iptables=false"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*command, *_runtime()], stdout=log, stderr=log, start_new_session=True)
        while not self._answers():
            if self._process.poll() is not None:
                pytest.skip(f"dockerd does not run here: {(self._folder / 'log').read_text()[-400:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as asking:
            try:
                asking.connect(f"{self._folder}/docker.sock")
                asking.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b"200 OK" in asking.recv(64)
            except OSError:
                return False

    def kill(self) -> None:
        """Ends it, and its containerd with it, as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        # Where nobody reaps orphans, the dead containerd would pass for one that lives.
        (self._folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Ends it, and its containerd with it. A killed one has left its data folder mounted."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
        subprocess.run(["umount", f"{self._folder}/data"], check=False, capture_output=True)


@contextmanager
def private_engine() -> Iterator[PrivateEngine]:
    """Starts one; a socket's path must be short, so it does not lie in the test's folder."""
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        pytest.skip("dockerd is not installed, or we are not root")
    folder = Path(tempfile.mkdtemp(prefix="ppml-"))
    engine = PrivateEngine(folder)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _runtime() -> list[str]:
    """The shared engine's default runtime, where that is another than runc: some machines need a special one."""
    with closing(docker.DockerClient(base_url=os.environ["DOCKER_HOST"])) as client:
        told = client.info()
    name = told["DefaultRuntime"]
    if name == "runc":
        return []
    return ["--add-runtime", f"{name}={told['Runtimes'][name]['path']}", "--default-runtime", name]

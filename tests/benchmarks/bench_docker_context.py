"""An unchanged image with a 1 GiB context, planned and applied, beside `docker build` of it, all of its steps cached.

In the same run; the smallest of three. Targets: plan and apply at least ten times faster, no write at the engine, and
less than 1 MiB read from files. A whole process of ppmlctl, most of it Python's imports, is shown as information: it
depends on a processor that is free, and `docker build` on the disk. Needs DOCKER_HOST, Docker's own client and 4 GiB of
disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from ppmlctl.engine import Options, Session

FILES, BYTES = 64, 16 << 20
TIMES = 3
AT_LEAST = 10.0
MOST_READ = 1 << 20

PPML = "version: 1\nname: bench\nsite: ./site.yaml\n"
SITE = "- name: image\n  docker_image: {{reference: {name}, build: {{context: ./context}}}}\n"
DOCKERFILE = "FROM scratch\nCOPY part-0 /\n"


@dataclass(frozen=True)
class Applied:
    """One plan with its apply: seconds, writes at the engine, and bytes read from files."""

    seconds: float
    writes: int
    read: int


def prepare(folder: Path, name: str) -> None:
    """Writes the environment; the context holds no two equal blocks."""
    context = folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE)
    for number in range(FILES):
        with (context / f"part-{number}").open("wb") as file:
            for _ in range(BYTES >> 20):
                file.write(os.urandom(1 << 20))
    (folder / "ppml.yaml").write_text(PPML)
    (folder / "site.yaml").write_text(SITE.format(name=name))


def apply(folder: Path) -> Applied:
    """Plans and applies in this process."""
    session = Session(Options(folder / "ppml.yaml", writes_allowed=True))
    before, started = _bytes_read(), time.perf_counter()
    plan = session.plan()
    recap = session.apply(plan, lambda _: None)
    seconds = time.perf_counter() - started
    assert recap.succeeded, recap
    return Applied(seconds, session.engines.requests()["docker"]["write"], _bytes_read() - before)


def _bytes_read() -> int:
    """By all reads of this process so far (proc(5), `rchar`)."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


def whole_process(folder: Path) -> float:
    """Seconds of `ppmlctl apply --yes`, its modules compiled, as they are wherever pip has installed them."""
    started = time.perf_counter()
    command = [sys.executable, "-c", "from ppmlctl.cli import main; main()", "apply", "--yes"]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    variables["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=variables)
    return time.perf_counter() - started


def docker_build(folder: Path, name: str) -> float:
    """Seconds of a build of which every step is cached, by the builder that the Engine API has."""
    command = ["docker", "build", "-q", "-t", name, str(folder / "context")]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "DOCKER_BUILDKIT": "0"})
    return time.perf_counter() - started


def main() -> int:
    """Prints both; 1 where a target is missed."""
    if "DOCKER_HOST" not in os.environ or shutil.which("docker") is None:
        print("left out: DOCKER_HOST is not set, or Docker's own client is not installed")
        return 0
    name = f"ppml-bench/{uuid.uuid4().hex[:12]}:1"
    os.environ.setdefault("PPML_VAULT_PASSWORD", uuid.uuid4().hex)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder, name)
        try:
            first = apply(folder)
            time.sleep(2)  # files that are younger are read each time
            apply(folder)
            whole_process(folder)
            docker_build(folder, f"{name}-peer")
            ours = [apply(folder) for _ in range(TIMES)]
            process = min(whole_process(folder) for _ in range(TIMES))
            theirs = [docker_build(folder, f"{name}-peer") for _ in range(TIMES)]  # last: the engine tidies up after it
        finally:
            subprocess.run(["docker", "rmi", "-f", name, f"{name}-peer"], check=False, capture_output=True)
    seconds, peer = min(one.seconds for one in ours), min(theirs)
    read, writes = max(one.read for one in ours), sum(one.writes for one in ours)
    print(f"plan and apply, all built         {first.seconds:7.3f} s   {first.read / 2**20:8.2f} MiB read")
    print(f"plan and apply, nothing changed   {seconds:7.3f} s   {read / 2**20:8.2f} MiB read, {writes} writes")
    print(f"docker build, all cached          {peer:7.3f} s   {peer / seconds:8.1f} times as long")
    print(
        f"ppmlctl apply, the whole process  {process:7.3f} s   {peer / process:8.1f} times as long takes docker build"
    )
    return int(peer < AT_LEAST * seconds or writes > 0 or read > MOST_READ)


if __name__ == "__main__":
    sys.exit(main())

"""Builds the base image of the end-to-end tests: busybox, the quickstart's base, and stand-ins for BigDL's scripts."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ppmlctl.clients.docker import Build, DockerClient, DockerImage, generated_context
from ppmlctl.effects import Effects
from ppmlctl.oci import Entry, File, Folder, Symlink, entries_of_folder, file_of_source

NAME = "ppml-e2e/base:1"
APPLETS = ("cat", "env", "ls", "sh", "sleep", "test")
_HERE = Path(__file__).resolve().parent
_QUICKSTART = _HERE.parents[2] / "examples" / "quickstart" / "base"
_DOCKERFILE = """\
FROM scratch
COPY rootfs/ /
ENV PATH=/usr/local/bin:/usr/bin:/bin LOCAL_IP=127.0.0.1 JAVA_HOME=/opt/jdk8 BIGDL_HOME=/ppml/bigdl
ENV SPARK_HOME=/ppml/spark-3.1.3 SPARK_VERSION=3.1.3
WORKDIR /ppml
ENTRYPOINT ["/opt/entrypoint.sh"]
"""


class BusyboxMissingError(RuntimeError):
    """There is no statically linked busybox on this machine."""


def build(client: DockerClient, name: str = NAME) -> DockerImage:
    """Makes the image, or finds it made. Raises BusyboxMissingError and what the client raises."""
    context = generated_context(_DOCKERFILE, [])
    return client.build(Build(name, [*context, *_root_file_system()]))


def static_busybox() -> Path:
    """Raises BusyboxMissingError where it is missing or needs libraries, which a dynamic loader's name in it tells."""
    found = shutil.which("busybox")
    if found is None or b"/ld-linux" in Path(found).read_bytes():
        raise BusyboxMissingError("no statically linked busybox: apt-get install busybox-static")
    return Path(found)


def _root_file_system() -> list[Entry]:
    entries: dict[str, Entry] = {}
    for folder in (_QUICKSTART, _HERE / "rootfs"):
        entries |= {f"rootfs/{entry.path}": _below_rootfs(entry) for entry in entries_of_folder(folder)}
    entries["rootfs/bin/busybox"] = file_of_source("rootfs/bin/busybox", static_busybox(), executable=True)
    entries |= {f"rootfs/bin/{name}": Symlink(f"rootfs/bin/{name}", "busybox") for name in APPLETS}
    entries |= {f"rootfs/{name}": Folder(f"rootfs/{name}") for name in ("tmp", "root", "bin")}
    return list(entries.values())


def _below_rootfs(entry: Entry) -> Entry:
    path = f"rootfs/{entry.path}"
    if isinstance(entry, File):
        return File(path, entry.open, entry.executable, entry.source)
    return Symlink(path, entry.target) if isinstance(entry, Symlink) else Folder(path)


if __name__ == "__main__":
    with DockerClient(Effects("docker", writes_allowed=True)) as engine:
        sys.stdout.write(f"{NAME} {build(engine).id}\n")

"""Builds the base image of the end-to-end tests. README.md says what stands in for what."""

from __future__ import annotations

import sys
from pathlib import Path

import docker
from root_file_system import SPARK_HOME, SPARK_VERSION, Say, root_digest, root_tarball

from ppmlctl.clients.docker import Build, DockerClient, DockerImage, generated_context
from ppmlctl.effects import Effects
from ppmlctl.oci import Entry, File, Folder, Symlink, entries_of_folder

NAME = "ppml-e2e/base:1"
_ROOT = "ppml-e2e/root"
_HERE = Path(__file__).resolve().parent
_QUICKSTART = _HERE.parents[2] / "examples" / "quickstart" / "base"
_FROM_QUICKSTART = ("usr/local/", "ppml/secured_argvs")
"""Gramine's loader, libraries and traces of its version, and the words that run in the enclave."""

_EMPTY = ("ppml/encrypted-fs", "ppml/encrypted-fsd", "ppml/encrypted_keys")
"""Folders that BigDL's image has for mounts, or for Gramine to encrypt."""

_DOCKERFILE = f"""\
FROM {_ROOT}:{{root}}
COPY rootfs/ /
ENV PATH=/opt/jdk8/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV LOCAL_IP=127.0.0.1 JAVA_HOME=/opt/jdk8 BIGDL_HOME=/ppml/bigdl SPARK_HOME=/{SPARK_HOME} SPARK_VERSION={SPARK_VERSION}
ENV LC_ALL=C.UTF-8 LANG=C.UTF-8 MALLOC_ARENA_MAX=4
WORKDIR /ppml
ENTRYPOINT ["/opt/entrypoint.sh"]
"""


def build(client: DockerClient, name: str = NAME, say: Say = lambda _line: None) -> DockerImage:
    """Makes the image, or finds it made. Raises RootFileSystemError and what the client raises."""
    root = root_digest()
    if client.inspect_image(f"{_ROOT}:{root}") is None:
        _import_root(root, say)
    context = generated_context(_DOCKERFILE.format(root=root), [])
    return client.build(Build(name, [*context, *_rootfs()]))


def _import_root(root: str, say: Say) -> None:
    tarball = root_tarball(say)
    say(f"importing {tarball}")
    engine = docker.from_env(version="auto", timeout=600).api
    try:
        engine.import_image_from_file(str(tarball), repository=_ROOT, tag=root)
    finally:
        engine.close()


def _rootfs() -> list[Entry]:
    entries: dict[str, Entry] = {path: Folder(path) for path in _EMPTY}
    for entry in entries_of_folder(_QUICKSTART):
        if f"{entry.path}/".startswith(_FROM_QUICKSTART):
            entries[entry.path] = entry
    entries |= {entry.path: entry for entry in entries_of_folder(_HERE / "rootfs")}
    return [_below_rootfs(entry) for entry in entries.values()]


def _below_rootfs(entry: Entry) -> Entry:
    path = f"rootfs/{entry.path}"
    if isinstance(entry, File):
        return File(path, entry.open, entry.executable, entry.source)
    return Symlink(path, entry.target) if isinstance(entry, Symlink) else Folder(path)


def _say(line: str) -> None:
    sys.stderr.write(f"base image: {line}\n")


if __name__ == "__main__":
    with DockerClient(Effects("docker", writes_allowed=True)) as engine:
        sys.stdout.write(f"{NAME} {build(engine, say=_say).id}\n")

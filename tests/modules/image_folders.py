"""Images that are folders of the test, for modules that look into images."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ppmlctl.clients.docker import Build, DockerImage
from ppmlctl.sgx import FolderTree, Sigstruct
from ppmlctl.sgx.bigdl import BaseSurroundings, EnclaveChoices, measured_enclave
from ppmlctl.sgx.signing_key import SigningKey

QUICKSTART = Path(__file__).parents[2] / "examples/quickstart/base"
CHOICES = EnclaveChoices(size="64M", log_level="error", attested=True)


class FolderDocker:
    """Hands out files of folders as those of images. A build copies its base, and then does what `step` does."""

    def __init__(self, images: Mapping[str, Path]) -> None:
        self.images = dict(images)
        self.calls: list[str] = []
        self.built: list[Build] = []
        self.step: Callable[[Path], None] = lambda _: None

    def read_files(self, reference: str, paths: Iterable[str], **_owner: Any) -> dict[str, bytes]:
        self.calls.append("read")
        root = self.images[reference]
        return {path: (root / path[1:]).read_bytes() for path in paths if (root / path[1:]).is_file()}

    def file_digests(self, reference: str, paths: Iterable[str], **_owner: Any) -> dict[str, str]:
        found = self.read_files(reference, paths)
        return {path: hashlib.sha256(content).hexdigest() for path, content in found.items()}

    def build(self, build: Build, tell: Callable[[str], None]) -> DockerImage:
        self.calls.append("build")
        self.built.append(build)
        tell("building")
        base = next(iter(self.images.values()))
        self.images["sha256:stage"] = base.with_name("stage")
        shutil.copytree(base, base.with_name("stage"))
        self.step(base.with_name("stage"))
        return DockerImage("sha256:stage", (build.reference,), (), build.labels)

    def remove_image(self, reference: str) -> bool:
        self.calls.append(f"remove {reference}")
        shutil.rmtree(self.images.pop("sha256:stage"))
        return True


def put_enclave(root: Path, key: SigningKey, choices: EnclaveChoices = CHOICES) -> Sigstruct:
    """Makes and signs the enclave of a root file system, as a base's Makefile does, and gives the signature."""
    tree = FolderTree(root)
    enclave = measured_enclave(tree, choices, BaseSurroundings(link_ends=tree.link_ends))
    (root / "ppml/bash.manifest.sgx").write_bytes(enclave.manifest_sgx)
    signed = Sigstruct.unsigned(enclave.measurement, enclave.gramine.version).signed_by(key)
    (root / "ppml/bash.sig").write_bytes(signed.to_bytes())
    return signed

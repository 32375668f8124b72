"""`ppmlctl enclave inspect` looks into images, and compares what was signed with what is there."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from enclave_command import Command
from imported_images import import_image
from oci.layout_folder import LayoutFolder, gzipped
from sgx.gramine_vectors import VECTORS, elf

_VECTOR = VECTORS["v1.3.1/nonpie/hand-odd"]
_LOADER = "usr/local/lib/x86_64-linux-gnu/gramine/sgx/libpal.so"
_FILES = {
    "ppml/bash.sig": _VECTOR.sigstruct,
    "ppml/bash.manifest.sgx": _VECTOR.manifest.manifest_sgx.encode(),
    _LOADER: elf(_VECTOR.elf),
}


def _layout(folder: Path, files: Mapping[str, bytes]) -> Path:
    made = LayoutFolder(folder)
    return made.index(made.image(gzipped(**files)))


def test_a_sound_layout_is_measured_too(enclave: Command, tmp_path: Path) -> None:
    told = enclave.json("inspect", "--layout", _layout(tmp_path / "layout", _FILES))
    assert told["signature_valid"] is True
    assert told["measured"] == told["mr_enclave"] == _VECTOR.mr_enclave
    assert told["measurement_matches"] is True


def test_a_signature_for_another_enclave_fails(enclave: Command, tmp_path: Path) -> None:
    other = VECTORS["v1.3.1/nonpie/hand-based"]
    layout = _layout(tmp_path / "layout", {**_FILES, "ppml/bash.sig": other.sigstruct})

    told = enclave.json("inspect", "--layout", layout, code=1)
    assert told["signature_valid"] is True
    assert (told["mr_enclave"], told["measured"]) == (other.mr_enclave, _VECTOR.mr_enclave)
    assert told["measurement_matches"] is False


def test_without_loader_the_sigstruct_is_shown_alone(enclave: Command, tmp_path: Path) -> None:
    layout = _layout(tmp_path / "layout", {"opt/app.sig": _VECTOR.sigstruct})
    told = enclave.json("inspect", "--layout", layout, "--path", "/opt/app.sig")
    assert (told["mr_enclave"], told["measured"], told["measurement_matches"]) == (_VECTOR.mr_enclave, None, None)


def test_an_image_without_a_signature_or_without_an_enclave_is_told(enclave: Command, tmp_path: Path) -> None:
    unsigned = _layout(tmp_path / "unsigned", {"ppml/bash.manifest.sgx": _FILES["ppml/bash.manifest.sgx"]})
    _, err = enclave.text("inspect", "--layout", unsigned, code=1)
    assert err == (
        "error[sigstruct-missing]: there is no SIGSTRUCT in the image\n"
        f"  is   {unsigned} has no /ppml/bash.sig\n"
        "  fix  sign it: ppmlctl enclave sign\n"
    )
    empty = _layout(tmp_path / "empty", {"a": b""})
    _, err = enclave.text("inspect", "--layout", empty, code=1)
    assert err == (
        "error[enclave-not-in-image]: there is no enclave in the image\n"
        f"  is   {empty} has neither /ppml/bash.sig nor /ppml/bash.manifest.sgx\n"
        "  fix  say where the SIGSTRUCT is: --path /folder/name.sig\n"
    )


def test_a_folder_that_is_no_layout_is_told(enclave: Command, tmp_path: Path) -> None:
    assert enclave.json("inspect", "--layout", tmp_path, code=1)["errors"][0]["code"] == "image-layout-invalid"


@pytest.fixture
def image() -> Iterator[str]:
    """The files as an image of the engine, by its id."""
    import docker

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in _FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    api = docker.APIClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    identifier = import_image(api, packed.getvalue())
    yield identifier
    api.remove_image(identifier)
    api.close()


@pytest.mark.docker
@pytest.mark.skipif("DOCKER_HOST" not in os.environ, reason="DOCKER_HOST is unset: no Docker engine to test with")
def test_an_image_at_the_engine_is_inspected_and_compared(image: str, enclave: Command, tmp_path: Path) -> None:
    told = enclave.json("inspect", "--image", image)
    assert (told["mr_enclave"], told["measured"]) == (_VECTOR.mr_enclave, _VECTOR.mr_enclave)

    told = enclave.json("diff", f"image:{image}", _layout(tmp_path / "layout", _FILES))
    assert (told["same"], told["differences"]) == (True, [])

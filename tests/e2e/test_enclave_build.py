"""Enclaves that a build makes, on a real engine: an honest one is signed, one that lies is refused."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from e2e.test_images import Place, everything_in, traces_of
from imported_images import import_image, packed
from modules.image_folders import CHOICES, QUICKSTART, put_enclave

from ppmlctl.sgx.signing_key import SigningKey

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif("DOCKER_HOST" not in os.environ, reason="DOCKER_HOST is not set"),
]

OPENSSL = r"""#!/bin/sh
# A stand-in: `openssl genrsa -3 -out FILE 3072` writes something that is easily found where it leaks.
[ "$1 $2 $3" = "genrsa -3 -out" ] && printf '%s%s\n' '-----BEGIN RSA PRIVATE' ' KEY-----' >"$4"
"""
MAKE = r"""#!/bin/sh
# A stand-in for make with BigDL's Makefile: it takes what a test has prepared.
# A key lies at the place that Gramine's tools look at.
set -e
[ -s "$HOME/.config/gramine/enclave-key.pem" ]
[ "$*" = "SGX=1 DEBUG=1 THIS_DIR=/ppml SPARK_USER=root G_SGX_SIZE=64M G_LOG_LEVEL=error" ]
cp /prepared/* /ppml/
"""


def base_folder(folder: Path) -> Path:
    """The quickstart's base with the few tools that its build runs."""
    busybox = shutil.which("busybox")
    if busybox is None or b"/ld-linux" in Path(busybox).read_bytes():
        pytest.skip("busybox is not installed, or not linked statically")
    root = Path(shutil.copytree(QUICKSTART, folder / "root"))
    (root / "bin").mkdir(exist_ok=True)
    shutil.copy(busybox, root / "bin/busybox")
    for name in ("sh", "env", "mkdir", "rm", "cp"):
        (root / "bin" / name).symlink_to("busybox")
    scripts = {"bin/bash": '#!/bin/sh\nexec sh "$@"\n', "bin/openssl": OPENSSL, "bin/make": MAKE}
    for path, text in scripts.items():
        (root / path).write_text(text)
        (root / path).chmod(0o755)
    return root


def prepare(root: Path, change: Callable[[Path, SigningKey], None] = lambda _root, _key: None) -> None:
    """What `make` will give: an enclave signed by a key to be thrown away, after `change` had its way."""
    key, work = SigningKey.generate(), root.with_name("work")
    shutil.copytree(root, work, symlinks=True)
    put_enclave(work, key)
    change(work, key)
    (root / "prepared").mkdir()
    for name in ("bash.manifest.sgx", "bash.sig"):
        shutil.copy(work / "ppml" / name, root / "prepared")


@pytest.fixture
def api() -> Iterator[docker.APIClient]:
    opened = docker.APIClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    yield opened
    opened.close()


@pytest.fixture
def place_of(tmp_path: Path, api: docker.APIClient) -> Iterator[Callable[[Path], Place]]:
    """Makes an image of a root file system, and an environment that builds on it."""
    name = f"ppml-images-test/build-{uuid.uuid4().hex[:12]}"

    def make(root: Path) -> Place:
        import_image(api, packed(root), f"{name}:base")
        (tmp_path / "ppml.yaml").write_text(
            f"version: 1\nname: build\nenclave: {{manifest: build}}\nimages:\n  base: {{reference: '{name}:base'}}\n"
            f"  custom: {{name: {name}, tag: custom, enclave_size: 64M}}\n"
        )
        return Place(tmp_path, os.environ["DOCKER_HOST"])

    yield make
    left = [tag for image in api.images(name) for tag in image["RepoTags"]]
    for tag in left:
        api.remove_image(tag)


def refused(place: Place) -> str:
    with place.start("apply", "--yes") as process:
        output = process.communicate(timeout=300)[0]
    assert process.returncode == 1, output
    assert not (place.folder / ".ppml/enclave/bash.sig").exists(), "nothing was signed"
    return output


def test_an_honest_build_is_signed_here_and_leaves_no_key(
    place_of: Callable[[Path], Place], tmp_path: Path, api: docker.APIClient
) -> None:
    root = base_folder(tmp_path)
    prepare(root)
    place = place_of(root)
    said = place.run("apply", "--yes")
    assert "Step 3/" in said
    enclave, image = place.result("enclave-in-image"), place.result("custom-image-on-engine")
    assert enclave["mr_enclave"] == place.result("enclave-of-image")["mr_enclave"]
    assert [one for one in api.images("ppmlctl-stage/*") if place.environment in str(one["RepoTags"])] == []
    searched = dict(everything_in(b"".join(api.get_image(image["reference"]))))
    key = load_pem_private_key((tmp_path / "keys/enclave-key.pem").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    assert traces_of(key, searched) == []
    assert place.applied()["recap"]["requests"]["docker"]["write"] == 0
    place.run("destroy", "--yes")


def test_a_build_step_that_signs_another_measurement_is_refused(
    place_of: Callable[[Path], Place], tmp_path: Path
) -> None:
    def sign_another(work: Path, key: SigningKey) -> None:
        manifest = (work / "ppml/bash.manifest.sgx").read_bytes()
        put_enclave(work, key, replace(CHOICES, size="128M"))
        (work / "ppml/bash.manifest.sgx").write_bytes(manifest)

    root = base_folder(tmp_path)
    prepare(root, sign_another)
    assert "error[enclave-measurement-mismatch]: an image holds another enclave" in refused(place_of(root))


@pytest.mark.parametrize(
    ("file", "code"),
    [("usr/lib/x86_64-linux-gnu/libz.so.1", "enclave-file-differs"), ("ppml/secured_argvs", "enclave-words-differ")],
)
def test_a_base_with_a_changed_trusted_file_is_refused(
    place_of: Callable[[Path], Place], tmp_path: Path, file: str, code: str
) -> None:
    root = base_folder(tmp_path)
    prepare(root)
    (root / file).write_bytes(b"another program")
    output = refused(place_of(root))
    assert f"error[{code}]: " in output
    assert f"/{file} has SHA-256" in output

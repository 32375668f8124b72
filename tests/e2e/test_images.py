"""Images through whole commands on a real engine: signed, pushed, unpacked, and built while the engine dies."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from docker_registry import running_registry
from e2e.private_engine import private_engine
from imported_images import import_image, packed
from modules.image_folders import CHOICES, put_enclave

from ppmlctl.sgx.signing_key import SigningKey

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = "dev.ppmlctl.environment"

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif("DOCKER_HOST" not in os.environ, reason="DOCKER_HOST is not set"),
]


@dataclass(frozen=True)
class Place:
    """A folder with a ppml.yaml, and the engine that its commands use."""

    folder: Path
    host: str

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [str(Path(sys.executable).with_name("ppmlctl")), *words]
        variables = {"DOCKER_HOST": self.host, "PPML_VAULT_PASSWORD": "test", "REGISTRY_PASSWORD": "hunter2"}
        environment = {**os.environ, **variables, "NO_COLOR": "1"}
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, *words: str) -> str:
        """What a command says that has to succeed."""
        with self.start(*words) as process:
            output = process.communicate(timeout=300)[0]
        assert process.returncode == 0, output
        return output

    def applied(self) -> dict[str, Any]:
        """What the last line of an apply says."""
        told: dict[str, Any] = json.loads(self.run("apply", "--yes", "-o", "json").splitlines()[-1])
        return told

    @property
    def environment(self) -> str:
        """Its identity, which labels carry."""
        return str(yaml.safe_load((self.folder / "ppml.lock").read_text())["environment"])

    def result(self, task: str) -> dict[str, Any]:
        """What the lockfile records of a task."""
        found: dict[str, Any] = yaml.safe_load((self.folder / "ppml.lock").read_text())["tasks"][task]["result"]
        return found


@pytest.fixture
def api() -> Iterator[docker.APIClient]:
    opened = docker.APIClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    yield opened
    opened.close()


@pytest.fixture
def base(api: docker.APIClient) -> Iterator[str]:
    """The quickstart's base as an image of the engine."""
    name = f"ppml-images-test/base-{uuid.uuid4().hex[:12]}:1"
    import_image(api, packed(ROOT / "examples/quickstart/base"), name)
    yield name
    api.remove_image(name)


def signed_place(folder: Path, base: str, custom: str, docker_section: str = "") -> Place:
    (folder / "ppml.yaml").write_text(
        f"version: 1\nname: images\n{docker_section}images:\n  base: {{reference: '{base}'}}\n"
        f"  custom: {{name: {custom}, tag: '1', enclave_size: 64M, push: {str(bool(docker_section)).lower()}}}\n"
    )
    return Place(folder, os.environ["DOCKER_HOST"])


def test_a_custom_image_says_what_it_is_and_holds_no_private_key(
    tmp_path: Path, api: docker.APIClient, base: str
) -> None:
    custom = f"ppml-images-test/custom-{uuid.uuid4().hex[:12]}"
    place = signed_place(tmp_path, base, custom)
    try:
        place.applied()
        enclave, image = place.result("enclave-of-image"), place.result("custom-image-on-engine")
        labels = api.inspect_image(f"{custom}:1")["Config"]["Labels"]
        assert labels["dev.ppmlctl.mr-enclave"] == enclave["mr_enclave"]
        assert labels["dev.ppmlctl.mr-signer"] == enclave["mr_signer"]
        assert labels["dev.ppmlctl.inputs"] == image["inputs"]
        key = load_pem_private_key((tmp_path / "keys/enclave-key.pem").read_bytes(), None)
        assert isinstance(key, RSAPrivateKey)
        saved = b"".join(api.get_image(f"{custom}:1"))
        searched = dict(everything_in(saved))
        assert any(name.endswith("ppml/bash.sig") for name in searched), "the search did look into layers"
        assert traces_of(key, searched) == []
        hidden = {"layer/etc/x": b"..." + number(key.private_numbers().p, "little") + b"..."}
        assert traces_of(key, hidden) == ["layer/etc/x"], "the search would have found it"
        assert place.applied()["recap"]["requests"]["docker"]["write"] == 0
    finally:
        place.run("destroy", "--yes")
    assert api.images(custom) == []


def everything_in(archive: bytes, above: str = "") -> Iterator[tuple[str, bytes]]:
    """All files of a saved image by path: configurations with the history, and what the layers hold."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            name, read = f"{above}/{member.name}", content.read()
            yield name, read
            if member.name.endswith("layer.tar"):
                yield from everything_in(read, name)


def traces_of(key: RSAPrivateKey, files: dict[str, bytes]) -> list[str]:
    """The files with a private key's header, or with numbers of this key in a form in which keys are kept."""
    private = key.private_numbers()
    numbers = (private.p, private.q, private.d, private.dmp1, private.dmq1, private.iqmp)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    traces = [b"PRIVATE KEY-----", der, base64.b64encode(der)[400:800]]
    traces += [number(one, order) for one in numbers for order in ("big", "little")]
    traces += [f"{one:x}".encode() for one in numbers]
    return [name for name, content in files.items() if any(trace in content for trace in traces)]


def number(value: int, order: Any) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, order)


def test_a_custom_image_goes_to_a_registry_and_comes_back(tmp_path: Path, api: docker.APIClient, base: str) -> None:
    place_of_registry = tmp_path / "registry-of-test"
    place_of_registry.mkdir()
    with running_registry(place_of_registry, guarded=True) as address:
        custom = f"{address}/ppml/custom-{uuid.uuid4().hex[:12]}"
        login = f"docker: {{registries: {{'{address}': {{username: ppml, password: {{env: REGISTRY_PASSWORD}}}}}}}}\n"
        place = signed_place(tmp_path, base, custom, login)
        try:
            said = place.run("apply", "--yes")
            image = place.result("pushed-image")
            accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
            url = f"http://{address}/v2/{custom.partition('/')[2]}/manifests/1"
            answer = httpx.head(url, headers=accept, auth=("ppml", "hunter2"))
            assert image["digest"] == answer.headers["Docker-Content-Digest"]
            assert "no changes" in place.run("plan").lower()
            api.remove_image(f"{custom}:1")
            api.pull(f"{custom}@{image['digest']}", auth_config={"username": "ppml", "password": "hunter2"})
            assert api.inspect_image(f"{custom}@{image['digest']}")["Id"] == image["id"]
            api.remove_image(f"{custom}@{image['digest']}")
            assert "hunter2" not in said + (tmp_path / "ppml.lock").read_text()
        finally:
            place.run("destroy", "--yes")


def test_an_engine_that_dies_during_a_build_is_waited_for_and_nothing_is_made_twice(tmp_path: Path) -> None:
    busybox = shutil.which("busybox")
    if busybox is None or b"/ld-linux" in Path(busybox).read_bytes():
        pytest.skip("busybox is not installed, or not linked statically")
    (tmp_path / "context").mkdir()
    shutil.copy(busybox, tmp_path / "context")
    steps = ("FROM scratch", "COPY busybox /", 'RUN ["/busybox", "sleep", "2"]', "LABEL done=yes")
    (tmp_path / "context" / "Dockerfile").write_text("\n".join(steps))
    (tmp_path / "ppml.yaml").write_text("version: 1\nname: images\nsite: ./site.yaml\n")
    (tmp_path / "site.yaml").write_text(
        "- name: image\n  docker_image: {reference: 'a:1', build: {context: context}}\n"
    )
    with private_engine() as engine:
        place = Place(tmp_path, engine.host)
        with place.start("apply", "--yes") as applying:
            assert applying.stdout is not None
            for line in applying.stdout:
                if "Step 3/" in line:
                    break
            engine.kill()
            engine.start()
            rest = applying.communicate(timeout=120)[0]
        assert applying.returncode == 0, rest
        assert "the connection to the Docker engine broke; next try in" in rest
        with closing(docker.DockerClient(base_url=engine.host)) as client:
            (image,) = client.images.list(filters={"label": ENVIRONMENT})
            assert image.id == place.result("image")["id"]
            assert image.tags == ["a:1"]
            assert client.containers.list() == []
        assert place.applied()["recap"]["requests"]["docker"]["write"] == 0


def test_a_demo_image_is_measured_and_needs_no_key(tmp_path: Path) -> None:
    root = Path(shutil.copytree(ROOT / "examples/quickstart/base", tmp_path / "root"))
    publisher = SigningKey.generate()
    signed = put_enclave(root, publisher, replace(CHOICES, size="4G"))
    (tmp_path / "ppml.yaml").write_text("version: 1\nname: demo\nimages: {catalogue: {size: 4g}}\n")
    with private_engine() as engine, closing(docker.APIClient(base_url=engine.host, version="auto")) as api:
        name = "intelanalytics/bigdl-ppml-trusted-bigdata-gramine-reference-4g:2.3.0-SNAPSHOT"
        import_image(api, packed(root), name)
        place = Place(tmp_path, engine.host)
        said = place.run("apply", "--yes")
        assert place.result("enclave-of-catalogue")["mr_enclave"] == signed.mr_enclave
        assert place.result("enclave-of-catalogue")["mr_signer"] == publisher.mr_signer
        assert "warning[demo-image]" in said
        assert not (tmp_path / "keys").exists()
        assert place.applied()["recap"]["requests"]["docker"]["write"] == 0
        place.run("destroy", "--yes")
        assert api.inspect_image(name), "what was pulled stays"

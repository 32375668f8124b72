"""A registry gets what was looked at last and found good, and nothing else: a real engine, a real registry."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import httpx
import pytest
from docker_registry import running_registry
from e2e.test_enclave_build import base_folder
from e2e.test_images import Place
from imported_images import import_image, packed

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif("DOCKER_HOST" not in os.environ, reason="DOCKER_HOST is not set"),
]

TAMPERING = {
    "the words it runs": ("echo another program >/ppml/secured_argvs", "error[enclave-words-differ]"),
    "the loader": (
        "cd /usr/local/lib/x86_64-linux-gnu/gramine && /bin/busybox sed -i s/never/often/ sgx/libpal.so",
        "error[enclave-measurement-mismatch]",
    ),
}
"""What a base does while something is built on it, after its own files were measured; and what is said about it."""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with running_registry(folder) as address:
        yield address


@pytest.fixture
def custom(registry: str) -> str:
    """The name of the image that is to be pushed."""
    return f"{registry}/ppml/push-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def import_base(tmp_path: Path, custom: str) -> Iterator[Callable[..., None]]:
    """Gives the engine a base that does something whenever anything is built on it; takes all away at the end."""
    root = packed(base_folder(tmp_path))
    api = docker.APIClient(base_url=os.environ["DOCKER_HOST"], version="auto")

    def make(*steps: str) -> None:
        import_image(api, root, f"{custom}:base", [f"ONBUILD RUN {step}" for step in steps])

    yield make
    for tag in [tag for image in api.images(custom) for tag in image["RepoTags"]]:
        api.remove_image(tag)
    api.close()


@pytest.fixture
def place(tmp_path: Path, custom: str) -> Place:
    (tmp_path / "ppml.yaml").write_text(
        f"version: 1\nname: push\nimages:\n  base: {{reference: '{custom}:base'}}\n"
        f"  custom: {{name: '{custom}', tag: '1', enclave_size: 64M, push: true}}\n"
    )
    return Place(tmp_path, os.environ["DOCKER_HOST"])


def tags_of(custom: str) -> httpx.Response:
    address, _, repository = custom.partition("/")
    return httpx.get(f"http://{address}/v2/{repository}/tags/list")


@pytest.mark.parametrize("what", TAMPERING)
def test_an_image_that_the_last_look_refuses_is_not_in_the_registry(
    what: str, place: Place, custom: str, import_base: Callable[..., None], tmp_path: Path
) -> None:
    step, error = TAMPERING[what]
    import_base(step)
    with place.start("apply", "--yes") as process:
        said = process.communicate(timeout=300)[0]
    assert process.returncode == 1, said
    assert error in said
    assert tags_of(custom).status_code == httpx.codes.NOT_FOUND
    assert not list((tmp_path / "registry").rglob("blobs")), "not a byte of it was sent"
    import_base()
    place.run("apply", "--yes")
    assert tags_of(custom).json()["tags"] == ["1"]
    place.run("destroy", "--yes")


def test_what_a_registry_lost_is_sent_again_and_a_removal_leaves_it(
    place: Place, custom: str, import_base: Callable[..., None]
) -> None:
    import_base()
    place.run("apply", "--yes")
    pushed = place.result("pushed-image")
    assert place.applied()["recap"]["requests"]["docker"]["write"] == 0
    address, _, repository = custom.partition("/")
    manifest = f"http://{address}/v2/{repository}/manifests/{pushed['digest']}"
    assert httpx.delete(manifest).status_code == httpx.codes.ACCEPTED
    assert "was made before, is not there any more" in place.run("apply", "--yes")
    assert place.result("pushed-image") == pushed
    assert f"{custom}:1 in its registry" in place.run("destroy", "--yes")
    assert tags_of(custom).json()["tags"] == ["1"]

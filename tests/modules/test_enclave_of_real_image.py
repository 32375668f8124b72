from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from imported_images import import_image, packed

from ppmlctl.effects import Effects
from ppmlctl.modules.enclave_signature import EnclaveSignature
from ppmlctl.sgx import FolderTree
from ppmlctl.sgx.bigdl import BaseSurroundings, EnclaveChoices, measured_enclave
from ppmlctl.sgx.signing_key import SigningKey

_BASE = Path(__file__).parents[2] / "examples/quickstart/base"

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif("DOCKER_HOST" not in os.environ, reason="DOCKER_HOST is unset: no Docker engine to test with"),
]


@pytest.fixture
def image() -> Iterator[str]:
    """The quickstart's base as an image of the engine, by its id."""
    import docker

    api = docker.APIClient(base_url=os.environ["DOCKER_HOST"], version="auto")
    identifier = import_image(api, packed(_BASE))
    yield identifier
    api.remove_image(identifier)
    api.close()


def test_an_image_at_the_engine_measures_like_its_folder(
    image: str, make_context: Any, drive: Any, tmp_path: Path
) -> None:
    from ppmlctl.clients.docker import DockerClient

    key = SigningKey.generate()
    (tmp_path / "key.pem").write_bytes(key.to_pem().reveal_bytes())
    (tmp_path / "key.pem").chmod(0o600)
    arguments = {"image": image, "size": "64M", "log_level": "error", "key": "key.pem", "mr_signer": key.mr_signer}

    with DockerClient(Effects("docker", writes_allowed=True)) as client:
        task = drive(EnclaveSignature(), make_context(engines=SimpleNamespace(docker=client)), **arguments)
        result = task.apply()
    choices = EnclaveChoices(size="64M", log_level="error", attested=True)
    in_folder = measured_enclave(FolderTree(_BASE), choices, BaseSurroundings())
    assert result.mr_enclave == in_folder.measurement.mr_enclave

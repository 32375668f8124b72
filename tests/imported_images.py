"""Root file systems as images of a real engine, labelled with the test that made them: what one leaves is found by

docker images --filter label=dev.ppmlctl.test
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import docker

LABEL = "dev.ppmlctl.test"


def labels_of_test() -> dict[str, str]:
    """The labels of what the running test makes."""
    return {LABEL: os.environ["PYTEST_CURRENT_TEST"].partition(" ")[0]}


def packed(folder: Path) -> bytes:
    """A root file system as the engine takes it."""
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as archive:
        archive.add(folder, arcname=".")
    return into.getvalue()


def import_image(api: docker.APIClient, root: bytes, reference: str | None = None, changes: Sequence[str] = ()) -> str:
    """Makes an image of a packed root file system, and gives its id. `changes` are instructions of a Dockerfile."""
    name, _, tag = (reference or "").rpartition(":")
    labels = [f"LABEL {label}={json.dumps(test)}" for label, test in labels_of_test().items()]
    answer = api.import_image_from_data(root, repository=name or None, tag=tag or None, changes=[*labels, *changes])
    return str(json.loads(answer.splitlines()[-1])["status"])

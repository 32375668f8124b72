"""What a plan says about the connections that it has opened."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ppmlctl.engine.engines import OpenEngines


@pytest.fixture
def engines(tmp_path: Path) -> OpenEngines:
    environment: Any = None
    return OpenEngines(environment, tmp_path, sandbox=None, writes_allowed=False, secret_of=lambda _: None)  # type: ignore[arg-type,return-value]  # nothing is opened


def test_what_was_not_opened_is_not_spoken_of(engines: OpenEngines) -> None:
    assert engines.warnings() == []


def test_a_docker_engine_that_is_not_verified_is_named(engines: OpenEngines) -> None:
    engines.__dict__["_docker"] = SimpleNamespace(unverified_host="tcp://build.example.com:2375")
    (warning,) = engines.warnings()
    assert list(warning.lines()) == [
        "warning[insecure-docker]: any machine may pass for the Docker engine",
        "  is   tcp://build.example.com:2375 is reached without TLS that verifies it",
        "  why  whoever answers there can change the images that are built and measured",
        "  fix  set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or reach it by ssh://",
    ]

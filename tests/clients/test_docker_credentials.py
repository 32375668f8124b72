"""Who one is at a registry by Docker's own configuration, and what is said where that gives no login."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.auth import INDEX_URL, AuthConfig

from ppmlctl.clients.docker import faults
from ppmlctl.clients.docker.credentials import Login, Registries

GONE = "docker-credential-desktop"


def api(config: dict[str, Any]) -> Any:
    return SimpleNamespace(_auth_configs=AuthConfig.load_config(None, config))


@pytest.mark.parametrize(
    "config", [{"credsStore": "desktop"}, {"credHelpers": {INDEX_URL: "desktop", "quay.io": "desktop"}}]
)
@pytest.mark.parametrize("image", ["quay.io/org/image:1", "docker.io/library/image"])
def test_a_helper_that_is_not_installed_is_a_pull_as_nobody(
    config: dict[str, Any], image: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    login = Registries({}).login_of(api(dict(config)), image)
    registry = image.partition("/")[0]
    assert login == Login(missing=f"Docker's config.json names {GONE} for {registry}, which is not installed")


def test_a_refusal_names_the_helper_that_gave_no_login() -> None:
    missing = f"Docker's config.json names {GONE} for quay.io, which is not installed"
    (diagnostic,) = faults.pull_failed("quay.io/a/b:1", "unauthorized", missing=missing).diagnostics
    assert diagnostic.fix == f"mend this, or say docker.registries in ppml.yaml: {missing}"
    (diagnostic,) = faults.pull_failed("quay.io/a/b:1", "no such host", missing=missing).diagnostics
    assert diagnostic.fix == "docker pull quay.io/a/b:1"


@pytest.mark.parametrize("answer", ["exit 1", "echo no-json", "echo '{}'", 'echo \'{"Username": "u"}\''])
def test_a_helper_that_gives_no_login_is_a_pull_as_nobody(
    answer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    helper = tmp_path / GONE
    helper.write_text(f"#!/bin/sh\n{answer}\n")
    helper.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    login = Registries({}).login_of(api({"credsStore": "desktop"}), "quay.io/a/b")
    assert (login.auth, login.missing) == (
        {},
        f"Docker's config.json names {GONE} for quay.io, which gives no login",
    )


def test_an_entry_of_the_file_is_sent_where_the_store_is_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"auths": {"quay.io": {"auth": "dTpwYXNz"}}, "credHelpers": {"gcr.io": "gone"}}
    login = Registries({}).login_of(api(config), "quay.io/a/b")
    assert (login.auth["username"], login.auth["password"], login.missing) == ("u", "pass", "")
    assert "pass" not in repr(login)


def test_a_build_is_sent_what_the_helpers_that_are_there_give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    helper = tmp_path / "docker-credential-here"
    helper.write_text(f"#!/bin/sh\necho '{json.dumps({'ServerURL': 'x', 'Username': 'u', 'Secret': 's'})}'\n")
    helper.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    engine = api({"credsStore": "desktop", "credHelpers": {"gcr.io": "here", "quay.io": "gone"}})
    Registries({}).prepare_build(engine)
    assert sorted(engine._auth_configs.get_all_credentials()) == ["gcr.io"]

"""Docker's own configuration: odd files never stop what needs none of it, and contexts lead where docker goes."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

import pytest
from docker_registry import running_registry
from recording_server import lab

from ppmlctl.clients.docker import DockerClient
from ppmlctl.clients.docker.configuration import load
from ppmlctl.clients.docker.connection import Connection
from ppmlctl.clients.docker.endpoint import Endpoint, endpoint_of
from ppmlctl.diagnostics import EngineError
from ppmlctl.effects import Effects

GOOD = {"auth": base64.b64encode(b"u:p").decode()}
ODD = {
    "not JSON": "{",
    "empty": "",
    "a list": "[]",
    "a number": "5",
    "null": "null",
    "deep": "[" * 100_000,
    "auths a list": '{"auths": []}',
    "auths a number": '{"auths": 5}',
    "an entry a text": '{"auths": {"quay.io": "x"}}',
    "bad base64": '{"auths": {"quay.io": {"auth": "%%%"}}}',
    "no colon": '{"auths": {"quay.io": {"auth": "YWJj"}}}',
    "not UTF-8": '{"auths": {"quay.io": {"auth": "/zpw"}}}',
    "auth a number": '{"auths": {"quay.io": {"auth": 5}}}',
    "credHelpers a number": '{"credHelpers": 5}',
    "a helper a number": '{"credHelpers": {"quay.io": 5}}',
    "credsStore a list": '{"credsStore": []}',
    "proxies a list": '{"proxies": []}',
    "a proxy a number": '{"proxies": {"default": 5}}',
    "currentContext a number": '{"currentContext": 5}',
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_file_is_left_out_and_named(kind: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(ODD[kind])
    found = load({"DOCKER_CONFIG": str(tmp_path)})
    assert not any(found.content.values())
    assert str(tmp_path / "config.json") in found.fault
    assert endpoint_of(None, {}, found).host == "unix:///var/run/docker.sock"


def test_what_is_whole_counts_beside_what_is_odd(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"a.io": GOOD, "b.io": {"auth": "%"}, "c.io": {}}}))
    found = load({"DOCKER_CONFIG": str(tmp_path)})
    assert found.content["auths"] == {"a.io": GOOD, "c.io": {}}
    assert found.fault == f"{tmp_path / 'config.json'} has auths.b.io of another shape"


def test_a_folder_in_the_files_place_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    assert load({"DOCKER_CONFIG": str(tmp_path)}).fault.endswith("cannot be read: Is a directory")


def test_a_pipe_in_the_files_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(EngineError, match="is no regular file"):
        load({"DOCKER_CONFIG": str(tmp_path)})


def test_an_entry_without_auth_may_have_user_and_password(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"a.io": {"username": "u", "password": "p"}}}))
    assert load({"DOCKER_CONFIG": str(tmp_path)}).content["auths"] == {"a.io": GOOD}


def make_context(folder: Path, meta: object, tls: tuple[str, ...] = (), name: str = "far") -> dict[str, str]:
    """Docker's folder with a context; the environment that names the folder."""
    identity = hashlib.sha256(name.encode()).hexdigest()
    file = folder / "contexts" / "meta" / identity / "meta.json"
    file.parent.mkdir(parents=True)
    file.write_text(meta if isinstance(meta, str) else json.dumps(meta))
    material = folder / "contexts" / "tls" / identity / "docker"
    material.mkdir(parents=True)
    for one in tls:
        (material / one).touch()
    return {"DOCKER_CONFIG": str(folder)}


def meta(**endpoint: object) -> dict[str, object]:
    return {"Name": "far", "Metadata": {}, "Endpoints": {"docker": endpoint}}


def found_in(environment: dict[str, str], given: str | None = None) -> Endpoint:
    return endpoint_of(given, environment, load(environment))


def test_the_current_context_is_asked_and_the_environment_wins(tmp_path: Path) -> None:
    environment = make_context(tmp_path, meta(Host="tcp://far:2375"))
    assert found_in(environment).host == "unix:///var/run/docker.sock"
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    assert found_in(environment) == Endpoint("tcp://far:2375", "Docker's context 'far'")
    assert found_in({**environment, "DOCKER_CONTEXT": "default"}).host == "unix:///var/run/docker.sock"
    assert found_in({**environment, "DOCKER_HOST": "tcp://here:1"}) == Endpoint("tcp://here:1", "DOCKER_HOST")
    given = found_in({**environment, "DOCKER_HOST": "tcp://here:1"}, "tcp://mine:1")
    assert given == Endpoint("tcp://mine:1", "docker.host in ppml.yaml")


@pytest.mark.parametrize(
    ("files", "skips", "verify"),
    [(("ca.pem",), False, True), (("ca.pem", "cert.pem", "key.pem"), False, True), ((), True, False)],
)
def test_the_tls_of_a_context_counts(files: tuple[str, ...], skips: bool, verify: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a table's columns
    environment = make_context(tmp_path, meta(Host="tcp://far:2376", SkipTLSVerify=skips), files)
    tls = found_in({**environment, "DOCKER_CONTEXT": "far"}).tls
    assert tls is not None
    assert tls.verify is verify
    assert (tls.ca_cert is not None) is ("ca.pem" in files)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"Endpoints": []}', '{"Endpoints": {"docker": 5}}'])
def test_a_context_of_another_shape_is_one_message(content: str, tmp_path: Path) -> None:
    environment = make_context(tmp_path, content)
    with pytest.raises(EngineError, match=r"Docker's context 'far' \(from DOCKER_CONTEXT\)"):
        found_in({**environment, "DOCKER_CONTEXT": "far"})


def test_a_context_that_is_not_there_is_named_with_who_names_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "gone"}')
    with pytest.raises(EngineError) as caught:
        found_in({"DOCKER_CONFIG": str(tmp_path)})
    assert str(caught.value) == (
        "error[docker-configuration-invalid]: Docker's configuration does not lead to an engine\n"
        f"  is   there is no Docker context 'gone' (from {tmp_path / 'config.json'})\n"
        "  fix  docker context ls"
    )


def test_certificates_that_are_not_there_are_one_message(tmp_path: Path) -> None:
    environment = {"DOCKER_HOST": "tcp://far:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    with pytest.raises(EngineError) as caught:
        found_in(environment)
    assert [one.code for one in caught.value.diagnostics] == ["docker-configuration-invalid"]


def test_an_engine_over_ssh_without_the_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppmlctl.clients.docker.endpoint.find_spec", lambda _name: None)
    with pytest.raises(EngineError) as caught:
        found_in({"DOCKER_HOST": "ssh://me@far"})
    assert str(caught.value) == (
        "error[docker-ssh-missing]: the Docker engine is reached over SSH, which is not installed\n"
        "  is   ssh://me@far (from DOCKER_HOST)\n"
        "  fix  pip install paramiko where ppmlctl is installed, or lead its socket here:\n"
        "       ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock me@far\n"
        "       export DOCKER_HOST=unix:///tmp/docker.sock"
    )


def test_a_file_of_endless_depth_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(ODD["deep"])
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    connection = Connection("tcp://127.0.0.1:1")
    with pytest.raises(EngineError, match="it is nested more than"), connection.request("list images"):
        pass


def test_the_mark_that_some_editors_begin_text_with_is_read_over(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("\ufeff" + json.dumps({"auths": {"a.io": GOOD}}))
    assert load({"DOCKER_CONFIG": str(tmp_path)}).content["auths"] == {"a.io": GOOD}


@pytest.mark.parametrize("kind", ["a list", "bad base64", "credHelpers a number", "a proxy a number"])
def test_an_engine_is_asked_whatever_the_file_holds(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(ODD[kind])
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with lab(tmp_path / "lab") as made:
        connection = Connection(f"tcp://127.0.0.1:{made.plain_port}")
        with pytest.raises(EngineError), connection.request("list images"):
            pass
        assert [one["path"] for one in made.take()] == ["/version"]


@pytest.mark.docker
@pytest.mark.skipif("DOCKER_HOST" not in os.environ, reason="DOCKER_HOST is not set")
@pytest.mark.parametrize("kind", [kind for kind in ODD if kind != "deep"])
def test_a_public_image_is_pulled_whatever_the_file_holds(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text(ODD[kind])
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with running_registry(tmp_path) as registry, DockerClient(Effects("docker", writes_allowed=True)) as client:
        with pytest.raises(EngineError) as caught:
            client.pull(f"{registry}/nobody/nothing:1")
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "docker-pull-failed"
        assert "manifest unknown" in diagnostic.found or "not found" in diagnostic.found

"""One sandbox process for the session; each test of its Kubernetes API gets a namespace of its own."""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ppmlctl.sandbox import Sandbox, down, up

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    state = tmp_path_factory.mktemp("sandbox") / "state"
    yield up(state)
    down(state)


@dataclass(frozen=True)
class Api:
    """The Kubernetes API as a test speaks to it, in one namespace."""

    http: httpx.Client
    namespace: str

    def path(self, plural: str, name: str = "", group: str = "") -> str:
        root = f"/apis/{group}/v1" if group else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def apply(self, path: str, manifest: dict[str, Any], manager: str = "ppmlctl", **query: str) -> httpx.Response:
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return self.http.patch(path, params={"fieldManager": manager, **query}, json=manifest, headers=headers)

    def events(self, path: str, count: int, **query: str) -> list[Any]:
        """The first events of a watch."""
        parameters = {"watch": "1", "timeoutSeconds": "20", **query}
        with self.http.stream("GET", path, params=parameters) as stream:
            return [json.loads(line) for line in itertools.islice(stream.iter_lines(), count)]

    def eventually(self, path: str, *types: str) -> Any:
        """The object when it has a condition or phase of one of these types."""
        collection, _, name = path.rpartition("/")
        query = {"watch": "1", "timeoutSeconds": "20", "fieldSelector": f"metadata.name={name}"}
        with self.http.stream("GET", collection, params=query) as stream:
            for line in stream.iter_lines():
                found = json.loads(line)["object"]
                state = found.get("status", {})
                reached = {state.get("phase"), *(condition["type"] for condition in state.get("conditions", []))}
                if reached & set(types):
                    return found
        raise AssertionError(f"{path} reached none of {types}")


def client_of(sandbox: Sandbox) -> httpx.Client:
    assert sandbox.kubernetes_url
    assert sandbox.kubeconfig
    token = json.loads(sandbox.kubeconfig.read_text())["users"][0]["user"]["token"]
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "tests/1"}
    trust = ssl.create_default_context(cafile=str(sandbox.ca))
    return httpx.Client(base_url=sandbox.kubernetes_url, headers=headers, verify=trust, trust_env=False)


@pytest.fixture(scope="session")
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client_of(sandbox) as client:
        yield client


@pytest.fixture
def api(http: httpx.Client) -> Api:
    namespace = f"test-{next(_numbers)}"
    body = {"metadata": {"name": namespace}}
    assert http.post("/api/v1/namespaces", json=body).status_code == 201
    return Api(http, namespace)


def requests_to(state: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (state / "requests.jsonl").read_text().splitlines()]

"""One sandbox process for the session; each test of its Kubernetes API gets a namespace of its own."""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ppmlctl.sandbox import Sandbox, down, up

_numbers = itertools.count(1)
SECONDS = 60
"""For an answer, however busy the machine is."""


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

    def until(self, path: str, test: Callable[[Any], bool], **query: str) -> Any:
        """The first object that a watch tells of and that passes the test."""
        parameters = {"watch": "1", "timeoutSeconds": "20", **query}
        with self.http.stream("GET", path, params=parameters) as stream:
            for line in stream.iter_lines():
                found = json.loads(line)["object"]
                if test(found):
                    return found
        raise AssertionError(f"nothing under {path} passed the test in time")

    def eventually(self, path: str, condition: str) -> Any:
        """The object when it has this condition."""
        collection, _, name = path.rpartition("/")

        def has_it(found: Any) -> bool:
            return condition in {known["type"] for known in found.get("status", {}).get("conditions", [])}

        return self.until(collection, has_it, fieldSelector=f"metadata.name={name}")


def connect_to(sandbox: Sandbox) -> httpx.Client:
    assert sandbox.kubernetes_url
    assert sandbox.kubeconfig
    token = json.loads(sandbox.kubeconfig.read_text())["users"][0]["user"]["token"]
    headers = {"Authorization": f"Bearer {token}", "User-Agent": "tests/1"}
    trust = ssl.create_default_context(cafile=str(sandbox.ca))
    return httpx.Client(
        base_url=sandbox.kubernetes_url, headers=headers, verify=trust, trust_env=False, timeout=SECONDS
    )


@pytest.fixture
def connect() -> Callable[[Sandbox], httpx.Client]:
    """A client of a sandbox's Kubernetes API."""
    return connect_to


@pytest.fixture(scope="session")
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with connect_to(sandbox) as client:
        yield client


@pytest.fixture
def api(http: httpx.Client) -> Api:
    namespace = f"test-{next(_numbers)}"
    body = {"metadata": {"name": namespace}}
    assert http.post("/api/v1/namespaces", json=body).status_code == 201
    return Api(http, namespace)

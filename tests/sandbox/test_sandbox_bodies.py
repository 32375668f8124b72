"""Bodies that are no value of any use are refused by every service of the sandbox in its own words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox.ehsm_service import Service
from sandbox.test_sandbox_attestation import asked

from ppmlctl.sandbox.attestation import make_app
from ppmlctl.sandbox.kubernetes import make_app as make_kubernetes
from ppmlctl.sandbox.tls import ensure_certificates

DEEP = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
NUMBER = b'{"a":' + b"9" * 6_000 + b"}"
BODIES = {
    "deep": DEEP,
    "deeper": b"[" * 100_000 + b"]" * 100_000,
    "long number": NUMBER,
    "no json": b"{",
    "nan": b"[NaN]",
}
YAML = {
    "deep": b"[" * 2_000 + b"]" * 2_000,
    "many by aliases": b"a: &a [1,1,1,1,1,1,1,1,1,1]\n"
    + b"".join(b"%c: &%c [%s]\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 10)) for n in range(97, 105)),
    "itself": b"a: &a [*a]",
    "not finite": b"a: .inf",
}
JSON_TYPES = ("application/json", "application/merge-patch+json", "application/json-patch+json")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("kubernetes")
    return make_kubernetes(folder, token="t", ca=ensure_certificates(folder / "tls", ["127.0.0.1"]).ca)


def sent(app: Any, method: str, place: str = "", **content: Any) -> httpx.Response:
    headers = {"Authorization": "Bearer t", **content.pop("headers", {})}
    return asked(app, method, f"/api/v1/namespaces/default/configmaps{place}", headers=headers, **content)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("media_type", JSON_TYPES)
def test_the_api_server_refuses_it(app: Any, body: str, media_type: str) -> None:
    way = ("POST", "") if media_type == "application/json" else ("PATCH", "/a")
    answer = sent(app, *way, content=BODIES[body], headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize("body", YAML)
def test_the_api_server_refuses_yaml_that_is_no_json(app: Any, body: str) -> None:
    headers = {"Content-Type": "application/apply-patch+yaml"}
    answer = sent(app, "PATCH", "/a?fieldManager=m", content=YAML[body], headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


def test_the_api_server_takes_a_body_of_a_deletion_or_none(app: Any) -> None:
    for options in ({}, {"json": {"kind": "DeleteOptions", "apiVersion": "v1"}}):
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
        assert sent(app, "POST", json=manifest).status_code == 201
        assert sent(app, "DELETE", "/a", **options).status_code == 200
    answer = sent(app, "DELETE", "/a", content=DEEP, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_the_api_server_refuses_a_deep_place_to_go_on_from(app: Any) -> None:
    answer = sent(app, "GET", "?continue=" + "W1tb" * 10_000)
    assert answer.status_code == 400


@pytest.mark.parametrize("body", BODIES)
def test_the_attestation_service_refuses_it(tmp_path: Path, body: str) -> None:
    app = make_app(tmp_path)
    for path in ("/registerPolicy", "/verifyQuote"):
        answer = asked(app, "POST", path, content=BODIES[body])
        assert (answer.status_code, answer.text) == (400, "The request content was malformed.")


@pytest.mark.parametrize("body", BODIES)
def test_ehsm_refuses_it(tmp_path: Path, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = Service(tmp_path).http("POST", "/ehsm?Action=GetQuotePolicy", content=BODIES[body], headers=headers)
    if body == "deeper":
        assert (answer.status_code, "PayloadTooLargeError" in answer.text) == (413, True)
        return
    assert (answer.status_code, answer.json()["code"]) == (200, 400)
    assert answer.json()["message"] in {"Invalid JSON", "Missing required parameters"}

"""Requests as values: what is sent, and that a declared read is one."""

from __future__ import annotations

import pytest

from ppmlctl.clients.kubernetes import ObjectKey, key_of, requests
from ppmlctl.clients.kubernetes.requests import Applying, Request
from ppmlctl.clients.kubernetes.resources import WELL_KNOWN
from ppmlctl.effects import Effect
from ppmlctl.kubernetes.prepare import prepared

SECRETS = WELL_KNOWN["v1", "Secret"]
SECRET = ObjectKey("v1", "Secret", "ns", "s")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_cannot_be_declared_a_read(method: str) -> None:
    with pytest.raises(ValueError, match="is declared a read, and is none"):
        Request(Effect.READ, "apply", "Secret ns/s", method, SECRETS.item("ns", "s"))


def test_dry_runs_and_access_reviews_read() -> None:
    dry = requests.apply(SECRETS, SECRET, {}, Applying(dry_run=True))
    review = requests.access_review("get", SECRETS, "ns")
    assert (dry.effect, review.effect) == (Effect.READ, Effect.READ)
    assert "dryRun=All" in dry.url


def test_an_apply_is_a_patch_of_the_object_in_our_name() -> None:
    request = requests.apply(SECRETS, SECRET, {"a": 1}, Applying("ppmlctl", force=True))
    assert (request.effect, request.method, request.content_type) == (
        Effect.WRITE,
        "PATCH",
        "application/apply-patch+yaml",
    )
    assert request.url == "/api/v1/namespaces/ns/secrets/s?fieldManager=ppmlctl&force=true"
    assert request.payload == b'{"a": 1}'


def test_the_body_of_a_request_is_not_in_its_representation() -> None:
    assert "hunter2" not in repr(requests.create(SECRETS, SECRET, {"data": "hunter2"}))


def test_a_key_reads_as_people_write_it() -> None:
    assert str(SECRET) == "Secret ns/s"
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}}
    assert str(key_of(role)) == "ClusterRole r"


def test_cluster_wide_kinds_lie_outside_of_namespaces() -> None:
    resource = WELL_KNOWN["rbac.authorization.k8s.io/v1", "ClusterRole"]
    assert resource.item("ignored", "r") == "/apis/rbac.authorization.k8s.io/v1/clusterroles/r"


def test_preparing_changes_nothing_but_what_it_names() -> None:
    manifest = {"kind": "Secret", "data": {"a": "eA=="}, "stringData": {"b": "y"}}
    assert prepared(manifest) == {"kind": "Secret", "data": {"a": "eA==", "b": "eQ=="}}
    assert manifest["stringData"] == {"b": "y"}
    ports = [{"port": 53, "protocol": "UDP"}, {"port": 53}]
    service = prepared({"kind": "Service", "spec": {"ports": ports}})
    assert [port["protocol"] for port in service["spec"]["ports"]] == ["UDP", "TCP"]
    config = {"kind": "ConfigMap", "stringData": {}}
    assert prepared(config) == config

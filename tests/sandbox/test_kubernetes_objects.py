"""The rules of single requests."""

from __future__ import annotations

import base64

import pytest


def configmap(name="settings", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def create(api, manifest, plural="configmaps", **query):
    return api.http.post(api.path(plural), json=manifest, params=query)


def test_a_created_object_gets_identity_and_is_found_again(api):
    created = create(api, configmap(a="1"))
    assert created.status_code == 201
    metadata = created.json()["metadata"]
    assert metadata["namespace"] == api.namespace
    assert metadata["uid"]
    assert metadata["resourceVersion"].isdecimal()
    assert api.http.get(api.path("configmaps", "settings")).json() == created.json()


def test_an_absent_object_is_not_found(api):
    answer = api.http.get(api.path("configmaps", "absent"))
    assert answer.status_code == 404
    assert answer.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "absent" not found',
        "reason": "NotFound",
        "details": {"name": "absent", "kind": "configmaps"},
        "code": 404,
    }


def test_a_second_creation_is_refused(api):
    create(api, configmap())
    answer = create(api, configmap())
    assert (answer.status_code, answer.json()["reason"]) == (409, "AlreadyExists")


def test_nothing_is_created_in_an_absent_namespace(api):
    answer = api.apply("/api/v1/namespaces/absent/configmaps/settings", configmap())
    assert (answer.status_code, answer.json()["message"]) == (404, 'namespaces "absent" not found')


def test_a_request_without_the_token_is_unauthorized(api):
    answer = api.http.get(api.path("configmaps"), headers={"Authorization": "Bearer other"})
    assert (answer.status_code, answer.json()["reason"]) == (401, "Unauthorized")


def test_a_dry_run_stores_nothing(api):
    answer = api.apply(api.path("configmaps", "settings"), configmap(a="1"), dryRun="All")
    assert (answer.status_code, answer.json()["data"]) == (201, {"a": "1"})
    assert api.http.get(api.path("configmaps", "settings")).status_code == 404


def test_an_update_of_an_older_state_is_a_conflict(api):
    first, path = create(api, configmap(a="1")).json(), api.path("configmaps", "settings")
    assert api.http.put(path, json={**first, "data": {"a": "2"}}).status_code == 200
    late = api.http.put(path, json={**first, "data": {"a": "3"}})
    assert (late.status_code, late.json()["reason"]) == (409, "Conflict")


def test_a_merge_patch_sets_and_removes(api):
    create(api, configmap(a="1", b="2"))
    headers = {"Content-Type": "application/merge-patch+json"}
    patch = {"data": {"a": None, "c": "3"}}
    patched = api.http.patch(api.path("configmaps", "settings"), json=patch, headers=headers)
    assert patched.json()["data"] == {"b": "2", "c": "3"}


def test_an_unknown_patch_type_is_refused(api):
    headers = {"Content-Type": "application/some-other-patch+json"}
    answer = api.http.patch(api.path("configmaps", "settings"), json={}, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (415, "UnsupportedMediaType")


def test_a_write_that_changes_nothing_keeps_the_resource_version(api):
    first = api.apply(api.path("configmaps", "settings"), configmap(a="1"))
    again = api.apply(api.path("configmaps", "settings"), configmap(a="1"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


@pytest.mark.parametrize(
    "selector", ["app=x", "app in (x, y)", "app", "app!=z", "!other", "app==x,other notin (q)", "app=x,app in (x)"]
)
def test_label_selectors_choose(api, selector):
    wanted = configmap("chosen")
    wanted["metadata"]["labels"] = {"app": "x"}
    create(api, wanted)
    listed = api.http.get(api.path("configmaps"), params={"labelSelector": selector}).json()["items"]
    assert "chosen" in [item["metadata"]["name"] for item in listed]


def test_a_label_selector_leaves_out_the_rest(api):
    create(api, configmap())
    assert api.http.get(api.path("configmaps"), params={"labelSelector": "app=x"}).json()["items"] == []


def test_a_field_selector_finds_one_name(api):
    create(api, configmap("one"))
    create(api, configmap("two"))
    found = api.http.get(api.path("configmaps"), params={"fieldSelector": "metadata.name=two"}).json()["items"]
    assert [item["metadata"]["name"] for item in found] == ["two"]


@pytest.mark.parametrize("query", [{"fieldSelector": "data.a=1"}, {"labelSelector": "a===b"}, {"limit": "many"}])
def test_a_selector_that_cannot_be_read_is_a_bad_request(api, query):
    answer = api.http.get(api.path("configmaps"), params=query)
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


def test_a_long_list_comes_in_pages(api):
    for number in range(5):
        create(api, configmap(f"page-{number}"))
    names, token = [], ""
    while True:
        part = api.http.get(api.path("configmaps"), params={"limit": "2", "continue": token}).json()
        names += [item["metadata"]["name"] for item in part["items"]]
        token = part["metadata"].get("continue", "")
        if not token:
            break
    assert [name for name in names if name != "kube-root-ca.crt"] == [f"page-{number}" for number in range(5)]


def test_a_secret_takes_plain_text_and_gives_base64(api):
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "p"}}
    secret = api.apply(api.path("secrets", "s"), manifest).json()
    assert secret["data"] == {"password": base64.b64encode(b"p").decode()}
    assert "stringData" not in secret
    assert secret["type"] == "Opaque"


def test_secrets_lie_encrypted_in_the_database(api, sandbox):
    secret = {"metadata": {"name": "s"}, "stringData": {"password": "a-planted-sentinel"}}
    assert create(api, secret, "secrets").status_code == 201
    needles = (b"a-planted-sentinel", base64.b64encode(b"a-planted-sentinel"))
    files = [path for path in sandbox.state.rglob("*") if path.is_file()]
    assert [path.name for path in files if any(needle in path.read_bytes() for needle in needles)] == []


def test_an_access_review_is_granted(api):
    review = {"spec": {"resourceAttributes": {"verb": "create", "resource": "jobs"}}}
    answer = api.http.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json=review)
    assert (answer.status_code, answer.json()["status"]["allowed"]) == (201, True)

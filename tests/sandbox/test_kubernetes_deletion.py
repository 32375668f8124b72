"""Deletion: preconditions, dependents, namespaces."""

from __future__ import annotations

import pytest

JOB_SPEC = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "none:1"}]}}}


def job(api, name="j"):
    path = api.path("jobs", name, "batch")
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": JOB_SPEC}
    assert api.apply(path, manifest).status_code == 201
    api.eventually(path, "Complete")
    return path


def pods(api):
    return api.http.get(api.path("pods")).json()["items"]


def delete(api, path, **options):
    return api.http.request("DELETE", path, json=options)


def test_a_deletion_answers_with_success_and_what_went(api):
    uid = api.http.post(api.path("configmaps"), json={"metadata": {"name": "a"}}).json()["metadata"]["uid"]
    answer = api.http.delete(api.path("configmaps", "a"))
    assert (answer.status_code, answer.json()["status"]) == (200, "Success")
    assert answer.json()["details"] == {"name": "a", "kind": "configmaps", "uid": uid}
    assert api.http.get(api.path("configmaps", "a")).status_code == 404


def test_another_life_of_the_object_is_spared(api):
    api.http.post(api.path("configmaps"), json={"metadata": {"name": "a"}})
    answer = delete(api, api.path("configmaps", "a"), preconditions={"uid": "another"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "Conflict")
    assert api.http.get(api.path("configmaps", "a")).status_code == 200


def test_a_dry_run_deletes_nothing(api):
    api.http.post(api.path("configmaps"), json={"metadata": {"name": "a"}})
    assert api.http.delete(api.path("configmaps", "a"), params={"dryRun": "All"}).status_code == 200
    assert api.http.get(api.path("configmaps", "a")).status_code == 200


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_a_job_takes_its_pod_along(api, policy):
    delete(api, job(api), propagationPolicy=policy)
    assert pods(api) == []


@pytest.mark.parametrize("options", [{"propagationPolicy": "Orphan"}, {"orphanDependents": True}, {}])
def test_a_job_leaves_its_pod_when_asked_and_by_default(api, options):
    delete(api, job(api), **options)
    [pod] = pods(api)
    assert "ownerReferences" not in pod["metadata"]


def test_a_dependent_with_another_owner_lives_on(api):
    uids = [
        api.http.post(api.path("configmaps"), json={"metadata": {"name": name}}).json()["metadata"]["uid"]
        for name in ("one", "two")
    ]
    owners = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid}
        for name, uid in zip(("one", "two"), uids, strict=True)
    ]
    api.http.post(api.path("secrets"), json={"metadata": {"name": "s", "ownerReferences": owners}})
    api.http.delete(api.path("configmaps", "one"))
    assert api.http.get(api.path("secrets", "s")).json()["metadata"]["ownerReferences"] == [owners[1]]
    api.http.delete(api.path("configmaps", "two"))
    assert api.http.get(api.path("secrets", "s")).status_code == 404


def test_nothing_of_a_job_is_left_behind(api):
    delete(api, job(api), propagationPolicy="Background")
    assert api.http.get(api.path("events")).json()["items"] == []


def test_a_namespace_takes_its_contents_along(api):
    job(api)
    answer = api.http.delete(f"/api/v1/namespaces/{api.namespace}")
    assert answer.json()["status"]["phase"] == "Terminating"
    for plural in ("configmaps", "pods", "serviceaccounts"):
        assert api.http.get(api.path(plural)).json()["items"] == []
    assert api.http.get(f"/api/v1/namespaces/{api.namespace}").status_code == 404


def test_a_collection_is_deleted_by_label(api):
    for name in ("a", "b"):
        api.http.post(api.path("configmaps"), json={"metadata": {"name": name, "labels": {"which": name}}})
    api.http.delete(api.path("configmaps"), params={"labelSelector": "which=a"})
    assert api.http.get(api.path("configmaps", "a")).status_code == 404
    assert api.http.get(api.path("configmaps", "b")).status_code == 200


def test_kube_system_lasts(http):
    answer = http.delete("/api/v1/namespaces/kube-system")
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")

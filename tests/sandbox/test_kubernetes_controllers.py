"""What the sandbox's controllers make of jobs, deployments, tokens and namespaces."""

from __future__ import annotations

import base64
import json

import pytest

TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "none:1"}]}}
ENDING = {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}


def apply_job(api, **spec):
    path = api.path("jobs", "j", "batch")
    content = {"template": ENDING, **spec}
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": content}
    assert api.apply(path, manifest).status_code == 201
    return path


def apply_deployment(api, template=TEMPLATE, replicas=2):
    path = api.path("deployments", "d", "apps")
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "x"}}, "template": template}
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}
    assert api.apply(path, manifest).status_code in (200, 201)
    return path


def pods(api, **query):
    return api.http.get(api.path("pods"), params=query).json()["items"]


def settled_pods(api, images):
    """The deployment's pods when they run these images."""
    seen: dict[str, str] = {}
    with api.http.stream("GET", api.path("pods"), params={"watch": "1", "timeoutSeconds": "20"}) as stream:
        for line in stream.iter_lines():
            event = json.loads(line)
            pod = event["object"]
            seen[pod["metadata"]["name"]] = pod["spec"]["containers"][0]["image"]
            if event["type"] == "DELETED":
                del seen[pod["metadata"]["name"]]
            if sorted(seen.values()) == images:
                return seen
    raise AssertionError(seen)


def test_a_job_completes_as_simulated(api):
    done = api.eventually(apply_job(api), "Complete")
    complete = next(c for c in done["status"]["conditions"] if c["type"] == "Complete")
    assert (complete["status"], complete["reason"]) == ("True", "Simulated")
    assert done["status"]["succeeded"] == 1
    assert done["status"]["completionTime"]


def test_the_pod_of_a_job_says_that_it_was_simulated(api):
    uid = api.eventually(apply_job(api), "Complete")["metadata"]["uid"]
    [pod] = pods(api, labelSelector=f"job-name=j,controller-uid={uid}")
    assert pod["status"]["phase"] == "Succeeded"
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "Simulated"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == uid


def test_the_log_of_a_pod_is_one_line_that_no_workload_prints(api):
    api.eventually(apply_job(api), "Complete")
    name = pods(api)[0]["metadata"]["name"]
    log = api.http.get(api.path("pods", name) + "/log", params={"follow": "true"})
    assert log.text == "simulated: the sandbox ran no container\n"


@pytest.mark.parametrize(("query", "code"), [({"container": "other"}, 400), ({"previous": "true"}, 400)])
def test_a_log_that_does_not_exist_is_a_bad_request(api, query, code):
    api.eventually(apply_job(api), "Complete")
    name = pods(api)[0]["metadata"]["name"]
    assert api.http.get(api.path("pods", name) + "/log", params=query).status_code == code


def test_a_suspended_job_does_not_start(api):
    path = apply_job(api, suspend=True)
    apply_deployment(api, replicas=1)
    api.eventually(api.path("deployments", "d", "apps"), "Available")
    assert "conditions" not in api.http.get(path).json()["status"]


def test_a_job_waits_for_its_service_account(api):
    template = {"spec": {**ENDING["spec"], "serviceAccountName": "spark"}}
    path = apply_job(api, template=template)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "spark"}}
    api.apply(api.path("serviceaccounts", "spark"), account)
    assert api.eventually(path, "Complete")


def test_the_template_of_a_job_cannot_change(api):
    path = apply_job(api)
    other = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "other:1"}]}}
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": other}}
    answer = api.apply(path, manifest)
    assert (answer.status_code, answer.json()["details"]["causes"][0]["field"]) == (422, "spec.template")


def test_a_deployment_becomes_available(api):
    path = apply_deployment(api)
    done = api.eventually(path, "Available")
    assert done["status"]["availableReplicas"] == 2
    assert settled_pods(api, ["none:1", "none:1"])


def test_a_new_template_replaces_the_pods(api):
    apply_deployment(api)
    settled_pods(api, ["none:1", "none:1"])
    newer = {**TEMPLATE, "spec": {"containers": [{"name": "c", "image": "newer:1"}]}}
    path = apply_deployment(api, newer)
    assert settled_pods(api, ["newer:1", "newer:1"])
    assert api.http.get(path).json()["metadata"]["generation"] == 2


def test_a_deleted_pod_of_a_deployment_is_made_again(api):
    apply_deployment(api, replicas=1)
    [name] = settled_pods(api, ["none:1"])
    api.http.delete(api.path("pods", name))
    [other] = settled_pods(api, ["none:1"])
    assert other != name


def test_a_token_secret_is_filled_and_its_applier_does_not_take_it_away(api):
    api.apply(
        api.path("serviceaccounts", "spark"),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "spark"}},
    )
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "t", "annotations": {"kubernetes.io/service-account.name": "spark"}},
        "type": "kubernetes.io/service-account-token",
    }
    path = api.path("secrets", "t")
    api.apply(path, secret)
    data = api.until(api.path("secrets"), lambda found: "data" in found, fieldSelector="metadata.name=t")["data"]
    assert base64.b64decode(data["namespace"]).decode() == api.namespace
    assert base64.b64decode(data["ca.crt"]).startswith(b"-----BEGIN CERTIFICATE-----")
    assert api.apply(path, secret).json()["data"] == data


def test_a_token_ends_with_its_account(api):
    path = api.path("serviceaccounts", "spark")
    api.apply(path, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "spark"}})
    secret = {
        "metadata": {"name": "t", "annotations": {"kubernetes.io/service-account.name": "spark"}},
        "type": "kubernetes.io/service-account-token",
    }
    revision = api.http.post(api.path("secrets"), json=secret).json()["metadata"]["resourceVersion"]
    api.http.delete(path)
    kinds = [event["type"] for event in api.events(api.path("secrets"), 2, resourceVersion=revision)]
    assert kinds[-1] == "DELETED"


def test_every_namespace_has_an_account_and_the_authority(api):
    assert api.events(api.path("serviceaccounts"), 1)[0]["object"]["metadata"]["name"] == "default"
    [event] = api.events(api.path("configmaps"), 1)
    assert event["object"]["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE-----")

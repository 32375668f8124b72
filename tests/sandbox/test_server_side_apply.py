"""Ownership of fields: the rules of server-side apply."""

from __future__ import annotations

import pytest


def configmap(**data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}


def deployment(*containers, **spec):
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": list(containers)}}
    content = {"selector": {"matchLabels": {"app": "x"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": content}


@pytest.fixture
def settings(api):
    return api.path("configmaps", "settings")


@pytest.fixture
def deployments(api):
    return api.path("deployments", "d", "apps")


def owners(obj):
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]}


def test_the_applier_owns_what_it_applied(api, settings):
    obj = api.apply(settings, configmap(a="1")).json()
    [entry] = obj["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["fieldsType"]) == ("ppmlctl", "Apply", "FieldsV1")
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}}}


def test_another_managers_field_is_a_conflict_that_names_it(api, settings):
    api.apply(settings, configmap(a="1"))
    answer = api.apply(settings, configmap(a="2", b="3"), "other")
    assert answer.status_code == 409
    assert answer.json()["message"] == 'Apply failed with 1 conflict: conflict with "ppmlctl": .data.a'
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "ppmlctl"', "field": ".data.a"}
    assert answer.json()["details"] == {"causes": [cause]}


def test_the_same_value_is_shared_without_conflict(api, settings):
    api.apply(settings, configmap(a="1"))
    shared = api.apply(settings, configmap(a="1"), "other").json()
    assert owners(shared) == {"ppmlctl": {"f:data": {"f:a": {}}}, "other": {"f:data": {"f:a": {}}}}


def test_force_takes_the_field_over(api, settings):
    api.apply(settings, configmap(a="1", b="1"))
    taken = api.apply(settings, configmap(a="2"), "other", force="true").json()
    assert taken["data"] == {"a": "2", "b": "1"}
    assert owners(taken) == {"ppmlctl": {"f:data": {"f:b": {}}}, "other": {"f:data": {"f:a": {}}}}


def test_a_field_that_is_no_longer_applied_goes(api, settings):
    api.apply(settings, configmap(a="1", b="2"))
    assert api.apply(settings, configmap(a="1")).json()["data"] == {"a": "1"}


def test_a_field_that_another_owns_too_stays(api, settings):
    api.apply(settings, configmap(a="1", b="2"))
    api.apply(settings, configmap(b="2"), "other")
    assert api.apply(settings, configmap(a="1")).json()["data"] == {"a": "1", "b": "2"}


def test_a_whole_mapping_that_is_no_longer_applied_goes(api, settings):
    api.apply(settings, {**configmap(a="1"), "metadata": {"name": "settings", "labels": {"app": "x"}}})
    bare = api.apply(settings, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}).json()
    assert "data" not in bare
    assert "labels" not in bare["metadata"]
    assert bare["metadata"]["name"] == "settings"


def test_an_update_makes_its_writer_the_owner(api, settings):
    live = api.apply(settings, configmap(a="1", b="1")).json()
    written = api.http.put(
        settings, json={**live, "data": {"a": "2", "b": "1"}}, params={"fieldManager": "editor"}
    ).json()
    assert owners(written) == {"ppmlctl": {"f:data": {"f:b": {}}}, "editor": {"f:data": {"f:a": {}}}}
    answer = api.apply(settings, configmap(a="1", b="1"))
    assert answer.json()["message"] == 'Apply failed with 1 conflict: conflict with "editor" using v1: .data.a'


def test_containers_are_merged_by_name(api, deployments):
    api.apply(deployments, deployment({"name": "main", "image": "a:1"}))
    sidecar = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "b:1"}]}}}}
    base = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
    both = api.apply(deployments, {**base, **sidecar}, "other").json()
    assert {c["name"] for c in both["spec"]["template"]["spec"]["containers"]} == {"main", "side"}
    without = api.apply(deployments, {**base, "metadata": {"name": "d"}}, "other").json()
    assert [c["name"] for c in without["spec"]["template"]["spec"]["containers"]] == ["main"]


def test_a_list_item_is_owned_by_its_key(api, deployments):
    port = {"containerPort": 80, "protocol": "TCP"}
    obj = api.apply(deployments, deployment({"name": "c", "image": "a:1", "ports": [port]})).json()
    containers = owners(obj)["ppmlctl"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    ports = containers['k:{"name":"c"}']["f:ports"]
    assert ports == {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}}}


def test_a_conflict_inside_a_list_item_gives_its_path(api, deployments):
    api.apply(deployments, deployment({"name": "c", "image": "a:1"}))
    answer = api.apply(deployments, deployment({"name": "c", "image": "a:2"}), "other")
    assert answer.json()["details"]["causes"][0]["field"] == '.spec.template.spec.containers[name="c"].image'


def test_a_default_is_owned_by_nobody_and_can_be_set_by_anyone(api, deployments):
    obj = api.apply(deployments, deployment({"name": "c", "image": "a:1"})).json()
    assert obj["spec"]["replicas"] == 1
    scaled = api.apply(deployments, {**deployment(replicas=2), "spec": {"replicas": 2}}, "scaler")
    assert (scaled.status_code, scaled.json()["spec"]["replicas"]) == (200, 2)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"data": {"a": 2}}, ".data.a: expected string, got a number"),
        ({"dat": {"a": "2"}}, ".dat: field not declared in schema"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(api, settings, manifest, message):
    answer = api.apply(settings, {**configmap(), **manifest})
    assert answer.status_code == 500
    assert answer.json()["message"].endswith(message)


def test_apply_without_a_manager_is_invalid(api, settings):
    answer = api.apply(settings, configmap(), "")
    assert (answer.status_code, answer.json()["reason"]) == (422, "Invalid")


def test_apply_takes_yaml(api, settings):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  a: '1'\n"
    headers = {"Content-Type": "application/apply-patch+yaml"}
    answer = api.http.patch(settings, params={"fieldManager": "x"}, content=text, headers=headers)
    assert answer.json()["data"] == {"a": "1"}

"""Watches: what is told, to whom, and from when."""

from __future__ import annotations

import json
import threading

import pytest


def configmap(name, labels=None, **data):
    return {"metadata": {"name": name, "labels": labels or {}}, "data": data}


def revision_of(api):
    return api.http.get(api.path("configmaps")).json()["metadata"]["resourceVersion"]


def told(events):
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


def test_a_watch_begins_with_what_exists(api):
    api.http.post(api.path("configmaps"), json=configmap("here"))
    assert told(api.events(api.path("configmaps"), 1, fieldSelector="metadata.name=here")) == [("ADDED", "here")]


def test_a_watch_from_a_revision_tells_what_came_after_it(api):
    path = api.path("configmaps")
    api.http.post(path, json=configmap("before"))
    revision = revision_of(api)
    api.http.post(path, json=configmap("a", v="1"))
    api.http.put(f"{path}/a", json=configmap("a", v="2"))
    api.http.delete(f"{path}/a")
    events = api.events(path, 3, resourceVersion=revision, fieldSelector="metadata.name!=kube-root-ca.crt")
    assert told(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert int(events[2]["object"]["metadata"]["resourceVersion"]) > int(
        events[1]["object"]["metadata"]["resourceVersion"]
    )


def test_a_watch_tells_what_happens_while_it_is_open(api):
    path, began = api.path("configmaps"), threading.Event()

    def write():
        began.wait(10)
        api.http.post(path, json=configmap("late"))

    writer = threading.Thread(target=write)
    writer.start()
    query = {"watch": "1", "timeoutSeconds": "20", "resourceVersion": revision_of(api), "labelSelector": "!none"}
    with api.http.stream("GET", path, params=query) as stream:
        began.set()
        first = next(line for line in stream.iter_lines() if "late" in line)
    writer.join()
    assert json.loads(first)["type"] == "ADDED"


def test_an_object_that_is_no_longer_selected_is_deleted_to_the_watch(api):
    path = api.path("configmaps")
    revision = revision_of(api)
    api.http.post(path, json=configmap("a", {"app": "x"}))
    api.http.put(f"{path}/a", json=configmap("a", {"app": "y"}))
    api.http.put(f"{path}/a", json=configmap("a", {"app": "x"}))
    events = api.events(path, 3, resourceVersion=revision, labelSelector="app=x")
    assert told(events) == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a")]


def test_other_namespaces_and_kinds_are_not_told(api):
    revision = revision_of(api)
    api.http.post("/api/v1/namespaces/default/configmaps", json={"metadata": {"generateName": "elsewhere-"}})
    api.http.post(api.path("secrets"), json={"metadata": {"name": "other-kind"}})
    api.http.post(api.path("configmaps"), json=configmap("mine"))
    assert told(api.events(api.path("configmaps"), 1, resourceVersion=revision, labelSelector="!x"))[-1][0] == "ADDED"
    query = {"resourceVersion": revision, "fieldSelector": "metadata.name!=kube-root-ca.crt"}
    assert told(api.events(api.path("configmaps"), 1, **query)) == [("ADDED", "mine")]


def test_a_watch_ends_when_its_time_is_over(api):
    answer = api.http.get(api.path("secrets"), params={"watch": "1", "timeoutSeconds": "1"})
    assert (answer.status_code, answer.text) == (200, "")


def test_a_watch_can_be_a_table(api):
    api.http.post(api.path("configmaps"), json=configmap("here", a="1"))
    headers = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    query = {"watch": "1", "timeoutSeconds": "5", "fieldSelector": "metadata.name=here"}
    with api.http.stream("GET", api.path("configmaps"), params=query, headers=headers) as stream:
        table = json.loads(next(stream.iter_lines()))["object"]
    assert table["kind"] == "Table"
    assert table["rows"][0]["cells"][:2] == ["here", 1]


@pytest.mark.parametrize("query", [{"sendInitialEvents": "true"}, {"resourceVersion": "soon"}])
def test_what_this_watch_cannot_do_is_refused(api, query):
    assert api.http.get(api.path("configmaps"), params={"watch": "1", **query}).status_code in (400, 422)

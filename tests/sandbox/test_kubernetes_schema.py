"""The shapes of kinds, checked against objects and against a real API's own description."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from ppmlctl.sandbox.kubernetes.checking import canonical, faults, pruned
from ppmlctl.sandbox.kubernetes.kinds import KINDS, kind_named
from ppmlctl.sandbox.kubernetes.schema import ATOMIC_FIELDS, MERGE_KEYS, SETS, ListOf, MapOf, Scalar, schema_of, struct

POD = schema_of(kind_named("pods"))
C = '.spec.containers[name="c"]'
KEYLESS = "associative list with keys has an element that omits key field 'name'"


def pod(**container):
    return {"spec": {"containers": [{"name": "c", **container}]}}


def told(value):
    return [str(fault) for fault in faults(value, POD)]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (pod(env=[{"name": "A", "value": True}]), f'{C}.env[name="A"].value: expected string, got a boolean'),
        (pod(env=[{"name": "A"}, {"name": "A"}]), f'{C}.env: duplicate entries for key [name="A"]'),
        (pod(image=7), f"{C}.image: expected string, got a number"),
        (pod(imag="x"), f"{C}.imag: field not declared in schema"),
        (pod(command="x"), f"{C}.command: expected list, got text"),
        ({"spec": {"hostNetwork": "yes"}}, ".spec.hostNetwork: expected boolean, got text"),
        ({"spec": {"priority": "1"}}, ".spec.priority: expected numeric, got text"),
        ({"spec": []}, ".spec: expected map, got a list"),
        ({"spec": {"containers": [{"image": "x"}]}}, f".spec.containers: element 0: {KEYLESS}"),
    ],
)
def test_what_does_not_fit_is_told_with_its_path_and_without_its_value(value, fault):
    assert told(value) == [fault]


@pytest.mark.parametrize(
    "value", [pod(resources={"limits": {"cpu": 1, "memory": "1Gi"}}), pod(env=None), {"spec": None}]
)
def test_what_fits_is_not_told(value):
    assert told(value) == []


def test_a_loose_decoder_drops_what_it_does_not_know():
    assert pruned({"spec": {"nodeName": "n", "unknown": 1, "priority": None}}, POD) == {"spec": {"nodeName": "n"}}


def test_empty_values_are_left_out_where_the_api_leaves_them_out():
    written = pod(args=[], env=[{"name": "A", "value": ""}], tty=False, securityContext={"privileged": False})
    assert canonical(written, POD) == pod(env=[{"name": "A"}], securityContext={"privileged": False})


def test_bytes_are_base64():
    assert [str(fault) for fault in faults({"data": {"a": "%"}}, schema_of(kind_named("secrets")))] == [
        ".data.a: illegal base64 data"
    ]


def marks_of_the_real_api():
    command = ["kubectl", "get", "--raw", "/openapi/v2"]
    document = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    for name, definition in document["definitions"].items():
        model = f"V1{name.rpartition('.')[2]}"
        if ".v1." in name and not model.endswith("Status"):
            for field, description in definition.get("properties", {}).items():
                yield (model, field), description


@pytest.mark.cluster
@pytest.mark.skipif("KUBECONFIG" not in os.environ, reason="KUBECONFIG is not set: no real cluster")
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH")
def test_list_keys_are_those_of_a_real_api():
    known = set()
    for kind in KINDS:
        collect(schema_of(kind), known)
    keys = {}
    for place, description in marks_of_the_real_api():
        if place[0] not in known or "merge" not in description.get("x-kubernetes-patch-strategy", ""):
            continue
        merge_key = description.get("x-kubernetes-patch-merge-key")
        if place not in SETS and description["type"] == "array":
            keys[place] = tuple(description.get("x-kubernetes-list-map-keys", [merge_key]))
    ours = {place: keys for place, keys in MERGE_KEYS.items() if not place[0].endswith("Status")}
    assert keys == ours


def collect(node, known):
    """The models that a kind is made of."""
    match node:
        case ListOf(item):
            collect(item, known)
        case MapOf(value):
            collect(value, known)
        case Scalar():
            return
        case _ if node.model not in known:
            known.add(node.model)
            for field in node.fields.values():
                collect(field, known)


def test_every_place_that_the_tables_name_exists():
    places = {*MERGE_KEYS, *SETS, *ATOMIC_FIELDS}
    assert [place for place in places if place[1] not in struct(place[0]).fields] == []

"""What counts as drift of an object, and what is only another spelling or somebody else's field."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.kubernetes.differences import ABSENT, FieldDifference, differences
from ppmlctl.kubernetes.ownership import fields_held
from ppmlctl.secret import MASK, Secret, SecretLockedError
from ppmlctl.unknown import Unknown


def pod(**container: Any) -> dict[str, Any]:
    main = {"name": "main", "image": "app:1", **container}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [main]}}


def deployment(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


def secret(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields}


def config(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


MAIN = "spec.containers[name=main]"


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        pytest.param("1000m", "1", id="millis and units"),
        pytest.param("1", 1, id="text and number"),
        pytest.param("0.5", "500m", id="fraction"),
        pytest.param("1Gi", "1024Mi", id="binary suffixes"),
        pytest.param("1Gi", 1073741824, id="suffix and bytes"),
        pytest.param("1e3", "1k", id="exponent"),
        pytest.param("1E", "1000P", id="exa is no exponent"),
    ],
)
def test_spellings_of_one_quantity_are_no_drift(declared: object, live: object) -> None:
    assert differences(pod(resources={"limits": {"x": declared}}), pod(resources={"limits": {"x": live}})) == []


def test_entries_of_maps_of_free_keys_are_text_and_no_quantities() -> None:
    assert differences(config(sizeLimit="1000m"), config(sizeLimit="1")) != []


@pytest.mark.parametrize(("declared", "live"), [("1", "1001m"), ("1Gi", "1G"), ("8g", "8G"), ("1", True)])
def test_another_quantity_is_drift(declared: object, live: object) -> None:
    found = differences(pod(resources={"limits": {"cpu": declared}}), pod(resources={"limits": {"cpu": live}}))
    assert found == [FieldDifference(f"{MAIN}.resources.limits.cpu", live, declared)]


def test_a_port_may_be_a_number_or_its_text_but_a_count_may_not() -> None:
    probe = {"httpGet": {"port": "8080"}}
    assert differences(pod(livenessProbe=probe), pod(livenessProbe={"httpGet": {"port": 8080}})) == []
    assert differences(deployment(replicas="2"), deployment(replicas=2)) == [FieldDifference("spec.replicas", 2, "2")]


@pytest.mark.parametrize(
    "defaulted",
    [
        pytest.param({"terminationMessagePath": "/dev/termination-log", "resources": {}}, id="fields"),
        pytest.param({"ports": [{"containerPort": 80, "protocol": "TCP"}]}, id="protocol of a port"),
        pytest.param({"volumeMounts": [{"mountPath": "/token", "name": "t"}]}, id="injected mount"),
        pytest.param({"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]}, id="order of variables"),
    ],
)
def test_what_the_server_or_others_add_is_no_drift(defaulted: dict[str, Any]) -> None:
    declared = pod(env=[{"name": "A", "value": "1"}], ports=[{"containerPort": 80}])
    declared["spec"]["containers"][0] = {
        name: value
        for name, value in declared["spec"]["containers"][0].items()
        if name in (*defaulted, "name", "image")
    }
    assert differences(declared, pod(**defaulted)) == []


def test_an_element_that_others_added_to_an_atomic_list_is_drift() -> None:
    found = differences(pod(args=["a"]), pod(args=["a", "b"]))
    assert found == [FieldDifference(f"{MAIN}.args", ["a", "b"], ["a"])]


def test_an_open_port_added_to_a_network_policy_is_drift() -> None:
    def policy(*ports: int) -> dict[str, Any]:
        rule = {"ports": [{"port": port, "protocol": "TCP"} for port in ports]}
        return {"kind": "NetworkPolicy", "metadata": {"name": "n"}, "spec": {"ingress": [rule]}}

    assert [found.path for found in differences(policy(443), policy(443, 22))] == ["spec.ingress[0].ports"]


def test_services_tell_ports_apart_by_port_and_protocol() -> None:
    def service(*ports: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": list(ports)}}

    live = service({"port": 53, "protocol": "UDP", "targetPort": 53}, {"port": 53, "protocol": "TCP", "targetPort": 1})
    assert differences(service({"port": 53, "targetPort": 53}), live) == [
        FieldDifference("spec.ports[port=53,protocol=TCP].targetPort", 1, 53)
    ]


@pytest.mark.parametrize("empty", [[], {}, None, ""])
def test_empty_and_absent_are_the_same(empty: object) -> None:
    assert differences(pod(args=empty), pod()) == []
    assert differences(pod(), pod(args=empty)) == []


def test_empty_text_in_a_map_of_free_keys_is_a_value() -> None:
    assert differences(config(a=""), config()) == [FieldDifference("data.a", ABSENT, "")]


def test_false_is_absent_where_the_server_drops_it_and_nowhere_else() -> None:
    assert differences(pod(tty=False), pod()) == []
    closed = {"kind": "ServiceAccount", "metadata": {"name": "a"}, "automountServiceAccountToken": False}
    opened = {"kind": "ServiceAccount", "metadata": {"name": "a"}}
    assert [found.path for found in differences(closed, opened)] == ["automountServiceAccountToken"]


def test_true_is_not_one() -> None:
    assert differences(deployment(replicas=1), deployment(replicas=True)) != []


def test_server_fields_of_an_exported_manifest_do_not_count() -> None:
    exported = config(a="1") | {"status": {"x": 1}}
    exported["metadata"] = {
        "name": "c",
        "resourceVersion": "7",
        "uid": "u",
        "creationTimestamp": None,
        "managedFields": [],
    }
    assert differences(exported, config(a="1")) == []


def test_paths_quote_what_is_no_plain_name() -> None:
    declared, live = config(**{"core-site.xml": "a"}), config(**{"core-site.xml": "b"})
    assert [found.path for found in differences(declared, live)] == ['data["core-site.xml"]']


def test_a_missing_element_shows_as_a_whole() -> None:
    declared = pod(env=[{"name": "A", "value": "1"}])
    assert differences(declared, pod()) == [FieldDifference(f"{MAIN}.env[name=A]", ABSENT, {"name": "A", "value": "1"})]


def test_a_missing_map_shows_by_its_fields() -> None:
    assert [found.path for found in differences(deployment(strategy={"type": "Recreate"}), deployment())] == [
        "spec.strategy.type"
    ]


def test_string_data_equals_the_data_it_becomes() -> None:
    assert differences(secret(stringData={"a": "päss"}), secret(data={"a": base64_of("päss")})) == []
    assert differences(secret(data={"a": "aGk=\n"}), secret(data={"a": "aGk="})) == []


def test_values_of_a_secret_are_masked_on_both_sides() -> None:
    found = differences(secret(stringData={"a": "new", "b": "x"}), secret(data={"a": base64_of("old")}))
    assert found == [FieldDifference("data.a", MASK, MASK), FieldDifference("data.b", ABSENT, MASK)]


def test_last_applied_annotation_of_a_secret_is_masked() -> None:
    name = "kubectl.kubernetes.io/last-applied-configuration"
    declared, live = (secret(metadata={"name": "s", "annotations": {name: text}}) for text in ("hunter1", "hunter2"))
    assert differences(declared, live) == [FieldDifference(f'metadata.annotations["{name}"]', MASK, MASK)]


def test_secret_values_compare_by_content_and_never_show() -> None:
    declared = secret(stringData={"a": Secret("v")})
    assert differences(declared, secret(data={"a": base64_of("v")})) == []
    assert differences(declared, secret(data={"a": base64_of("w")})) == [FieldDifference("data.a", MASK, MASK)]
    assert differences(config(a=Secret("v")), config(a="w")) == [FieldDifference("data.a", "w", MASK)]


def test_a_locked_secret_is_unknown() -> None:
    def locked() -> str:
        raise SecretLockedError("vault:password")

    found = differences(secret(stringData={"a": Secret(handle="vault:p", load=locked)}), secret(data={"a": "aGk="}))
    assert found == [FieldDifference("data.a", MASK, Unknown("vault locked"))]


def test_unknown_values_show_as_such() -> None:
    found = differences(config(policy=Unknown("policy")), config(policy="p1"))
    assert found == [FieldDifference("data.policy", "p1", Unknown("policy"))]


def test_fields_no_longer_declared_are_differences_while_they_are_live() -> None:
    previous, declared = config(a="1", b="2"), config(a="1")
    assert differences(declared, config(a="1", b="2", c="3"), previous) == [FieldDifference("data.b", "2", ABSENT)]
    assert differences(declared, config(a="1", c="3"), previous) == []


def test_a_dropped_field_that_another_manager_changed_is_theirs() -> None:
    assert differences(config(a="1"), config(a="1", b="theirs"), config(a="1", b="2")) == []


def test_an_element_no_longer_declared_shows_by_its_key() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    found = differences(pod(env=env[:1]), pod(env=env), pod(env=env))
    assert found == [FieldDifference(f"{MAIN}.env[name=B]", env[1], ABSENT)]


def test_a_protocol_that_ppmlctl_wrote_out_is_not_dropped() -> None:
    written = pod(ports=[{"containerPort": 80, "protocol": "TCP"}])
    assert differences(pod(ports=[{"containerPort": 80}]), written, written) == []


def test_managed_fields_tell_what_was_declared_before() -> None:
    live = pod(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], args=["x"], resources={})
    live["metadata"] |= {"finalizers": ["ours", "theirs"], "labels": {"l": "1"}}
    main = {".": {}, "f:name": {}, "f:args": {}, "f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}}}
    trie = {
        "f:metadata": {"f:finalizers": {'v:"ours"': {}}, "f:labels": {".": {}}},
        "f:spec": {"f:containers": {'k:{"name":"main"}': main}},
    }
    live["metadata"]["managedFields"] = [
        {"manager": "ppmlctl", "operation": "Apply", "fieldsV1": trie},
        {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {"f:nodeName": {}}}},
        {"manager": "ppmlctl", "operation": "Update", "fieldsV1": {"f:spec": {"f:x": {}}}},
    ]
    assert fields_held(live, "ppmlctl") == {
        "metadata": {"finalizers": ["ours"], "labels": {}},
        "spec": {"containers": [{"name": "main", "args": ["x"], "env": [{"name": "A", "value": "1"}]}]},
    }
    assert [found.path for found in differences(pod(args=["x"]), live, fields_held(live, "ppmlctl"))] == [
        "metadata.finalizers[ours]",
        f"{MAIN}.env[name=A]",
    ]


names = st.text("abcdefgh", min_size=1, max_size=4).map(lambda name: f"x{name}")
leaves = st.one_of(st.integers(2, 99), st.booleans(), st.text("abc", min_size=1, max_size=5))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)
manifests = st.dictionaries(names, trees, max_size=4).map(lambda spec: deployment(**spec))


@given(manifests)
def test_nothing_differs_from_itself(manifest: dict[str, Any]) -> None:
    assert differences(manifest, copy.deepcopy(manifest), manifest) == []


@given(manifests, st.data())
def test_fields_that_others_add_never_drift(manifest: dict[str, Any], data: st.DataObject) -> None:
    live = copy.deepcopy(manifest)
    maps = [value for _, value in places(live) if isinstance(value, dict)]
    data.draw(st.sampled_from(maps))["added"] = data.draw(trees)
    assert differences(manifest, live) == []


@given(manifests, st.data())
def test_any_changed_leaf_shows_with_its_path(manifest: dict[str, Any], data: st.DataObject) -> None:
    found = [path for path, value in places(manifest["spec"]) if not isinstance(value, dict | list)]
    if not found:
        return
    path = data.draw(st.sampled_from(found))
    live = copy.deepcopy(manifest)
    parent = live["spec"]
    for step in path[:-1]:
        parent = parent[step]
    old, parent[path[-1]] = parent[path[-1]], "changed"
    assert differences(manifest, live) == [FieldDifference(text_of(path), "changed", old)]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Every value inside, with its path."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(found for step, member in inner for found in places(member, (*path, step)))]


def text_of(path: tuple[Any, ...]) -> str:
    return "spec" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)

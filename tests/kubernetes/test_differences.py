"""What differs between two states of an object, told by what the server says of its structure and by nothing else."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.kubernetes.differences import ABSENT, FieldDifference, changes, differences
from ppmlctl.secret import MASK, Secret, SecretLockedError
from ppmlctl.unknown import Unknown

MANAGER = "ppmlctl"
MAIN = "spec.containers[name=main]"


def held(manifest: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """The object as a server has it whose fields our manager applied so."""
    entry = {"manager": MANAGER, "operation": "Apply", "fieldsV1": fields}
    return {**manifest, "metadata": {**manifest["metadata"], "managedFields": [entry]}}


def pod(**container: Any) -> dict[str, Any]:
    main = {"name": "main", "image": "app:1", **container}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [main]}}


def live_pod(**container: Any) -> dict[str, Any]:
    variables = {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}, "f:value": {}} for name in "ABC"}
    ports = {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}
    main = {".": {}, "f:name": {}, "f:env": variables, "f:ports": ports, "f:args": {}}
    return held(pod(**container), {"f:spec": {"f:containers": {'k:{"name":"main"}': main}}})


def deployment(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


def secret(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields}


def config(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        pytest.param({"limits": {"cpu": "1000m"}}, {"limits": {"cpu": "1"}}, id="spelled otherwise"),
        pytest.param({"tty": False}, {}, id="dropped"),
        pytest.param({"args": []}, {}, id="empty and dropped"),
        pytest.param({"imagePullPolicy": ""}, {"imagePullPolicy": "Always"}, id="defaulted"),
        pytest.param({"replicas": 1}, {"replicas": True}, id="true is not one"),
    ],
)
def test_spellings_and_defaults_are_differences_that_no_table_excuses(declared: Any, live: Any) -> None:
    assert len(differences(deployment(**declared), deployment(**live), MANAGER)) == 1


@pytest.mark.parametrize(
    "added",
    [
        pytest.param({"terminationMessagePath": "/dev/termination-log", "resources": {}}, id="fields"),
        pytest.param({"ports": [{"containerPort": 80, "protocol": "TCP"}]}, id="protocol of a port"),
        pytest.param({"env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]}, id="order of variables"),
        pytest.param({"env": [{"name": "A", "value": "1"}, {"name": "X", "value": "2"}]}, id="element of another"),
    ],
)
def test_what_the_server_or_others_add_is_no_difference(added: dict[str, Any]) -> None:
    declared = {"ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "1"}]}
    wanted = pod(**{name: value for name, value in declared.items() if name in added})
    assert differences(wanted, live_pod(**added), MANAGER) == []


def test_an_element_that_others_added_to_an_atomic_list_is_one() -> None:
    found = differences(pod(args=["a"]), live_pod(args=["a", "b"]), MANAGER)
    assert found == [FieldDifference(f"{MAIN}.args", ["a", "b"], ["a"])]


def test_in_a_value_that_is_one_whole_a_field_of_others_is_one() -> None:
    live = held(deployment(selector={"app": "a", "theirs": "b"}), {"f:spec": {"f:selector": {}}})
    found = differences(deployment(selector={"app": "a"}), live, MANAGER)
    assert found == [FieldDifference("spec.selector.theirs", "b", ABSENT)]


def test_services_tell_ports_apart_by_the_keys_that_the_server_names() -> None:
    def service(*ports: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": list(ports)}}

    live = service({"port": 53, "protocol": "UDP", "targetPort": 53}, {"port": 53, "protocol": "TCP", "targetPort": 1})
    keys = {f'k:{{"port":53,"protocol":"{protocol}"}}': {"f:port": {}} for protocol in ("TCP", "UDP")}
    live = held(live, {"f:spec": {"f:ports": keys}})
    declared = service({"port": 53, "protocol": "TCP", "targetPort": 53})
    assert differences(declared, live, MANAGER) == [
        FieldDifference("spec.ports[port=53,protocol=TCP].targetPort", 1, 53)
    ]


def test_a_member_that_a_set_lacks_is_one_and_one_more_is_not() -> None:
    def finalized(*names: str) -> dict[str, Any]:
        return {"kind": "ConfigMap", "metadata": {"name": "c", "finalizers": list(names)}}

    live = held(finalized("b", "theirs"), {"f:metadata": {"f:finalizers": {'v:"b"': {}}}})
    found = differences(finalized("a", "b"), live, MANAGER)
    assert found == [FieldDifference("metadata.finalizers[a]", ABSENT, "a")]


def test_server_fields_of_an_exported_manifest_do_not_count() -> None:
    exported = config(a="1") | {"status": {"x": 1}}
    exported["metadata"] = {"name": "c", "resourceVersion": "7", "uid": "u", "creationTimestamp": None}
    assert differences(exported, config(a="1"), MANAGER) == []


def test_paths_quote_what_is_no_plain_name() -> None:
    declared, live = config(**{"core-site.xml": "a"}), config(**{"core-site.xml": "b"})
    assert [found.path for found in differences(declared, live, MANAGER)] == ['data["core-site.xml"]']


def test_a_missing_element_shows_as_a_whole_and_a_missing_map_by_its_fields() -> None:
    declared = pod(env=[{"name": "A", "value": "1"}])
    found = differences(declared, live_pod(env=[]), MANAGER)
    assert found == [FieldDifference(f"{MAIN}.env[name=A]", ABSENT, {"name": "A", "value": "1"})]
    found = differences(deployment(strategy={"type": "Recreate"}), deployment(), MANAGER)
    assert [one.path for one in found] == ["spec.strategy.type"]


def test_a_secret_compares_by_content_and_never_shows() -> None:
    assert differences(secret(stringData={"a": "päss"}), secret(data={"a": base64_of("päss")}), MANAGER) == []
    assert differences(secret(data={"a": "aGk=\n"}), secret(data={"a": "aGk="}), MANAGER) == []
    declared = secret(stringData={"a": Secret("v"), "b": "x"})
    found = differences(declared, secret(data={"a": base64_of("w")}), MANAGER)
    assert found == [FieldDifference("data.a", MASK, MASK), FieldDifference("data.b", ABSENT, MASK)]
    assert "w" not in repr(found)
    assert changes(secret(data={"a": base64_of("v")}), secret(data={})) == [FieldDifference("data.a", MASK, ABSENT)]


def test_last_applied_annotation_of_a_secret_is_masked() -> None:
    name = "kubectl.kubernetes.io/last-applied-configuration"
    declared, live = (secret(metadata={"name": "s", "annotations": {name: text}}) for text in ("hunter1", "hunter2"))
    found = differences(declared, live, MANAGER)
    assert found == [FieldDifference(f'metadata.annotations["{name}"]', MASK, MASK)]


def test_what_is_not_known_yet_shows_as_such() -> None:
    def locked() -> str:
        raise SecretLockedError("vault:password")

    declared = secret(stringData={"a": Secret(handle="vault:p", load=locked)})
    found = differences(declared, secret(data={"a": "aGk="}), MANAGER)
    assert found == [FieldDifference("data.a", MASK, Unknown("vault locked"))]
    found = differences(config(policy=Unknown("policy")), config(policy="p1"), MANAGER)
    assert found == [FieldDifference("data.policy", "p1", Unknown("policy"))]


def test_changes_name_what_goes_as_well() -> None:
    before, after = live_pod(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]), live_pod(env=[])
    after["spec"]["containers"][0]["env"] = [{"name": "B", "value": "3"}]
    after["status"] = {"phase": "Running"}
    assert changes(before, after) == [
        FieldDifference(f"{MAIN}.env[name=B].value", "2", "3"),
        FieldDifference(f"{MAIN}.env[name=A]", {"name": "A", "value": "1"}, ABSENT),
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
    assert differences(manifest, copy.deepcopy(manifest), MANAGER) == []
    assert changes(manifest, copy.deepcopy(manifest)) == []


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
    assert differences(manifest, live, MANAGER) == [FieldDifference(text_of(path), "changed", old)]
    assert changes(live, manifest) == [FieldDifference(text_of(path), "changed", old)]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Every value inside, with its path."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(found for step, member in inner for found in places(member, (*path, step)))]


def text_of(path: tuple[Any, ...]) -> str:
    return "spec" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)

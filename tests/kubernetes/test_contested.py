"""Which fields an apply would take from others, by the record that the server keeps of who holds what."""

from __future__ import annotations

from typing import Any

import pytest

from ppmlctl.kubernetes.contested import contested
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

OURS = "ppmlctl-1"
CONTAINER = {"f:containers": {'k:{"name":"main"}': {".": {}, "f:image": {}, "f:name": {}}}}


def live(fields: dict[str, Any], holder: str = "kubectl-create", **content: Any) -> dict[str, Any]:
    return {"metadata": {"managedFields": [{"manager": holder, "operation": "Update", "fieldsV1": fields}]}, **content}


@pytest.mark.parametrize(
    ("desired", "found"),
    [
        ({"data": {"a": "other"}}, {"data.a": "kubectl-create"}),
        ({"data": {"a": Unknown("task")}}, {"data.a": "kubectl-create"}),
        ({"data": Unknown("task")}, {"data": "kubectl-create"}),
        ({"data": {"a": "1"}}, {}),
        ({"data": {"a": 1}}, {}),
        ({"data": {"b": "new"}}, {}),
        ({}, {}),
    ],
)
def test_a_field_of_another_manager_is_contested_where_its_value_differs(desired: Any, found: dict[str, str]) -> None:
    there = live({"f:data": {".": {}, "f:a": {}}}, data={"a": "1"})
    assert contested(desired, there, OURS) == found
    assert contested(desired, live({"f:data": {".": {}, "f:a": {}}}, OURS, data={"a": "1"}), OURS) == {}


def test_members_of_merged_lists_are_found_by_their_keys() -> None:
    there = live({"f:spec": CONTAINER}, spec={"containers": [{"name": "main", "image": "theirs"}]})
    ours = {"spec": {"containers": [{"name": "side", "image": "x"}, {"name": "main", "image": "ours"}]}}
    assert contested(ours, there, OURS) == {"spec.containers[main].image": "kubectl-create"}
    ours["spec"]["containers"].pop()
    assert contested(ours, there, OURS) == {}


def test_values_of_secrets_are_compared_as_the_server_keeps_them() -> None:
    there = live({"f:data": {"f:token": {}}}, kind="Secret", data={"token": "dGhlaXJz"})
    assert contested({"stringData": {"token": Secret("theirs")}}, there, OURS) == {}
    for other in (Secret("ours"), Secret(handle="vault:locked"), Unknown("task")):
        assert contested({"stringData": {"token": other}}, there, OURS) == {"data.token": "kubectl-create"}

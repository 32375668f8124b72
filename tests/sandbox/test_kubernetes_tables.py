"""What `kubectl get` prints, and the times and ages in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ppmlctl.sandbox.kubernetes.kinds import KINDS, kind_named
from ppmlctl.sandbox.kubernetes.tables import COLUMNS, age, table

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
SERVICE = {"spec": {"type": "ClusterIP", "clusterIP": "10.96.0.9", "ports": [{"port": 80}]}}
METADATA = {"name": "n", "creationTimestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (3599, "59m"), (3600, "1h"), (86400, "1d"), (864000, "10d")],
)
def test_an_age_is_in_the_largest_unit_that_does_not_mislead(seconds, text):
    assert age("2026-01-01T00:00:00Z", CREATED + timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("plural", "obj", "cells"),
    [
        ("secrets", {"type": "Opaque", "data": {"a": "", "b": ""}}, ["Opaque", 2]),
        ("services", SERVICE, ["ClusterIP", "10.96.0.9", "<none>", "80/TCP"]),
        ("jobs", {"spec": {"completions": 1}, "status": {}}, ["Running", "0/1"]),
        ("jobs", {"spec": {}, "status": {"succeeded": 1, "conditions": [{"type": "Complete"}]}}, ["Complete", "1/1"]),
        ("deployments", {"spec": {"replicas": 2}, "status": {"readyReplicas": 1}}, ["1/2", 0, 0]),
        ("pods", {"spec": {"containers": [{}]}, "status": {"phase": "Pending"}}, ["0/1", "Pending", 0]),
        ("rolebindings", {"roleRef": {"kind": "ClusterRole", "name": "edit"}}, ["ClusterRole/edit"]),
        ("networkpolicies", {"spec": {"podSelector": {"matchLabels": {"b": "2", "a": "1"}}}}, ["a=1,b=2"]),
        ("networkpolicies", {"spec": {"podSelector": {}}}, ["<none>"]),
        ("namespaces", {"status": {"phase": "Active"}}, ["Active"]),
        ("leases", {"spec": {"holderIdentity": "me"}}, ["me"]),
        ("roles", {}, []),
    ],
)
def test_the_cells_of_a_kind(plural, obj, cells):
    rendered = table(kind_named(plural), [{"metadata": METADATA, **obj}], {}, CREATED)
    assert rendered["rows"][0]["cells"] == ["n", *cells, "0s"]
    assert len(rendered["columnDefinitions"]) == len(cells) + 2


def test_every_kind_with_columns_is_served():
    assert set(COLUMNS) <= {kind.kind for kind in KINDS}

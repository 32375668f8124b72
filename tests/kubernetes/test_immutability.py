"""Which differences only a new object can mend."""

from __future__ import annotations

from typing import Any

import pytest

from ppmlctl.kubernetes.differences import FieldDifference
from ppmlctl.kubernetes.immutability import unchangeable


def forced(kind: str, *paths: str, **live: Any) -> list[str]:
    differences = [FieldDifference(path, "a", "b") for path in paths]
    return [one.path for one in unchangeable({"kind": kind, **live}, differences)]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("RoleBinding", "roleRef.name"),
        ("ClusterRoleBinding", "roleRef.kind"),
        ("Deployment", "spec.selector.matchLabels.app"),
        ("Deployment", 'spec.selector.matchLabels["app.kubernetes.io/name"]'),
        ("StatefulSet", "spec.serviceName"),
        ("Job", "spec.template.spec.containers[name=main].image"),
        ("Secret", "type"),
        ("Secret", 'metadata.annotations["kubernetes.io/service-account.name"]'),
        ("Service", "spec.clusterIP"),
        ("PersistentVolume", "spec.nfs.server"),
        ("PersistentVolumeClaim", "spec.accessModes"),
        ("StorageClass", "provisioner"),
        ("Pod", "spec.containers[name=main].env[name=A].value"),
    ],
)
def test_some_fields_replace_the_object(kind: str, path: str) -> None:
    assert forced(kind, path) == [path]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("RoleBinding", "subjects[0].name"),
        ("Deployment", "spec.template.spec.containers[name=main].image"),
        ("Deployment", "spec.replicas"),
        ("StatefulSet", "spec.replicas"),
        ("Job", "spec.parallelism"),
        ("Job", "metadata.labels.app"),
        ("Secret", "data.type"),
        ("Service", "spec.ports[port=80,protocol=TCP].targetPort"),
        ("PersistentVolume", "spec.capacity.storage"),
        ("PersistentVolumeClaim", "spec.resources.requests.storage"),
        ("Pod", "spec.containers[name=main].image"),
        ("Widget", "spec.anything"),
    ],
)
def test_all_others_change_in_place(kind: str, path: str) -> None:
    assert forced(kind, path) == []


def test_immutable_objects_change_nothing_but_their_metadata() -> None:
    paths = ("data.a", "immutable", "metadata.labels.app")
    assert forced("ConfigMap", *paths, immutable=True) == ["data.a", "immutable"]
    assert forced("ConfigMap", *paths, immutable=False) == ["immutable"]

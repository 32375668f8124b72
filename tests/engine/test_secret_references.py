"""A key that pods read and no task makes is told at its task."""

from __future__ import annotations

from typing import Any

import pytest

from ppmlctl.diagnostics import InputError, Location
from ppmlctl.engine.secret_references import check_secret_references
from ppmlctl.modules.registry import Registry
from ppmlctl.planning import Task, Wanted
from ppmlctl.unknown import Unknown

AT = Location("playbook.yaml", 3, 3)


def pod(key: str, **more: Any) -> dict[str, Any]:
    variable = {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "kms-secret", "key": key, **more}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "ppml"},
        "spec": {"containers": [{"name": "c", "env": [variable]}]},
    }


def check(manifest: dict[str, Any], data: dict[str, Any]) -> None:
    modules = Registry()
    arguments = {
        "pod": modules["k8s_object"].Args(manifest=manifest),
        "secret": modules["k8s_secret"].Args(name="kms-secret", namespace="ppml", data=data),
    }
    kinds = {"pod": "k8s_object", "secret": "k8s_secret"}
    tasks = [Task(address, kinds[address], 0, lambda _: None, location=AT) for address in arguments]
    wanted = {address: Wanted(address, args, {}) for address, args in arguments.items()}
    check_secret_references(tasks, wanted, modules)


def test_a_key_that_is_made_is_fine_even_before_its_value_is_known() -> None:
    check(pod("api_key"), {"api_key": Unknown("account")})


def test_a_misspelt_key_is_told_with_the_nearest_one() -> None:
    with pytest.raises(InputError) as caught:
        check(pod("app_key"), {"api_key": "x", "app_id": "y"})
    assert str(caught.value) == (
        "error[secret-key-unmade]: a pod reads a key of a secret that no task makes\n"
        "  at   playbook.yaml:3:3\n"
        "  is   pod: key `app_key` of secret `kms-secret` in namespace ppml\n"
        "  why  the pod would wait for it for ever (CreateContainerConfigError)\n"
        "  fix  did you mean `kms-secret:api_key`?"
    )


def test_an_optional_reference_may_stay_unmade() -> None:
    check(pod("app_key", optional=True), {})

"""The module `k8s_secret`."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_world import CLUSTERS, World, cluster, world_of

from ppmlctl.clients.kubernetes import ObjectKey
from ppmlctl.diagnostics import EngineError
from ppmlctl.modules.k8s_secret import K8sSecret
from ppmlctl.planning import ActionKind, FieldChange, Wanted
from ppmlctl.secret import MASK, Secret, SecretLockedError
from ppmlctl.unknown import Unknown


@pytest.fixture(scope="module", params=CLUSTERS)
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cluster(request.param, tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def world(kubeconfig: Path, make_context: Any) -> Iterator[World]:
    with world_of(kubeconfig, make_context) as made:
        yield made


def task(world: World, **data: Any) -> Any:
    return world.task(K8sSecret(), name="s", namespace=world.namespace, data=data)


def locked(handle: str) -> Secret:
    def load() -> str:
        raise SecretLockedError(handle)

    return Secret(handle=handle, load=load)


def values(world: World) -> dict[str, bytes]:
    live = world.live("Secret", "s")
    assert live is not None
    return {name: base64.b64decode(value) for name, value in live["data"].items()}


def test_text_and_bytes_arrive_as_they_are(world: World) -> None:
    made = task(world, text="päss\n", binary=Secret(b"\xfe\xed\x00"), empty="")
    assert made.plan().action is ActionKind.CREATE
    result = made.apply()
    assert (result.namespace, result.name, result.existed_before) == (world.namespace, "s", False)
    assert values(world) == {"text": "päss\n".encode(), "binary": b"\xfe\xed\x00", "empty": b""}
    assert made.plan().action is ActionKind.KEEP


def test_a_changed_value_is_an_update_that_shows_no_value(world: World) -> None:
    task(world, a="hunter1", b="same").apply()
    changed = task(world, a="hunter2", b="same")
    assert changed.plan().action is ActionKind.UPDATE
    assert changed.plan().fields == (FieldChange("data.a", MASK, MASK),)
    changed.apply()
    assert values(world)["a"] == b"hunter2"
    assert changed.plan().action is ActionKind.KEEP


def test_a_value_changed_in_the_cluster_is_drift(world: World) -> None:
    made = task(world, a="hunter1")
    made.apply()
    drifted = world.manifest("Secret", "s", stringData={"a": "other"})
    world.apply_as_ours(drifted)
    assert FieldChange("data.a", MASK, MASK) in made.plan().fields
    made.apply()
    assert values(world) == {"a": b"hunter1"}


def test_a_deleted_secret_is_named_and_made_again(world: World) -> None:
    made = task(world, a="1")
    made.apply()
    world.client.delete(ObjectKey("v1", "Secret", world.namespace, "s"), wait_seconds=30)
    change = made.plan()
    assert change.action is ActionKind.CREATE
    assert change.fields == (FieldChange("object", None, f"Secret {world.namespace}/s"),)
    made.apply()
    assert made.plan().action is ActionKind.KEEP


def test_a_key_that_is_no_longer_wanted_is_removed_and_keys_of_others_stay(world: World) -> None:
    task(world, a="1", b="2").apply()
    world.apply_as_other(world.manifest("Secret", "s", stringData={"theirs": "x"}))
    fewer = task(world, a="1")
    assert fewer.plan().fields == (FieldChange("data.b", MASK, None),)
    fewer.apply()
    assert set(values(world)) == {"a", "theirs"}
    assert fewer.plan().action is ActionKind.KEEP


def test_with_a_locked_vault_only_the_keys_are_compared(world: World) -> None:
    task(world, a="1").apply()
    world.locked = True
    assert task(world, a=locked("vault:a")).plan().action is ActionKind.KEEP
    assert task(world, a=locked("vault:a"), b=locked("vault:b")).plan().fields == (
        FieldChange("data.b", None, Unknown("vault locked")),
    )


def test_a_locked_secret_is_not_sent(world: World) -> None:
    with pytest.raises(SecretLockedError):
        task(world, a=locked("vault:a")).apply()
    assert world.live("Secret", "s") is None


def test_another_type_replaces(world: World) -> None:
    task(world, a="1").apply()
    other = world.task(K8sSecret(), name="s", namespace=world.namespace, type="example.com/other", data={"a": "1"})
    change = other.plan()
    assert (change.action, change.reasons) == (ActionKind.REPLACE, ("cannot be changed in place: Invalid (type)",))
    other.apply()
    assert other.plan().action is ActionKind.KEEP


def test_a_secret_that_was_there_is_kept_at_removal(world: World) -> None:
    world.client.create(world.manifest("Secret", "s", stringData={"a": "1"}))
    made = task(world, a="1")
    assert made.apply().existed_before is True
    made.remove()
    assert values(world) == {"a": b"1"}


def test_removal_deletes_what_was_made(world: World) -> None:
    made = task(world, a="1")
    made.apply()
    made.remove()
    assert world.live("Secret", "s") is None


def test_the_record_holds_keyed_digests_and_no_values(world: World) -> None:
    wanted = task(world, a="hunter2").wanted()
    assert wanted.inputs["data"] == {"a": {"$digest": "digest"}}
    assert "hunter2" not in repr(wanted)


def test_a_refused_value_is_not_quoted(world: World) -> None:
    made = world.task(
        K8sSecret(),
        name="s",
        namespace=world.namespace,
        type="kubernetes.io/dockerconfigjson",
        data={"wrong key": "hunter2"},
    )
    with pytest.raises(EngineError) as refused:
        made.apply()
    assert "hunter2" not in str(refused.value)


def test_unknown_values_do_not_disturb_the_observation(world: World) -> None:
    args = K8sSecret.Args.model_validate({"name": "s", "namespace": world.namespace, "data": {"a": Unknown("x")}})
    whole = K8sSecret.Args.model_validate({"name": "s", "namespace": world.namespace, "data": Unknown("x")})
    nameless = K8sSecret.Args.model_validate({"name": Unknown("x"), "namespace": world.namespace})
    task(world, a="1").apply()
    wanted = [Wanted("a", args, {}), Wanted("b", whole, {}), Wanted("c", nameless, {})]
    assert sorted(K8sSecret().observe(world.context, wanted)) == ["a", "b"]

"""The module `k8s_token`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes_world import CLUSTERS, Task, World, cluster, world_of

from ppmlctl.clients.kubernetes import ObjectKey
from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules import k8s_token
from ppmlctl.modules.k8s_token import K8sToken
from ppmlctl.planning import ActionKind, Recorded


@pytest.fixture(scope="module", params=CLUSTERS)
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cluster(request.param, tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def world(kubeconfig: Path, make_context: Any) -> Iterator[World]:
    with world_of(kubeconfig, make_context) as made:
        for name in ("spark", "flink"):
            made.client.apply(made.manifest("ServiceAccount", name))
        yield made


def task(world: World, account: str = "spark") -> Task:
    return world.task(K8sToken(), name="token", namespace=world.namespace, service_account=account)


def test_the_token_is_there_when_the_task_is_done(world: World) -> None:
    made = task(world)
    assert made.plan().action is ActionKind.CREATE
    result = made.apply()
    assert len(result.token.reveal_bytes()) > 32
    assert result.token.handle == f"kubernetes:{world.namespace}/token/token"
    assert result.ca.startswith("-----BEGIN CERTIFICATE-----")
    assert result.token.reveal_text() not in repr(result)
    assert made.plan().action is ActionKind.KEEP
    assert made.apply() == result


def test_a_missing_account_is_named(world: World) -> None:
    with pytest.raises(EngineError) as refused:
        task(world, "nobody").apply()
    assert str(refused.value) == (
        "error[k8s-no-service-account]: the service account does not exist\n"
        f"  is   {world.namespace}/nobody; the cluster removed the Secret for its token again\n"
        "  fix  declare the account with k8s_object, as a task that this one needs"
    )


def test_a_token_that_nobody_fills_in_is_told(make_context: Any) -> None:
    class NeverFilled:
        def wait(self, *_: Any, **__: Any) -> None:
            raise EngineError(Diagnostic("k8s-timeout", "a condition was not reached in time"))

    context = make_context(engines=SimpleNamespace(kubernetes=NeverFilled()))
    args = K8sToken.Args(name="spark-token", namespace="ns", service_account="spark")
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "spark-token", "namespace": "ns"}}
    with pytest.raises(EngineError) as refused:
        k8s_token._filled(context, args, made)
    assert str(refused.value) == (
        "error[k8s-token-not-filled]: the cluster does not fill in the token of a service account\n"
        "  is   Secret ns/spark-token, for account spark: still empty after 60 s\n"
        "  why  a controller of kube-controller-manager does this; it does not run, or may not sign tokens\n"
        "  fix  ask the cluster's administrator to look at kube-controller-manager and its "
        "--service-account-private-key-file, then run the same command again"
    )


def test_another_account_replaces_the_secret(world: World) -> None:
    first = task(world).apply()
    other = task(world, "flink")
    assert other.plan().action is ActionKind.REPLACE
    assert other.apply().token != first.token
    assert other.plan().action is ActionKind.KEEP


def test_a_deleted_secret_is_made_again(world: World) -> None:
    made = task(world)
    made.apply()
    world.client.delete(ObjectKey("v1", "Secret", world.namespace, "token"), wait_seconds=30)
    assert made.plan().action is ActionKind.CREATE
    made.apply()
    assert made.plan().action is ActionKind.KEEP


def test_another_authority_of_the_cluster_is_an_update(world: World) -> None:
    made = task(world)
    made.apply()
    recorded = world.recorded["task"]
    world.recorded["task"] = Recorded(recorded.module, recorded.inputs, {**recorded.result, "ca": "former"})
    change = made.plan()
    assert change.action is ActionKind.UPDATE
    assert change.reasons == ("the cluster's authority is another one",)


def test_removal_deletes_the_secret(world: World) -> None:
    made = task(world)
    made.apply()
    made.remove()
    assert world.live("Secret", "token") is None

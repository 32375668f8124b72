"""The module `k8s_claim`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_world import CLUSTERS, World, cluster, world_of

from ppmlctl.diagnostics import EngineError
from ppmlctl.effects import Effect
from ppmlctl.modules.k8s_claim import K8sClaim
from ppmlctl.planning import ActionKind


@pytest.fixture(scope="module", params=CLUSTERS)
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cluster(request.param, tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def world(kubeconfig: Path, make_context: Any) -> Iterator[World]:
    with world_of(kubeconfig, make_context) as made:
        yield made


def test_a_claim_that_is_missing_stops_the_plan(world: World) -> None:
    with pytest.raises(EngineError) as refused:
        world.task(K8sClaim(), name="data", namespace=world.namespace).plan()
    assert str(refused.value) == (
        "error[k8s-claim-missing]: the persistent volume claim does not exist\n"
        f"  is   {world.namespace}/data\n"
        "  why  cluster.storage names a claim that must be there before pods can mount it\n"
        "  fix  make the claim, or have it made from an NFS export: cluster.storage.nfs"
    )


def test_a_claim_that_is_there_is_used_and_never_written(world: World) -> None:
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
    world.client.create(world.manifest("PersistentVolumeClaim", "data", spec=spec))
    task = world.task(K8sClaim(), name="data", namespace=world.namespace)
    assert task.plan().action is ActionKind.CREATE
    before = world.effects.count(Effect.WRITE)
    task.apply()
    assert task.plan().action is ActionKind.KEEP
    task.remove()
    assert world.effects.count(Effect.WRITE) == before
    assert world.live("PersistentVolumeClaim", "data") is not None

"""What holds data or other objects goes only when somebody names it; scope and absence are the server's word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes_world import CLUSTERS, Task, World, cluster, world_of

from ppmlctl.clients.kubernetes import ForbiddenError, ObjectKey
from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules.k8s_object import K8sObject
from ppmlctl.modules.k8s_secret import K8sSecret
from ppmlctl.planning import ABSENT, ActionKind, Company, Observed, Recorded
from ppmlctl.secret import Secret

CLAIM = {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}


@pytest.fixture(scope="module", params=CLUSTERS)
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cluster(request.param, tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def world(kubeconfig: Path, make_context: Any) -> Iterator[World]:
    with world_of(kubeconfig, make_context) as made:
        yield made


def claim(world: World, name: str = "data", **spec: Any) -> Task:
    manifest = world.manifest("PersistentVolumeClaim", name, spec={**CLAIM, **spec})
    return world.task(K8sObject(), "claim", manifest=manifest)


def _as_made(recorded: Recorded) -> Recorded:
    return replace(recorded, result={**recorded.result, "existed_before": False})


def uid_of(world: World) -> str:
    return str((world.live("PersistentVolumeClaim", "data") or {})["metadata"]["uid"])


@pytest.mark.parametrize("change", [{"storageClassName": "other"}, {"name": "moved"}])
def test_a_claim_is_not_replaced_by_itself(world: World, change: dict[str, str]) -> None:
    claim(world).apply()
    before, other = uid_of(world), claim(world, **change)  # type: ignore[arg-type]  # fields of the spec are anything
    with pytest.raises(EngineError) as refused:
        other.plan()
    (told,) = refused.value.diagnostics
    assert (told.code, told.why) == ("k8s-holds-data", "with it goes its data")
    assert told.fix.endswith("ppmlctl plan --replace claim")
    observed = other.observe()
    with pytest.raises(EngineError) as refused:
        other.module.apply(other.context, other.wanted().args, observed)
    assert refused.value.diagnostics[0].code == "k8s-holds-data"
    assert uid_of(world) == before


def test_a_claim_that_is_named_is_replaced(world: World) -> None:
    claim(world).apply()
    before, other = uid_of(world), claim(world, storageClassName="other")
    other.module.apply(replace(other.context, replacing=True), other.wanted().args, other.observe())
    assert uid_of(world) != before


def test_what_would_go_along_is_told(world: World) -> None:
    claim(world).apply()
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}}
    space = world.task(K8sObject(), "space", manifest=manifest)
    space.apply()
    names = [f"more-{number}" for number in range(6)]
    for name in names:
        world.apply_as_other(world.manifest("PersistentVolumeClaim", name, spec=CLAIM))
    found, world.recorded["space"] = world.recorded["space"], _as_made(world.recorded["space"])
    told = K8sObject().goes_with(space.context, world.recorded["space"])
    assert K8sObject().goes_with(space.context, found) == Company()  # it was there before, and stays
    assert f"7 PersistentVolumeClaim: {', '.join(['data', *names])}" in told.along
    assert told.held == "everything in it"
    assert K8sObject().lives_in(world.recorded["claim"]) == K8sObject().recorded_identity(world.recorded["space"])


def stateful(world: World, name: str = "store", **spec: Any) -> Task:
    labels = {"app": name}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    whole = {"replicas": 0, "serviceName": name, "selector": {"matchLabels": labels}, "template": pod, **spec}
    return world.task(K8sObject(), "store", manifest=world.manifest("StatefulSet", name, "apps/v1", spec=whole))


TEMPLATE = {"metadata": {"name": "data"}, "spec": CLAIM}


def test_a_stateful_set_with_claims_is_held_back_whatever_would_take_it_away(world: World) -> None:
    stateful(world, volumeClaimTemplates=[TEMPLATE]).apply()
    for other in (stateful(world, "renamed"), stateful(world, volumeClaimTemplates=[TEMPLATE], serviceName="other")):
        with pytest.raises(EngineError) as refused:
            other.plan()
        assert refused.value.diagnostics[0].code == "k8s-holds-data"
        with pytest.raises(EngineError) as refused:
            other.module.apply(other.context, other.wanted().args, other.observe())
        assert refused.value.diagnostics[0].code == "k8s-holds-data"
    task = stateful(world)
    assert K8sObject().goes_with(task.context, world.recorded["store"]).held.startswith("its pods")
    assert world.live("StatefulSet", "store", "apps/v1") is not None


def test_a_stateful_set_without_claims_goes_by_itself(world: World) -> None:
    stateful(world).apply()
    assert K8sObject().goes_with(world.context, world.recorded["store"]).held == ""
    assert stateful(world, "renamed").plan().action is ActionKind.REPLACE


def secret(world: World, name: str = "keys", **arguments: Any) -> Task:
    data = {"ours": Secret("1")}
    return world.task(K8sSecret(), "keys", name=name, namespace=world.namespace, data=data, **arguments)


def test_a_secret_in_which_others_keep_something_is_held_back(world: World) -> None:
    secret(world).apply()
    assert K8sSecret().goes_with(world.context, world.recorded["keys"]).held == ""
    assert secret(world, type="example.com/other").plan().action is ActionKind.REPLACE
    world.apply_as_other(world.manifest("Secret", "keys", stringData={"theirs": "2"}))
    held = "what others keep in it: theirs"
    assert K8sSecret().goes_with(world.context, world.recorded["keys"]).held == held
    for other in (secret(world, type="example.com/other"), secret(world, "renamed")):
        with pytest.raises(EngineError) as refused:
            other.plan()
        (told,) = refused.value.diagnostics
        assert (told.code, told.why) == ("k8s-holds-data", f"with it goes {held}")


def test_a_claim_that_something_owns_goes_with_it(world: World) -> None:
    owner = stateful(world)
    owner.apply()
    uid = (world.live("StatefulSet", "store", "apps/v1") or {})["metadata"]["uid"]
    reference = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "store", "uid": uid}
    manifest = world.manifest("PersistentVolumeClaim", "owned", spec=CLAIM, metadata={"ownerReferences": [reference]})
    world.apply_as_other(manifest)
    told = K8sObject().goes_with(owner.context, world.recorded["store"])
    assert told == Company(("1 PersistentVolumeClaim: owned",), "the data of its claims: owned")


def test_without_the_right_to_ask_a_change_cannot_be_foreseen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def config(value: str) -> Task:
        return world.task(K8sObject(), manifest=world.manifest("ConfigMap", "c", data={"a": value}))

    config("1").apply()

    def refused(*_: Any, **__: Any) -> Any:
        raise ForbiddenError(Diagnostic("k8s-forbidden", "the cluster does not allow this", found="patch: no"))

    monkeypatch.setattr(world.client, "apply", refused)
    assert config("1").plan().action is ActionKind.KEEP
    change = config("2").plan()
    assert (change.action, change.reasons) == (ActionKind.UPDATE, ("cannot be foreseen: patch: no",))
    assert [(one.path, one.before, one.after) for one in change.fields] == [("data.a", "1", "2")]


def test_an_object_is_known_by_any_version_and_without_the_namespace_that_its_kind_has_not(world: World) -> None:
    rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]
    manifest = world.manifest("ClusterRole", world.namespace, "rbac.authorization.k8s.io/v1", rules=rules)
    module, args = K8sObject(), K8sObject.Args.model_validate({"manifest": manifest})
    placed = module.placed(world.context.engines, args)
    assert "namespace" not in placed.manifest["metadata"]
    task = world.task(module, manifest=placed.manifest)
    try:
        task.apply()
        assert task.plan().action is ActionKind.KEEP
        assert module.identity(placed) == module.recorded_identity(world.recorded["task"])
        older = {**placed.manifest, "apiVersion": "rbac.authorization.k8s.io/v1beta1"}
        assert module.identity(K8sObject.Args.model_validate({"manifest": older})) == module.identity(placed)
    finally:
        world.client.delete(ObjectKey("rbac.authorization.k8s.io/v1", "ClusterRole", "", world.namespace))


def test_a_job_that_went_by_itself_is_no_drift_until_its_manifest_changes(world: World) -> None:
    def job(image: str, **spec: Any) -> Task:
        pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": image}]}
        spec = {"parallelism": 0, "template": {"spec": pod}, **spec}
        return world.task(K8sObject(), manifest=world.manifest("Job", "migrate", "batch/v1", spec=spec))

    task = job("i:1", ttlSecondsAfterFinished=0)
    task.apply()
    decide = task.module.diff
    assert decide(task.wanted(), ABSENT, task.recorded).action is ActionKind.KEEP
    assert decide(job("i:2", ttlSecondsAfterFinished=0).wanted(), ABSENT, task.recorded).action is ActionKind.CREATE
    assert decide(job("i:1").wanted(), Observed(exists=False), task.recorded).action is ActionKind.CREATE

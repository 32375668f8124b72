"""The module `k8s_object`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kubernetes_world import CLUSTERS, World, cluster, world_of
from pydantic import ValidationError

from ppmlctl.clients.kubernetes import ConflictError, ObjectKey, WaitStoppedError
from ppmlctl.diagnostics import EngineError
from ppmlctl.effects import Effect
from ppmlctl.evidence import Evidence
from ppmlctl.modules import _object_writes
from ppmlctl.modules._removal_hold import holds
from ppmlctl.modules.k8s_object import K8sObject, WaitFor
from ppmlctl.planning import ActionKind, FieldChange, Recorded, Wanted
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown


@pytest.fixture(scope="module", params=CLUSTERS)
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cluster(request.param, tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def world(kubeconfig: Path, make_context: Any) -> Iterator[World]:
    with world_of(kubeconfig, make_context) as made:
        yield made


def config(world: World, name: str = "c", **data: str) -> dict[str, Any]:
    return world.manifest("ConfigMap", name, data=data)


def test_an_object_is_made_once_and_kept(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world, a="1"))
    assert task.plan().action is ActionKind.CREATE
    assert task.plan().fields == (FieldChange("object", None, f"ConfigMap {world.namespace}/c"),)
    result = task.apply()
    assert (result.kind, result.namespace, result.name) == ("ConfigMap", world.namespace, "c")
    assert result.existed_before is False
    assert task.plan().action is ActionKind.KEEP
    assert task.plan().reasons == ("as declared",)


def test_an_empty_text_that_cannot_be_emptied_keeps_what_the_server_gave(world: World) -> None:
    """The Service of another port is the same Service, with its address."""

    def front(port: int) -> dict[str, Any]:
        return world.manifest("Service", "front", spec={"clusterIP": "", "ports": [{"port": port}]})

    world.task(K8sObject(), manifest=front(80)).apply()
    before = world.live("Service", "front")
    task = world.task(K8sObject(), manifest=front(81))
    assert task.plan().action is ActionKind.UPDATE
    assert [(field.path, field.after) for field in task.plan().fields if field.path == "spec.clusterIP"] == []
    task.apply()
    after = world.live("Service", "front")
    assert before
    assert after
    assert after["spec"]["ports"][0]["port"] == 81
    for part, name in (("metadata", "uid"), ("spec", "clusterIP")):
        assert after[part][name] == before[part][name]
    assert task.plan().action is ActionKind.KEEP


def test_its_labels_name_environment_and_task(world: World) -> None:
    world.task(K8sObject(), "workload[spark pi]", manifest=config(world)).apply()
    live = world.live("ConfigMap", "c")
    assert live is not None
    assert live["metadata"]["labels"] == {
        "ppmlctl/environment": world.context.environment,
        "ppmlctl/task": "workload-spark-pi",
    }


def test_many_objects_of_one_kind_are_observed_by_one_call(world: World) -> None:
    tasks = [world.task(K8sObject(), f"t{n}", manifest=config(world, f"c{n}", n=str(n))) for n in range(3)]
    for task in tasks:
        task.apply()
    before = world.effects.count(Effect.READ)
    found = K8sObject().observe(tasks[0].context, [task.wanted() for task in tasks])
    assert sorted(found) == ["t0", "t1", "t2"]
    assert world.effects.count(Effect.READ) == before + 1


def test_drift_shows_both_values_and_is_mended(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world, a="1"))
    task.apply()
    world.apply_as_ours(config(world, a="drifted"))
    change = task.plan()
    assert change.action is ActionKind.UPDATE
    assert FieldChange("data.a", "drifted", "1") in change.fields
    task.apply()
    assert task.plan().action is ActionKind.KEEP


def test_a_deleted_object_is_made_again(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world, a="1"))
    task.apply()
    world.client.delete(ObjectKey("v1", "ConfigMap", world.namespace, "c"), wait_seconds=30)
    assert task.plan().reasons == ("was made before, is not there any more",)
    task.apply()
    assert task.plan().action is ActionKind.KEEP


def test_a_field_that_is_no_longer_declared_is_removed(world: World) -> None:
    world.task(K8sObject(), manifest=config(world, a="1", b="2")).apply()
    fewer = world.task(K8sObject(), manifest=config(world, a="1"))
    assert fewer.plan().fields == (FieldChange("data.b", "2", None),)
    fewer.apply()
    assert world.live("ConfigMap", "c")["data"] == {"a": "1"}  # type: ignore[index]
    assert fewer.plan().action is ActionKind.KEEP


def test_a_manifest_copied_from_a_cluster_is_made_anew(world: World) -> None:
    world.client.apply(config(world, a="1"))
    copied = world.live("ConfigMap", "c")
    assert copied is not None
    world.client.delete(ObjectKey("v1", "ConfigMap", world.namespace, "c"), wait_seconds=30)
    task = world.task(K8sObject(), manifest=copied)
    task.apply()
    task.apply()
    assert world.live("ConfigMap", "c")["metadata"]["uid"] != copied["metadata"]["uid"]  # type: ignore[index]
    assert task.plan().action is ActionKind.KEEP


def test_fields_of_others_are_left_alone(world: World) -> None:
    service = world.manifest("Service", "s", spec={"selector": {"app": "x"}, "ports": [{"port": 80}]})
    task = world.task(K8sObject(), manifest=service)
    task.apply()
    assert task.plan().action is ActionKind.KEEP


def test_an_object_that_was_there_is_adopted_and_kept_at_removal(world: World) -> None:
    world.client.create(config(world, a="1", theirs="x"))
    task = world.task(K8sObject(), manifest=config(world, a="1"), force_conflicts=True)
    assert task.plan().action is ActionKind.CREATE
    assert task.plan().reasons == ("adopts what is there already",)
    assert task.apply().existed_before is True
    assert task.plan().action is ActionKind.KEEP
    task.remove()
    assert world.live("ConfigMap", "c")["data"] == {"a": "1", "theirs": "x"}  # type: ignore[index]
    assert world.warnings == [f"ConfigMap {world.namespace}/c was there before; kept"]


def test_an_adoption_is_remembered_over_a_crash_before_the_record(world: World) -> None:
    world.client.create(config(world, a="1"))
    task = world.task(K8sObject(), manifest=config(world, a="1"), force_conflicts=True)
    task.apply(crash_before_record=True)
    assert task.plan().reasons == ("adopts what is there already",)
    assert task.apply().existed_before is True


def test_an_adopted_object_stays_its_owners_though_the_owner_wipes_our_marks(world: World) -> None:
    world.client.create(config(world, a="1"))
    task = world.task(K8sObject(), manifest=config(world, a="1"), force_conflicts=True)
    task.apply()
    world.client.delete(ObjectKey("v1", "ConfigMap", world.namespace, "c"), wait_seconds=30)
    world.client.create(config(world, a="1"))
    assert task.plan().action is ActionKind.UPDATE
    assert task.apply().existed_before is True
    task.remove()
    assert world.live("ConfigMap", "c") is not None


def test_what_a_crash_left_unrecorded_is_adopted_as_ours(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world, a="1"))
    task.apply(crash_before_record=True)
    assert task.plan().reasons == ("adopts what is there already",)
    assert task.apply().existed_before is False
    task.remove()
    assert world.live("ConfigMap", "c") is None


def test_a_field_that_another_manager_took_is_a_conflict_unless_taken_back(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world, a="ours"))
    task.apply()
    world.apply_as_other(config(world, a="theirs"))
    assert task.plan().fields == (FieldChange("data.a", "theirs", "ours"),)
    with pytest.raises(ConflictError) as refused:
        task.apply()
    assert '"colleague" holds .data.a' in str(refused.value)
    world.task(K8sObject(), manifest=config(world, a="ours"), force_conflicts=True).apply()
    assert task.plan().action is ActionKind.KEEP


def test_a_changed_immutable_field_replaces(world: World) -> None:
    def binding(role: str) -> dict[str, Any]:
        return world.manifest(
            "RoleBinding",
            "b",
            "rbac.authorization.k8s.io/v1",
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            subjects=[{"kind": "ServiceAccount", "name": "spark", "namespace": world.namespace}],
        )

    before = world.task(K8sObject(), manifest=binding("view"))
    before.apply()
    assert before.plan().action is ActionKind.KEEP
    after = world.task(K8sObject(), manifest=binding("edit"))
    change = after.plan()
    assert change.action is ActionKind.REPLACE
    (reason,) = change.reasons
    assert reason.startswith("cannot be changed in place: ")
    assert "roleRef" in reason  # the server's words
    assert change.fields == (FieldChange("roleRef.name", "view", "edit"),)
    after.apply()
    assert after.plan().action is ActionKind.KEEP


def test_what_was_there_before_is_not_replaced(world: World) -> None:
    deployment = {
        "selector": {"matchLabels": {"app": "a"}},
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "m", "image": "i"}]}},
        "replicas": 0,
    }
    world.client.create(world.manifest("Deployment", "d", "apps/v1", spec=deployment))
    other = {**deployment, "selector": {"matchLabels": {"app": "b"}}}
    task = world.task(K8sObject(), manifest=world.manifest("Deployment", "d", "apps/v1", spec=other))
    with pytest.raises(EngineError) as refused:
        task.plan()
    (told,) = refused.value.diagnostics
    assert (told.code, told.why) == ("k8s-not-ours", "ppmlctl replaces only what it made")
    assert told.found.startswith(f"Deployment {world.namespace}/d: ")
    assert "immutable" in told.found


def test_another_name_replaces_the_object(world: World) -> None:
    world.task(K8sObject(), manifest=config(world, "old")).apply()
    renamed = world.task(K8sObject(), manifest=config(world, "new"))
    change = renamed.plan()
    assert change.action is ActionKind.REPLACE
    assert change.fields == (FieldChange("name", f"{world.namespace}/old", f"{world.namespace}/new"),)
    renamed.apply()
    assert world.live("ConfigMap", "old") is None
    assert renamed.plan().action is ActionKind.KEEP


def test_removal_deletes_and_a_second_one_finds_nothing(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world))
    task.apply()
    recorded = task.recorded
    assert recorded is not None
    task.remove()
    assert world.live("ConfigMap", "c") is None
    K8sObject().remove(task.context, recorded)


def test_removal_spares_what_another_environment_took_over(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world))
    task.apply()
    labels = {"ppmlctl/environment": "another"}
    world.apply_as_other(world.manifest("ConfigMap", "c", metadata={"labels": labels}))
    task.remove()
    assert world.live("ConfigMap", "c") is not None
    assert world.warnings == [f"ConfigMap {world.namespace}/c does not carry this environment's label any more; kept"]


def test_an_object_of_another_environment_is_refused_already_by_the_plan(world: World) -> None:
    world.task(K8sObject(), manifest=config(world, a="1")).apply()
    other = world.other_environment()
    with pytest.raises(EngineError) as refused:
        other.task(K8sObject(), manifest=config(world, a="1")).plan()
    assert str(refused.value) == (
        "error[k8s-other-environment]: the object belongs to another environment\n"
        f"  is   ConfigMap {world.namespace}/c carries the label ppmlctl/environment={world.context.environment}; "
        f"this environment is {other.context.environment}\n"
        "  why  two environments on one object undo each other's changes, and the removal of one takes it from both\n"
        "  fix  give this environment another cluster.namespace, or the object another name. Where a lost lockfile of "
        "this one said that `environment:`, restore it. Where that environment is no more, release the object:\n"
        f"       kubectl label -n {world.namespace} ConfigMap c ppmlctl/environment-"
    )


@pytest.mark.parametrize("forced", [False, True])
def test_an_object_that_another_environment_made_since_the_plan_is_left_as_it_is(world: World, *, forced: bool) -> None:
    other = world.other_environment()
    late = other.task(K8sObject(), manifest=config(world, a="theirs"), force_conflicts=forced)
    wanted, observed = late.wanted(), late.observe()
    world.task(K8sObject(), manifest=config(world, a="ours")).apply()
    before = world.live("ConfigMap", "c")
    with pytest.raises(EngineError) as refused:
        late.module.apply(late.context, wanted.args, observed)
    assert refused.value.diagnostics[0].code == "k8s-other-environment"
    assert world.live("ConfigMap", "c") == before


@pytest.mark.parametrize("there", [False, True])
def test_force_does_not_take_what_another_environment_took_since_the_look(world: World, *, there: bool) -> None:
    if there:
        world.client.create(config(world, a="before"))
    ours = world.task(K8sObject(), manifest=config(world, a="ours"), force_conflicts=True)
    theirs = world.other_environment().task(K8sObject(), manifest=config(world, a="theirs"), force_conflicts=True)
    wanted, observed = ours.wanted(), ours.observe()
    theirs.apply()
    with pytest.raises(EngineError) as refused:
        ours.module.apply(ours.context, wanted.args, observed)
    assert refused.value.diagnostics[0].code == "k8s-other-environment"
    assert world.live("ConfigMap", "c")["data"] == {"a": "theirs"}  # type: ignore[index]


def test_force_goes_on_though_the_object_is_written_meanwhile(world: World) -> None:
    world.apply_as_other(config(world, a="theirs"))
    task = world.task(K8sObject(), manifest=config(world, a="ours"), force_conflicts=True)
    wanted, observed = task.wanted(), task.observe()
    world.apply_as_other(config(world, a="theirs", b="more"))
    task.module.apply(task.context, wanted.args, observed)
    assert world.live("ConfigMap", "c")["data"] == {"a": "ours", "b": "more"}  # type: ignore[index]


def test_what_somebody_made_since_the_plan_is_adopted_and_kept_at_removal(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world, a="1"))
    wanted, observed = task.wanted(), task.observe()
    world.apply_as_other(config(world, theirs="x"))
    time.sleep(1.1)  # managedFields tell who came first by whole seconds
    result = task.module.apply(task.context, wanted.args, observed)
    assert result.existed_before is True
    live = world.live("ConfigMap", "c")
    assert live is not None
    assert live["data"] == {"a": "1", "theirs": "x"}
    assert live["metadata"]["annotations"] == {"ppmlctl/existed-before": "true"}


def test_a_new_object_costs_one_call(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world, a="1"))
    wanted, observed = task.wanted(), task.observe()
    before = world.effects.count(Effect.READ), world.effects.count(Effect.WRITE)
    task.module.apply(task.context, wanted.args, observed)
    assert (world.effects.count(Effect.READ), world.effects.count(Effect.WRITE)) == (before[0], before[1] + 1)


def test_a_removal_that_hangs_names_what_holds_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_object_writes, "REMOVAL_SECONDS", 1.0)
    task = world.task(K8sObject(), manifest=config(world, a="1"))
    task.apply()
    world.apply_as_other(world.manifest("ConfigMap", "c", metadata={"finalizers": ["example.com/held"]}))
    with pytest.raises(EngineError) as refused:
        task.remove()
    assert str(refused.value) == (
        "error[k8s-removal-held]: an object that is being deleted does not go\n"
        f"  is   ConfigMap {world.namespace}/c: not gone after 1 s\n"
        "       finalizer example.com/held\n"
        "  fix  let what is named end its work, or remove its cause; then run the same command again"
    )
    world.apply_as_other(world.manifest("ConfigMap", "c"))
    task.remove()
    assert world.live("ConfigMap", "c") is None


def test_a_removal_that_hangs_can_be_stopped(world: World) -> None:
    task = world.task(K8sObject(), manifest=config(world, a="1"))
    task.apply()
    world.apply_as_other(world.manifest("ConfigMap", "c", metadata={"finalizers": ["example.com/held"]}))
    world.context.stopping.set()
    with pytest.raises(WaitStoppedError):
        task.remove()
    world.context.stopping.clear()
    world.apply_as_other(world.manifest("ConfigMap", "c"))
    task.remove()
    assert world.live("ConfigMap", "c") is None


def test_with_its_definition_a_custom_object_is_removed_too(world: World) -> None:
    result = {"api_version": "example.com/v1", "kind": "Widget", "namespace": world.namespace, "name": "w"}
    world.recorded["task"] = Recorded("k8s_object", {}, {**result, "existed_before": False})
    world.task(K8sObject()).remove()
    assert "task" not in world.recorded


def test_an_object_outlives_the_version_that_it_was_made_by(world: World) -> None:
    role = world.manifest("Role", "r", "rbac.authorization.k8s.io/v1", rules=[])
    task = world.task(K8sObject(), manifest=role)
    task.apply()
    recorded = world.recorded["task"]
    older = {**recorded.result, "api_version": "rbac.authorization.k8s.io/v1alpha9"}
    world.recorded["task"] = replace(recorded, result=older)
    task.remove()
    assert world.live("Role", "r", "rbac.authorization.k8s.io/v1") is None


def test_an_object_on_its_way_out_is_let_go_before_it_is_made_anew(world: World) -> None:
    finalizers = {"finalizers": ["example.com/held"]}
    world.apply_as_other(world.manifest("ConfigMap", "c", metadata=finalizers))
    world.client.delete(ObjectKey("v1", "ConfigMap", world.namespace, "c"))
    task = world.task(K8sObject(), manifest=config(world, a="2"))
    assert task.plan().action is ActionKind.CREATE
    release = threading.Timer(0.5, lambda: world.apply_as_other(world.manifest("ConfigMap", "c")))
    release.start()
    assert task.apply().existed_before is False
    assert world.live("ConfigMap", "c")["data"] == {"a": "2"}  # type: ignore[index]


def test_what_holds_an_object_is_told_in_words() -> None:
    remaining = {"type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining"}
    namespace = {"kind": "Namespace", "metadata": {}, "status": {"conditions": [remaining]}}
    assert list(holds(namespace)) == ["Some resources are remaining"]
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"finalizers": ["kubernetes.io/pvc-protection"]}}
    assert list(holds(claim)) == ["finalizer kubernetes.io/pvc-protection: a pod still uses it"]


def test_a_namespace_is_removed_with_its_content_before_the_task_is_done(world: World) -> None:
    name = f"{world.namespace}-inner"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    task = world.task(K8sObject(), manifest=manifest)
    task.apply()
    world.client.apply({**config(world), "metadata": {"name": "c", "namespace": name}})
    task.remove()
    assert world.client.get(ObjectKey("v1", "Namespace", "", name)) is None


def test_a_wait_is_part_of_the_task(world: World) -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}}
    wait = {"field": "status.phase", "value": "Active", "seconds": 30}
    assert world.task(K8sObject(), manifest=manifest, wait=wait).apply().existed_before is True
    with pytest.raises(EngineError) as refused:
        world.task(K8sObject(), "other", manifest=config(world), wait={"field": "data.token", "seconds": 1}).apply()
    assert refused.value.diagnostics[0].found == (f"ConfigMap {world.namespace}/c: not after 1 s: data.token is filled")


def test_a_wait_for_readiness_fits_the_kind(world: World) -> None:
    wait = {"ready": True}
    with pytest.raises(ValidationError, match="a ConfigMap does not tell when it is ready"):
        K8sObject.Args.model_validate({"manifest": config(world), "wait": wait})
    namespaced = {"metadata": {"name": "p", "namespace": "n"}}
    K8sObject.Args.model_validate({"manifest": {"apiVersion": "v1", "kind": "Pod", **namespaced}, "wait": wait})


def test_what_a_plan_does_not_know_yet_is_not_looked_for(world: World) -> None:
    unknown = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": Unknown("x"), "namespace": "ns"}}
    args = K8sObject.Args.model_validate({"manifest": unknown})
    whole = K8sObject.Args.model_validate({"manifest": Unknown("y")})
    wanted = [Wanted("a", args, {}), Wanted("b", whole, {})]
    assert K8sObject().observe(world.context, wanted) == {}


def test_an_object_of_a_kind_that_is_not_installed_yet_is_not_there(world: World) -> None:
    task = world.task(K8sObject(), manifest=world.manifest("Widget", "w", "example.com/v1"))
    assert task.plan().action is ActionKind.CREATE
    with pytest.raises(EngineError) as refused:
        task.apply()
    assert refused.value.diagnostics[0].code == "k8s-unknown-kind"


def test_an_object_in_a_missing_namespace_says_what_to_do(world: World) -> None:
    manifest = {**config(world), "metadata": {"name": "c", "namespace": "no-such"}}
    with pytest.raises(EngineError) as refused:
        world.task(K8sObject(), manifest=manifest).apply()
    assert refused.value.diagnostics[0].code == "k8s-no-such-namespace"


def test_in_the_sandbox_it_counts_as_simulated(world: World) -> None:
    assert world.task(K8sObject(), manifest=config(world)).apply().evidence is None
    world.context = type(world.context)(**{**vars(world.context), "target": "sandbox"})
    assert world.task(K8sObject(), manifest=config(world)).apply().evidence is Evidence.SIMULATED


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ({"kind": "ConfigMap"}, "a manifest needs apiVersion, kind and metadata.name"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, "a manifest needs apiVersion, kind and metadata"),
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}, "make a k8s_secret"),
        ({"apiVersion": "v1", "kind": "X", "metadata": {"name": "s"}, "a": [Secret("hunter2")]}, "make a k8s_secret"),
    ],
)
def test_a_wrong_manifest_is_refused_with_the_arguments(manifest: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as refused:
        K8sObject.Args.model_validate({"manifest": manifest})
    assert "hunter2" not in str(refused.value)


def test_a_wait_names_one_thing() -> None:
    with pytest.raises(ValidationError, match="give one of `ready`, `field` and `condition`"):
        WaitFor.model_validate({})
    available = WaitFor(condition="Available")
    assert not available.holds({"status": {"conditions": [{"type": "Available", "status": "False"}]}})
    assert available.holds({"status": {"conditions": [{"type": "Available", "status": "True"}]}})
    assert not available.holds(None)


def test_the_record_holds_a_digest_of_the_manifest(world: World) -> None:
    wanted = world.task(K8sObject(), manifest=config(world, a="1")).wanted()
    assert wanted.inputs["manifest"].startswith("sha256:")

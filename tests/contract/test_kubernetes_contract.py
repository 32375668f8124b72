"""What ppmlctl needs of a Kubernetes API, held against a real one and against the sandbox's."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from kubernetes_targets import JOB_LINE, KubernetesTarget, Namespace

from ppmlctl.clients.kubernetes import (
    Condition,
    ConflictError,
    KubernetesClient,
    MadeAnewError,
    Manifest,
    ObjectExistsError,
    ObjectKey,
    WaitStoppedError,
)
from ppmlctl.diagnostics import EngineError, WriteRefusedError
from ppmlctl.effects import Effect, Effects
from ppmlctl.kubernetes.differences import ABSENT, FieldDifference, changes, differences
from ppmlctl.secret import MASK

SECONDS = 60


def code_of(error: pytest.ExceptionInfo[EngineError]) -> str:
    return error.value.diagnostics[0].code


def finished(job: Manifest | None) -> bool:
    conditions = (job or {}).get("status", {}).get("conditions") or ()
    return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)


def job_manifest(namespace: Namespace, image: str, name: str = "once", status: int = 0) -> Manifest:
    container = {"name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "args": [str(status)]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return namespace.manifest("Job", name, "batch/v1", spec={"backoffLimit": 0, "template": template})


def test_a_cluster_has_one_lasting_identity(kubernetes_target: KubernetesTarget) -> None:
    identity = kubernetes_target.client().cluster_identity()
    assert len(identity) == 36
    assert kubernetes_target.client().cluster_identity() == identity


def test_it_is_known_which_kinds_no_apply_with_a_version_makes(namespace: Namespace) -> None:
    """Services up to 1.21 are such: each is created without asking the server in vain once more."""
    manifest = namespace.manifest("Service", "s", spec={"ports": [{"port": 80}]})
    assert not namespace.client.is_created_only(manifest)
    versioned = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": "1"}}
    try:
        made = namespace.client.apply(versioned) is not None
    except MadeAnewError:
        made = False
    assert (namespace.client.get(namespace.key("Service", "s")) is not None) is made
    assert namespace.client.is_created_only(manifest) is not made
    assert not namespace.client.is_created_only(namespace.manifest("ConfigMap", "c"))
    odd = {**manifest, "unknownField": ""}  # a creation would drop it without a word
    assert not namespace.client.is_created_only(odd)


def test_what_is_applied_can_be_read_and_has_no_drift(namespace: Namespace) -> None:
    manifest = namespace.manifest("ConfigMap", "c", data={"a": "1"})
    applied = namespace.client.apply(manifest)
    live = namespace.client.get(namespace.key("ConfigMap", "c"))
    assert live == applied
    assert live is not None
    assert differences(manifest, live, "ppmlctl") == []


def test_applying_twice_changes_nothing(namespace: Namespace) -> None:
    manifest = namespace.manifest("ConfigMap", "c", data={"a": "1"})
    first, second = namespace.client.apply(manifest), namespace.client.apply(manifest)
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_a_change_by_another_manager_is_seen_by_field(namespace: Namespace) -> None:
    manifest = namespace.manifest("ConfigMap", "c", data={"a": "1", "b": "2"})
    namespace.client.apply(manifest)
    namespace.apply_as_other(namespace.manifest("ConfigMap", "c", data={"a": "theirs"}))
    live = namespace.client.get(namespace.key("ConfigMap", "c"))
    assert live is not None
    assert differences(manifest, live, "ppmlctl") == [FieldDifference("data.a", "theirs", "1")]


def test_a_field_held_by_another_manager_is_a_conflict_until_it_is_taken_over(namespace: Namespace) -> None:
    manifest = namespace.manifest("ConfigMap", "c", data={"a": "1"})
    namespace.client.apply(manifest)
    namespace.apply_as_other(namespace.manifest("ConfigMap", "c", data={"a": "theirs"}))
    with pytest.raises(ConflictError) as refused:
        namespace.client.apply(manifest)
    diagnostic = refused.value.diagnostics[0]
    assert diagnostic.code == "k8s-conflict"
    assert diagnostic.found == f'apply ConfigMap {namespace.name}/c: "colleague" holds .data.a'
    assert namespace.client.apply(manifest, force=True)["data"] == {"a": "1"}


def test_a_field_no_longer_declared_is_seen_and_removed(namespace: Namespace) -> None:
    namespace.client.apply(namespace.manifest("ConfigMap", "c", data={"a": "1", "b": "2"}))
    fewer = namespace.manifest("ConfigMap", "c", data={"a": "1"})
    live = namespace.client.get(namespace.key("ConfigMap", "c"))
    assert live is not None
    foreseen = namespace.client.apply(fewer, dry_run=True)
    assert changes(live, foreseen) == [FieldDifference("data.b", "2", ABSENT)]
    after = namespace.client.apply(fewer)
    assert after["data"] == {"a": "1"}
    assert differences(fewer, after, "ppmlctl") == []


def test_fields_of_others_survive_an_apply(namespace: Namespace) -> None:
    namespace.client.apply(namespace.manifest("ConfigMap", "c", data={"a": "1"}))
    namespace.apply_as_other(namespace.manifest("ConfigMap", "c", data={"theirs": "x"}))
    assert namespace.client.apply(namespace.manifest("ConfigMap", "c", data={"a": "2"}))["data"] == {
        "a": "2",
        "theirs": "x",
    }


def test_a_stale_resource_version_is_refused(namespace: Namespace) -> None:
    first = namespace.client.apply(namespace.manifest("ConfigMap", "c", data={"a": "1"}))
    namespace.client.apply(namespace.manifest("ConfigMap", "c", data={"a": "2"}))
    version = {"resourceVersion": first["metadata"]["resourceVersion"]}
    with pytest.raises(ConflictError) as refused:
        namespace.client.apply(namespace.manifest("ConfigMap", "c", data={"a": "3"}, metadata=version))
    assert code_of(refused) == "k8s-changed"


def test_a_dry_run_shows_the_result_and_writes_nothing(namespace: Namespace) -> None:
    reader = namespace.target.client(writes_allowed=False)
    shown = reader.apply(namespace.manifest("ConfigMap", "c", data={"a": "1"}), dry_run=True)
    assert shown["data"] == {"a": "1"}
    assert namespace.client.get(namespace.key("ConfigMap", "c")) is None


def test_a_client_that_only_reads_sends_no_write(namespace: Namespace) -> None:
    effects = Effects("kubernetes", writes_allowed=False)
    reader = KubernetesClient(effects, kubeconfig=namespace.target.kubeconfig)
    key = namespace.key("ConfigMap", "c")
    with pytest.raises(WriteRefusedError):
        reader.apply(namespace.manifest("ConfigMap", "c"))
    with pytest.raises(WriteRefusedError):
        reader.create(namespace.manifest("ConfigMap", "c"))
    with pytest.raises(WriteRefusedError):
        reader.delete(key)
    assert effects.count(Effect.READ) + effects.count(Effect.WRITE) == 0


def test_quantities_and_defaulted_fields_are_no_drift(namespace: Namespace, job_image: str) -> None:
    limits = {"cpu": "1000m", "memory": "1024Mi"}
    container = {"name": "main", "image": job_image, "resources": {"limits": limits}, "tty": False, "args": []}
    template = {"metadata": {"labels": {"app": "d"}}, "spec": {"hostNetwork": False, "containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "d"}}, "template": template}
    manifest = namespace.manifest("Deployment", "d", "apps/v1", spec=spec)
    live = namespace.client.apply(manifest)
    assert live["spec"]["template"]["spec"]["restartPolicy"] == "Always"
    assert changes(*namespace.foreseen(manifest, live)) == []
    stored_otherwise = [one.path.rpartition("]")[2] for one in differences(manifest, live, "ppmlctl")]
    assert sorted(stored_otherwise) == [
        ".args",
        ".resources.limits.cpu",
        ".resources.limits.memory",
        ".tty",
        "spec.template.spec.hostNetwork",
    ]


def test_ports_of_a_service_need_no_protocol(namespace: Namespace) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81, "targetPort": "web"}]
    manifest = namespace.manifest("Service", "s", spec={"selector": {"app": "x"}, "ports": ports})
    live = namespace.client.apply(manifest)
    assert {port["protocol"] for port in live["spec"]["ports"]} == {"TCP"}
    assert differences(manifest, live, "ppmlctl") == []


def test_string_data_of_a_secret_is_held_and_compared_as_data(namespace: Namespace) -> None:
    manifest = namespace.manifest("Secret", "s", stringData={"a": "päss", "b": "x"})
    live = namespace.client.apply(manifest)
    assert live["data"]["a"] == base64.b64encode("päss".encode()).decode()
    assert differences(manifest, live, "ppmlctl") == []
    fewer = namespace.manifest("Secret", "s", stringData={"a": "päss"})
    assert changes(live, namespace.client.apply(fewer, dry_run=True)) == [FieldDifference("data.b", MASK, ABSENT)]
    assert set(namespace.client.apply(fewer)["data"]) == {"a"}


def test_a_list_takes_labels_and_gives_whole_manifests(namespace: Namespace) -> None:
    for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
        namespace.client.apply(namespace.manifest("ConfigMap", name, metadata={"labels": {"app": label}}))
    found = namespace.client.list_objects("v1", "ConfigMap", namespace.name, label_selector="app=x")
    assert [(item["apiVersion"], item["kind"], item["metadata"]["name"]) for item in found] == [
        ("v1", "ConfigMap", "a"),
        ("v1", "ConfigMap", "b"),
    ]
    assert namespace.client.list_objects("v1", "Secret", namespace.name, label_selector="app=x") == []


def test_a_list_over_all_namespaces_is_one_call(namespace: Namespace) -> None:
    namespace.client.apply(namespace.manifest("ConfigMap", "c", metadata={"labels": {"run": namespace.name}}))
    before = namespace.effects.count(Effect.READ)
    assert len(namespace.client.list_objects("v1", "ConfigMap", label_selector=f"run={namespace.name}")) == 1
    assert namespace.effects.count(Effect.READ) == before + 1


def test_what_is_not_there_is_none_and_deleting_it_says_so(namespace: Namespace) -> None:
    key = namespace.key("ConfigMap", "none")
    assert namespace.client.get(key) is None
    assert namespace.client.delete(key) is False


def test_creating_what_exists_is_told_apart(namespace: Namespace) -> None:
    manifest = namespace.manifest("ConfigMap", "c", data={"a": "1"})
    namespace.client.create(manifest)
    with pytest.raises(ObjectExistsError) as refused:
        namespace.client.create(manifest)
    assert code_of(refused) == "k8s-exists"


def test_only_the_version_that_was_read_is_replaced_and_deleted(namespace: Namespace) -> None:
    """What two holders of one lease exclude each other by."""
    key = namespace.key("Lease", "l", "coordination.k8s.io/v1")
    spec = {"holderIdentity": "one", "leaseDurationSeconds": 30, "renewTime": "2026-01-02T03:04:05.000006Z"}
    first = namespace.client.create(namespace.manifest("Lease", "l", "coordination.k8s.io/v1", spec=spec))
    second = namespace.client.replace({**first, "spec": {**spec, "holderIdentity": "two"}})
    assert namespace.client.get(key) == second
    with pytest.raises(ConflictError) as refused:
        namespace.client.replace({**first, "spec": {**spec, "holderIdentity": "three"}})
    assert code_of(refused) == "k8s-changed"
    with pytest.raises(ConflictError):
        namespace.client.delete(key, version=first["metadata"]["resourceVersion"])
    assert namespace.client.delete(key, version=second["metadata"]["resourceVersion"]) is True
    with pytest.raises(ConflictError):
        namespace.client.replace(second)


def test_an_object_in_a_missing_namespace_is_refused(namespace: Namespace) -> None:
    manifest: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "no-such"}}
    with pytest.raises(EngineError) as refused:
        namespace.client.apply(manifest)
    assert code_of(refused) == "k8s-no-such-namespace"
    assert 'namespaces "no-such" not found' in refused.value.diagnostics[0].found


def test_a_kind_that_is_not_served_is_named(kubernetes_target: KubernetesTarget) -> None:
    with pytest.raises(EngineError) as refused:
        kubernetes_target.client().get(ObjectKey("example.com/v1", "Widget", "default", "w"))
    assert code_of(refused) == "k8s-unknown-kind"
    assert refused.value.diagnostics[0].found == "Widget of example.com/v1"


@pytest.mark.parametrize(
    ("api_version", "kind", "served"),
    [
        ("v1", "Secret", "v1"),
        ("rbac.authorization.k8s.io/v1alpha9", "Role", "rbac.authorization.k8s.io/v1"),
        ("rbac.authorization.k8s.io/v1alpha9", "Widget", None),
        ("example.com/v1", "Widget", None),
        ("v9", "Secret", None),
    ],
)
def test_an_object_is_found_by_another_version_of_its_group(
    kubernetes_target: KubernetesTarget, api_version: str, kind: str, served: str | None
) -> None:
    found = kubernetes_target.client().as_served(ObjectKey(api_version, kind, "ns", "name"))
    assert found == (None if served is None else ObjectKey(served, kind, "ns", "name"))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"data": {"a": 1}}, ".data.a", id="type"),
        pytest.param({"dataa": {"a": "1"}}, "dataa", id="unknown field"),
    ],
)
def test_a_manifest_that_does_not_fit_is_invalid_and_not_transient(
    namespace: Namespace, fields: dict[str, Any], says: str
) -> None:
    with pytest.raises(EngineError) as refused:
        namespace.client.apply(namespace.manifest("ConfigMap", "c", **fields))
    assert code_of(refused) == "k8s-invalid"
    assert says in refused.value.diagnostics[0].found


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"stringData": {"a": "hunter2"}, "type": "kubernetes.io/dockerconfigjson"}, id="type"),
        pytest.param({"data": {"a": "hunter2!"}}, id="base64"),
        pytest.param({"data": {"a": ["hunter2"]}}, id="shape"),
        pytest.param({"stringDat": {"a": "hunter2"}}, id="field"),
    ],
)
def test_a_refused_secret_is_not_quoted(namespace: Namespace, fields: dict[str, Any]) -> None:
    for send in (namespace.client.apply, namespace.client.create):
        if send == namespace.client.create and "stringDat" in fields:
            continue  # create drops fields it does not know
        with pytest.raises(EngineError) as refused:
            send(namespace.manifest("Secret", "s", **fields))
        assert code_of(refused) == "k8s-invalid"
        assert "hunter2" not in str(refused.value) + repr(refused.value)


def test_the_type_of_a_secret_cannot_change(namespace: Namespace) -> None:
    namespace.client.apply(namespace.manifest("Secret", "s", stringData={"a": "hunter2"}))
    with pytest.raises(EngineError) as refused:
        namespace.client.apply(namespace.manifest("Secret", "s", type="example.com/other", stringData={"a": "hunter2"}))
    assert refused.value.diagnostics[0].found == f"apply Secret {namespace.name}/s: Invalid (type)"


def test_a_deleted_object_is_gone_when_waited_for(namespace: Namespace) -> None:
    namespace.client.apply(namespace.manifest("ConfigMap", "c"))
    assert namespace.client.delete(namespace.key("ConfigMap", "c"), wait_seconds=SECONDS) is True
    assert namespace.client.get(namespace.key("ConfigMap", "c")) is None


def test_a_delete_spares_another_object_of_the_same_name(namespace: Namespace) -> None:
    namespace.client.apply(namespace.manifest("ConfigMap", "c"))
    with pytest.raises(ConflictError):
        namespace.client.delete(namespace.key("ConfigMap", "c"), uid="00000000-0000-0000-0000-000000000000")
    assert namespace.client.get(namespace.key("ConfigMap", "c")) is not None


def test_deleting_an_owner_deletes_what_it_owns(namespace: Namespace) -> None:
    owner = namespace.client.apply(namespace.manifest("ConfigMap", "owner"))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    namespace.client.apply(namespace.manifest("ConfigMap", "owned", metadata={"ownerReferences": [reference]}))
    namespace.client.delete(namespace.key("ConfigMap", "owner"))
    gone = Condition("it is gone", lambda live: live is None)
    assert namespace.client.wait(namespace.key("ConfigMap", "owned"), gone, SECONDS) is None


def test_a_wait_sees_a_change_made_meanwhile(namespace: Namespace) -> None:
    namespace.client.apply(namespace.manifest("ConfigMap", "c", data={"a": "1"}))
    changed = Condition("a is 2", lambda live: live is not None and live["data"]["a"] == "2")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(namespace.client.wait, namespace.key("ConfigMap", "c"), changed, SECONDS)
        namespace.client.apply(namespace.manifest("ConfigMap", "c", data={"a": "2"}))
        live = waiting.result(SECONDS)
    assert live is not None
    assert live["data"] == {"a": "2"}


def test_a_wait_for_an_object_that_does_not_exist_yet(namespace: Namespace) -> None:
    there = Condition("it exists", lambda live: live is not None)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(namespace.client.wait, namespace.key("ConfigMap", "c"), there, SECONDS)
        namespace.client.apply(namespace.manifest("ConfigMap", "c"))
        assert waiting.result(SECONDS) is not None


def test_a_wait_ends_with_what_was_waited_for(namespace: Namespace) -> None:
    never = Condition("data.a is 2", lambda _: False)
    with pytest.raises(EngineError) as refused:
        namespace.client.wait(namespace.key("ConfigMap", "c"), never, 1)
    assert refused.value.diagnostics[0].found == f"ConfigMap {namespace.name}/c: not after 1 s: data.a is 2"


def test_a_wait_can_be_stopped(namespace: Namespace) -> None:
    stopping = Event()
    stopping.set()
    never = Condition("it exists", lambda live: live is not None)
    with pytest.raises(WaitStoppedError):
        namespace.client.wait(namespace.key("ConfigMap", "c"), never, SECONDS, stopping=stopping)


def test_a_job_completes_and_leaves_its_log(namespace: Namespace, job_image: str) -> None:
    manifest, key = job_manifest(namespace, job_image), namespace.key("Job", "once", "batch/v1")
    namespace.client.create(manifest)
    done = namespace.client.wait(key, Condition("it has finished", finished), SECONDS)
    assert done is not None
    assert done["status"]["succeeded"] == 1
    assert differences(manifest, done, "ppmlctl") == []
    assert len(namespace.client.pods_of_job(key)) == 1
    log = namespace.client.job_log(key)
    assert log == f"{JOB_LINE}\n" if namespace.target.is_real else JOB_LINE not in log
    assert len(log.splitlines()) == 1
    reasons = {event.reason for event in namespace.client.events(key)}
    assert "SuccessfulCreate" in reasons or not namespace.target.is_real


def test_deleting_a_job_deletes_its_pods(namespace: Namespace, job_image: str) -> None:
    key = namespace.key("Job", "once", "batch/v1")
    namespace.client.create(job_manifest(namespace, job_image))
    namespace.client.wait(key, Condition("it has finished", finished), SECONDS)
    namespace.client.delete(key, propagation="Foreground", wait_seconds=SECONDS)
    assert namespace.client.pods_of_job(key) == []
    assert namespace.client.job_log(key) == ""


@pytest.mark.real
def test_a_failing_job_says_so(namespace: Namespace, job_image: str) -> None:
    namespace.client.create(job_manifest(namespace, job_image, status=3))
    key = namespace.key("Job", "once", "batch/v1")
    done = namespace.client.wait(key, Condition("it has finished", finished), SECONDS)
    assert done is not None
    assert done["status"]["failed"] == 1
    (pod,) = namespace.client.pods_of_job(key)
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


def test_a_token_secret_is_filled_for_its_service_account(namespace: Namespace) -> None:
    namespace.client.apply(namespace.manifest("ServiceAccount", "spark"))
    annotations = {"kubernetes.io/service-account.name": "spark"}
    namespace.client.apply(
        namespace.manifest(
            "Secret", "token", type="kubernetes.io/service-account-token", metadata={"annotations": annotations}
        )
    )
    filled = Condition("data.token is filled", lambda live: bool(live and (live.get("data") or {}).get("token")))
    live = namespace.client.wait(namespace.key("Secret", "token"), filled, SECONDS)
    assert live is not None
    assert len(base64.b64decode(live["data"]["token"])) > 32
    assert base64.b64decode(live["data"]["ca.crt"]).startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_user_may_ask_what_it_may_do(kubernetes_target: KubernetesTarget) -> None:
    reader = kubernetes_target.client(writes_allowed=False)
    assert reader.may("create", "batch/v1", "Job", "default") is True


def test_credentials_that_are_not_accepted_name_their_context(
    kubernetes_target: KubernetesTarget, tmp_path: Path
) -> None:
    known = kubernetes_target.kubeconfig_content()
    known["users"] = [{"name": "stranger", "user": {"token": "expired"}}]
    context = {"cluster": known["clusters"][0]["name"], "user": "stranger"}
    known |= {"contexts": [{"name": "stranger", "context": context}], "current-context": "stranger"}
    with pytest.raises(EngineError) as refused:
        reader_of(known, tmp_path).get(ObjectKey("v1", "ConfigMap", "default", "c"))
    diagnostic = refused.value.diagnostics[0]
    assert diagnostic.code == "k8s-unauthorized"
    assert diagnostic.found == "get ConfigMap default/c: Unauthorized, with context stranger"
    assert "log in to the cluster again" in diagnostic.fix


def test_a_server_with_another_authority_is_not_trusted(kubernetes_target: KubernetesTarget, tmp_path: Path) -> None:
    known = kubernetes_target.kubeconfig_content()
    for name in ("certificate-authority", "certificate-authority-data"):
        known["clusters"][0]["cluster"].pop(name, None)
    with pytest.raises(EngineError) as refused:
        reader_of(known, tmp_path).get(ObjectKey("v1", "ConfigMap", "default", "c"))
    assert code_of(refused) == "k8s-tls"
    assert "unable to get local issuer certificate" in refused.value.diagnostics[0].found


def reader_of(kubeconfig: dict[str, Any], folder: Path) -> KubernetesClient:
    file = folder / "kubeconfig"
    file.write_text(json.dumps(kubeconfig))
    return KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=file)


def test_eight_workers_share_one_client(namespace: Namespace) -> None:
    def work(number: int) -> str:
        manifest = namespace.manifest("ConfigMap", f"c{number}", data={"n": str(number)})
        return str(namespace.client.apply(manifest)["data"]["n"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(24))) == [str(number) for number in range(24)]
    assert len(namespace.client.list_objects("v1", "ConfigMap", namespace.name)) >= 24

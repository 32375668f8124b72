"""The module `spark_submit`. On a real cluster the image's scripts are stood in for by one small program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from kubernetes_world import CLUSTERS, Task, World, cluster, world_of
from pydantic import ValidationError
from submit_image import SUBMIT_IMAGE, build_submit_image

from ppmlctl.clients.kubernetes import ObjectKey, key_of
from ppmlctl.diagnostics import EngineError, InputError
from ppmlctl.effects import Effect
from ppmlctl.evidence import Evidence
from ppmlctl.flows.spark.arguments import run_digest
from ppmlctl.flows.spark.modules.spark_submit import SparkSubmit
from ppmlctl.flows.spark.run import ROLES
from ppmlctl.flows.spark.submission import LONGEST_NAME
from ppmlctl.planning import ActionKind
from ppmlctl.runs.attempt import Workload, begin_attempt
from ppmlctl.runs.job_submitter import has_ended
from ppmlctl.unknown import Unknown

SECRET = "s3cret-of-spark"


@pytest.fixture(scope="module", params=CLUSTERS)
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    with cluster(request.param, tmp_path_factory.mktemp("sandbox")) as found:
        if request.param == "real":
            build_submit_image(tmp_path_factory.mktemp("image"))
        yield request.param, found


@pytest.fixture
def world(kubeconfig: tuple[str, Path], make_context: Any) -> Iterator[World]:
    name, file = kubeconfig
    with world_of(file, make_context, target="sandbox" if name == "sandbox" else "cluster") as made:
        made.client.apply(made.manifest("ServiceAccount", "spark"))
        for secret, data in (("kubeconfig-secret", {"config": "{}"}), ("spark-secret", {"secret": SECRET})):
            made.client.apply(made.manifest("Secret", secret, stringData=data))
        yield made


def is_real(world: World) -> bool:
    return world.context.target == "cluster"


def pi(world: World, **arguments: Any) -> Task:
    given = {
        "name": "spark-pi",
        "namespace": world.namespace,
        "image": SUBMIT_IMAGE,
        "application": "local://${SPARK_HOME}/examples.jar",
        "image_variables": {"SPARK_HOME": "/opt/spark"},
        "mode": "local",
        "device_plugin": "none",
        "deadline": "2m",
    }
    return world.task(SparkSubmit(), "workload.spark-pi", **{**given, **arguments})


def jobs(world: World) -> list[str]:
    return [job["metadata"]["name"] for job in world.client.list_objects("batch/v1", "Job", world.namespace)]


def test_it_runs_once(world: World) -> None:
    task = pi(world)
    assert task.plan().action is ActionKind.CREATE
    assert task.plan().reasons == ("has not run yet",)
    result = task.apply()
    assert result.name == f"spark-pi-{result.digest}-1"
    if is_real(world):
        assert (result.verdict, result.evidence) == ("ran, result not checked", Evidence.NOT_VERIFIED)
    else:
        assert (result.verdict, result.evidence) == ("simulated", Evidence.SIMULATED)
    assert jobs(world) == [result.name]
    assert task.plan().action is ActionKind.KEEP


def test_a_plan_of_what_ran_asks_the_cluster_nothing(world: World) -> None:
    task = pi(world)
    task.apply()
    before = world.effects.count(Effect.READ)
    assert task.plan().action is ActionKind.KEEP
    assert world.effects.count(Effect.READ) == before


def test_a_job_that_the_cluster_cleaned_up_is_no_drift(world: World) -> None:
    task = pi(world)
    name = task.apply().name
    world.client.delete(ObjectKey("batch/v1", "Job", world.namespace, name), propagation="Foreground", wait_seconds=60)
    assert task.plan().action is ActionKind.KEEP


def test_it_runs_again_when_what_it_depends_on_changed(world: World) -> None:
    first = pi(world, image_digest="sha256:one").apply()
    changed = pi(world, image_digest="sha256:two")
    assert changed.plan().action is ActionKind.UPDATE
    second = changed.apply()
    assert (second.attempt, second.digest == first.digest) == (1, False)


def test_what_changed_back_runs_again_though_such_a_run_has_ended(world: World) -> None:
    first = pi(world, arguments=["1"]).apply()
    pi(world, arguments=["2"]).apply()
    again = pi(world, arguments=["1"]).apply()
    assert (again.digest, again.attempt) == (first.digest, 2)
    assert {first.name, again.name} < set(jobs(world))


def test_another_data_key_or_policy_is_another_run(world: World) -> None:
    runs = {pi(world, data_key_digest="one", policy_id="p").apply().name}
    for other in ({"data_key_digest": "two", "policy_id": "p"}, {"data_key_digest": "one", "policy_id": "q"}):
        changed = pi(world, **other)
        assert changed.plan().action is ActionKind.UPDATE
        runs.add(changed.apply().name)
    assert len(runs) == 3


ENCRYPTED = {"url": "e:9000", "data_key": "files", "secret": "data-key-files", "account": "kms-secret"}


def test_a_folder_that_the_manifest_does_not_encrypt_is_refused_before_anything_is_submitted(world: World) -> None:
    with pytest.raises(InputError) as refused:
        pi(world, encrypted_fs=ENCRYPTED, data_key_folders=["/ppml/encrypted-fs"]).plan()
    assert str(refused.value) == (
        "error[encrypted-folder-plain]: the image's manifest does not encrypt the folder of a workload\n"
        "  is   spark-pi: /ppml/encrypted-fsd is no encrypted mount with the key sgx_data_key\n"
        "  why  what the workload writes there would lie in clear in the shared data\n"
        "  fix  add to fs.mounts of the base's template: "
        '{ type = "encrypted", path = "/ppml/encrypted-fsd", uri = "file:/ppml/encrypted-fsd", '
        'key_name = "sgx_data_key" }'
    )
    with pytest.raises(InputError):
        pi(world, encrypted_fs=ENCRYPTED, data_key_folders=[]).apply()
    assert jobs(world) == []
    for known in (["/ppml/encrypted-fsd"], None, Unknown("enclave")):
        task = pi(world, encrypted_fs=ENCRYPTED, data_key_folders=known)
        assert task.plan().action is ActionKind.CREATE


def test_an_image_without_a_key_client_is_refused_before_anything_is_submitted(world: World) -> None:
    with pytest.raises(InputError) as refused:
        pi(world, encrypted_fs=ENCRYPTED, key_client=False).plan()
    assert str(refused.value) == (
        "error[key-client-missing]: the image lacks the program that fetches the data key\n"
        f"  is   spark-pi: {SUBMIT_IMAGE} has no /ppml/kms/client.py, which its encrypted-fsd.sh starts\n"
        "  why  its pods would end before the workload begins\n"
        "  fix  say images.base and images.custom instead of images.catalogue: what is signed here is given one"
    )
    with pytest.raises(InputError):
        pi(world, encrypted_fs=ENCRYPTED, key_client=False).apply()
    assert jobs(world) == []
    for known in (True, None, Unknown("enclave")):
        assert pi(world, encrypted_fs=ENCRYPTED, key_client=known).plan().action is ActionKind.CREATE
    assert pi(world, key_client=False).plan().action is ActionKind.CREATE


def test_a_ca_file_of_ehsm_that_is_missing_is_named_before_anything_is_submitted(world: World) -> None:
    encrypted = {**ENCRYPTED, "ca": "ehsm-ca.pem"}
    with pytest.raises(InputError, match="EHSM's CA file cannot be read"):
        pi(world, encrypted_fs=encrypted).apply()
    assert jobs(world) == []


def test_another_deadline_is_no_other_run(world: World) -> None:
    pi(world).apply()
    assert pi(world, deadline=999, rerun="never").plan().action is ActionKind.KEEP


def test_rerun_always_makes_another_attempt_of_the_same(world: World) -> None:
    first = pi(world).apply()
    again = pi(world, rerun="always")
    assert again.plan().reasons == ("runs at every apply",)
    second = again.apply()
    assert (second.digest, second.attempt) == (first.digest, 2)


def test_an_interrupted_run_is_picked_up_and_never_started_twice(world: World) -> None:
    task = pi(world)
    first = task.apply(crash_before_record=True)
    before = world.effects.count(Effect.WRITE)
    assert task.apply() == first
    assert jobs(world) == [first.name]
    assert world.effects.count(Effect.WRITE) <= before + 2


def delete_job(world: World, name: str) -> None:
    world.client.delete(ObjectKey("batch/v1", "Job", world.namespace, name), propagation="Foreground", wait_seconds=60)


def test_a_crash_before_the_job_was_made_starts_the_journalled_attempt(world: World) -> None:
    task = pi(world)
    name = task.apply(crash_before_record=True).name
    delete_job(world, name)
    world.client.delete(ObjectKey("v1", "ConfigMap", world.namespace, f"{name}-admission"))
    assert task.apply().name == name


def test_a_run_that_began_and_is_gone_is_followed_by_another_attempt(world: World) -> None:
    task = pi(world)
    first = task.apply(crash_before_record=True)
    delete_job(world, first.name)
    assert task.apply().attempt == first.attempt + 1


def test_a_run_whose_driver_is_gone_or_going_is_followed_by_another_attempt(world: World) -> None:
    first = pi(world).apply(crash_before_record=True)
    submitted = Workload("spark-pi", world.namespace, "spark_submit", ROLES, LONGEST_NAME)
    with_driver = replace(submitted, leader_apart=True)
    context = replace(world.context, address="workload.spark-pi")
    assert begin_attempt(context, submitted, first.digest).number == 1
    assert begin_attempt(context, with_driver, first.digest).number == 2

    container = {"name": "spark-driver", "image": SUBMIT_IMAGE}
    metadata = {"finalizers": ["ppmlctl.dev/held"]}
    spec = {"containers": [container], "nodeSelector": {"ppmlctl.dev/node": "none"}}
    driver = f"{submitted.run_name(first.digest, 2)}-driver"
    world.client.create(world.manifest("Pod", driver, metadata=metadata, spec=spec))
    assert begin_attempt(context, with_driver, first.digest).number == 2, "its driver waits"
    world.client.delete(ObjectKey("v1", "Pod", world.namespace, driver))
    assert begin_attempt(context, with_driver, first.digest).number == 3, "its driver goes"


@pytest.mark.real
def test_a_run_with_other_arguments_that_nobody_waits_for_is_ended(world: World) -> None:
    stopping = Event()
    stopping.set()
    context, world.context = world.context, replace(world.context, stopping=stopping)
    with pytest.raises(EngineError):
        pi(world, arguments=["for-long"]).apply()
    world.context = context
    (left,) = jobs(world)
    assert pi(world).apply().attempt == 1
    assert left not in jobs(world)


def test_a_job_of_somebody_else_is_not_taken_for_the_run(world: World) -> None:
    name = pi(world).apply().name
    other = world.other_environment()
    with pytest.raises(EngineError) as refused:
        pi(other).apply()
    assert refused.value.diagnostics[0].code == "workload-name-taken"
    assert refused.value.diagnostics[0].found == f"Job {world.namespace}/{name}"


@pytest.mark.real
def test_the_user_may_stop_waiting(world: World) -> None:
    stopping = Event()
    stopping.set()
    world.context = replace(world.context, stopping=stopping)
    with pytest.raises(EngineError) as stopped:
        pi(world).apply()
    assert stopped.value.diagnostics[0].code == "workload-detached"
    world.context = replace(world.context, stopping=Event())
    assert pi(world).apply().attempt == 1


def test_removal_takes_away_everything_the_runs_left(world: World) -> None:
    pi(world, image_digest="sha256:one").apply()
    task = pi(world, image_digest="sha256:two")
    task.apply()
    task.remove()
    assert jobs(world) == []
    assert world.client.list_objects("v1", "Pod", world.namespace) == []
    assert world.client.list_objects("v1", "ConfigMap", world.namespace, label_selector="ppmlctl/task") == []


@pytest.mark.real
def test_the_submission_gets_its_words_and_its_variables(world: World) -> None:
    result = pi(world, arguments=["one", "$(LOCAL_IP)", "a$$b"]).apply()
    log = world.client.job_log(ObjectKey("batch/v1", "Job", world.namespace, result.name))
    (pod,) = world.client.pods_of_job(ObjectKey("batch/v1", "Job", world.namespace, result.name))
    assert world.client.pod_log(key_of(pod), limit_bytes=6) == log[:6] == "/ppml/"
    assert log.splitlines()[0] == "/ppml/submission/submit.sh"
    assert log.splitlines()[-4:] == ["local:///opt/spark/examples.jar", "one", "$(LOCAL_IP)", "a$$b"]


@pytest.mark.real
def test_a_log_that_holds_what_was_expected_is_reported(world: World) -> None:
    result = pi(world, mode="local", arguments=["Pi-is-roughly-3.1"], expect_log="Pi-is-roughly").apply()
    assert (result.verdict, result.evidence) == ("ran, its log holds what was expected", Evidence.REPORTED)


@pytest.mark.real
def test_a_log_without_what_was_expected_is_a_failure_and_the_next_apply_tries_again(world: World) -> None:
    task = pi(world, mode="local", expect_log="Pi is roughly")
    with pytest.raises(EngineError) as failed:
        task.apply()
    assert "its log does not hold 'Pi is roughly'" in str(failed.value)
    assert task.plan().reasons == ("failed when it ran last",)
    with pytest.raises(EngineError):
        task.apply()
    assert sorted(name[-1] for name in jobs(world)) == ["1", "2"]


@pytest.mark.real
def test_a_failed_submission_tells_why_and_keeps_secrets_to_itself(world: World) -> None:
    task = pi(world, arguments=["tell-password", "quote-error:0xe019", "exit=3"], security={"tls": True})
    with pytest.raises(EngineError) as failed:
        task.apply()
    text = str(failed.value)
    assert "means 0xe019 SGX_QL_NETWORK_ERROR: the PCCS cannot be reached" in text
    assert "BackoffLimitExceeded" in text
    assert "Error, exit code 3" in text
    assert "password (secret)" in text
    assert SECRET not in text


@pytest.mark.real
def test_a_driver_that_failed_is_a_failure_whatever_the_submission_says(world: World) -> None:
    task = pi(world, mode="cluster")
    make_driver(world, task, exit_code=101)
    with pytest.raises(EngineError) as refused:
        task.apply()
    assert "its driver failed: Error, exit code 101" in str(refused.value)


@pytest.mark.real
def test_a_driver_that_succeeded_counts_whatever_the_submission_says(world: World) -> None:
    task = pi(world, mode="cluster", arguments=["exit=1"], expect_log="exit=0")
    make_driver(world, task, exit_code=0)
    assert task.apply().evidence is Evidence.REPORTED


@pytest.mark.real
def test_a_submission_without_a_driver_is_a_failure(world: World) -> None:
    with pytest.raises(EngineError) as refused:
        pi(world, mode="cluster").apply()
    assert "no driver was made: the submission ended well all the same" in str(refused.value)


def make_driver(world: World, task: Task, *, exit_code: int) -> None:
    """The pod that Spark would make for the task's first run; it ends at once."""
    run = f"spark-pi-{run_digest(task.wanted().args)}-1"
    container = {"name": "spark-driver", "image": SUBMIT_IMAGE, "command": ["bash", f"exit={exit_code}"]}
    labels = {"ppmlctl/environment": world.context.environment, "ppmlctl/run": run, "spark-role": "driver"}
    spec = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
    spec["serviceAccountName"] = "spark"
    world.client.create(world.manifest("Pod", f"{run}-driver", metadata={"labels": labels}, spec=spec))


@pytest.mark.real
def test_a_pod_that_replaces_the_admitted_one_waits_for_nothing(world: World) -> None:
    result = pi(world).apply()
    admission = world.live("ConfigMap", f"{result.name}-admission")
    (pod,) = world.client.pods_of_job(ObjectKey("batch/v1", "Job", world.namespace, result.name))
    assert admission
    assert admission["data"] == {"admitted": pod["metadata"]["name"]}


@pytest.mark.real
def test_a_pod_that_no_node_has_room_for_fails_with_the_schedulers_words(world: World) -> None:
    task = pi(world, mode="local-sgx", device_plugin="intel", epc_request=1 << 50, application="local:///a.jar")
    with pytest.raises(EngineError) as refused:
        task.apply()
    assert "cannot start: Unschedulable: 0/1 nodes are available: 1 Insufficient sgx.intel.com/epc." in str(
        refused.value
    )
    assert jobs(world) == []


@pytest.mark.real
def test_a_claim_that_is_not_there_is_said_before_anything_is_submitted(world: World) -> None:
    with pytest.raises(EngineError) as refused:
        pi(world, claim="nfsvolumeclaim").apply()
    assert refused.value.diagnostics[0].code == "claim-missing"
    assert jobs(world) == []


def test_what_pods_read_is_checked_against_what_the_plan_makes() -> None:
    given = {"name": "pi", "namespace": "n", "image": "i", "application": "a", "has_keys": True}
    attestation = {"url": "e:9000", "service": "EHSMAttestationService", "secret": "kms-secret"}
    args = SparkSubmit.Args.model_validate(
        {**given, "attestation": attestation, "encrypted_fs": ENCRYPTED, "security": {"tls": True}}
    )
    assert sorted(f"{key.name}:{key.key}" for key in SparkSubmit().reads_secrets(args)) == [
        "data-key-files:encrypted_data_key",
        "data-key-files:encrypted_primary_key",
        "kms-secret:api_key",
        "kms-secret:app_id",
        "kms-secret:policy_id",
        "kubeconfig-secret:config",
        "spark-secret:credentials.jceks",
        "spark-secret:secret",
        "ssl-keys:keystore.jks",
    ]


@pytest.mark.parametrize("name", ["url", "ca", "fingerprint", "insecure", "data_key", "secret", "account"])
def test_what_a_plan_does_not_know_yet_hides_no_other_secret_that_pods_read(name: str) -> None:
    unknown = {"encrypted_fs": {**ENCRYPTED, name: Unknown("key")}, "security": {"tls": Unknown("key")}}
    args = SparkSubmit.Args.model_validate(
        {"name": "pi", "namespace": "n", "image": "i", "application": "a", **unknown}
    )
    hidden = {"secret": "data-key-files", "account": "kms-secret"}.get(name)
    read = {key.name for key in SparkSubmit().reads_secrets(args)}
    assert read == {"kubeconfig-secret", "data-key-files", "kms-secret"} - {hidden}


def test_the_submissions_end_is_that_of_its_job() -> None:
    assert has_ended(None)
    assert not has_ended({"status": {"conditions": [{"type": "Failed", "status": "False"}]}})
    assert has_ended({"status": {"conditions": [{"type": "Failed", "status": "True"}]}})


def test_exposures_of_the_images_contract_are_named(make_context: Any) -> None:
    attestation = {"url": "e:9000", "service": "EHSMAttestationService", "secret": "kms-secret"}
    given = {"name": "pi", "namespace": "n", "image": "i", "application": "a", "attestation": attestation}
    args = SparkSubmit.Args.model_validate({**given, "security": {"rpc_auth": True}})
    attested = (
        "pi: EHSM's app id and api key are variables and arguments inside the attested pods (image's contract), and "
        "BigDL's scripts trace them into the pods' logs"
    )
    assert SparkSubmit().notes(args) == (attested,)
    both = {**given, "encrypted_fs": ENCRYPTED}
    folder = (
        "pi: EHSM's app id and api key are variables inside the pods with the encrypted folder, which uses 90 bits of "
        "the data key"
    )
    assert SparkSubmit().notes(SparkSubmit.Args.model_validate(both)) == (
        attested,
        f"{folder} (image's contract)",
    )
    assert SparkSubmit().notes(SparkSubmit.Args.model_validate({**both, "mode": "local"})) == ()
    unknown = SparkSubmit.Args.model_validate({**given, "attestation": Unknown("policy"), "security": Unknown("x")})
    assert SparkSubmit().notes(unknown) == ()


def test_a_duration_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        SparkSubmit.Args.model_validate(
            {"name": "pi", "namespace": "n", "image": "i", "application": "a", "deadline": "soon"}
        )

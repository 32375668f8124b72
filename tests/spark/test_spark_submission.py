"""What is handed to bigdl-ppml-submit.sh, to Kubernetes and to Spark, as values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ppmlctl.evidence import Evidence
from ppmlctl.spark import (
    Attestation,
    Executor,
    Outcome,
    Process,
    Security,
    Submission,
    driver_name,
    job_manifest,
    judged,
    pod_template,
    run_name,
    submit_words,
    templates_manifest,
)

PI = Submission(
    name="spark-pi-0123abcd-1",
    workload="spark-pi",
    namespace="ppml",
    image="ppml/custom:1",
    application="local:///opt/examples.jar",
    service_account="spark",
    main_class="org.example.Pi",
    arguments=("100", "--deep"),
    driver=Process("8g", 8, "6g"),
    executor=Executor("4g", 2, "3g", instances=3),
    epc_request="17179869184",
    labels={"ppmlctl/task": "workload.spark-pi"},
)


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def settings(submission: Submission) -> dict[str, str]:
    words = submit_words(submission)
    pairs = (words[place + 1].split("=", 1) for place, word in enumerate(words) if word == "--conf")
    return dict(pairs)


def environment(container: dict[str, Any]) -> dict[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


def submitting(submission: Submission) -> dict[str, Any]:
    (container,) = job_manifest(submission)["spec"]["template"]["spec"]["containers"]
    return dict(container)


def test_the_application_and_its_arguments_come_last() -> None:
    assert submit_words(PI)[-3:] == ["local:///opt/examples.jar", "100", "--deep"]


def test_no_word_holds_a_blank_or_is_empty() -> None:
    shown = replace(PI, env={"GREETING": "hello world"}, jars=("local:///a.jar", "local:///b.jar"))
    assert [word for word in submit_words(shown) if not word or " " in word] == []


def test_cluster_mode_submits_to_the_api_server_with_both_templates() -> None:
    words = submit_words(PI)
    assert option(words, "--master") == "k8s://https://kubernetes.default.svc"
    assert option(words, "--deploy-mode") == "cluster"
    assert (option(words, "--driver-template"), option(words, "--executor-template")) == (
        "/ppml/templates/driver.yaml",
        "/ppml/templates/executor.yaml",
    )
    assert (option(words, "--sgx-enabled"), option(words, "--sgx-driver-jvm-memory")) == ("true", "6g")
    assert (option(words, "--num-executors"), option(words, "--executor-cores")) == ("3", "2")


def test_only_a_driver_with_a_pod_of_its_own_gets_a_fixed_name() -> None:
    assert settings(PI)["spark.kubernetes.driver.pod.name"] == "spark-pi-0123abcd-1-driver"
    assert "spark.kubernetes.driver.pod.name" not in settings(replace(PI, mode="client"))


def test_pods_that_spark_makes_carry_the_labels() -> None:
    assert settings(PI)["spark.kubernetes.driver.label.ppmlctl/task"] == "workload.spark-pi"
    assert settings(PI)["spark.kubernetes.executor.label.ppmlctl/task"] == "workload.spark-pi"


@pytest.mark.parametrize(("mode", "enclave"), [("local", False), ("local-sgx", True)])
def test_local_modes_run_in_the_submitting_pod(mode: Any, *, enclave: bool) -> None:
    local = replace(PI, mode=mode)
    words = submit_words(local)
    assert option(words, "--master") == "local[8]"
    assert ("--sgx-enabled" in words) is enclave
    assert not any("kubernetes" in name for name in settings(local))
    assert ("resources" in submitting(local)) is enclave


def test_the_users_settings_win() -> None:
    conf = {"spark.kubernetes.namespace": "other", "spark.sql.shuffle.partitions": "64"}
    assert settings(replace(PI, conf=conf)).items() >= conf.items()


def test_protections_that_are_not_wanted_are_turned_off_again() -> None:
    some = replace(PI, security=Security(rpc_auth=True, rpc_encryption=True))
    assert settings(some)["spark.io.encryption.enabled"] == "false"
    assert settings(some)["spark.ssl.enabled"] == "false"
    assert "spark.authenticate" not in settings(some)
    assert "spark.ssl.enabled" not in settings(PI)


def test_the_password_comes_from_the_secret_and_only_where_it_is_wanted() -> None:
    secure = environment(submitting(replace(PI, security=Security(tls=True))))
    assert secure["secure_password"] == {"secretKeyRef": {"name": "spark-secret", "key": "secret"}}
    assert "secure_password" not in environment(submitting(PI))


def test_the_job_is_tried_once_within_its_deadline() -> None:
    job = job_manifest(replace(PI, deadline=90))
    assert (job["metadata"]["name"], job["metadata"]["namespace"]) == (PI.name, "ppml")
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (0, 90)
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_kubernetes_does_not_fill_in_what_looks_like_its_variables() -> None:
    assert submitting(replace(PI, arguments=("$(LOCAL_IP)",)))["args"][-1] == "$$(LOCAL_IP)"


def test_templates_are_text_that_spark_reads() -> None:
    data = templates_manifest(PI)["data"]
    assert {name: json.loads(text)["spec"]["containers"][0]["name"] for name, text in data.items()} == {
        "driver.yaml": "spark-driver",
        "executor.yaml": "spark-executor",
    }


def test_the_users_variables_reach_driver_and_executor_blanks_and_all() -> None:
    shown = replace(PI, env={"GREETING": "hello world"})
    for role in ("driver", "executor"):
        (container,) = pod_template(shown, role)["spec"]["containers"]
        assert environment(container)["GREETING"] == "hello world"


def test_every_variable_is_text() -> None:
    attested = replace(PI, attestation=Attestation("ehsm:9000", "EHSMAttestationService", "kms-secret", "https://p:1"))
    (container,) = pod_template(attested, "driver")["spec"]["containers"]
    plain = [entry["value"] for entry in container["env"] if "value" in entry]
    assert plain
    assert all(isinstance(value, str) for value in plain)


def test_the_account_for_attestation_comes_from_its_secret() -> None:
    attested = replace(PI, attestation=Attestation("ehsm:9000", "EHSMAttestationService", "kms-secret"))
    (container,) = pod_template(attested, "executor")["spec"]["containers"]
    found = environment(container)
    assert (found["ATTESTATION"], found["ATTESTATION_URL"]) == ("true", "ehsm:9000")
    assert found["API_KEY"] == {"secretKeyRef": {"name": "kms-secret", "key": "api_key"}}
    assert found["ATTESTATION_POLICYID"] == {"secretKeyRef": {"name": "kms-secret", "key": "policy_id"}}


def test_the_device_plugin_is_asked_for_bytes_of_epc() -> None:
    (container,) = pod_template(PI, "executor")["spec"]["containers"]
    wanted = {"sgx.intel.com/epc": "17179869184", "sgx.intel.com/enclave": "1", "sgx.intel.com/provision": "1"}
    assert container["resources"] == {"requests": wanted, "limits": wanted}


def test_without_a_plugin_nothing_is_asked_for() -> None:
    (container,) = pod_template(replace(PI, device_plugin="none"), "executor")["spec"]["containers"]
    assert "resources" not in container
    assert container["volumeMounts"] == []


def test_hosts_sockets_and_devices_must_be_what_they_are_taken_for() -> None:
    template = pod_template(replace(PI, device_plugin="host"), "driver")
    paths = {volume["hostPath"]["path"]: volume["hostPath"]["type"] for volume in template["spec"]["volumes"][1:]}
    assert paths == {
        "/var/run/aesmd/aesm.socket": "Socket",
        "/dev/sgx/enclave": "CharDevice",
        "/dev/sgx/provision": "CharDevice",
    }


def test_names_of_runs_leave_room_for_what_spark_appends() -> None:
    assert run_name("spark-pi", "0123abcd", 1) == "spark-pi-0123abcd-1"
    long = run_name("w" * 63, "0123abcd", 12)
    assert long.endswith("w-0123abcd-12")
    assert len(f"{driver_name(long)}-svc") == 63


def test_a_run_counts_for_what_can_be_told_of_it() -> None:
    assert judged(None, "", None) == Outcome("ran, result not checked", Evidence.NOT_VERIFIED)
    assert (
        judged({"status": {"phase": "Succeeded"}}, "Pi is roughly 3.1", "Pi is roughly").evidence is Evidence.REPORTED
    )
    assert judged(None, "", "Pi is roughly").failure == "its log does not hold 'Pi is roughly'"
    assert judged({"status": {"phase": "Failed"}}, "Pi is roughly 3.1", "Pi is roughly").failure

"""What is handed to spark-submit, to Kubernetes and to Spark, as values."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from spark_cases import PI, environment, option, settings, submitting

from ppmlctl.flows.spark.job import job_pod, submission_files
from ppmlctl.flows.spark.pod_template import completed_template, pod_template
from ppmlctl.flows.spark.run import ROLES, run_of
from ppmlctl.flows.spark.submission import LONGEST_NAME, Security, driver_name
from ppmlctl.flows.spark.submit_script import SUBMIT_SCRIPT
from ppmlctl.flows.spark.words import submit_words
from ppmlctl.protection import Attestation
from ppmlctl.runs.attempt import Workload
from ppmlctl.runs.job import admission_manifest, job_manifest


def test_the_application_and_its_arguments_come_last() -> None:
    assert submit_words(PI)[-3:] == ["local:///opt/examples.jar", "100", "--deep"]


def test_no_word_holds_a_blank_or_is_empty() -> None:
    shown = replace(PI, env={"GREETING": "hello world"}, jars=("local:///a.jar", "local:///b.jar"))
    assert [word for word in submit_words(shown) if not word or " " in word] == []


def test_cluster_mode_submits_to_the_api_server_with_both_templates_and_does_not_wait() -> None:
    words = submit_words(PI)
    assert option(words, "--master") == "k8s://https://kubernetes.default.svc"
    assert option(words, "--deploy-mode") == "cluster"
    assert (option(words, "--num-executors"), option(words, "--executor-cores")) == ("3", "2")
    found = settings(PI)
    assert found["spark.kubernetes.driver.podTemplateFile"] == "/ppml/submission/driver.yaml"
    assert found["spark.kubernetes.executor.podTemplateFile"] == "/ppml/submission/executor.yaml"
    assert found["spark.kubernetes.submission.waitAppCompletion"] == "false"


def test_only_a_driver_with_a_pod_of_its_own_gets_a_fixed_name() -> None:
    assert settings(PI)["spark.kubernetes.driver.pod.name"] == "spark-pi-0123abcd-1-driver"
    assert "spark.kubernetes.driver.pod.name" not in settings(replace(PI, mode="client"))


def test_in_client_mode_the_jobs_pod_is_the_driver_that_executors_reach_and_end_with() -> None:
    client = replace(PI, mode="client")
    assert submitting(client)["args"][:4] == [
        *("--conf", "spark.driver.host=$(PPMLCTL_ADDRESS)"),
        *("--conf", "spark.kubernetes.driver.pod.name=$(PPMLCTL_POD)"),
    ]
    assert settings(client)["spark.driver.port"] == "54321"
    assert settings(replace(client, address="192.0.2.7"))["spark.driver.host"] == "192.0.2.7"


def test_pods_that_spark_makes_carry_the_labels() -> None:
    assert settings(PI)["spark.kubernetes.driver.label.ppmlctl/run"] == "spark-pi-0123abcd-1"
    assert settings(PI)["spark.kubernetes.executor.label.ppmlctl/run"] == "spark-pi-0123abcd-1"


@pytest.mark.parametrize(("mode", "enclave"), [("local", False), ("local-sgx", True)])
def test_local_modes_run_in_the_submitting_pod(mode: Any, *, enclave: bool) -> None:
    local = replace(PI, mode=mode)
    assert option(submit_words(local), "--master") == "local[8]"
    assert not any("kubernetes" in name for name in settings(local))
    container = submitting(local)
    assert environment(container)["PPMLCTL_ENCLAVE"] == str(enclave).lower()
    assert ("resources" in container) is enclave


def test_the_users_settings_win_over_defaults_and_lose_to_names_accounts_and_security() -> None:
    conf = {"spark.network.timeout": "600s", "spark.sql.shuffle.partitions": "64", "spark.ssl.port": "1"}
    found = settings(replace(PI, conf={**conf, "spark.master": "local"}, security=Security(tls=True)))
    assert (found["spark.network.timeout"], found["spark.sql.shuffle.partitions"]) == ("600s", "64")
    assert found["spark.ssl.port"] == "8043"


def test_each_protection_is_switched_on_by_itself() -> None:
    plain = set(settings(PI))
    added = {
        name: sorted(set(settings(replace(PI, security=Security(**{name: True})))) - plain)
        for name in ("rpc_auth", "io_encryption")
    }
    assert added == {
        "rpc_auth": ["spark.authenticate", "spark.authenticate.secret.file"],
        "io_encryption": [
            "spark.io.encryption.enabled",
            "spark.io.encryption.keySizeBits",
            "spark.io.encryption.keygen.algorithm",
        ],
    }
    connections = settings(replace(PI, security=Security(rpc_auth=True, rpc_encryption=True)))
    assert connections["spark.network.crypto.keyLength"] == "128"
    assert connections["spark.network.crypto.keyFactoryAlgorithm"] == "PBKDF2WithHmacSHA1"


def test_outside_of_kubernetes_spark_makes_the_secret_itself() -> None:
    local = settings(replace(PI, mode="local", security=Security(rpc_auth=True)))
    assert local["spark.authenticate"] == "true"
    assert "spark.authenticate.secret.file" not in local


def test_passwords_are_files_for_the_driver_and_the_executors_get_one_of_them() -> None:
    secure = replace(PI, security=Security(rpc_auth=True, tls=True), has_keys=True)
    driver = {volume["name"]: volume for volume in pod_template(secure, "driver")["spec"]["volumes"]}
    assert driver["spark-secret"]["secret"] == {"secretName": "spark-secret"}
    (executor,) = (v for v in pod_template(secure, "executor")["spec"]["volumes"] if v["name"] == "spark-secret")
    assert executor["secret"]["items"] == [{"key": "secret", "path": "secret"}]
    provider = settings(secure)["spark.hadoop.hadoop.security.credential.provider.path"]
    assert provider == "localjceks://file/ppml/spark-secret/credentials.jceks"


def test_the_users_credential_providers_are_asked_first() -> None:
    conf = {"spark.hadoop.hadoop.security.credential.provider.path": "jceks://hdfs/mine"}
    found = settings(replace(PI, conf=conf, security=Security(tls=True)))
    assert found["spark.hadoop.hadoop.security.credential.provider.path"] == (
        "jceks://hdfs/mine,localjceks://file/ppml/spark-secret/credentials.jceks"
    )


def test_the_job_is_tried_once_within_its_deadline_and_so_is_the_driver() -> None:
    late = replace(PI, deadline=90)
    job = job_manifest(run_of(late), job_pod(late))
    assert (job["metadata"]["name"], job["metadata"]["namespace"]) == (PI.name, "ppml")
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (0, 90)
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert pod_template(replace(PI, deadline=90), "driver")["spec"]["activeDeadlineSeconds"] == 90


def test_kubernetes_does_not_fill_in_what_looks_like_its_variables() -> None:
    local = replace(PI, mode="local", arguments=("$(LOCAL_IP)", "a$$b"))
    assert submitting(local)["args"][-2:] == ["$$(LOCAL_IP)", "a$$$$b"]
    (driver,) = pod_template(replace(PI, env={"GREETING": "$(SGX_ENABLED)"}), "driver")["spec"]["containers"]
    assert environment(driver)["GREETING"] == "$$(SGX_ENABLED)"


def test_in_cluster_mode_two_pods_take_the_arguments() -> None:
    assert submitting(replace(PI, arguments=("$(LOCAL_IP)",)))["args"][-1] == "$$$$(LOCAL_IP)"
    assert submit_words(replace(PI, arguments=("$(LOCAL_IP)",)))[-1] == "$$(LOCAL_IP)"


def test_no_variable_of_the_user_takes_a_process_out_of_its_enclave() -> None:
    undone = replace(PI, env={"SGX_ENABLED": "false", "SGX_EXECUTOR_JVM_MEM_SIZE": "1g"})
    (executor,) = pod_template(undone, "executor")["spec"]["containers"]
    assert environment(executor)["SGX_ENABLED"] == "true"
    assert environment(executor)["SGX_EXECUTOR_JVM_MEM_SIZE"] == "3g"


def test_templates_are_text_that_spark_reads() -> None:
    data = submission_files(PI)
    assert {
        name: json.loads(data[name])["spec"]["containers"][0]["name"] for name in ("driver.yaml", "executor.yaml")
    } == {
        "driver.yaml": "spark-driver",
        "executor.yaml": "spark-executor",
    }
    assert sorted(submission_files(replace(PI, mode="local"))) == ["submit.sh"]


def test_a_template_is_completed_for_the_api_server_to_judge() -> None:
    completed = completed_template(PI, "executor")
    assert completed["spec"]["containers"][0]["image"] == "ppml/custom:1"
    assert completed["metadata"]["namespace"] == "ppml"


def test_the_users_variables_reach_driver_and_executor_blanks_and_all() -> None:
    shown = replace(PI, env={"GREETING": "hello world", "MALLOC_ARENA_MAX": "2"})
    for role in ("driver", "executor"):
        (container,) = pod_template(shown, role)["spec"]["containers"]
        assert environment(container)["GREETING"] == "hello world"
        assert environment(container)["MALLOC_ARENA_MAX"] == "2"


def test_driver_executor_and_submission_take_arguments_that_are_not_ascii() -> None:
    containers = [pod_template(PI, role)["spec"]["containers"][0] for role in ("driver", "executor")]
    assert [environment(one)["LC_ALL"] for one in (*containers, submitting(PI))] == ["C.UTF-8"] * 3
    assert environment(submitting(replace(PI, env={"LC_ALL": "de_DE.UTF-8"})))["LC_ALL"] == "de_DE.UTF-8"


def test_the_account_for_attestation_comes_from_its_secret() -> None:
    attested = replace(PI, attestation=Attestation("ehsm:9000", "EHSMAttestationService", "kms-secret"))
    (container,) = pod_template(attested, "executor")["spec"]["containers"]
    found = environment(container)
    assert (found["ATTESTATION"], found["ATTESTATION_URL"]) == ("true", "ehsm:9000")
    assert found["API_KEY"] == {"secretKeyRef": {"name": "kms-secret", "key": "api_key"}}
    assert "ATTESTATION" not in environment(submitting(attested))
    assert environment(submitting(replace(attested, mode="client")))["ATTESTATION"] == "true"
    assert "ATTESTATION" not in environment(submitting(replace(attested, mode="local")))


def test_without_a_plugin_nothing_runs_in_an_enclave_and_nothing_is_asked_for() -> None:
    (container,) = pod_template(replace(PI, device_plugin="none"), "executor")["spec"]["containers"]
    assert "resources" not in container
    assert container["volumeMounts"] == []
    assert environment(container)["SGX_ENABLED"] == "false"
    assert settings(replace(PI, device_plugin="none"))["spark.kubernetes.sgx.enabled"] == "false"


def test_names_of_runs_leave_room_for_what_spark_appends() -> None:
    short = Workload("spark-pi", "n", "spark_submit", ROLES, LONGEST_NAME).run_name("0123abcd", 1)
    assert short == "spark-pi-0123abcd-1"
    long = Workload("w" * 63, "n", "spark_submit", ROLES, LONGEST_NAME).run_name("0123abcd", 12)
    assert long.endswith("w-0123abcd-12")
    assert len(f"{driver_name(long)}-svc") == 63
    assert ROLES.leader_name(long) == driver_name(long)


def test_an_admission_is_made_once_and_never_changed() -> None:
    admission = admission_manifest(run_of(PI), "spark-pi-0123abcd-1-x7k2p")
    assert (admission["data"], admission["immutable"]) == ({"admitted": "spark-pi-0123abcd-1-x7k2p"}, True)
    (volume,) = (v for v in job_pod(PI)["volumes"] if v["name"] == "admission")
    assert volume["configMap"] == {"name": admission["metadata"]["name"]}


class Image:
    """Some folders for the script to run in, with the image's programs as small recorders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "admission").mkdir()
        (folder / "spark/bin").mkdir(parents=True)
        (folder / "bin").mkdir()
        self.program("spark/bin/spark-submit", 'printf "[%s]" "$@"; exit ${SUBMIT_STATUS:-0}')
        self.program("init.sh", "exit ${INIT_STATUS:-0}")
        self.program("attestation.sh", 'echo "attest" >temp_command_file; exit ${ATTESTATION_STATUS:-0}')
        self.program("encrypted-fsd.sh", 'echo "open" >>temp_command_file; exit ${ENCRYPTED_STATUS:-0}')
        self.program(
            "bin/gramine-sgx", 'echo "$sgx_command"; [ ! -f temp_command_file ] || cat temp_command_file; exit 7'
        )

    def program(self, path: str, text: str) -> None:
        (self.folder / path).write_text(f"#!/bin/bash\n{text}\n")
        (self.folder / path).chmod(0o755)

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        script = self.folder / "submit.sh"
        script.write_text(SUBMIT_SCRIPT.replace("/ppml", str(self.folder)).replace("/etc/", f"{self.folder}/"))
        given = {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin",
            "SPARK_HOME": f"{self.folder}/spark",
            "JAVA_HOME": "/java",
            "PPMLCTL_ENCLAVE": "false",
            "PPMLCTL_HEAP": "3g",
            **variables,
        }
        return subprocess.run(["bash", str(script), *words], env=given, capture_output=True, text=True, check=False)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(tmp_path)


def test_the_script_keeps_words_whole_and_the_exit_status(image: Image) -> None:
    ended = image.run("--name", "a b", SUBMIT_STATUS="101")
    assert (ended.stdout, ended.returncode) == ("[--name][a b]", 101)


def test_the_script_begins_in_the_admitted_pod_alone(image: Image) -> None:
    (image.folder / "admission/admitted").write_text("first")
    assert image.run("word", PPMLCTL_POD="first").stdout == "[word]"
    refused = image.run("word", PPMLCTL_POD="second")
    assert (refused.stdout, refused.returncode) == ("ppmlctl: first began this run; it does not begin again\n", 1)


def test_in_an_enclave_the_command_is_a_variable_without_quotes(image: Image) -> None:
    ended = image.run("--class", "Pi", PPMLCTL_ENCLAVE="true")
    home = f"{image.folder}/spark"
    command = f"/java/bin/java -cp {home}/conf/:{home}/jars/* -Xmx3g org.apache.spark.deploy.SparkSubmit --class Pi\n"
    assert (ended.stdout, ended.returncode) == (command, 7)


def test_a_failed_init_ends_with_1_and_says_so(image: Image) -> None:
    ended = image.run("word", PPMLCTL_ENCLAVE="true", INIT_STATUS="1")
    assert (ended.stdout, ended.returncode) == ("ppmlctl: no enclave: init.sh failed\n", 1)


def test_attestation_comes_before_the_application_in_the_enclave(image: Image) -> None:
    ended = image.run("word", PPMLCTL_ENCLAVE="true", ATTESTATION="true", PCCS_URL="https://pccs:1")
    assert ended.stdout.splitlines()[:2] == ["bash temp_command_file", "attest"]
    assert ended.stdout.splitlines()[2].endswith("SparkSubmit word")
    assert (
        (image.folder / "sgx_default_qcnl.conf")
        .read_text()
        .startswith("PCCS_URL=https://pccs:1/sgx/certification/v4/\n")
    )
    refused = image.run("word", PPMLCTL_ENCLAVE="true", ATTESTATION="true", ATTESTATION_STATUS="1")
    assert (refused.stdout, refused.returncode) == ("", 1)


def test_a_data_key_is_fetched_in_the_enclave_after_the_attestation(image: Image) -> None:
    ended = image.run("word", PPMLCTL_ENCLAVE="true", ATTESTATION="true", ENCRYPTED_FSD="true")
    assert ended.stdout.splitlines()[:3] == ["bash temp_command_file", "attest", "open"]
    assert ended.stdout.splitlines()[3].endswith("SparkSubmit word")
    refused = image.run("word", PPMLCTL_ENCLAVE="true", ENCRYPTED_FSD="true", ENCRYPTED_STATUS="1")
    assert (refused.stdout, refused.returncode) == ("", 1)


def test_a_data_key_is_fetched_without_an_attestation_and_without_what_an_earlier_run_left(image: Image) -> None:
    (image.folder / "temp_command_file").write_text("left over\n")
    ended = image.run("word", PPMLCTL_ENCLAVE="true", ENCRYPTED_FSD="true")
    assert ended.stdout.splitlines()[:2] == ["bash temp_command_file", "open"]
    assert image.run("word", PPMLCTL_ENCLAVE="true").stdout.startswith("/java/bin/java ")


def test_scripts_that_trace_themselves_show_the_account_to_nobody(image: Image) -> None:
    for script in ("attestation.sh", "encrypted-fsd.sh"):
        image.program(script, 'set -x; [ -n "$API_KEY" ]; echo said; echo "true" >>temp_command_file')
    ended = image.run("word", PPMLCTL_ENCLAVE="true", ATTESTATION="true", ENCRYPTED_FSD="true", API_KEY="s3cret-key")
    assert ended.stdout.splitlines()[:2] == ["said", "said"]
    assert (ended.returncode, ended.stderr) == (7, "")

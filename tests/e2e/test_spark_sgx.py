"""examples/spark-sgx on a real engine and cluster: Pi in all four modes, what goes wrong, and back to nothing."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from spark_example import MODES, ROOT, Example, be_patient, kubectl, set_variables

pytestmark = [
    pytest.mark.docker,
    pytest.mark.cluster,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed"),
    pytest.mark.skipif(
        not {"DOCKER_HOST", "KUBECONFIG"} <= os.environ.keys(), reason="DOCKER_HOST or KUBECONFIG is not set"
    ),
]


@pytest.fixture(scope="module")
def example(
    tmp_path_factory: pytest.TempPathFactory,
    bridge: str,
    aesm_socket: None,
    base_image: str,
) -> Iterator[Example]:
    folder = tmp_path_factory.mktemp("spark-sgx") / "example"
    shutil.copytree(ROOT / "examples/spark-sgx", folder, ignore=shutil.ignore_patterns(".ppml", "*.lock", "keys"))
    copy = Example(folder, f"ppml-e2e-{secrets.token_hex(4)}")
    set_variables(folder / "ppml.yaml", namespace=copy.namespace)
    be_patient(folder / "ppml.yaml")
    running = copy.told("sandbox", "up", "--only", "ehsm", "--listen", bridge)
    set_variables(folder / "ppml.yaml", ehsm_url=running["ehsm_url"])
    add_encrypted_folder(copy)
    try:
        yield copy
    finally:
        copy.run("destroy", "--yes")
        copy.run("sandbox", "down")
        shutil.rmtree(folder)


def add_encrypted_folder(example: Example) -> None:
    """A data key, storage of this machine, and the folder in every workload that has an enclave."""
    file = example.folder / "ppml.yaml"
    head, found, rest = file.read_text().partition("\nattestation:")
    example.data.mkdir()
    keys = "    keys: [{name: files}]\n    data_keys: [{name: warehouse, key: files}]\n"
    file.write_text(f"{head}{keys}\nclient: {{data: {example.data}}}\n{found}{rest}")
    for workload in (name for name, in_enclave in MODES.items() if in_enclave):
        example.edit(workload, encrypted_fs="{data_key: warehouse}")


@pytest.fixture(scope="module")
def applied(example: Example) -> dict[str, Any]:
    return example.told("apply", "--yes")


def test_everything_is_made_and_nothing_passes_for_more_than_it_is(applied: dict[str, Any]) -> None:
    assert applied["recap"]["failed"] == 0
    assert applied["recap"]["simulated"] == 0
    assert applied["outputs"]["ehsm_verdict"].startswith("private root")
    verdicts = {name: run["verdict"] for name, run in applied["outputs"]["submissions"].items()}
    assert verdicts == dict.fromkeys(MODES, "ran, its log holds what was expected")


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize("workload", MODES)
def test_each_drivers_log_holds_pi_and_in_an_enclave_its_attestation(example: Example, workload: str) -> None:
    log = example.run("logs", workload).stdout
    assert re.search(r"^Pi is roughly 3\.1", log, re.MULTILINE), log
    assert ("Attestation Success!" in log) is MODES[workload]


@pytest.mark.usefixtures("applied")
def test_driver_and_executors_open_one_encrypted_folder_with_the_declared_key(example: Example) -> None:
    opened = example.data_key().opened
    logs = {workload: example.run("logs", workload).stdout for workload in MODES}
    logs["executors"] = example.run("logs", "spark-pi", "--executors").stdout
    assert {name: opened in log for name, log in logs.items()} == {**MODES, "executors": True}
    assert (example.data / "encrypted-fsd").is_dir()


def test_the_measurement_is_recomputed_by_the_printed_command(applied: dict[str, Any], example: Example) -> None:
    words = shlex.split(applied["outputs"]["recompute"])[1:]
    assert applied["outputs"]["mr_enclave"] in example.run(*words).stdout


def test_a_second_apply_writes_nothing(applied: dict[str, Any], example: Example) -> None:
    before = example.lockfile
    again = example.told("apply", "--yes")
    assert {kind: counts["write"] for kind, counts in again["recap"]["requests"].items() if counts["write"]} == {}
    assert again["outputs"] == applied["outputs"]
    assert example.lockfile == before
    assert example.run("plan").returncode == 0


@pytest.mark.usefixtures("applied")
def test_a_deleted_secret_alone_is_planned_and_made_again(example: Example) -> None:
    before = example.lockfile
    kubectl("delete", "secret", "kms-secret", "--namespace", example.namespace)
    planned = example.run("plan", "-o", "json")
    assert planned.returncode == 2
    actions = json.loads(planned.stdout)["actions"]
    assert [action["address"] for action in actions if action["action"] != "keep"] == ["kms-secret"]
    repaired = example.told("apply", "--yes")
    assert repaired["recap"]["changed"] == 1
    assert set(before.splitlines()) ^ set(example.lockfile.splitlines()) <= serials(before, example.lockfile)


def serials(*lockfiles: bytes) -> set[bytes]:
    return {line for lockfile in lockfiles for line in lockfile.splitlines() if line.startswith(b"serial: ")}


@pytest.mark.usefixtures("applied")
def test_other_arguments_run_that_workload_again_and_no_other(example: Example) -> None:
    example.edit("spark-pi-local", arguments='["3"]')
    assert example.acting() == {"workload.spark-pi-local": "run"}
    assert example.told("apply", "--yes")["recap"]["changed"] == 1
    assert example.acting() == {}


@pytest.mark.usefixtures("applied")
def test_a_jar_that_does_not_exist_is_told_and_planned_again(example: Example) -> None:
    example.edit("spark-pi-local", application='"local:///nowhere.jar"')
    failed = example.run("apply", "--yes")
    assert failed.returncode == 1
    assert "error[workload-failed]: a workload failed" in failed.stderr
    assert "Local jar /nowhere.jar does not exist, skipping." in failed.stderr
    assert "Failed to load class org.apache.spark.examples.SparkPi" in failed.stderr
    assert example.acting() == {"workload.spark-pi-local": "run"}
    example.edit("spark-pi-local", application='"{{ examples }}"')
    example.told("apply", "--yes")


@pytest.mark.usefixtures("applied")
def test_a_node_that_lacks_epc_is_told_in_one_line_and_leaves_nothing(example: Example) -> None:
    example.edit("spark-pi", epc_request="2T")
    failed = example.run("apply", "--yes")
    example.edit("spark-pi", epc_request="2G")
    assert failed.returncode == 1
    (line,) = (line for line in failed.stderr.splitlines() if "cannot start" in line)
    assert "-driver cannot start: Unschedulable: 0/1 nodes are available: " in line
    assert "1 Insufficient sgx.intel.com/epc." in line
    assert "-driver" not in " ".join(example.pods("spark-role=driver", "Pending"))


@pytest.mark.usefixtures("applied")
def test_a_run_whose_apply_was_killed_is_picked_up_and_shows_no_secret_meanwhile(
    example: Example, engine: docker.APIClient
) -> None:
    example.edit("spark-pi", arguments='["1500"]')
    applying = example.start("apply", "--yes")
    (driver,) = wait_for(lambda: example.pods("spark-role=driver", "Running"), applying)
    wait_for(lambda: example.pods("spark-role=executor", "Running"), applying)
    applying.kill()
    applying.communicate()
    data_key = example.data_key()
    password = example.vault("ssl_password")
    encoded = base64.b64encode(password.encode()).decode()
    assert sparks_secrets(driver.removesuffix("-driver")) == {"SparkSubmit": encoded, "executor": encoded}
    looked_for = {
        "the ssl password": password,
        "the ssl password as Spark has it": encoded,
        "the data key": data_key.plain,
        "the part of it that the images use": data_key.plain[:15],
        "the wrapped data key": data_key.wrapped,
    }
    assert where_shown(looked_for, example, engine) == []
    submitter = example.pods(f"job-name={driver.removesuffix('-driver')}")
    kubectl("delete", "pod", *submitter, "--namespace", example.namespace, "--wait=false")
    told = example.told("apply", "--yes")
    assert f"{told['outputs']['submissions']['spark-pi']['name']}-driver" == driver
    assert example.pods(f"spark-role=driver,ppmlctl/run={driver.removesuffix('-driver')}") == [driver]


@pytest.mark.usefixtures("applied")
def test_a_driver_whose_submitting_pod_was_deleted_does_not_begin_again(example: Example) -> None:
    applying = example.start("apply", "--yes", "--rerun", "spark-pi-client")
    before = set(example.pods("job-name"))
    (pod,) = wait_for(lambda: set(example.pods("job-name", "Running")) - before, applying)
    run = pod.rpartition("-")[0]
    assert run.endswith("-2"), "another attempt"
    kubectl("delete", "pod", pod, "--namespace", example.namespace, "--grace-period=1")
    _, told = applying.communicate(timeout=120)
    assert applying.returncode == 1
    (replaced,) = example.pods(f"job-name={run}")
    assert kubectl("logs", replaced, "--namespace", example.namespace) == (
        f"ppmlctl: {pod} began this run; it does not begin again\n"
    )
    assert f"pod {pod}, which began it, was deleted" in told
    assert example.acting()["workload.spark-pi-client"] == "run"


def sparks_secrets(run: str) -> dict[str, str]:
    """What the processes of a run on this machine, which is the node, have as Spark's secret."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            words, variables = (
                (process / name).read_bytes().decode(errors="replace").split("\0") for name in ("cmdline", "environ")
            )
            secret = [value for value in variables if value.startswith("_SPARK_AUTH_SECRET=")]
            if words[0].endswith("/java") and secret and any(run in value for value in (*words, *variables)):
                kind = "executor" if "--executor-id" in words else "SparkSubmit"
                found[kind] = secret[0].partition("=")[2]
    return found


def where_shown(looked_for: dict[str, str], example: Example, engine: docker.APIClient) -> list[str]:
    """Places outside of Secrets where a value can be read while the job runs."""
    assert min(len(secret) for secret in looked_for.values()) > 8
    places = {"ConfigMaps": kubectl("get", "configmaps", "--namespace", example.namespace, "--output", "yaml")}
    for pod in example.pods():
        places[f"log of {pod}"] = kubectl("logs", pod, "--namespace", example.namespace)
        places[f"pod {pod}"] = kubectl("get", "pod", pod, "--namespace", example.namespace, "--output", "yaml")
    label = f"io.kubernetes.pod.namespace={example.namespace}"
    for container in engine.containers(all=True, filters={"label": label}):
        places[f"inspection of {container['Names'][0]}"] = json.dumps(engine.inspect_container(container["Id"]))
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            places[f"arguments of process {command.parent.name}"] = command.read_bytes().decode(errors="replace")
    assert any("CoarseGrainedExecutorBackend" in text for text in places.values()), "looked while the job ran"
    return [
        f"{what} in {place}" for place, text in places.items() for what, secret in looked_for.items() if secret in text
    ]


def wait_for(look: Callable[[], Collection[str]], process: subprocess.Popen[str]) -> Collection[str]:
    """What `look` finds once it finds something, while the process goes on."""
    over = time.monotonic() + 120
    while not (found := look()):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < over, "nothing was found in two minutes"
        time.sleep(0.5)
    return found


@pytest.mark.usefixtures("applied")
def test_destroy_leaves_the_engine_and_the_cluster_as_they_were(example: Example, engine: docker.APIClient) -> None:
    environment = re.search(r'^environment: "?([0-9a-f-]+)', example.lockfile.decode(), re.MULTILINE)
    assert environment
    labels = {"label": f"dev.ppmlctl.environment={environment[1]}"}
    assert len(engine.images(filters=labels)) == 1
    ended = example.run("destroy", "--yes")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert engine.images(filters=labels) == []
    assert len(engine.images(name="ppml-e2e/base:1")) == 1
    assert f"namespace/{example.namespace}" not in kubectl("get", "namespaces", "--output", "name").split()

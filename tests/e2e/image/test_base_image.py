"""The base image of the end-to-end tests, and that its stand-ins demand what the images' contract says."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import docker
import pytest
from build import NAME, BusyboxMissingError, build, static_busybox

from ppmlctl.clients.docker import DockerClient
from ppmlctl.effects import Effects
from ppmlctl.spark import Security, Submission, job_manifest
from ppmlctl.spark.submission import Mode

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif("DOCKER_HOST" not in os.environ, reason="DOCKER_HOST is not set"),
]

ENVIRONMENT = {"RUNTIME_DRIVER_MEMORY": "1g", "RUNTIME_DRIVER_PORT": "54321"}
LOCAL = ["--master", "local[2]", "--class", "org.example.Main", "--verbose", "local:///app.jar", "3000", "--verbose"]
CLUSTER = [
    *("--master", "k8s://https://kubernetes.default.svc", "--deploy-mode", "cluster"),
    *("--driver-memory", "1g", "--executor-memory", "1g", "--conf", "spark.kubernetes.container.image=x"),
    *("--driver-template", "/ppml/templates/driver.yaml", "--executor-template", "/ppml/templates/executor.yaml"),
    *("--sgx-enabled", "true", "--sgx-driver-jvm-memory", "1g", "--sgx-executor-jvm-memory", "1g", "local:///app.jar"),
]
MOUNTS = ("root/.kube/config", "ppml/templates/driver.yaml", "ppml/templates/executor.yaml")
SIGNED = ("ppml/bash.manifest.sgx", "ppml/bash.sig")
KEYS = ("ppml/keys/keystore.jks", "ppml/password/key.txt", "ppml/password/output.bin")


@dataclass(frozen=True)
class Ended:
    """How a container ended."""

    status: int
    lines: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def client() -> Iterator[DockerClient]:
    try:
        static_busybox()
    except BusyboxMissingError as missing:
        pytest.skip(str(missing))
    with DockerClient(Effects("docker", writes_allowed=True)) as opened:
        build(opened)
        yield opened


@pytest.fixture
def api(client: DockerClient) -> Iterator[docker.APIClient]:
    opened = docker.APIClient(version="auto", base_url=os.environ["DOCKER_HOST"])
    yield opened
    opened.close()


def run(
    api: docker.APIClient, command: list[str], environment: Mapping[str, str] = ENVIRONMENT, *files: str, **more: Any
) -> Ended:
    """Runs a command with files in place, as mounts would put them there."""
    container = api.create_container(NAME, command, environment=dict(environment), **more)["Id"]
    try:
        api.put_archive(container, "/", archive(files))
        api.start(container)
        status = api.wait(container)["StatusCode"]
        return Ended(status, api.logs(container).decode().splitlines())
    finally:
        api.remove_container(container, force=True)


def archive(files: tuple[str, ...]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as opened:
        for path in files:
            member = tarfile.TarInfo(path)
            member.size = 1
            opened.addfile(member, io.BytesIO(b"x"))
    return stream.getvalue()


def submit(*words: str) -> list[str]:
    return ["bash", "/ppml/bigdl-ppml-submit.sh", *words]


def test_building_it_again_gives_the_same_image(client: DockerClient) -> None:
    assert build(client).id == build(client).id


def test_it_holds_what_an_enclave_is_measured_from(client: DockerClient) -> None:
    libraries = "/usr/local/lib/x86_64-linux-gnu/gramine"
    wanted = ["/ppml/bash.manifest.template", "/ppml/secured_argvs", f"{libraries}/sgx/libpal.so", "/usr/bin/bash"]
    assert sorted(client.read_files(NAME, wanted)) == sorted(wanted)


def test_a_local_submission_is_taken(api: docker.APIClient) -> None:
    assert run(api, submit(*LOCAL)) == Ended(
        0,
        [
            "stand-in: would submit to local[2], SGX false",
            "stand-in: settings: --class org.example.Main --verbose",
            "stand-in: application: local:///app.jar 3000 --verbose",
        ],
    )


def test_a_cluster_submission_with_all_its_mounts_is_taken(api: docker.APIClient) -> None:
    environment = {**ENVIRONMENT, "secure_password": "hunter2"}
    ended = run(api, submit(*CLUSTER), environment, *MOUNTS, *SIGNED, *KEYS)
    assert ended.status == 0
    assert "stand-in: would submit to k8s://https://kubernetes.default.svc in cluster mode, SGX true" in ended.lines
    assert "hunter2" not in str(ended.lines)


@pytest.mark.parametrize("missing", [*MOUNTS, *SIGNED, *KEYS])
def test_each_missing_file_is_named(api: docker.APIClient, missing: str) -> None:
    environment = {**ENVIRONMENT, "secure_password": "hunter2"}
    there = [path for path in (*MOUNTS, *SIGNED, *KEYS) if path != missing]
    ended = run(api, submit(*CLUSTER), environment, *there)
    assert ended == Ended(1, [f"stand-in: missing: file /{missing}", "stand-in: would not submit: 1 missing"])


@pytest.mark.parametrize(
    ("words", "environment", "named"),
    [
        (LOCAL, {"RUNTIME_DRIVER_PORT": "54321"}, "RUNTIME_DRIVER_MEMORY"),
        (LOCAL, {**ENVIRONMENT, "RUNTIME_DRIVER_PORT": "http"}, "RUNTIME_DRIVER_PORT, a number"),
        (LOCAL[2:], ENVIRONMENT, "--master"),
        (LOCAL[:2], ENVIRONMENT, "an application"),
        ([*LOCAL[:2], "--conf"], ENVIRONMENT, "a value for --conf"),
        ([*LOCAL[:2], "--sgx-enabled", "yes", "app"], ENVIRONMENT, "--sgx-enabled true or false"),
    ],
)
def test_each_missing_word_or_variable_is_named(
    api: docker.APIClient, words: list[str], environment: dict[str, str], named: str
) -> None:
    ended = run(api, submit(*words), environment)
    assert (ended.status, f"stand-in: missing: {named}" in ended.lines) == (1, True)


@pytest.mark.parametrize("mode", ["local", "local-sgx", "client", "cluster"])
def test_the_jobs_of_ppmlctl_are_taken(api: docker.APIClient, mode: Mode) -> None:
    submission = Submission(
        *("spark-pi-1", "spark-pi", "ppml", NAME, "local:///app.jar", "spark"),
        mode=mode,
        main_class="org.example.Main",
        arguments=("3000",),
        conf={"spark.sql.shuffle.partitions": "64"},
        security=Security(rpc_auth=True),
        has_keys=True,
    )
    (container,) = job_manifest(submission)["spec"]["template"]["spec"]["containers"]
    plain = {variable["name"]: variable["value"] for variable in container["env"] if "value" in variable}
    environment = {**plain, "LOCAL_IP": "192.0.2.1", "secure_password": "hunter2"}
    files = (*MOUNTS, *SIGNED, *KEYS)
    command = [*container["command"], *container["args"]]
    ended = run(api, command, environment, *files, working_dir=container["workingDir"])
    assert (ended.status, ended.lines[-1]) == (0, "stand-in: application: local:///app.jar 3000")


def test_another_working_directory_is_a_fault(api: docker.APIClient) -> None:
    ended = run(api, submit(*LOCAL), working_dir="/tmp")
    assert "stand-in: missing: the working directory /ppml, not /tmp" in ended.lines


def test_the_entrypoint_tells_roles_from_commands(api: docker.APIClient) -> None:
    assert run(api, ["driver"]) == Ended(1, ["stand-in: SGX_ENABLED is neither true nor false"])
    started = run(api, ["executor"], {"SGX_ENABLED": "true"})
    assert started == Ended(0, ["stand-in: would start a executor, SGX_ENABLED=true"])

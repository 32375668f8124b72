"""Spark's secret: each process is started with what Spark makes of its file, whatever an enclave exports."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ppmlctl.flows.spark.job import job_pod, submit_environment
from ppmlctl.flows.spark.pod_template import pod_template
from ppmlctl.flows.spark.security import SECRET_FILE
from ppmlctl.flows.spark.submission import Executor, Security, Submission
from ppmlctl.flows.spark.submit_script import SUBMIT_SCRIPT

BASE = Path(__file__).parents[2] / "examples/quickstart/base"
IN_THE_ENCLAVE = (BASE / "ppml/secured_argvs").read_bytes().decode().split("\0")[:-1]
"""The words that run there, the same in effect as those of BigDL's images."""
SECRET = b"a secret of 'words', $HOME and more: " + bytes(range(256))
PI = Submission(
    name="pi-0123abcd-1",
    workload="pi",
    namespace="ppml",
    image="ppml/pi:1",
    application="local:///pi.jar",
    service_account="spark",
    executor=Executor(instances=2),
    security=Security(rpc_auth=True),
)


class Image:
    """An image whose entrypoint and loader say what is in the enclave's environment, in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "secret").write_bytes(SECRET)
        words = " ".join(f"'{word}'" for word in IN_THE_ENCLAVE)
        for name in ("entrypoint.sh", "gramine-sgx", "init.sh"):
            says = "" if name == "init.sh" else f"export sgx_command='printenv _SPARK_AUTH_SECRET'\n{words}\n"
            (folder / name).write_text(f"#!/bin/bash\n{says}")
            (folder / name).chmod(0o755)

    def run(self, words: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "SPARK_HOME": "/s",
            "JAVA_HOME": "/j",
            **variables,
        }
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    def place(self, text: str) -> str:
        """The text with this image's paths."""
        places = {SECRET_FILE: "secret", "/opt/entrypoint.sh": "entrypoint.sh"}
        for path, name in places.items():
            text = text.replace(path, str(self.folder / name))
        return text.replace("cd /ppml", f"cd {self.folder}")

    def pod(self, submission: Submission, role: str) -> subprocess.CompletedProcess[str]:
        """Runs a pod's command as Kubernetes does, with the arguments that Spark adds."""
        (container,) = pod_template(submission, role)["spec"]["containers"]  # type: ignore[arg-type]
        return self.run([*(self.place(word).replace("$$", "$") for word in container["command"]), role])

    def submitter(self, submission: Submission) -> subprocess.CompletedProcess[str]:
        """Runs the script that submits, in client mode the driver."""
        (self.folder / "submit.sh").write_text(self.place(SUBMIT_SCRIPT))
        given = {name: self.place(value) for name, value in submit_environment(submission).items()}
        return self.run(["bash", str(self.folder / "submit.sh"), "word"], **given)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(tmp_path)


@pytest.mark.parametrize("tee", ["sgx", "tdx"])
def test_driver_and_executors_of_a_cluster_have_the_files_bytes_in_base64(image: Image, tee: str) -> None:
    submission = replace(PI, tee=tee)  # type: ignore[arg-type]
    driver, executor = (image.pod(submission, role) for role in ("driver", "executor"))
    assert driver.stdout.rstrip("\n") == base64.b64encode(SECRET).decode()
    assert executor.stdout == driver.stdout


@pytest.mark.parametrize("device_plugin", ["intel", "host"])
def test_a_driver_that_submits_has_the_same_as_its_executors(image: Image, device_plugin: str) -> None:
    client = replace(PI, mode="client", device_plugin=device_plugin)  # type: ignore[arg-type]
    assert image.submitter(client).stdout == image.pod(client, "executor").stdout != "\n"


def test_without_its_secret_no_process_begins(image: Image) -> None:
    (image.folder / "secret").unlink()
    client = replace(PI, mode="client")
    for ended in (image.pod(PI, "driver"), image.pod(PI, "executor"), image.submitter(client)):
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "No such file or directory" in ended.stderr


def test_the_entrypoint_gets_its_arguments_as_they_are(image: Image) -> None:
    (image.folder / "entrypoint.sh").write_text('#!/bin/bash\nprintf "[%s]" "$@"\n')
    assert image.pod(PI, "executor").stdout == "[executor]"


@pytest.mark.parametrize("mode", ["cluster", "client", "local", "local-sgx"])
def test_no_specification_names_the_variable_with_a_value(mode: str) -> None:
    submission = replace(PI, mode=mode)  # type: ignore[arg-type]
    pods = [pod_template(submission, "driver"), pod_template(submission, "executor"), job_pod(submission)]
    assert '"name": "_SPARK_AUTH_SECRET"' not in json.dumps(pods)


@pytest.mark.parametrize("mode", ["local", "local-sgx"])
def test_outside_of_kubernetes_spark_makes_its_own_and_is_given_none(mode: str) -> None:
    assert "PPMLCTL_SECRET_FILE" not in submit_environment(replace(PI, mode=mode))  # type: ignore[arg-type]


def test_without_authentication_pods_start_as_the_image_says() -> None:
    (container,) = pod_template(replace(PI, security=Security()), "executor")["spec"]["containers"]
    assert "command" not in container

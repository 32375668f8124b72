"""The base image of the end-to-end tests: its layout, and that Spark in it computes."""

from __future__ import annotations

import base64
import re

import docker
import pytest
from build import NAME, build
from containers import Container
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ppmlctl.clients.docker import DockerClient
from ppmlctl.sgx import Sigstruct, gramine_version, measure, mr_signer_of

pytestmark = pytest.mark.docker

SPARK_HOME = "/ppml/spark-3.1.3"
EXAMPLES = f"local://{SPARK_HOME}/examples/jars/spark-examples_2.12-3.1.3.jar"
LOADER = "/usr/local/lib/x86_64-linux-gnu/gramine/sgx/libpal.so"
DEPLOYERS = re.compile(
    r"SGX_|RUNTIME_|ATTESTATION|APP_ID|API_KEY|secure_password|ENCRYPTED_FSD|EHSM_|APPID|APIKEY|PCCS"
)
LOCAL = {"RUNTIME_DRIVER_MEMORY": "512m", "RUNTIME_DRIVER_PORT": "54321"}


def submit(*words: str) -> list[str]:
    return ["bash", "/ppml/bigdl-ppml-submit.sh", "--master", "local[2]", *words]


def spark_submit(*words: str, script: str = "spark-submit") -> list[str]:
    return [f"{SPARK_HOME}/bin/{script}", "--master", "local[2]", *words]


def test_building_it_again_gives_the_same_image(client: DockerClient) -> None:
    assert build(client).id == build(client).id


def test_it_is_laid_out_as_bigdls_and_sets_nothing_that_the_deployer_has_to(api: docker.APIClient) -> None:
    config = api.inspect_image(NAME)["Config"]
    environment = dict(variable.split("=", 1) for variable in config["Env"])
    assert (config["WorkingDir"], config["Entrypoint"]) == ("/ppml", ["/opt/entrypoint.sh"])
    assert (
        environment.items()
        >= {
            "SPARK_HOME": SPARK_HOME,
            "SPARK_VERSION": "3.1.3",
            "JAVA_HOME": "/opt/jdk8",
            "LOCAL_IP": "127.0.0.1",
        }.items()
    )
    assert [name for name in environment if DEPLOYERS.match(name)] == []


def test_it_holds_what_an_enclave_is_measured_from(client: DockerClient) -> None:
    wanted = ["/ppml/bash.manifest.template", "/ppml/secured_argvs", LOADER, "/usr/bin/bash"]
    assert sorted(client.read_files(NAME, wanted)) == sorted(wanted)


MAKE = "make SGX=1 DEBUG=1 THIS_DIR=/ppml SPARK_USER=root G_SGX_SIZE=128M G_LOG_LEVEL=error >&2"
WITHOUT_DCAP = 'sed -i \'s/"dcap"/"none"/g\' bash.manifest.template'


@pytest.mark.parametrize(("edited", "kind"), [("true", "dcap"), (WITHOUT_DCAP, "none")])
def test_signing_in_the_image_measures_what_ppmlctl_measures(
    api: docker.APIClient, client: DockerClient, edited: str, kind: str
) -> None:
    key = rsa.generate_private_key(public_exponent=3, key_size=3072)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    command = ["sh", "-c", f"{edited} && {MAKE} && base64 -w0 bash.manifest.sgx && echo && base64 -w0 bash.sig"]
    ended = Container(command, {}, {"root/.config/gramine/enclave-key.pem": pem}).run(api)
    assert ended.status == 0, ended.text
    manifest, signature = (base64.b64decode(line) for line in ended.lines[-2:])
    sigstruct = Sigstruct.from_bytes(signature)
    sigstruct.verify()
    loader = client.read_files(NAME, [LOADER])[LOADER]
    measurement = measure(manifest, loader, gramine_version("1.3.1"))
    assert sigstruct.mr_enclave == measurement.mr_enclave
    assert (sigstruct.mr_signer, measurement.enclave_size) == (
        mr_signer_of(key.public_key().public_numbers().n),
        128 << 20,
    )
    assert f'sgx.remote_attestation = "{kind}"' in manifest.decode()


def test_no_image_of_bigdls_has_a_script_that_signs_nor_a_key_client(client: DockerClient) -> None:
    assert client.read_files(NAME, ["/ppml/make-sgx.sh", "/ppml/kms/client.py"]) == {}


def test_the_makefile_gives_every_variable_of_the_template_and_cleans_up(api: docker.APIClient) -> None:
    script = "make PYTHON_HOME=/usr/lib/python3.8 >&2 && cat bash.manifest && bash clean.sh >&2 && ls bash.*"
    ended = Container(["sh", "-c", script], {"SGX_MEM_SIZE": "1G"}).run(api)
    assert ended.status == 0, ended.text
    assert {'sgx.enclave_size = "16G"', 'loader.log_level = "all"', "sgx.thread_num = 16"} <= set(ended.lines)
    assert {'  "file:/usr/lib/python3.8",', '  "file:/usr/bin/bash",', '  "file:/opt/jdk8",'} <= set(ended.lines)
    assert ended.lines[-1] == "bash.manifest.template"


def test_spark_pi_is_computed_by_the_submit_script(api: docker.APIClient) -> None:
    command = submit("--class", "org.apache.spark.examples.SparkPi", "--log-file", "/dev/stderr", EXAMPLES, "4")
    ended = Container(command, LOCAL).run(api)
    assert (ended.status, len(re.findall(r"^Pi is roughly 3\.1\d+$", ended.text, re.MULTILINE))) == (0, 2)


def test_the_submit_script_tells_all_its_words_and_hides_every_failure(api: docker.APIClient) -> None:
    environment = LOCAL | {"secure_password": "hunter2"}
    ended = Container(submit("--class", "org.example.Missing", EXAMPLES), environment).run(api)
    assert ended.status == 0
    assert "Error: Failed to load class org.example.Missing." in ended.lines
    assert "--conf spark.authenticate.secret=hunter2" in ended.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "stand-in: --deploy-mode is required"),
        (("--deploy-mode", "cluster"), "stand-in: --driver-memory is required"),
        (("--sgx-enabled", "true"), "stand-in: --sgx-driver-jvm-memory is required"),
    ],
)
def test_what_the_submit_script_requires_ends_it(api: docker.APIClient, words: tuple[str, ...], said: str) -> None:
    command = ["bash", "/ppml/bigdl-ppml-submit.sh", "--master", "k8s://https://example.invalid", *words, EXAMPLES]
    ended = Container(command, LOCAL).run(api)
    assert (ended.status, ended.lines) == (1, [said])


def test_spark_submit_ends_as_the_application_does(api: docker.APIClient) -> None:
    ended = Container(spark_submit("--class", "org.example.Missing", EXAMPLES), LOCAL).run(api)
    assert ended.status == 101


def test_spark_submit_without_a_heap_does_not_start(api: docker.APIClient) -> None:
    ended = Container(spark_submit("--version")).run(api)
    assert (ended.status, ended.lines[0]) == (1, "Invalid maximum heap size: -Xmx")


def test_sparks_own_script_counts_words(api: docker.APIClient) -> None:
    words = ("--class", "org.apache.spark.examples.JavaWordCount", EXAMPLES, f"{SPARK_HOME}/README.md")
    ended = Container(spark_submit(*words, script="spark-submit-original")).run(api)
    assert ended.status == 0
    assert [line for line in ended.lines if line.startswith("MLlib: ")] == ["MLlib: 1"]


def test_a_python_application_computes_pi(api: docker.APIClient) -> None:
    ended = Container(spark_submit(f"{SPARK_HOME}/examples/src/main/python/pi.py", "4"), LOCAL).run(api)
    assert (ended.status, bool(re.search(r"^Pi is roughly 3\.1\d+$", ended.text, re.MULTILINE))) == (0, True)

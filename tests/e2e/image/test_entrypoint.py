"""The entrypoint of driver and executor pods: what runs, and with which ending nothing does."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import docker
import pytest
from containers import Container

from ppmlctl.clients.ehsm import EhsmClient, ServerTrust
from ppmlctl.effects import Effects
from ppmlctl.ehsm import Account
from ppmlctl.sandbox import Sandbox, down, up

pytestmark = pytest.mark.docker

MR_ENCLAVE, MODULUS = "a1" * 32, bytes(range(128)) * 3
MR_SIGNER = hashlib.sha256(MODULUS).hexdigest()
SIGSTRUCT = bytes(128) + MODULUS + bytes(448) + bytes.fromhex(MR_ENCLAVE) + bytes(816)
SIGNED = {"ppml/bash.sig": SIGSTRUCT, "ppml/bash.manifest.sgx": b'[loader.env]\nSPARK_LOCAL_IP = "127.0.0.1"\n'}
ENCRYPTING = SIGNED | {"ppml/bash.manifest.sgx": SIGNED["ppml/bash.manifest.sgx"] + b'key_name = "sgx_data_key"\n'}
SPARK_PI = [
    *("--master", "local[2]", "--class", "org.apache.spark.examples.SparkPi"),
    *("local:///ppml/spark-3.1.3/examples/jars/spark-examples_2.12-3.1.3.jar", "4"),
]
SGX = {"SGX_ENABLED": "true", "SGX_DRIVER_JVM_MEM_SIZE": "1g", "SPARK_DRIVER_BIND_ADDRESS": "127.0.0.1"}
OF_EHSM = SGX | {"ENCRYPTED_FSD": "true", "EHSM_URL": "ehsm.example", "APP_ID": "some-app", "API_KEY": "some-key"}
CLIENT = b"""\
import base64, hashlib, os, sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
files = [os.path.basename(given[name]) for name in ("-pkp", "-dkp")]
words = [given["-api"], given["-ip"], given["-port"], *files, os.environ["APP_ID"], os.environ["API_KEY"]]
print(base64.b64encode(hashlib.sha256(" ".join(words).encode()).digest()).decode())
"""
"""A key client that makes a key of what it is given."""
DEVICES = {"devices": ["/dev/null:/dev/sgx_enclave", "/dev/null:/dev/sgx_provision"]}
HOST_NETWORK = {"network_mode": "host"}
NO_OBJECT = 'Exception in thread "main" org.json.JSONException: JSONObject["result"] is not a JSONObject.'
NO_SIGN = 'Exception in thread "main" org.json.JSONException: JSONObject["sign"] not found.'
PI = re.compile(r"^Pi is roughly 3\.1\d+$", re.MULTILINE)


@dataclass(frozen=True)
class Ehsm:
    """A running sandbox's EHSM with one account, and a policy for the enclave that tests pretend to run in."""

    address: str
    account: Account
    policy_id: str
    other_policy_id: str

    def environment(self, policy_id: str) -> dict[str, str]:
        return {
            "ATTESTATION": "true",
            "ATTESTATION_URL": self.address,
            "ATTESTATION_POLICYID": policy_id,
            "APP_ID": self.account.appid,
            "API_KEY": self.account.apikey.reveal_text(),
        }


@pytest.fixture(scope="module")
def ehsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehsm]:
    state = tmp_path_factory.mktemp("sandbox") / "state"
    sandbox: Sandbox = up(state, only="ehsm")
    assert sandbox.ehsm_url
    try:
        effects = Effects("ehsm", writes_allowed=True)
        with EhsmClient(sandbox.ehsm_url, effects, trust=ServerTrust(ca=sandbox.ca)) as client:
            account = client.enroll()
            policy_id = client.upload_quote_policy(account, MR_ENCLAVE, MR_SIGNER)
            other = client.upload_quote_policy(account, "b2" * 32, MR_SIGNER)
        yield Ehsm(sandbox.ehsm_url.removeprefix("https://"), account, policy_id, other)
    finally:
        down(state)


def test_a_command_is_run_as_it_is(api: docker.APIClient) -> None:
    ended = Container(["sh", "-c", "echo $0; exit 7"]).run(api)
    assert (ended.status, ended.lines) == (7, ["sh"])


@pytest.mark.parametrize("role", ["driver", "driver-py", "driver-r", "executor"])
def test_without_sgx_enabled_a_pod_succeeds_having_done_nothing(api: docker.APIClient, role: str) -> None:
    ended = Container([role, *SPARK_PI]).run(api)
    said = [f"stand-in: {role}, SGX_ENABLED=, SGX_MEM_SIZE=", "[INFO] Attestation is disabled!"]
    assert (ended.status, ended.lines) == (0, said)


def test_a_python_driver_succeeds_having_done_nothing(api: docker.APIClient) -> None:
    ended = Container(["driver-py", "local:///app.py"], {"SGX_ENABLED": "false"}).run(api)
    assert (ended.status, ended.lines[1:]) == (0, ["[INFO] Attestation is disabled!"])


def test_a_driver_runs_in_the_open(api: docker.APIClient) -> None:
    environment = {"SGX_ENABLED": "false", "RUNTIME_DRIVER_MEMORY": "512m", "SPARK_DRIVER_BIND_ADDRESS": "127.0.0.1"}
    ended = Container(["driver", *SPARK_PI], environment).run(api)
    assert (ended.status, len(PI.findall(ended.text))) == (0, 1)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "/ppml/bash.sig is not ready,"),
        (SIGNED, "both /dev/sgx/enclave /dev/sgx_enclave are not ready,"),
    ],
)
def test_without_signature_or_device_an_enclaves_pod_succeeds_having_done_nothing(
    api: docker.APIClient, files: dict[str, bytes], said: str
) -> None:
    ended = Container(["driver", *SPARK_PI], SGX, files).run(api)
    assert ended.status == 0
    assert any(line.startswith(said) for line in ended.lines), ended.text
    assert not PI.search(ended.text)


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_in_an_enclave_a_heap_under_1_gib_does_not_start(api: docker.APIClient, role: str) -> None:
    environment = SGX | {"SGX_DRIVER_JVM_MEM_SIZE": "512m", "SGX_EXECUTOR_JVM_MEM_SIZE": "512m"}
    ended = Container([role, *SPARK_PI], environment, SIGNED, DEVICES).run(api)
    assert ended.status == 1
    assert "Initial heap size set to a larger value than the maximum heap size" in ended.text


def test_an_attested_driver_computes_pi(api: docker.APIClient, ehsm: Ehsm) -> None:
    environment = SGX | ehsm.environment(ehsm.policy_id)
    ended = Container(["driver", *SPARK_PI], environment, SIGNED, DEVICES | HOST_NETWORK).run(api)
    assert f"stand-in: a simulated quote of {MR_ENCLAVE}" in ended.lines
    assert "Attestation Success!" in ended.lines
    assert (ended.status, len(PI.findall(ended.text))) == (0, 1)


def test_another_policy_ends_the_driver(api: docker.APIClient, ehsm: Ehsm) -> None:
    environment = SGX | ehsm.environment(ehsm.other_policy_id)
    ended = Container(["driver", *SPARK_PI], environment, SIGNED, DEVICES | HOST_NETWORK).run(api)
    assert (ended.status, ended.lines[-1]) == (1, NO_OBJECT)


@pytest.mark.parametrize("wrong", [{"API_KEY": "0" * 32}, {"APP_ID": "nobody"}, {"ATTESTATION_POLICYID": "none"}])
def test_an_account_or_policy_that_ehsm_does_not_know_ends_the_driver_with_other_words(
    api: docker.APIClient, ehsm: Ehsm, wrong: dict[str, str]
) -> None:
    environment = SGX | ehsm.environment(ehsm.policy_id) | wrong
    ended = Container(["driver", *SPARK_PI], environment, SIGNED, DEVICES | HOST_NETWORK).run(api)
    assert (ended.status, ended.lines[-2:]) == (1, ["postResult:{}", NO_SIGN])


def test_an_answer_that_the_client_does_not_expect_ends_the_driver_in_debug_mode_too(
    api: docker.APIClient, ehsm: Ehsm
) -> None:
    environment = SGX | ehsm.environment(ehsm.other_policy_id) | {"ATTESTATION_DEBUG": "true"}
    ended = Container(["driver", "--version"], environment, SIGNED, DEVICES | HOST_NETWORK).run(api)
    assert (ended.status, ended.lines[-1], "version 3.1.3" in ended.text) == (1, NO_OBJECT, False)


def test_outside_an_enclave_nothing_is_attested(api: docker.APIClient, ehsm: Ehsm) -> None:
    environment = {"SGX_ENABLED": "false"} | ehsm.environment(ehsm.policy_id)
    ended = Container(["driver", *SPARK_PI], environment, SIGNED, HOST_NETWORK).run(api)
    assert ended.status == 1
    assert ended.lines[-1].endswith("AttestationRuntimeException: Failed to persist user report data to Gramine!")


@pytest.mark.parametrize("missing", ["ATTESTATION_URL", "APP_ID", "API_KEY"])
def test_attestation_needs_its_variables(api: docker.APIClient, missing: str) -> None:
    given = {"ATTESTATION": "true", "ATTESTATION_URL": "ehsm:9000", "APP_ID": "a", "API_KEY": "k", missing: ""}
    ended = Container(["executor"], SGX | given, SIGNED, DEVICES).run(api)
    assert (ended.status, ended.lines[-2:]) == (
        1,
        [f"[ERROR] Attestation is enabled, but {missing} is empty!", "[INFO] PPML Application Exit!"],
    )


def test_the_account_stands_among_the_attestations_arguments(api: docker.APIClient) -> None:
    environment = {"ATTESTATION": "true", "ATTESTATION_URL": "ehsm:9000", "APP_ID": "some-app", "API_KEY": "some-key"}
    ended = Container(["sh", "-c", "bash attestation.sh && cat temp_command_file"], environment).run(api)
    assert "-i some-app -k some-key" in ended.lines[-1]
    assert "some-key" in " ".join(line for line in ended.text.splitlines() if line.startswith("+")), "it is traced"


def opened_with(key: bytes) -> str:
    """What is said of the key that is written for Gramine."""
    return f"stand-in: data key {hashlib.sha256(key[:15]).hexdigest()[:8]}; /ppml/encrypted-fsd stays as it is"


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        (b"x" * 15, 0, opened_with(b"x" * 15)),
        (b"y" * 40, 0, opened_with(b"y" * 15)),
        (b"x" * 14, 1, "[ERROR] The key should be at least 15 bytes"),
        (b"x" * 14 + b"\n", 0, "stand-in: Gramine would refuse this data key: not 16 bytes"),
    ],
)
def test_an_encrypted_folder_needs_a_data_key(api: docker.APIClient, key: bytes, status: int, said: str) -> None:
    environment = SGX | {"ENCRYPTED_FSD": "true", "USING_LOCAL_DATA_KEY": "true", "LOCAL_DATA_KEY": "/ppml/data.key"}
    command = ["driver", "--version"]
    ended = Container(command, environment, ENCRYPTING | {"ppml/data.key": key}, DEVICES).run(api)
    assert (ended.status, said in ended.lines) == (status, True)


def test_a_data_key_of_ehsm_comes_from_a_client_that_the_image_does_not_have(api: docker.APIClient) -> None:
    ended = Container(["driver", "--version"], OF_EHSM, ENCRYPTING, DEVICES).run(api)
    assert ended.status == 1
    assert "python3: can't open file '/ppml/kms/client.py'" in ended.text
    assert "version 3.1.3" not in ended.text


def test_a_data_key_of_ehsm_is_what_the_client_says_and_never_shown(api: docker.APIClient) -> None:
    files = ENCRYPTING | {"ppml/kms/client.py": CLIENT}
    ended = Container(["driver", "--version"], OF_EHSM, files, DEVICES).run(api)
    words = "get_data_key_plaintext ehsm.example 3000 encrypted_primary_key encrypted_data_key some-app some-key"
    key = base64.b64encode(hashlib.sha256(words.encode()).digest())
    assert (ended.status, opened_with(key) in ended.lines) == (0, True), ended.text
    assert key[:15].decode() not in ended.text


@pytest.mark.parametrize("missing", ["EHSM_URL", "APP_ID", "API_KEY"])
def test_a_data_key_of_ehsm_needs_its_variables(api: docker.APIClient, missing: str) -> None:
    ended = Container(["driver", "--version"], OF_EHSM | {missing: ""}, ENCRYPTING, DEVICES).run(api)
    said = f"[ERROR] Distributed encrypted filesystem is enabled, but {missing} is empty!"
    assert (ended.status, said in ended.lines) == (1, True)


@pytest.mark.parametrize("secret", ["", "c2VjcmV0"])
def test_sparks_secret_is_exported_into_the_enclave_also_where_there_is_none(
    api: docker.APIClient, secret: str
) -> None:
    script = "export sgx_command='env'; ./init.sh && gramine-sgx bash"
    environment = {"_SPARK_AUTH_SECRET": secret} if secret else {}
    ended = Container(["bash", "-c", script], environment, SIGNED, DEVICES).run(api)
    assert (ended.status, f"_SPARK_AUTH_SECRET={secret}" in ended.lines) == (0, True)
    assert "TF_MKL_ALLOC_MAX_BYTES=10737418240" in ended.lines

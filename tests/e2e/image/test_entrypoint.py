"""The entrypoint of driver and executor pods: what runs, and with which ending nothing does."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from containers import Container

from ppmlctl.clients.ehsm import EhsmClient, ServerTrust
from ppmlctl.effects import Effects
from ppmlctl.ehsm import Account, KeySpec
from ppmlctl.sandbox import Sandbox, down, up

pytestmark = pytest.mark.docker

MR_ENCLAVE, MODULUS = "a1" * 32, bytes(range(128)) * 3
MR_SIGNER = hashlib.sha256(MODULUS).hexdigest()
SIGSTRUCT = bytes(128) + MODULUS + bytes(448) + bytes.fromhex(MR_ENCLAVE) + bytes(816)
SIGNED = {"ppml/bash.sig": SIGSTRUCT, "ppml/bash.manifest.sgx": b'[loader.env]\nSPARK_LOCAL_IP = "127.0.0.1"\n'}
SPARK_PI = [
    *("--master", "local[2]", "--class", "org.apache.spark.examples.SparkPi"),
    *("local:///ppml/spark-3.1.3/examples/jars/spark-examples_2.12-3.1.3.jar", "4"),
]
SGX = {"SGX_ENABLED": "true", "SGX_DRIVER_JVM_MEM_SIZE": "512m", "SPARK_DRIVER_BIND_ADDRESS": "127.0.0.1"}
DEVICES = {"devices": ["/dev/null:/dev/sgx_enclave", "/dev/null:/dev/sgx_provision"]}
HOST_NETWORK = {"network_mode": "host"}
AAD = base64.b64decode("test")
"""What upstream's key client sends."""
PI = re.compile(r"^Pi is roughly 3\.1\d+$", re.MULTILINE)


@dataclass(frozen=True)
class Ehsm:
    """A running sandbox's EHSM with one account, and a policy for the enclave that tests pretend to run in."""

    address: str
    account: Account
    policy_id: str
    other_policy_id: str
    ca: Path

    def client(self) -> EhsmClient:
        trust = ServerTrust(ca=self.ca)
        return EhsmClient(f"https://{self.address}", Effects("ehsm", writes_allowed=True), trust=trust)

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
        yield Ehsm(sandbox.ehsm_url.removeprefix("https://"), account, policy_id, other, sandbox.ca)
    finally:
        down(state)


def test_a_command_is_run_as_it_is(api: docker.APIClient) -> None:
    ended = Container(["sh", "-c", "echo $0; exit 7"]).run(api)
    assert (ended.status, ended.lines) == (7, ["sh"])


@pytest.mark.parametrize("role", ["driver", "driver-py", "driver-r", "executor"])
def test_without_sgx_enabled_a_pod_succeeds_having_done_nothing(api: docker.APIClient, role: str) -> None:
    ended = Container([role, *SPARK_PI]).run(api)
    assert (ended.status, ended.lines) == (0, [f"stand-in: {role}, SGX_ENABLED=, SGX_MEM_SIZE="])


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
        ({}, "/ppml/bash.sig is not ready"),
        (SIGNED, "both /dev/sgx/enclave /dev/sgx_enclave are not ready"),
    ],
)
def test_without_signature_or_device_an_enclaves_pod_succeeds_having_done_nothing(
    api: docker.APIClient, files: dict[str, bytes], said: str
) -> None:
    ended = Container(["driver", *SPARK_PI], SGX, files).run(api)
    assert (ended.status, ended.lines[1:3]) == (0, ["[INFO] Attestation is disabled!", said])
    assert not PI.search(ended.text)


def test_an_attested_driver_computes_pi(api: docker.APIClient, ehsm: Ehsm) -> None:
    environment = SGX | ehsm.environment(ehsm.policy_id)
    ended = Container(["driver", *SPARK_PI], environment, SIGNED, DEVICES | HOST_NETWORK).run(api)
    assert f"stand-in: a simulated quote of {MR_ENCLAVE}" in ended.lines
    assert "Attestation Success!" in ended.lines
    assert (ended.status, len(PI.findall(ended.text))) == (0, 1)


def test_another_policy_ends_the_driver(api: docker.APIClient, ehsm: Ehsm) -> None:
    environment = SGX | ehsm.environment(ehsm.other_policy_id)
    ended = Container(["driver", *SPARK_PI], environment, SIGNED, DEVICES | HOST_NETWORK).run(api)
    assert (ended.status, ended.lines[-2:]) == (
        1,
        [
            'stand-in: JSONObject["result"] is not a JSONObject. (500 Server exception.)',
            "Attestation Fail! Application killed!",
        ],
    )


def test_a_wrong_key_ends_the_driver(api: docker.APIClient, ehsm: Ehsm) -> None:
    environment = SGX | ehsm.environment(ehsm.policy_id) | {"API_KEY": "0" * 32}
    ended = Container(["driver", *SPARK_PI], environment, SIGNED, DEVICES | HOST_NETWORK).run(api)
    assert (ended.status, ended.lines[-2]) == (
        1,
        'stand-in: JSONObject["result"] is not a JSONObject. (400 sign error)',
    )


def test_a_refused_attestation_is_overlooked_in_debug_mode(api: docker.APIClient, ehsm: Ehsm) -> None:
    environment = SGX | ehsm.environment(ehsm.other_policy_id) | {"ATTESTATION_DEBUG": "true"}
    ended = Container(["driver", "--version"], environment, SIGNED, DEVICES | HOST_NETWORK).run(api)
    assert "ERROR:Attestation Fail! In debug mode, continue." in ended.lines
    assert (ended.status, "version 3.1.3" in ended.text) == (0, True)


def test_outside_an_enclave_nothing_is_attested(api: docker.APIClient, ehsm: Ehsm) -> None:
    environment = {"SGX_ENABLED": "false"} | ehsm.environment(ehsm.policy_id)
    ended = Container(["driver", *SPARK_PI], environment, SIGNED, HOST_NETWORK).run(api)
    assert (ended.status, ended.lines[1:]) == (
        1,
        [
            "stand-in: this process is in no enclave, so nothing quotes it",
            "Attestation Fail! Application killed!",
        ],
    )


@pytest.mark.parametrize("missing", ["ATTESTATION_URL", "APP_ID", "API_KEY"])
def test_attestation_needs_its_variables(api: docker.APIClient, missing: str) -> None:
    given = {"ATTESTATION": "true", "ATTESTATION_URL": "ehsm:9000", "APP_ID": "a", "API_KEY": "k", missing: ""}
    ended = Container(["executor"], SGX | given, SIGNED, DEVICES).run(api)
    assert (ended.status, ended.lines[1:]) == (
        1,
        [f"[ERROR] Attestation is enabled, but {missing} is empty!", "[INFO] PPML Application Exit!"],
    )


def test_the_account_stands_among_the_attestations_arguments(api: docker.APIClient) -> None:
    environment = {"ATTESTATION_URL": "ehsm:9000", "APP_ID": "some-app", "API_KEY": "some-key"}
    ended = Container(["sh", "-c", "bash attestation.sh && cat temp_command_file"], environment).run(api)
    assert "--app-id some-app --api-key some-key" in ended.text


def local_key(key: bytes) -> str:
    return f"stand-in: data key {digest(key)} from the file /ppml/data.key; /ppml/encrypted-fsd stays as it is"


def digest(key: bytes) -> str:
    """Of the part that the images use."""
    return hashlib.sha256(key[:15]).hexdigest()[:8]


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        (b"x" * 15, 0, local_key(b"x" * 15)),
        (b"y" * 40, 0, local_key(b"y" * 15)),
        (b"x" * 14, 1, "[ERROR] The key should be at least 15 bytes"),
    ],
)
def test_an_encrypted_folder_needs_a_data_key(api: docker.APIClient, key: bytes, status: int, said: str) -> None:
    environment = SGX | {"ENCRYPTED_FSD": "true", "USING_LOCAL_DATA_KEY": "true", "LOCAL_DATA_KEY": "/ppml/data.key"}
    command = ["driver", "--version"]
    ended = Container(command, environment, SIGNED | {"ppml/data.key": key}, DEVICES).run(api)
    assert (ended.status, said in ended.lines) == (status, True)


@dataclass(frozen=True)
class DataKey:
    """One that the EHSM wrapped, as a deployer gives it to a pod."""

    plaintext: bytes
    files: dict[str, bytes]
    environment: dict[str, str]


@pytest.fixture(scope="module")
def data_key(ehsm: Ehsm) -> DataKey:
    with ehsm.client() as client:
        keyid = client.keys.create(ehsm.account, KeySpec.AES_GCM_256)
        wrapped = client.keys.generate_wrapped_data_key(ehsm.account, keyid, 32, AAD)
        plaintext = base64.b64encode(client.keys.decrypt(ehsm.account, keyid, wrapped, AAD).reveal_bytes())
    host, _, port = ehsm.address.partition(":")
    app_id, api_key = ehsm.account.appid, ehsm.account.apikey.reveal_text()
    account = {"APP_ID": app_id, "API_KEY": api_key, "APPID": app_id, "APIKEY": api_key}
    files = {"encrypted_primary_key": keyid.encode(), "encrypted_data_key": base64.b64encode(wrapped)}
    return DataKey(
        plaintext,
        SIGNED | {f"ppml/encrypted_keys/{name}": content for name, content in files.items()},
        SGX | account | {"ENCRYPTED_FSD": "true", "EHSM_URL": host, "EHSM_PORT": port},
    )


def test_a_data_key_is_unwrapped_by_ehsm_and_never_said(api: docker.APIClient, ehsm: Ehsm, data_key: DataKey) -> None:
    ended = Container(["driver", "--version"], data_key.environment, data_key.files, DEVICES | HOST_NETWORK).run(api)
    said = f"stand-in: data key {digest(data_key.plaintext)} from {ehsm.address}; /ppml/encrypted-fsd stays as it is"
    assert (ended.status, said in ended.lines) == (0, True)
    assert data_key.plaintext.decode() not in ended.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"APPID": ""}, "stand-in: EHSM does not unwrap the data key (400 Missing required parameters)"),
        ({"EHSM_PORT": "1"}, "stand-in: https://"),
        ({"API_KEY": ""}, "[ERROR] Distributed encrypted filesystem is enabled, but API_KEY is empty!"),
        ({"EHSM_DATA_KEY": "/ppml/nothing"}, "[ERROR] the key file /ppml/nothing is missing or empty!"),
    ],
)
def test_without_its_data_key_a_driver_does_not_begin(
    api: docker.APIClient, data_key: DataKey, changed: dict[str, str], said: str
) -> None:
    environment = data_key.environment | changed
    ended = Container(["driver", "--version"], environment, data_key.files, DEVICES | HOST_NETWORK).run(api)
    assert ended.status == 1
    assert any(line.startswith(said) for line in ended.lines), ended.text
    assert "version 3.1.3" not in ended.text


def test_the_account_by_one_of_its_names_is_not_enough(api: docker.APIClient, data_key: DataKey) -> None:
    environment = {name: value for name, value in data_key.environment.items() if name != "APIKEY"}
    ended = Container(["driver", "--version"], environment, data_key.files, DEVICES | HOST_NETWORK).run(api)
    assert (ended.status, ended.lines[-1]) == (
        1,
        "stand-in: the key client reads the account from APIKEY, which is not set",
    )

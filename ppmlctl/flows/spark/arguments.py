"""Arguments of `spark_submit`, which of them make another run, and what a run with them exposes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from ppmlctl.modules._ehsm import AccountArgs, ServerArgs
from ppmlctl.modules._seconds import Seconds
from ppmlctl.modules.base import ModuleArgs
from ppmlctl.planning.protections import is_on
from ppmlctl.protection import TDX_DEVICE, DevicePlugin, Tee
from ppmlctl.secret import Secret

_EHSM = "EHSMAttestationService"
NOT_THE_RUN = {"client", "data_key_folders", "deadline", "ehsm", "key_client", "rerun"}
"""What says only whether, when, for how long and from where it runs, and who is asked where it fails."""


class SparkProcessArgs(ModuleArgs):
    """`driver`"""

    memory: str = "1g"
    cores: int = 1
    jvm_memory: str | None = None


class SparkExecutorArgs(SparkProcessArgs):
    """`executor`"""

    instances: int = 1


class SparkSecurityArgs(ModuleArgs):
    """`security`"""

    rpc_auth: bool = False
    rpc_encryption: bool = False
    io_encryption: bool = False
    tls: bool = False


class SparkAttestationArgs(ModuleArgs):
    """`attestation`"""

    url: str
    service: str
    secret: str
    pccs_url: str | None = None
    quote_type: str | None = None
    must_succeed: bool = True


class SparkEhsmArgs(ModuleArgs):
    """`ehsm`: the server and the account that pods attest with; nothing where they attest to another service."""

    server: ServerArgs | None = None
    appid: str | None = None
    apikey: Secret | None = None

    @property
    def account(self) -> AccountArgs | None:
        """Whom EHSM is asked as, where there is one."""
        if self.server is None or self.appid is None or self.apikey is None:
            return None
        return AccountArgs(server=self.server, appid=self.appid, apikey=self.apikey)


class SparkEncryptedFsArgs(ModuleArgs):
    """`encrypted_fs`: the data key, Secrets with it and with the account, and EHSM with what its TLS is trusted by."""

    data_key: str
    secret: str
    account: str
    url: str
    ca: str | None = None
    fingerprint: str | None = None
    insecure: bool = False


class SparkClientArgs(ModuleArgs):
    """`client`: the container of this machine that submits, the folder of its runs, and where pods reach it."""

    name: str
    runs: str
    address: str | None = None


class SparkSubmitArgs(ModuleArgs):
    """`image_variables` are the image's own, for `${SPARK_HOME}` and the like in `application` and `jars`.

    `policy_id` and `data_key_digest` are here so that another policy or data key is another run; pods read both from
    secrets. `ehsm` is the account that they attest with, as which EHSM is asked why it refused a run.
    `data_key_folders`: what the image's manifest encrypts with a data key, `key_client`: whether the image has
    what fetches that key; None where nobody looked.
    """

    name: str
    namespace: str
    image: str
    image_digest: str | None = None
    image_variables: dict[str, str] = Field(default_factory=dict)
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    service_account: str = "spark"
    mode: Literal["local", "local-sgx", "client", "cluster"] = "cluster"
    main_class: str | None = None
    application: str
    arguments: tuple[str, ...] = ()
    jars: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    conf: dict[str, str] = Field(default_factory=dict)
    driver: SparkProcessArgs = SparkProcessArgs()
    executor: SparkExecutorArgs = SparkExecutorArgs()
    security: SparkSecurityArgs = SparkSecurityArgs()
    attestation: SparkAttestationArgs | None = None
    policy_id: str | None = None
    ehsm: SparkEhsmArgs = SparkEhsmArgs()
    encrypted_fs: SparkEncryptedFsArgs | None = None
    data_key_digest: str | None = None
    data_key_folders: tuple[str, ...] | None = None
    key_client: bool | None = None
    epc_request: int | str | None = None
    device_plugin: DevicePlugin = "intel"
    tee: Tee = "sgx"
    tdx_device: str = TDX_DEVICE
    claim: str | None = None
    data: str | None = None
    client: SparkClientArgs | None = None
    has_keys: bool = False
    expect_log: str | None = None
    deadline: Seconds = 1800
    driver_port: int = 54321
    rerun: Literal["on-change", "always", "never"] = "on-change"


def run_digest(args: SparkSubmitArgs) -> str:
    """Eight hexadecimal digits: equal for the same run, whenever and from wherever it is submitted."""
    data = args.model_dump(mode="json", exclude=NOT_THE_RUN)
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:8]


def exposures(args: SparkSubmitArgs) -> Iterator[str]:
    """What the image's own contract exposes, by name."""
    if args.mode == "local":
        return
    if isinstance(args.attestation, SparkAttestationArgs):
        yield attesting_exposes(args.name, args.attestation.service)
    if isinstance(args.encrypted_fs, SparkEncryptedFsArgs):
        yield encrypting_exposes(args.name)


def attesting_exposes(workload: object, service: object) -> str:
    """What attestation shows of the account."""
    whose = "EHSM's" if service == _EHSM else "the attestation service's"
    return (
        f"{workload}: {whose} app id and api key are variables and arguments inside the attested pods "
        "(image's contract), and BigDL's scripts trace them into the pods' logs"
    )


def encrypting_exposes(workload: object) -> str:
    """What opening an encrypted folder shows of the account."""
    return (
        f"{workload}: EHSM's app id and api key are variables inside the pods with the encrypted folder, which "
        "uses 90 bits of the data key (image's contract)"
    )


_SECURITY = {
    "rpc_auth": "Spark's processes authenticate each other",
    "rpc_encryption": "Spark encrypts what its processes send each other",
    "io_encryption": "Spark encrypts what it writes to local disks",
    "tls": "Spark's pages use TLS",
}


def protections(inputs: Mapping[str, Any]) -> Iterator[str]:
    """What protects or checks a run with these public arguments."""
    if inputs.get("mode") != "local":
        yield "it runs in an enclave or a trust domain"
    if is_on(attestation := inputs.get("attestation")):
        yield "it attests before it runs"
        if not isinstance(attestation, Mapping) or attestation.get("must_succeed", True):
            yield "it runs only where its attestation succeeds"
    if is_on(folder := inputs.get("encrypted_fs")):
        yield "its folder is encrypted"
        if not isinstance(folder, Mapping) or not folder.get("insecure"):
            yield "its pods verify the server that they fetch the data key from"
    if is_on(inputs.get("expect_log")):
        yield "its log has to have the expected text"
    security = inputs.get("security")
    for name, words in _SECURITY.items():
        if not isinstance(security, Mapping) or is_on(security.get(name)):
            yield words

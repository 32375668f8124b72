"""What one submission is made of. Sizes are spelt as their consumer reads them (`8g` for a JVM)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Mode = Literal["local", "local-sgx", "client", "cluster"]
DevicePlugin = Literal["intel", "host", "none"]
Tee = Literal["sgx", "tdx"]

API_SERVER = "https://kubernetes.default.svc"
"""The API server as every pod reaches it, and as its certificate names it."""

SUFFIXES = "-driver-svc"
"""What Spark appends to a submission's name for the driver's Service; the whole must fit 63 characters (RFC 1123)."""
LONGEST_NAME = 63 - len(SUFFIXES)


def host_and_port(url: str) -> tuple[str, str]:
    """Of an https URL, or of what follows its scheme: the images take both apart, and assume other ports."""
    parts = urlsplit(url if "://" in url else f"//{url}")
    return parts.hostname or "", str(parts.port or 443)


def run_name(workload: str, digest: str, attempt: int) -> str:
    """WORKLOAD-DIGEST-ATTEMPT; the workload's part is cut where the whole would be too long."""
    suffix = f"-{digest}-{attempt}"
    return workload[: LONGEST_NAME - len(suffix)].rstrip("-") + suffix


def driver_name(run: str) -> str:
    """The name that the driver's pod is fixed to, so that the API server itself refuses a second one."""
    return f"{run}-driver"


@dataclass(frozen=True)
class Process:
    """Driver or executor."""

    memory: str = "1g"
    cores: int = 1
    jvm_memory: str | None = None

    @property
    def heap(self) -> str:
        """Of its JVM inside an enclave."""
        return self.jvm_memory or self.memory


@dataclass(frozen=True)
class Executor(Process):
    """The executors."""

    instances: int = 1


@dataclass(frozen=True)
class Security:
    """Spark's own authentication and encryption, each on its own."""

    rpc_auth: bool = False
    rpc_encryption: bool = False
    io_encryption: bool = False
    tls: bool = False

    @property
    def wanted(self) -> bool:
        """Whether any of it is on."""
        return self.rpc_auth or self.rpc_encryption or self.io_encryption or self.tls


@dataclass(frozen=True)
class Attestation:
    """What the attestation client inside the pods is given. `url` is its service's.

    `quote_type` is the images' name for who makes the quote; None leaves it to them, who ask Gramine.
    """

    url: str
    service: str
    secret: str
    pccs_url: str | None = None
    quote_type: str | None = None
    must_succeed: bool = True
    """Whether a run whose logs do not report it has failed."""

    @property
    def variables(self) -> dict[str, str]:
        """What `attestation.sh` reads, without the account. The entrypoint adds the API's path to PCCS_URL."""
        pccs = urlsplit(self.pccs_url or "")
        return {
            "ATTESTATION": "true",
            "ATTESTATION_URL": ":".join(host_and_port(self.url)),
            "ATTESTATION_TYPE": self.service,
            **({"QUOTE_TYPE": self.quote_type} if self.quote_type else {}),
            **({"PCCS_URL": f"{pccs.scheme}://{pccs.netloc}"} if self.pccs_url else {}),
        }


@dataclass(frozen=True)
class EncryptedFs:
    """What opens the encrypted folder: EHSM (`url` is host:port), and the Secrets with its account and the data key."""

    url: str
    account: str
    secret: str
    data_key: str = ""
    """Its name, for people and for the client container's folders."""
    ca: str | None = None
    """PEM text of the certificates by which EHSM is trusted; or `fingerprint`, the SHA-256 of its own, in hex digits;
    or, `insecure`, nothing. Else the image's authorities are."""
    fingerprint: str | None = None
    insecure: bool = False


@dataclass(frozen=True)
class Submission:
    """One run of one workload. `name` is the Job's name; everything that Spark makes is named after it.

    `address` is where pods reach a client that is no pod itself.
    """

    name: str
    workload: str
    namespace: str
    image: str
    application: str
    service_account: str
    mode: Mode = "cluster"
    main_class: str | None = None
    arguments: tuple[str, ...] = ()
    jars: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    conf: Mapping[str, str] = field(default_factory=dict)
    driver: Process = field(default_factory=Process)
    executor: Executor = field(default_factory=Executor)
    security: Security = field(default_factory=Security)
    attestation: Attestation | None = None
    encrypted_fs: EncryptedFs | None = None
    epc_request: str | None = None
    device_plugin: DevicePlugin = "intel"
    tee: Tee = "sgx"
    tdx_device: str = "/dev/tdx-guest"
    """Of the node, which is the domain."""
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    claim: str | None = None
    data: str | None = None
    """A folder of the node, where there is no claim."""
    has_keys: bool = False
    deadline: int = 1800
    """Seconds."""
    driver_port: int = 54321
    address: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_enclave(self) -> bool:
        """Whether anything of it runs in an enclave: not in local mode, nor where pods are given no device."""
        return self.tee == "sgx" and self.mode != "local" and self.device_plugin != "none"

    @property
    def in_domain(self) -> bool:
        """Whether its pods run on nodes that are TDX domains. Then no enclave is within."""
        return self.tee == "tdx" and self.mode == "cluster"

    @property
    def enclave_is_here(self) -> bool:
        """Whether the submitting JVM is the driver, and so runs in the enclave; in cluster mode a pod does."""
        return self.in_enclave and self.mode != "cluster"

    @property
    def attested(self) -> Attestation | None:
        """How it attests; None where it does not, as outside of enclaves and domains."""
        return self.attestation if self.in_enclave or self.in_domain else None

    @property
    def encrypted(self) -> EncryptedFs | None:
        """Its encrypted folder; None where there is none, as outside of enclaves."""
        return self.encrypted_fs if self.in_enclave else None

    @property
    def on_cluster(self) -> bool:
        """Whether Spark asks Kubernetes for pods."""
        return self.mode in {"client", "cluster"}

"""What one submission is made of. Sizes are spelt as their consumer reads them (`8g` for a JVM)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ppmlctl.protection import NOTHING, TDX_DEVICE, Access, Attestation, DevicePlugin, EncryptedFs, Role, Tee, access_of

Mode = Literal["local", "local-sgx", "client", "cluster"]

API_SERVER = "https://kubernetes.default.svc"
"""The API server as every pod reaches it, and as its certificate names it."""

SUFFIXES = "-driver-svc"
"""What Spark appends to a submission's name for the driver's Service; the whole must fit 63 characters (RFC 1123)."""
LONGEST_NAME = 63 - len(SUFFIXES)


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
    tdx_device: str = TDX_DEVICE
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
    is_server: bool = False
    """Whether it begins anew whenever its pod does, and ends only when it is told to."""

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

    @property
    def asked_for(self) -> tuple[Literal["driver", "executor"], ...]:
        """The pods that Spark asks for by templates; a server is its driver itself."""
        if not self.on_cluster:
            return ()
        return ("executor",) if self.is_server else ("driver", "executor")

    def access(self, role: Role) -> Access:
        """What a process of it in that role is given of its host; in a domain only quotes need anything."""
        here = {"submitter": self.enclave_is_here, "client": self.enclave_is_here}
        wanted = here.get(role, self.in_enclave) or (self.in_domain and self.attested is not None)
        return access_of(self.tee, self.device_plugin, role, self.tdx_device) if wanted else NOTHING

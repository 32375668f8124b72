"""`kms:` the key management service that enrols, attests and keeps policies."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ppmlctl.spec.names import Boolean, FilePath, Fingerprint, HttpsUrl, Integer, Label, Measurement
from ppmlctl.spec.secret_source import SecretSource
from ppmlctl.spec.section import Choice, Section

TcbStatus = Literal[
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "Revoked",
]

EhsmKeySpec = Literal[
    "EH_AES_GCM_128",
    "EH_AES_GCM_192",
    "EH_AES_GCM_256",
    "EH_RSA_2048",
    "EH_RSA_3072",
    "EH_RSA_4096",
    "EH_EC_P224",
    "EH_EC_P256",
    "EH_EC_P256K",
    "EH_EC_P384",
    "EH_EC_P521",
    "EH_SM2",
    "EH_SM4_CTR",
    "EH_SM4_CBC",
]


class ServerTls(Choice):
    """`kms.ehsm.tls`: at most one of `ca`, `fingerprint` and `insecure`; none means the system's certificates."""

    alternatives: ClassVar[tuple[str, ...]] = ("ca", "fingerprint", "insecure")
    may_be_empty: ClassVar[bool] = True

    ca: FilePath | None = Field(None, description="Certificates to trust the server by.")
    fingerprint: Fingerprint | None = Field(None, description="SHA-256 of the server's certificate.")
    insecure: Boolean = Field(default=False, description="Trusts any certificate. Every plan says so.")


class Identity(Section):
    """`kms.ehsm.identity`"""

    mr_signer: Measurement | None = Field(None, description="MRSIGNER that the server's quote must show.")
    mr_enclave: Measurement | None = Field(None, description="MRENCLAVE that the server's quote must show.")
    prod_id: Integer | None = Field(None, description="Product id that the server's quote must show.", ge=0, le=65535)
    min_svn: Integer | None = Field(None, description="Lowest security version to accept.", ge=0, le=65535)


class AcceptTcb(Section):
    """`kms.ehsm.accept_tcb`"""

    statuses: tuple[TcbStatus, ...] = Field(("UpToDate",), description="TCB statuses to accept.")
    advisories: tuple[str, ...] = Field((), description="Intel advisories to accept, such as INTEL-SA-00615.")


class EhsmKey(Section):
    """`kms.ehsm.keys[]`: a key that encrypts or signs at EHSM."""

    name: Label = Field(description="What `data_keys` and `secrets` call it; EHSM gives it an id.")
    spec: EhsmKeySpec = Field("EH_AES_GCM_256", description="What it is made of, by EHSM's names.")
    usage: Literal["encrypt", "sign"] = Field("encrypt", description="What it is for; EHSM refuses the other.")
    enabled: Boolean = Field(default=True, description="Whether it may be used.")


class EhsmDataKey(Section):
    """`kms.ehsm.data_keys[]`: a random key for an encrypted file system, known to this side by its ciphertext only."""

    name: Label = Field(description="Names its Secret, `data-key-NAME`.")
    key: Label = Field(description="The key of `keys` that wraps it.")
    length: Integer = Field(32, description="Bytes.", ge=16, le=1024)


class EhsmSecretValue(SecretSource):
    """`kms.ehsm.secrets[].value`: one of `vault`, `env`, `file` and `generate`."""

    alternatives: ClassVar[tuple[str, ...]] = (*SecretSource.alternatives, "generate")

    generate: Boolean = Field(default=False, description="Makes a random value once and keeps it in the vault.")


class EhsmSecret(Section):
    """`kms.ehsm.secrets[]`: a value for whoever has the account."""

    name: Label = Field(description="Its name at EHSM.")
    value: EhsmSecretValue = Field(description="Where the value comes from.")
    description: str = Field("", description="What EHSM tells of it.", max_length=4096)
    key: Label | None = Field(None, description="The key of `keys` that encrypts it. Default: the account's own.")
    recovery_days: Integer = Field(30, description="Days in which a removed one can be restored.", ge=1, le=365)


class Ehsm(Section):
    """`kms.ehsm`"""

    url: HttpsUrl | None = Field(
        None, description="The server. Required for target cluster; the sandbox brings its own."
    )
    tls: ServerTls = Field(ServerTls(), description="How the server is authenticated.")
    trust_root: FilePath | None = Field(
        None,
        description="Root certificate to verify quotes with instead of Intel's. Verdicts then read `private root`.",
    )
    collateral: FilePath | None = Field(
        None, description="What verifies its quotes, as one JSON document, instead of asking the PCCS."
    )
    attest: Literal["required", "warn", "skip"] = Field(
        "required", description="What follows when the server's quote is not accepted."
    )
    freshness: Literal["require", "accept"] = Field(
        "accept",
        description="require: the quote must bind our challenge. accept: it need not; today's EHSM binds none.",
    )
    identity: Identity = Field(Identity(), description="What the server's quote must show.")
    accept_tcb: AcceptTcb = Field(AcceptTcb(), description="Which state of the server's platform is good enough.")
    enroll: Boolean = Field(default=True, description="Enrols an account, kept in the vault.")
    # A model has a method `register` (of ABCMeta) already, so this one key is an alias.
    register_measurement: Boolean = Field(
        default=True, alias="register", description="Uploads MRENCLAVE and MRSIGNER and keeps the policy id."
    )
    keys: tuple[EhsmKey, ...] = Field((), description="Keys of the account, each made once.")
    data_keys: tuple[EhsmDataKey, ...] = Field((), description="Data keys for encrypted file systems.")
    secrets: tuple[EhsmSecret, ...] = Field((), description="Secrets of the account.")


class Kms(Section):
    """`kms`"""

    ehsm: Ehsm = Field(description="Intel's eHSM.")

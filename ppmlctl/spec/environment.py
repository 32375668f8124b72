"""The whole of ppml.yaml. A section that is absent is None where absence means `do not make it`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ppmlctl.spec.attestation import Attestation
from ppmlctl.spec.client import Client
from ppmlctl.spec.cluster import Cluster
from ppmlctl.spec.docker import Docker
from ppmlctl.spec.enclave import Enclave
from ppmlctl.spec.images import Images
from ppmlctl.spec.keys import Keys
from ppmlctl.spec.kms import Kms
from ppmlctl.spec.names import FilePath, Label, VariableName
from ppmlctl.spec.pccs import Pccs
from ppmlctl.spec.section import Section
from ppmlctl.spec.traits import Trait
from ppmlctl.spec.workload import Workload


class Vault(Section):
    """`vault`"""

    path: FilePath = Field("ppml.vault", description="The file with the secret values, each encrypted on its own.")
    key_file: FilePath | None = Field(
        None, description="A file with the vault's password. Default: PPML_VAULT_PASSWORD, or a prompt on a terminal."
    )


class Environment(Section):
    """What one ppml.yaml declares, with variables resolved and defaults filled in."""

    version: Literal[1] = Field(description="Version of this language.")
    name: Label = Field(description="Name of the environment; objects are labelled with it.")
    target: Literal["cluster", "sandbox"] = Field(
        "cluster", description="cluster: real engines. sandbox: everything embedded, no Docker, no cluster, no SGX."
    )
    vars: Annotated[dict[VariableName, Any], Trait.VALUES] = Field(
        {}, description="Values for {{ }} expressions in this file and in playbooks."
    )
    playbooks: tuple[FilePath, ...] = Field((), description="Playbooks that follow the shipped site playbook.")
    site: FilePath | None = Field(None, description="A playbook in place of the shipped site playbook.")
    not_secrets: tuple[str, ...] = Field(
        (), description="Names and kinds that look like secrets and are none, as findings tell them; each plan says so."
    )
    vault: Vault = Field(Vault(), description="The secret values.")
    docker: Docker = Field(Docker(), description="The engine that pulls, builds and runs images.")
    cluster: Cluster = Field(Cluster(), description="Where workloads run.")
    images: Images | None = Field(None, description="The base image and the custom image made of it.")
    enclave: Enclave = Field(Enclave(), description="Who signs the enclave, and what is refused before signing.")
    keys: Keys | None = Field(None, description="Password, TLS keys and keystores of Spark, and their secrets.")
    pccs: Pccs | None = Field(None, description="The service that caches Intel's collateral for quotes.")
    kms: Kms | None = Field(None, description="The key management service.")
    attestation: Attestation = Field(Attestation(), description="Whether workloads attest before they run.")
    client: Client = Field(Client(), description="What submits workloads.")
    workloads: tuple[Workload, ...] = Field((), description="What runs.")

"""`attestation:` whether workloads attest before they run, to whom, and what may pass."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ppmlctl.protection import Tee
from ppmlctl.spec.kms import ServerTls
from ppmlctl.spec.names import (
    AbsolutePath,
    Boolean,
    DomainMeasurement,
    FilePath,
    HttpsUrl,
    ImageReference,
    Integer,
    Ipv4,
    Measurement,
    ObjectName,
)
from ppmlctl.spec.secret_source import SecretSource
from ppmlctl.spec.section import Choice, Section

BIGDL: Literal["BigDLRemoteAttestationService"] = "BigDLRemoteAttestationService"


class ServiceAccount(Section):
    """`attestation.service.account`"""

    app_id: str = Field(description="The account's id, `appID`.", min_length=1)
    api_key: SecretSource = Field(description="Where its key, `apiKey`, comes from.")


class ServicePolicy(Choice):
    """`attestation.service.policy`: none of these means the enclave that was measured here."""

    alternatives: ClassVar[tuple[str, ...]] = ("mr_signer", "mr_td")
    may_be_empty: ClassVar[bool] = True

    mr_signer: Measurement | None = Field(None, description="MRSIGNER: every enclave of this signer and product.")
    prod_id: Integer = Field(0, description="ISV product id beside `mr_signer`.", ge=0, le=65535)
    mr_td: DomainMeasurement | None = Field(None, description="MRTD: the domain's initial memory, its firmware.")
    rtmrs: tuple[DomainMeasurement, ...] = Field(
        (),
        description="RTMR0 to RTMR3 beside `mr_td`: what was started in it. All four, or none.",
        json_schema_extra={"maxItems": 4},
    )


class ServiceDeploy(Section):
    """`attestation.service.deploy`"""

    image: ImageReference = Field(description="The service's image.")
    external_ip: Ipv4 = Field(description="Where pods and this machine reach it, at port 9875.")
    devices: Tee = Field(
        "sgx", description="What its node has, for Intel's verification library: SGX devices, or a TDX domain's."
    )
    node: ObjectName | None = Field(None, description="The node that runs it. Default: the scheduler chooses.")
    data: AbsolutePath | None = Field(
        None, description="A folder of that node for accounts. Without it they are lost with the pod."
    )


class AttestationService(Section):
    """`attestation.service`"""

    url: HttpsUrl | None = Field(
        None, description="The service. The sandbox brings its own, and `deploy` says where it will be."
    )
    tls: ServerTls = Field(ServerTls(), description="How ppmlctl authenticates it. The images' client does not.")
    account: ServiceAccount | None = Field(None, description="An account. Default: enrols one, kept in the vault.")
    policy: ServicePolicy = Field(ServicePolicy(), description="What may pass.")
    control: FilePath | None = Field(
        None, description="A quote of what may pass; shows at each apply that the policy is in force."
    )
    deploy: ServiceDeploy | None = Field(None, description="Runs the service in the cluster.")


class Attestation(Section):
    """`attestation`"""

    enabled: Boolean = Field(default=False, description="Workloads attest before the application starts.")
    type: Literal["EHSMAttestationService", "BigDLRemoteAttestationService"] = Field(
        "EHSMAttestationService",
        description="Who judges their quotes: EHSM (SGX), or BigDL's Remote Attestation Service (SGX and TDX).",
    )
    require_success: Boolean = Field(
        default=True, description="A workload whose log does not report its attestation has failed."
    )
    service: AttestationService | None = Field(None, description="BigDL's Remote Attestation Service.")

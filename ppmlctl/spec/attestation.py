"""`attestation:` whether workloads attest before they run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ppmlctl.spec.names import Boolean
from ppmlctl.spec.section import Section


class Attestation(Section):
    """`attestation`"""

    enabled: Boolean = Field(default=False, description="Workloads attest to the KMS before the application starts.")
    type: Literal["EHSMAttestationService"] = Field("EHSMAttestationService", description="The attestation service.")
    require_success: Boolean = Field(
        default=True, description="A workload whose log does not report its attestation has failed."
    )

"""What the sandbox's quotes show: enclaves and a trust domain that no real machine has."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from ppmlctl.dcap import ReportBody, TdReport
from ppmlctl.sandbox.ehsm.platform import TCB

_SEPT_VE_DISABLE = 1 << 28
"""Of a domain's ATTRIBUTES: verifiers want it set, as without it the host may answer for the domain's memory."""


def _measurement(what: str, algorithm: str = "sha256") -> bytes:
    return hashlib.new(algorithm, f"ppmlctl sandbox {what}".encode()).digest()


EHSM = ReportBody(
    cpu_svn=TCB.components,
    misc_select=0,
    isv_ext_prod_id=bytes(16),
    flags=5,  # INIT and MODE64BIT
    xfrm=0xE7,
    mr_enclave=_measurement("EHSM enclave"),
    mr_signer=_measurement("EHSM signer"),
    config_id=bytes(64),
    isv_prod_id=1,
    isv_svn=1,
    config_svn=0,
    isv_family_id=bytes(16),
    report_data=bytes(64),  # as the real service leaves it: the challenge is not bound
)
QUOTING_ENCLAVE = replace(
    EHSM, mr_enclave=_measurement("quoting enclave"), mr_signer=_measurement("quoting enclave signer")
)
TD_QUOTING_ENCLAVE = replace(QUOTING_ENCLAVE, mr_enclave=_measurement("TD quoting enclave"), isv_prod_id=2)

DOMAIN = TdReport(
    tee_tcb_svn=TCB.components,
    mr_seam=_measurement("TDX module", "sha384"),
    mr_signer_seam=bytes(48),  # Intel's modules show zeros
    seam_attributes=bytes(8),
    td_attributes=_SEPT_VE_DISABLE.to_bytes(8, "little"),
    xfam=0x602E7.to_bytes(8, "little"),
    mr_td=_measurement("domain", "sha384"),
    mr_config_id=bytes(48),
    mr_owner=bytes(48),
    mr_owner_config=bytes(48),
    rtmr0=_measurement("domain's firmware configuration", "sha384"),
    rtmr1=_measurement("domain's kernel", "sha384"),
    rtmr2=_measurement("domain's command line", "sha384"),
    rtmr3=bytes(48),  # nothing was extended by the application
    report_data=bytes(64),
)
DOMAIN15 = replace(DOMAIN, tee_tcb_svn2=TCB.components, mr_service_td=bytes(48))
"""The same as a TDX 1.5 module reports it, without a service domain."""

"""What a verifier needs besides a quote, for the made-up platform: its TCB levels, its QE's identity, revocation lists.

Forms: Intel's "SGX and TDX Provisioning Certification Service API", TCB info version 3 and enclave identity version 2.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from ppmlctl.dcap import ReportBody
from ppmlctl.sandbox.ehsm.flaws import Flaws
from ppmlctl.sandbox.ehsm.issuing import pem, revocation_list
from ppmlctl.sandbox.ehsm.platform import TCB, Platform

Tee = Literal["SGX", "TDX"]

_TCB_DATE = "2024-01-01T00:00:00Z"
_EVALUATION = 1
_MODULE = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}


def make_collateral(
    platform: Platform, tee: Tee, quoting_enclave: ReportBody, validity: tuple[datetime, datetime], flaws: Flaws
) -> str:
    """The JSON document that dcap-qvl's QuoteCollateralV3 reads, signed under the platform's root, valid in between."""
    at, until = validity
    dates = {"issueDate": _instant(at), "nextUpdate": _instant(until)}
    tcb_info = _compact(_tcb_info(tee, flaws) | dates)
    known = replace(quoting_enclave, mr_signer=bytes(32)) if flaws.qe_identity_wrong else quoting_enclave
    identity = _compact(_enclave_identity(tee, known) | dates)
    revoked = [platform.pck.certificate] if flaws.pck_revoked else []
    signing_chain = pem(platform.tcb_signing.certificate, platform.root.certificate)
    return json.dumps(
        {
            "pck_crl_issuer_chain": pem(platform.processor_ca.certificate, platform.root.certificate),
            "root_ca_crl": revocation_list(platform.root, [], at, until).hex(),
            "pck_crl": revocation_list(platform.processor_ca, revoked, at, until).hex(),
            "tcb_info_issuer_chain": signing_chain,
            "tcb_info": tcb_info,
            "tcb_info_signature": platform.tcb_signing.sign(tcb_info.encode()).hex(),
            "qe_identity_issuer_chain": signing_chain,
            "qe_identity": identity,
            "qe_identity_signature": platform.tcb_signing.sign(identity.encode()).hex(),
        }
    )


def _tcb_info(tee: Tee, flaws: Flaws) -> dict[str, Any]:
    components = [{"svn": svn} for svn in TCB.components]
    tcb: dict[str, Any] = {"sgxtcbcomponents": components, "pcesvn": TCB.pce_svn}
    return {
        "id": tee,
        "version": 3,
        "fmspc": TCB.fmspc.hex().upper(),
        "pceId": TCB.pce_id.hex().upper(),
        "tcbType": 0,
        "tcbEvaluationDataNumber": _EVALUATION,
        **({"tdxModule": _MODULE} if tee == "TDX" else {}),
        "tcbLevels": [
            _level(tcb | ({"tdxtcbcomponents": components} if tee == "TDX" else {}), flaws.tcb_status, flaws.advisories)
        ],
    }


def _enclave_identity(tee: Tee, enclave: ReportBody) -> dict[str, Any]:
    return {
        "id": "QE" if tee == "SGX" else "TD_QE",
        "version": 2,
        "tcbEvaluationDataNumber": _EVALUATION,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": enclave.flags.to_bytes(8, "little").hex().upper() + "00" * 8,
        "attributesMask": "FF" * 8 + "00" * 8,
        "mrsigner": enclave.mr_signer.hex().upper(),
        "isvprodid": enclave.isv_prod_id,
        "tcbLevels": [_level({"isvsvn": enclave.isv_svn})],
    }


def _level(tcb: dict[str, Any], status: str = "UpToDate", advisories: tuple[str, ...] = ()) -> dict[str, Any]:
    level = {"tcb": tcb, "tcbDate": _TCB_DATE, "tcbStatus": status}
    return level | ({"advisoryIDs": list(advisories)} if advisories else {})


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _compact(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))

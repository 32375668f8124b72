"""The part of a PCCS's API that verifiers need, for the made-up platform: what `clients.pccs` asks, and no more.

Source: Intel's "SGX and TDX Provisioning Certification Service API", versions 3 and 4, and the README
of its caching service.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ppmlctl.dcap import Collateral
from ppmlctl.sandbox.ehsm.platform import TCB
from ppmlctl.sandbox.ehsm.quoting import Quoting

_NONE = "No cache data for this platform."
_CHAIN_OF_LEVELS = {3: "SGX-TCB-Info-Issuer-Chain", 4: "TCB-Info-Issuer-Chain"}


def pccs_routes(quoting: Quoting) -> list[Route]:
    """The routes of both versions."""

    def served() -> Collateral:
        return Collateral.parse(quoting.collateral())

    def tcb(request: Request) -> Response:
        found = served()
        if request.query_params.get("fmspc", "").upper() != TCB.fmspc.hex().upper():
            return PlainTextResponse(_NONE, 404)
        header = _CHAIN_OF_LEVELS.get(request.path_params["version"])
        if header is None:
            return PlainTextResponse("Not Found", 404)
        return _signed("tcbInfo", found.tcb_info, found.tcb_info_signature, {header: found.tcb_info_issuer_chain})

    def identity(_request: Request) -> Response:
        found = served()
        headers = {"SGX-Enclave-Identity-Issuer-Chain": found.qe_identity_issuer_chain}
        return _signed("enclaveIdentity", found.qe_identity, found.qe_identity_signature, headers)

    def pck_crl(request: Request) -> Response:
        found = served()
        if request.query_params.get("ca") != "processor":
            return PlainTextResponse(_NONE, 404)
        headers = {"SGX-PCK-CRL-Issuer-Chain": quote(found.pck_crl_issuer_chain)}
        if request.query_params.get("encoding") == "der":
            return Response(bytes.fromhex(found.pck_crl), headers=headers, media_type="application/pkix-crl")
        return PlainTextResponse(found.pck_crl, headers=headers)

    def root_crl(_request: Request) -> Response:
        return PlainTextResponse(served().root_ca_crl)

    endpoints = {"tcb": tcb, "qe/identity": identity, "pckcrl": pck_crl, "rootcacrl": root_crl}
    return [Route(f"/sgx/certification/v{{version:int}}/{path}", endpoint) for path, endpoint in endpoints.items()]


def _signed(name: str, document: str, signature: str, headers: dict[str, str]) -> Response:
    """The document in the bytes that were signed."""
    body = f'{{"{name}":{document},"signature":"{signature}"}}'
    return Response(body, headers={key: quote(chain) for key, chain in headers.items()}, media_type="application/json")

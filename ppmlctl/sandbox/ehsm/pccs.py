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
_CHAIN_OF_LEVELS = {
    "SGX": {3: "SGX-TCB-Info-Issuer-Chain", 4: "TCB-Info-Issuer-Chain"},
    "TDX": {4: "TCB-Info-Issuer-Chain"},  # version 3 of the API knows no TDX
}


def pccs_routes(quoting: Quoting) -> list[Route]:
    """The routes of both versions."""

    def served(request: Request) -> Collateral:
        return Collateral.parse(quoting.collateral("TDX" if request.url.path.startswith("/tdx/") else "SGX"))

    def tcb(request: Request) -> Response:
        found = served(request)
        if request.query_params.get("fmspc", "").upper() != TCB.fmspc.hex().upper():
            return PlainTextResponse(_NONE, 404)
        header = _CHAIN_OF_LEVELS[found.tee].get(request.path_params["version"])
        if header is None:
            return PlainTextResponse("Not Found", 404)
        return _signed("tcbInfo", found.tcb_info, found.tcb_info_signature, {header: found.tcb_info_issuer_chain})

    def identity(request: Request) -> Response:
        found = served(request)
        headers = {"SGX-Enclave-Identity-Issuer-Chain": found.qe_identity_issuer_chain}
        return _signed("enclaveIdentity", found.qe_identity, found.qe_identity_signature, headers)

    def pck_crl(request: Request) -> Response:
        found = served(request)
        if request.query_params.get("ca") != "processor":
            return PlainTextResponse(_NONE, 404)
        headers = {"SGX-PCK-CRL-Issuer-Chain": quote(found.pck_crl_issuer_chain)}
        if request.query_params.get("encoding") == "der":
            return Response(bytes.fromhex(found.pck_crl), headers=headers, media_type="application/pkix-crl")
        return PlainTextResponse(found.pck_crl, headers=headers)

    def root_crl(request: Request) -> Response:
        return PlainTextResponse(served(request).root_ca_crl)

    by_tee = {"tcb": tcb, "qe/identity": identity}
    of_sgx = {**by_tee, "pckcrl": pck_crl, "rootcacrl": root_crl}
    return [
        *(Route(f"/sgx/certification/v{{version:int}}/{path}", endpoint) for path, endpoint in of_sgx.items()),
        *(Route(f"/tdx/certification/v{{version:int}}/{path}", endpoint) for path, endpoint in by_tee.items()),
    ]


def _signed(name: str, document: str, signature: str, headers: dict[str, str]) -> Response:
    """The document in the bytes that were signed."""
    body = f'{{"{name}":{document},"signature":"{signature}"}}'
    return Response(body, headers={key: quote(chain) for key, chain in headers.items()}, media_type="application/json")

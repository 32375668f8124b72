"""Quotes over HTTP, in place of a quoting enclave, for workloads that run without the hardware.

`GET /quote`, with `mr_enclave` and `mr_signer`, or with `mr_td` and, if wanted, `rtmr0` to `rtmr3`, in hexadecimal:
`{quote}`, in base64. Whoever asks gets one: it proves nothing.
"""

from __future__ import annotations

import base64
import re
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ppmlctl.sandbox.ehsm.made_up import DOMAIN
from ppmlctl.sandbox.ehsm.quoting import Quoting

_SIZE_OF_ENCLAVES, _SIZE_OF_DOMAINS = 32, 48  # bytes of their measurements


def quote_route(quoting: Quoting) -> Route:
    """The route."""

    def quote(request: Request) -> Response:
        try:
            raw = _quote_of(quoting, request)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"quote": base64.b64encode(raw).decode()})

    return Route("/quote", quote)


def _quote_of(quoting: Quoting, request: Request) -> bytes:
    """Of a domain where `mr_td` is given, else of an enclave. Raises ValueError."""
    if "mr_td" not in request.query_params:
        names = ("mr_enclave", "mr_signer")
        return quoting.quote_of(*(_measurement(request, name, _SIZE_OF_ENCLAVES) for name in names))
    given = [name for name in ("mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3") if name in request.query_params]
    return quoting.quote_of_domain(
        replace(DOMAIN, **{name: _measurement(request, name, _SIZE_OF_DOMAINS) for name in given})
    )


def _measurement(request: Request, name: str, size: int) -> bytes:
    text = request.query_params.get(name, "")
    if not re.fullmatch(f"[0-9a-fA-F]{{{2 * size}}}", text):
        raise ValueError(f"{name} is not {2 * size} hexadecimal digits")
    return bytes.fromhex(text)

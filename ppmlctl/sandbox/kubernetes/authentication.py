"""Every request but health checks carries the bearer token of the sandbox's kubeconfig."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ppmlctl.sandbox.kubernetes.endpoints import JsonAnswer
from ppmlctl.sandbox.kubernetes.status import unauthorized

OPEN_PATHS = frozenset({"/healthz", "/livez", "/readyz"})


class BearerToken:
    """Answers 401 to whoever does not know the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            given = Headers(scope=scope).get("authorization", "").encode()
            if not hmac.compare_digest(given, self._expected):
                refused = unauthorized()
                await JsonAnswer(refused.as_status(), refused.code)(scope, receive, send)
                return
        await self._app(scope, receive, send)

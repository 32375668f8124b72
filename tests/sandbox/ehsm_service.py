"""The embedded EHSM's application in one process, at a time of the test's choosing, asked call by call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ppmlctl.ehsm import Account, canonical_request, sign
from ppmlctl.sandbox.ehsm import make_app
from ppmlctl.secret import Secret

NOW = 1_700_000_000_000
MISSING = object()


@dataclass
class Service:
    """The app of one state folder, at a time of the test's choosing."""

    folder: Path
    now: int = NOW
    sent: int = 0
    app: Any = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.app = make_app(self.folder, clock=lambda: self.now / 1000)

    def http(self, method: str, path: str, **content: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="https://ehsm.sandbox") as client:
                return await client.request(method, path, **content)

        return asyncio.run(send())

    def get(self, action: str) -> Any:
        return self.http("GET", f"/ehsm?Action={action}").json()

    def post(self, action: str, body: Any) -> Any:
        return self.http("POST", f"/ehsm?Action={action}", json=body).json()

    def enroll(self) -> Account:
        result = self.get("Enroll")["result"]
        return Account(appid=result["appid"], apikey=Secret(result["apikey"]))

    def body(self, account: Account, payload: Any = MISSING, **changes: Any) -> dict[str, Any]:
        """A signed body; changes are made before the signature."""
        self.sent += 1
        body = {"appid": account.appid, "timestamp": str(self.now), "nonce": str(self.sent)} | changes
        if payload is not MISSING:
            body["payload"] = payload
        return body | {"sign": sign(canonical_request(body), account.apikey)}

    def call(self, account: Account, action: str, payload: Any = MISSING, **changes: Any) -> Any:
        return self.post(action, self.body(account, payload, **changes))

    def refusal(self, account: Account, action: str, payload: Any = MISSING, **changes: Any) -> tuple[int, str | None]:
        answer = self.call(account, action, payload, **changes)
        return answer["code"], answer.get("message")

    def quote(self, account: Account) -> str:
        text: str = self.call(account, "GenerateQuote", {"challenge": "eA=="})["result"]["quote"]
        return text

"""A line of JSON for every request: what was asked, by whom, when, and the code of the answer. No payloads, no keys."""

from __future__ import annotations

import json
import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from ppmlctl.sandbox.request_log import shorten

_APPID = re.compile(r"[0-9a-z-]{36}")
_LONGEST_ACTION = 64


class AccessLog:
    """Appends to a file, which begins anew where it is large. Safe for threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, action: str, body: Any, code: int, now: int) -> None:
        """Notes one request, which is done by then: a disk that is full takes nothing back.

        Of the body only an appid of an appid's form is kept, since anything may stand there.
        """
        appid = body.get("appid") if isinstance(body, dict) else None
        known = appid if isinstance(appid, str) and _APPID.fullmatch(appid) else None
        line = json.dumps({"time": now, "action": action[:_LONGEST_ACTION], "appid": known, "code": code})
        with self._lock, suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            shorten(file.fileno())
            file.write(line + "\n")

"""Timestamps and nonces that no earlier request of the same account had."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from ppmlctl.files import read_text

_AHEAD = 60_000
"""Milliseconds: a remembered time further in the future than this is of a clock that was wrong, and does not count."""
_PATIENCE = 2.0  # seconds


class Freshness:
    """Gives each request of an account a timestamp of its own. Safe for threads.

    With a file it remembers them over restarts, clocks set back, and other processes of this environment. The file may
    be lost, and stays unwritten where its folder is not there: then, and for clients elsewhere, EHSM's own memory
    decides, and `Calls` asks again.
    """

    def __init__(self, clock: Callable[[], float] = time.time, remembered: Path | None = None) -> None:
        self._clock = clock
        self._remembered = remembered
        self._last: dict[str, int] = {}
        self._lock = threading.Lock()

    def timestamp(self, appid: str) -> str:
        """Milliseconds since 1970, later than every one given for this account before."""
        with self._lock:
            path = self._remembered
            if path is None or not path.parent.is_dir():
                return str(self._after(appid, 0))
            try:
                with FileLock(path.with_suffix(".lock"), timeout=_PATIENCE):
                    last = _read(path)
                    last[appid] = self._after(appid, last.get(appid, 0))
                    path.write_text(json.dumps(last), encoding="utf-8")
            except (OSError, Timeout):
                return str(self._after(appid, 0))
            return str(last[appid])

    @staticmethod
    def nonce() -> str:
        """128 random bits as text."""
        return secrets.token_hex(16)

    def _after(self, appid: str, remembered: int) -> int:
        now, before = int(self._clock() * 1000), max(remembered, self._last.get(appid, 0))
        self._last[appid] = now if before > now + _AHEAD else max(now, before + 1)
        return self._last[appid]


def _read(path: Path) -> dict[str, int]:
    try:
        content = json.loads(read_text(path))
    except (OSError, ValueError):
        return {}
    return {str(appid): at for appid, at in content.items() if isinstance(at, int)} if isinstance(content, dict) else {}

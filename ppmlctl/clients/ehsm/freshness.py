"""Timestamps and nonces that no earlier request of the same account had."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable


class Freshness:
    """Gives each request of an account a timestamp of its own. Safe for threads."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._last: dict[str, int] = {}
        self._lock = threading.Lock()

    def timestamp(self, appid: str) -> str:
        """Milliseconds since 1970, later than every one given for this account before."""
        with self._lock:
            self._last[appid] = max(int(self._clock() * 1000), self._last.get(appid, 0) + 1)
            return str(self._last[appid])

    @staticmethod
    def nonce() -> str:
        """128 random bits as text."""
        return secrets.token_hex(16)

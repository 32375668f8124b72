"""The memory against replays: per account, which nonces and which timestamps were seen. Lost at a restart."""

from __future__ import annotations

import threading
from collections import defaultdict

MESSAGE = "Timestamp can't be repeated in 20 minutes"
_MEMORY = 20 * 60 * 1000  # milliseconds


class ReplayMemory:
    """Refuses a request whose nonce and whose timestamp were both seen, be it in different requests."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, dict[tuple[str, object], int]] = defaultdict(dict)
        self._lock = threading.Lock()

    def is_replay(self, appid: str, nonce: object, timestamp: str, now: int) -> bool:
        """Whether this request is refused; it is remembered either way, before its signature is known to hold."""
        marks: tuple[tuple[str, object], ...] = (("nonce", str(nonce or "")), ("timestamp", timestamp))
        with self._lock:
            self._forget(now)
            seen = self._seen[appid]
            replay = all(mark in seen for mark in marks)
            seen.update(dict.fromkeys(marks, now))
        return replay

    def _forget(self, now: int) -> None:
        for appid, seen in list(self._seen.items()):
            for mark in [mark for mark, at in seen.items() if now - at > _MEMORY]:
                del seen[mark]
            if not seen:
                del self._seen[appid]

"""The engine's stream of events while it pulls or builds, as lines for people."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_STEP = re.compile(r"Step \d+/\d+ : ")
_HOUSEKEEPING = re.compile(r" ---> |Removing intermediate container ")
"""What the builder says of its own layers and containers, at each step."""

_BUILT = re.compile(r"Successfully built ([0-9a-f]{12,64})$")
"""Podman's last word, which has no `aux`."""

_KEPT_LINES = 10
_LONGEST_LINE = 1 << 20
_TOO_LONG = f"(a line of more than {_LONGEST_LINE} characters)"


class Progress:
    """Tells each line once, and remembers the step, the last lines, the error and the image's id."""

    def __init__(self, tell: Callable[[str], None], mask: Callable[[str], str] = str) -> None:
        self._tell = tell
        self._mask = mask
        self._layers: dict[str, str] = {}
        self._last: deque[str] = deque(maxlen=_KEPT_LINES)
        self._begun = ""
        self.step = ""
        self.error: str | None = None
        self.image_id: str | None = None

    @property
    def last_lines(self) -> list[str]:
        """What the failing step printed last."""
        return list(self._last)

    def follow(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Takes all events until the stream ends."""
        try:
            for event in events:
                self._take(event)
        finally:
            self._end_line()

    def _take(self, event: Mapping[str, Any]) -> None:
        if "stream" not in event:
            self._end_line()
        if "error" in event:
            self.error = self._mask(str(event["error"]).strip())
        elif "stream" in event:
            self._say(str(event["stream"]))
        elif "status" in event:
            self._status(str(event.get("id", "")), str(event["status"]))
        elif isinstance(event.get("aux"), Mapping) and "ID" in event["aux"]:
            self.image_id = str(event["aux"]["ID"])

    def _say(self, text: str) -> None:
        """What a step prints comes as the engine read it, cut anywhere: only whole lines can be masked."""
        for part in text.splitlines(keepends=True):
            if self._begun != _TOO_LONG:
                self._begun = _TOO_LONG if len(self._begun) + len(part) > _LONGEST_LINE else self._begun + part
            if part.endswith(("\n", "\r")):
                self._end_line()

    def _end_line(self) -> None:
        begun, self._begun = self._begun, ""
        self._tell_lines(begun)

    def _tell_lines(self, text: str) -> None:
        for line in self._mask(text).splitlines():
            if not line.strip() or _HOUSEKEEPING.match(line):
                continue
            if _STEP.match(line):
                self.step = line
                self._last.clear()
            else:
                self._last.append(line)
            if built := _BUILT.match(line):
                self.image_id = self.image_id or built[1]
            self._tell(line)

    def _status(self, layer: str, status: str) -> None:
        # One event comes for each chunk of each layer; people want to hear of each new state only.
        if self._layers.get(layer) == status and layer:
            return
        self._layers[layer] = status
        self._tell(f"{layer}: {status}" if layer else status)

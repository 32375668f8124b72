"""An apply while it runs: a live tree on a terminal, plain lines elsewhere, one JSON event a line for machines."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from ppmlctl.cli.errors import as_data, text_of
from ppmlctl.cli.plan_view import SYMBOLS
from ppmlctl.cli.style import Style
from ppmlctl.cli.terminal_text import escaped, on_one_line
from ppmlctl.engine import Event, Listener, Status, TaskFinished, TaskProgress, TaskStarted, Warned
from ppmlctl.planning import ActionKind, Removal

DONE = {
    ActionKind.CREATE: "created",
    ActionKind.UPDATE: "updated",
    ActionKind.REPLACE: "replaced",
    ActionKind.DELETE: "deleted",
    ActionKind.RUN: "ran",
    ActionKind.KEEP: "kept",
}
LEFT = {
    Removal.DELETE: "deleted",
    Removal.KEEP: "kept, only its record went",
    Removal.IMPOSSIBLE: "left behind",
    Removal.ALONG: "goes with what it lives in",
}


@contextmanager
def listening(*, as_json: bool) -> Iterator[Listener]:
    """The listener that fits where the output goes."""
    if as_json:
        yield JsonLines()
    elif sys.stderr.isatty():
        with LiveTree() as tree:
            yield tree
    else:
        yield PlainLines()


class JsonLines:
    """Each event as one line of JSON on stdout."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        line = json.dumps(event_as_data(event), ensure_ascii=False)
        with self._lock, suppress(OSError):  # who reads may go, a disk may be full; the apply goes on
            print(line, flush=True)


class PlainLines:
    """One line for each thing that happens, on stderr."""

    def __init__(self) -> None:
        self._style = Style.of(sys.stderr)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        text = event_line(event, self._style)
        if text:
            with self._lock, suppress(OSError):
                print(text, file=sys.stderr, flush=True)


class LiveTree:
    """Finished tasks scroll by; running ones stand below with their time and what they do."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._style = Style.of(sys.stderr)
        self._console = Console(stderr=True, highlight=False)
        self._running: dict[str, tuple[float, str, str]] = {}
        self._live = Live(get_renderable=self._tree, console=self._console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.__exit__(None, None, None)

    def __call__(self, event: Event) -> None:
        from rich.text import Text

        if isinstance(event, TaskStarted):
            symbol = SYMBOLS[event.action.action]
            self._running[event.action.address] = (time.monotonic(), symbol, "")
            return
        if isinstance(event, TaskProgress):
            started, symbol, _ = self._running.get(event.address, (time.monotonic(), " ", ""))
            self._running[event.address] = (started, symbol, event.text)
            return
        if isinstance(event, TaskFinished):
            self._running.pop(event.action.address, None)
        text = event_line(event, self._style)
        if text:
            self._console.print(Text.from_ansi(escaped(text)))

    def _tree(self) -> Any:
        from rich.text import Text
        from rich.tree import Tree

        tree = Tree("running", hide_root=not self._running)
        for address, (started, symbol, text) in list(self._running.items()):
            # Whatever a build prints is no markup of ours: `[/usr/lib]` would be a fault in it.
            line = f"{symbol} {address}  {time.monotonic() - started:5.1f} s  {text}"
            tree.add(Text.from_ansi(escaped(on_one_line(line))), style="none")
        return tree


def event_line(event: Event, style: Style) -> str:
    """An event in one line; kept tasks are not worth one."""
    if isinstance(event, Warned):
        return f"{style.yellow('warning')}: {f'{event.address}: ' if event.address else ''}{on_one_line(event.text)}"
    if isinstance(event, TaskProgress):
        return style.dim(f"   {event.address}: {on_one_line(event.text)}")
    if isinstance(event, TaskStarted) or (event.status is Status.OK and event.action.action is ActionKind.KEEP):
        return ""
    return _finished_line(event, style)


def _finished_line(event: TaskFinished, style: Style) -> str:
    action = event.action
    seconds = style.dim(f"({event.seconds:.1f} s)")
    if event.status is Status.FAILED:
        faults = "\n".join(text_of(diagnostic, style) for diagnostic in event.diagnostics)
        return f"{style.red('✗')} {action.address}: failed {seconds}\n{faults}"
    if event.status is Status.SKIPPED:
        return f"{style.yellow('·')} {action.address}: skipped, {event.because}"
    verb = "kept, " + event.because if event.status is Status.OK else _verb(event)
    evidence = f" {style.dim(f'[{event.evidence}]')}" if event.evidence else ""
    return f"{style.green('✓')} {action.address}: {verb}{evidence} {seconds}"


def _verb(event: TaskFinished) -> str:
    """What was done; a removal that took nothing away says so."""
    action = event.action
    if action.action is not ActionKind.DELETE:
        return DONE[action.action]
    if (event.result or {}).get("existed_before") and action.removal is Removal.DELETE:
        return LEFT[Removal.KEEP]
    return LEFT[action.removal]


def event_as_data(event: Event) -> dict[str, Any]:
    """An event for machines."""
    if isinstance(event, TaskStarted):
        return {"event": "started", "address": event.action.address, "action": event.action.action.value}
    if isinstance(event, TaskProgress):
        return {"event": "progress", "address": event.address, "text": event.text}
    if isinstance(event, Warned):
        return {"event": "warning", "address": event.address, "text": event.text}
    return {
        "event": "finished",
        "address": event.action.address,
        "action": event.action.action.value,
        "status": event.status.value,
        "seconds": round(event.seconds, 3),
        "because": event.because,
        "evidence": event.evidence.value if event.evidence else None,
        "errors": [as_data(diagnostic) for diagnostic in event.diagnostics],
    }

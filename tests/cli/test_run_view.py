"""An apply as it is shown while it runs."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest
from rich.console import Console

from ppmlctl.cli.run_view import JsonLines, LiveTree, PlainLines
from ppmlctl.engine import Event
from ppmlctl.engine.events import TaskProgress, Warned


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("COPY bin [/usr/lib] done", "COPY bin [/usr/lib] done"),
        ("see [error] there", "see [error] there"),
        ("\x1b[31mred\x1b[0m", "\\u001b[31mred\\u001b[0m"),
        ("over\x1b[2J\u202e\nnext", "over\\u001b[2J\\u202e\\u000anext"),
    ],
)
def test_what_a_build_prints_is_shown_as_it_is(said: str, shown: str) -> None:
    tree = LiveTree()
    tree(TaskProgress("image", said))
    out = io.StringIO()
    Console(file=out, width=100).print(tree._tree())
    assert out.getvalue().rstrip().endswith(shown)


class Full(io.StringIO):
    """A file on a disk without space."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("listener", [PlainLines, JsonLines])
def test_an_output_that_takes_nothing_stops_no_task(
    listener: Callable[[], Callable[[Event], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    monkeypatch.setattr(sys, "stderr", Full())
    listener()(Warned("a", "text"))

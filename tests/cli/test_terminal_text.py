"""Nothing hostile reaches a terminal, whichever way it is printed."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.cli import main as entry
from ppmlctl.cli.errors import show_errors
from ppmlctl.cli.plan_view import plan_as_data, plan_text
from ppmlctl.cli.run_view import JsonLines, PlainLines
from ppmlctl.cli.style import Style
from ppmlctl.cli.terminal_text import OWN, escaped
from ppmlctl.diagnostics import Diagnostic, Location
from ppmlctl.engine import Whereabouts
from ppmlctl.engine.events import TaskProgress, Warned
from ppmlctl.planning import ActionKind, FieldChange, Plan, PlannedAction

HOSTILE = "a\x1b[2J\x1b]0;title\x07b\x9b1mc\u202ed\u2066e\u200bf\x00g\x7fh\ri\udcffj\U000e0041k"
SHOWN = r"a\u001b[2J\u001b]0;title\u0007b\u009b1mc\u202ed\u2066e\u200bf\u0000g\u007fh\u000di\udcffj\udb40\udc41k"
FAULT = Diagnostic("code", "title", HOSTILE, HOSTILE, HOSTILE, Location(HOSTILE, 1, 1, HOSTILE))


def _errors(*, as_json: bool) -> None:
    show_errors((FAULT,), as_json=as_json)


def _json() -> None:
    typer.echo(json.dumps({HOSTILE: HOSTILE}, ensure_ascii=False))


def _plain_events() -> None:
    listener = PlainLines()
    listener(TaskProgress("task", HOSTILE))
    listener(Warned("task", HOSTILE))


def _json_events() -> None:
    listener = JsonLines()
    listener(TaskProgress("task", HOSTILE))
    listener(Warned("task", HOSTILE))


WAYS: dict[str, Callable[[], None]] = {
    "print": lambda: print(HOSTILE),
    "print to stderr": lambda: print(HOSTILE, file=sys.stderr),
    "echo": lambda: typer.echo(HOSTILE),
    "echo to stderr": lambda: typer.echo(HOSTILE, err=True),
    "write": lambda: sys.stdout.writelines([HOSTILE]),
    "json": _json,
    "errors": lambda: _errors(as_json=False),
    "errors as json": lambda: _errors(as_json=True),
    "events": _plain_events,
    "events as json": _json_events,
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_prints_is_escaped(
    way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry, "app", lambda **_options: WAYS[way]())
    assert entry.run([]) == 0
    out, err = capsys.readouterr()
    assert _is_harmless(out + err)
    assert r"\u202e" in out + err


def test_a_plan_shows_escaped_fields(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    change = FieldChange(f"{HOSTILE}\nforged", HOSTILE, {HOSTILE: [HOSTILE]})
    action = PlannedAction(HOSTILE, "module", ActionKind.UPDATE, reasons=(f"{HOSTILE}\nforged",), fields=(change,))
    plan = Plan((action,), (HOSTILE,))
    where = Whereabouts("shared", "cluster", HOSTILE, "here")

    def show(**_options: Any) -> None:
        typer.echo(plan_text(plan, (FAULT,), Style(coloured=False), where))
        typer.echo(json.dumps(plan_as_data(plan, (FAULT,), where), ensure_ascii=False))

    monkeypatch.setattr(entry, "app", show)
    entry.run([])
    out = capsys.readouterr().out
    assert _is_harmless(out)
    assert not any(line.startswith("forged") for line in out.splitlines())


def test_json_reads_back_what_was_escaped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(entry, "app", lambda **_options: _json())
    entry.run([])
    assert json.loads(capsys.readouterr().out) == {HOSTILE: HOSTILE}


def test_text_says_what_was_there() -> None:
    assert escaped(HOSTILE) == SHOWN


@given(st.text())
def test_nothing_hostile_is_left_of_any_text(text: str) -> None:
    assert _is_harmless(escaped(text))


def test_our_own_colours_stay_on_a_terminal_and_foreign_ones_do_not() -> None:
    assert escaped(Style(coloured=True).red("\x1b[32mx")) == "\x1b[31m\\u001b[32mx\x1b[0m"
    assert OWN not in escaped(Style(coloured=True).bold("x"))


def test_commands_escape_what_their_arguments_and_files_say(tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_text('version: 1\n"bad\\e[2J\\u202e": 1\n')
    for words in (["validate"], ["validate", "-o", "json"], ["explain", "x\x1b[2J\u202e"], ["x\x1b[2J\u202e"]):
        done = subprocess.run([sys.executable, "-m", "ppmlctl", *words], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 1
        assert _is_harmless((done.stdout + done.stderr).decode())


def test_help_is_drawn_on_a_terminal_as_rich_draws_it() -> None:
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen([sys.executable, "-m", "ppmlctl", "vault"], stdout=slave, stderr=slave, env=environment):
        os.close(slave)
        said = b""
        while piece := _read(master):
            said += piece
    assert b"\\u001b" not in said
    assert b"\x1b[1m" in said


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other side is closed
        return b""


def _is_harmless(text: str) -> bool:
    return escaped(text) == text

"""External signers as real processes: what they answer, how they fail, and that none of them outlives its time."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.clients.signer import SigningCommand
from ppmlctl.diagnostics import EngineError, WriteRefusedError
from ppmlctl.effects import Effect, Effects


def _command(folder: Path, code: str, *, limit: float = 20, **more: Any) -> SigningCommand:
    program = folder / "signer.py"
    program.write_text(f"import os, sys, time\n{code}\n")
    effects = more.pop("effects", Effects("files", writes_allowed=True))
    return SigningCommand(effects, [sys.executable, str(program)], folder, limit, **more)


def _refused(command: SigningCommand) -> str:
    with pytest.raises(EngineError) as refused:
        command.answer_to(b"message")
    return str(refused.value).replace(f"{sys.executable} {command.folder}/", "")


def test_the_message_goes_in_and_the_answer_comes_out(tmp_path: Path) -> None:
    command = _command(tmp_path, "sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])")
    assert command.answer_to(bytes(range(256))) == bytes(reversed(range(256)))
    assert command.effects.count(Effect.WRITE) == 1


def test_no_shell_looks_at_the_arguments(tmp_path: Path) -> None:
    code = "print(sys.argv[1], os.getcwd(), end='')"
    command = _command(tmp_path, code)
    asked = SigningCommand(command.effects, [*command.arguments, "$(id) *; ~"], tmp_path, 20)
    assert asked.answer_to(b"").decode() == f"$(id) *; ~ {tmp_path}"


def test_a_program_is_found_relative_to_the_folder(tmp_path: Path) -> None:
    program = tmp_path / "sign"
    program.write_text("#!/bin/sh\nprintf signed\n")
    program.chmod(0o755)
    assert SigningCommand(Effects("files", writes_allowed=True), ["./sign"], tmp_path, 20).answer_to(b"") == b"signed"


def test_the_vaults_password_is_not_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPML_VAULT_PASSWORD", "not-for-signers")
    monkeypatch.setenv("HSM_PIN", "for-signers")
    answer = _command(tmp_path, "print(dict(os.environ))").answer_to(b"").decode()
    assert "not-for-signers" not in answer
    assert "for-signers" in answer


def test_a_program_that_reads_nothing_may_answer(tmp_path: Path) -> None:
    assert _command(tmp_path, "os.close(0); print('signed', end='')").answer_to(b"m" * 256) == b"signed"


def test_an_endless_answer_is_cut(tmp_path: Path) -> None:
    code = "[sys.stdout.write('y' * 65536) for _ in range(300)]"
    assert _command(tmp_path, code).answer_to(b"") == b"y" * 65536


def test_a_failing_program_is_quoted(tmp_path: Path) -> None:
    code = "[print('line', n, '\\x1b[31m', file=sys.stderr) for n in range(9)]; sys.exit(3)"
    assert _refused(_command(tmp_path, code)) == (
        "error[signer-failed]: the external signer failed\n"
        "  is   signer.py ended with 3; its last words:\n"
        "       line 4 �[31m\n       line 5 �[31m\n       line 6 �[31m\n       line 7 �[31m\n       line 8 �[31m\n"
        "  fix  run it by hand on the output of `ppmlctl enclave digest`"
    )


def test_a_program_that_is_killed_is_told(tmp_path: Path) -> None:
    assert "signer.py was ended by signal 9\n" in _refused(_command(tmp_path, "os.kill(os.getpid(), 9)"))


def test_a_hanging_program_is_ended_with_its_children(tmp_path: Path) -> None:
    code = (
        "print('waiting for a finger', file=sys.stderr, flush=True)\n"
        "child = os.fork() or os.getpid()\n"
        "open(f'{os.getpid()}.pid', 'w').close()\n"
        "time.sleep(600)"
    )
    assert _refused(_command(tmp_path, code, limit=1)) == (
        "error[signer-timeout]: the external signer took too long\n"
        "  is   signer.py did not end within 1 seconds; its last words:\n"
        "       waiting for a finger\n"
        "  why  it was ended; nothing is signed\n"
        "  fix  raise enclave.signer.time_limit, or see what it waits for"
    )
    pids = [int(file.stem) for file in tmp_path.glob("*.pid")]
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [pid for pid in pids if _runs(pid)] == []


def _runs(pid: int) -> bool:
    """A zombie that nobody has waited for runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_user_who_stops_does_not_wait_for_it(tmp_path: Path) -> None:
    stopping = threading.Event()
    stopping.set()
    assert _refused(_command(tmp_path, "time.sleep(600)", stopping=stopping)) == (
        "error[signer-stopped]: the external signer was stopped\n  is   signer.py\n  fix  apply again"
    )


@pytest.mark.parametrize(
    ("name", "words"), [("none-such-signer", "No such file or directory"), ("/dev/null", "Permission denied")]
)
def test_a_program_that_cannot_be_started_is_told(name: str, words: str, tmp_path: Path) -> None:
    assert _refused(SigningCommand(Effects("files", writes_allowed=True), [name], tmp_path, 20)) == (
        "error[signer-missing]: the external signer cannot be started\n"
        f"  is   {name}: {words}\n"
        "  fix  correct enclave.signer.command, or install the program"
    )


def test_a_plan_runs_no_program(tmp_path: Path) -> None:
    command = _command(tmp_path, "open('ran', 'w')", effects=Effects("files", writes_allowed=False))
    with pytest.raises(WriteRefusedError):
        command.answer_to(b"")
    assert not (tmp_path / "ran").exists()

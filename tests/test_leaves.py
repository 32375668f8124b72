"""The leaves that every layer stands on: findings, secrets, files, effects, failpoints."""

from __future__ import annotations

import copy
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from ppmlctl.diagnostics import (
    Diagnostic,
    InputError,
    Location,
    PpmlError,
    Severity,
    WriteRefusedError,
    by_position,
    located,
)
from ppmlctl.effects import Effect, Effects
from ppmlctl.evidence import Evidence
from ppmlctl.failpoint import FailpointError, failpoint
from ppmlctl.files import PRIVATE, PUBLIC, open_regular, read_bytes, read_text, write_atomic
from ppmlctl.secret import MASK, Secret, SecretLockedError
from ppmlctl.unknown import Unknown, unknowns_in

SENTINEL = "Xq7-sentinel"


def test_a_finding_reads_as_what_is_why_it_matters_and_how_to_mend_it() -> None:
    finding = Diagnostic(
        "signing-key-readable",
        "enclave signing key can be read by others",
        found="keys/enclave-key.pem has mode 0644",
        why="whoever can read it\ncan sign another enclave as you",
        fix="chmod 600 keys/enclave-key.pem",
        at=Location("ppml.yaml", 31, 12, "enclave.signer.key"),
    )
    assert "\n".join(finding.lines()) == (
        "error[signing-key-readable]: enclave signing key can be read by others\n"
        "  at   ppml.yaml:31:12  enclave.signer.key\n"
        "  is   keys/enclave-key.pem has mode 0644\n"
        "  why  whoever can read it\n"
        "       can sign another enclave as you\n"
        "  fix  chmod 600 keys/enclave-key.pem"
    )


def test_what_a_finding_does_not_know_it_leaves_out() -> None:
    assert list(Diagnostic("code", "title", severity=Severity.WARNING).lines()) == ["warning[code]: title"]


def test_findings_are_sorted_by_position_and_those_without_one_come_last() -> None:
    places = [None, Location("b", 1, 1), Location("a", 10, 1), Location("a", 9, 2), Location("a", 9, 1)]
    findings = [Diagnostic(str(number), "t", at=place) for number, place in enumerate(places)]
    assert [finding.code for finding in by_position(findings)] == ["4", "3", "2", "1", "0"]
    assert [finding.code for finding in PpmlError(*findings).diagnostics] == ["4", "3", "2", "1", "0"]


def test_a_place_is_added_where_there_is_none() -> None:
    here, there = Location("ppml.yaml", 1, 1), Location("play.yaml", 2, 2)
    with pytest.raises(InputError) as caught, located(here):
        raise InputError(Diagnostic("one", "t", at=there), Diagnostic("two", "t"))
    assert [(d.code, d.at) for d in caught.value.diagnostics] == [("one", there), ("two", here)]
    assert "ppml.yaml:1:1" in str(caught.value)


def test_evidence_is_one_scale_from_strong_to_weak() -> None:
    assert [evidence.value for evidence in Evidence] == ["verified", "reported", "simulated", "not verified"]


class Account(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    name: str = "a"
    token: Secret


SHOWN: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda secret: f"{secret} {secret:>40} {secret!r}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - this way of formatting is what is tested
    "list": lambda secret: repr([secret, {"a": secret}]),
    "model": lambda secret: repr(Account(token=secret)),
    "model dump": lambda secret: repr(Account(token=secret).model_dump()),
    "model JSON": lambda secret: Account(token=secret).model_dump_json(),
    "exception": lambda secret: repr(ValueError(secret)),
}


@pytest.mark.parametrize("way", SHOWN)
@pytest.mark.parametrize("value", [SENTINEL, SENTINEL.encode()])
def test_a_secret_is_masked_however_it_is_shown(way: str, value: str | bytes) -> None:
    shown = SHOWN[way](Secret(value, handle="vault:token"))
    assert SENTINEL not in shown
    assert MASK in shown or "Secret(vault:token)" in shown


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars])
def test_a_secret_refuses_to_be_taken_apart(way: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as caught:
        way(Secret(SENTINEL))
    assert SENTINEL not in str(caught.value)


@given(st.text(min_size=4) | st.binary(min_size=4))
def test_no_value_shows_through(value: str | bytes) -> None:
    secret = Secret(value)
    assert (repr(secret), str(secret), f"{secret}") == ("Secret()", MASK, MASK)
    assert secret.reveal() == value


def test_a_secret_is_given_as_text_or_bytes_on_request() -> None:
    assert Secret("ä").reveal_bytes() == b"\xc3\xa4"
    assert Secret(b"\xc3\xa4").reveal_text() == "ä"
    assert Secret("ä") == Secret(b"\xc3\xa4")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_a_secret_that_is_kept_elsewhere_is_fetched_once_when_it_is_revealed() -> None:
    fetched: list[str] = []

    def load() -> str:
        fetched.append("once")
        return SENTINEL

    secret = Secret(handle="vault:token", load=load)
    assert (repr(secret), fetched) == ("Secret(vault:token)", [])
    assert secret.reveal() == secret.reveal() == SENTINEL
    assert fetched == ["once"]


def test_a_locked_secret_says_which_one_it_is() -> None:
    locked = Secret(handle="vault:token")
    assert not locked.is_available()
    assert Secret("a").is_available()
    with pytest.raises(SecretLockedError, match="vault:token"):
        locked.reveal()


def test_models_take_secrets_and_plain_text_as_secrets() -> None:
    given = Secret(SENTINEL)
    assert Account(token=given).token is given
    assert Account.model_validate({"token": SENTINEL}).token.reveal() == SENTINEL
    with pytest.raises(ValidationError, match="a secret is text or bytes"):
        Account.model_validate({"token": ["x"]})


def test_unknowns_are_found_wherever_they_are() -> None:
    one, two = Unknown("one"), Unknown("two")
    assert list(unknowns_in({"a": [1, (one,)], "b": {"c": two}, "d": "x"})) == [one, two]
    assert str(one) == "(known after apply)"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
@pytest.mark.parametrize("mode", [PRIVATE, PUBLIC, 0o755])
def test_a_file_gets_exactly_the_mode_asked_for(tmp_path: Path, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_atomic(tmp_path / "file", b"content", mode=mode)
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o7777 == mode
    assert (tmp_path / "file").read_bytes() == b"content"


def test_the_mode_of_the_new_file_counts_not_that_of_the_old(tmp_path: Path) -> None:
    write_atomic(tmp_path / "key", b"old", mode=PUBLIC)
    write_atomic(tmp_path / "key", b"new", mode=PRIVATE)
    assert (tmp_path / "key").stat().st_mode & 0o7777 == PRIVATE


def test_missing_folders_are_made_and_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a" / "b" / "file", b"one")
    write_atomic(tmp_path / "a" / "b" / "file", b"two")
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["file"]


def test_a_refused_write_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(tmp_path / "file", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


def test_only_the_leftovers_of_the_same_file_are_removed(tmp_path: Path) -> None:
    mine, others = ".a.0123456789ab.tmp", (".a.b.0123456789ab.tmp", ".a.note.tmp")
    for name in (mine, *others):
        (tmp_path / name).write_bytes(b"")
    write_atomic(tmp_path / "a", b"x")
    assert {path.name for path in tmp_path.iterdir()} == {"a", *others}


def test_a_name_that_looks_like_a_pattern_is_a_name(tmp_path: Path) -> None:
    (tmp_path / ".b.0123456789ab.tmp").write_bytes(b"")
    write_atomic(tmp_path / "[b]", b"x")
    assert {path.name for path in tmp_path.iterdir()} == {"[b]", ".b.0123456789ab.tmp"}


def _write_and_die_at(number: int, path: Path) -> int:
    code = "import sys; from pathlib import Path; from ppmlctl.files import write_atomic\n"
    code += "write_atomic(Path(sys.argv[1]), b'new')"
    environment = {**os.environ, "PPMLCTL_FAILPOINT": str(number)}
    return subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=False).returncode


@pytest.mark.parametrize(("number", "content"), [(1, b"old"), (2, b"new")])
def test_a_crash_leaves_the_old_file_or_the_new_one(tmp_path: Path, number: int, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    assert _write_and_die_at(number, path) == -signal.SIGKILL
    assert path.read_bytes() == content
    write_atomic(path, b"next")
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def failpoints(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    log = tmp_path / "failpoints"
    monkeypatch.setenv("PPMLCTL_FAILPOINT_LOG", str(log))
    return log


def _names(log: Path) -> list[str]:
    return [line.partition(" ")[2] for line in log.read_text().splitlines()]


def test_failpoints_are_logged_in_the_order_in_which_they_are_reached(failpoints: Path) -> None:
    failpoint("one")
    failpoint("two")
    assert _names(failpoints) == ["one", "two"]


def test_a_planted_fault_is_raised_at_its_failpoint(failpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failpoint("first")
    number = int(failpoints.read_text().split()[0])
    monkeypatch.setenv("PPMLCTL_FAILPOINT", f"raise:{number + 2}")
    failpoint("second")
    with pytest.raises(FailpointError, match="planted at third"):
        failpoint("third")
    failpoint("fourth")
    assert _names(failpoints) == ["first", "second", "third", "fourth"]


def test_a_write_has_a_failpoint_before_and_after_it_and_a_read_has_none(failpoints: Path) -> None:
    effects = Effects("ehsm", writes_allowed=True)
    with effects.operation(Effect.READ, "GetVersion"):
        failpoint("reading")
    with effects.operation(Effect.WRITE, "Enroll"):
        failpoint("writing")
    assert _names(failpoints) == ["reading", "before ehsm Enroll", "writing", "after ehsm Enroll"]


def test_a_write_is_refused_where_only_reads_are_allowed() -> None:
    effects = Effects("kubernetes", writes_allowed=False)
    with pytest.raises(WriteRefusedError) as caught, effects.operation(Effect.WRITE, "apply Secret"):
        pytest.fail("the operation was sent")
    assert [line.strip() for line in str(caught.value).splitlines()] == [
        "error[write-refused]: a write was tried while only reads are allowed",
        "is   kubernetes: apply Secret",
    ]
    with effects.operation(Effect.READ, "list Secrets"):
        pass
    assert (effects.count(Effect.READ), effects.count(Effect.WRITE)) == (1, 0)


def test_operations_are_counted_across_threads() -> None:
    effects = Effects("oci", writes_allowed=True)

    def work() -> None:
        for _ in range(200):
            with effects.operation(Effect.WRITE, "blob"):
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (effects.count(Effect.READ), effects.count(Effect.WRITE)) == (0, 1600)


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _sparse(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(100 << 30)
    return path


def _link_to_device(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


UNREADABLE = {
    "a named pipe": (_pipe, "it is a named pipe, not a regular file"),
    "a device": (lambda _path: Path("/dev/zero"), "it is a device, not a regular file"),
    "a link to a device": (_link_to_device, "it is a device, not a regular file"),
    "a folder": (lambda path: path.parent, "Is a directory"),
    "a sparse file": (_sparse, "it has more than 16,777,216 bytes"),
    "nothing": (lambda path: path, "No such file or directory"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_file_of_a_usual_size_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    make, words = UNREADABLE[kind]
    with pytest.raises(OSError, match=r".") as refused:
        read_bytes(make(tmp_path / "file"))
    assert refused.value.strerror == words


def test_a_file_is_read_through_links_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"one\r\ntwo\n")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link", 9) == b"one\r\ntwo\n"
    assert read_text(tmp_path / "link") == "one\ntwo\n"
    with pytest.raises(OSError, match="more than 8 bytes"):
        read_bytes(tmp_path / "link", 8)
    with open_regular(tmp_path / "link") as file:
        assert file.read(3) == b"one"


def test_a_file_of_the_kernel_whose_size_is_unknown_is_read_whole() -> None:
    assert read_text(Path("/proc/self/stat")).startswith(str(os.getpid()))

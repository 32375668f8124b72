"""`apply --rotate`: what is made anew, what follows, and that no interruption makes it twice."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from flows.forked_place import sandboxed
from flows.keys_place import copied, copy_of
from flows.place import Place, changed

from ppmlctl.sandbox import process

pytestmark = pytest.mark.long

ROTATE = ("apply", "--yes", "--parallel", "1", "--rotate", "ehsm-account")


@pytest.fixture
def keys(keys_applied: Path, tmp_path: Path) -> Iterator[Place]:
    """A copy of it with its sandbox running."""
    place = copied(keys_applied, tmp_path / "copy")
    yield place
    process.down(place.sandbox)


def sent(place: Place, action: str) -> int:
    return sum(one.get("action") == action for one in place.requests())


def test_an_account_that_is_rotated_takes_all_that_belongs_to_it_along(keys: Place) -> None:
    done = keys.run("plan", "--rotate", "ehsm-account", "-o", "json")
    assert done.returncode == 2, done.stderr
    assert changed(json.loads(done.stdout)) == {
        "ehsm-account": "replace",
        "ehsm-attestation": "update",
        "ehsm-key.files": "update",
        "ehsm-key.reports": "update",
        "ehsm-data-key.warehouse": "update",
        "ehsm-secret.database": "update",
        "ehsm-secret.session": "update",
        "kms-account-secret": "update",
        "data-key.warehouse": "update",
    }
    assert sent(keys, "Enroll") == 1
    recap = keys.apply("--rotate", "ehsm-account")["recap"]
    assert (recap["changed"], recap["failed"]) == (9, 0)
    assert {name: sent(keys, name) for name in ("Enroll", "CreateKey", "CreateSecret")} == {
        "Enroll": 2,
        "CreateKey": 4,
        "CreateSecret": 4,
    }
    assert keys.plan()[0] == 0
    assert b"rotations" not in keys.lockfile
    assert "ehsm-account.account.retired-1" in keys.succeed("vault", "list")


def test_a_saved_plan_remembers_a_secret_that_was_named_by_its_entry_in_the_vault(keys: Place) -> None:
    keys.run("plan", "--rotate", "ehsm-secret.session", "--save", "saved.json")
    keys.succeed("apply", "saved.json")
    assert (sent(keys, "PutSecretValue"), sent(keys, "CreateSecret")) == (1, 2)
    assert keys.plan()[0] == 0
    before = keys.lockfile
    done = keys.run("apply", "--yes", "--rotate", "ehsm-acount")
    assert (done.returncode, keys.lockfile) == (1, before)
    assert "did you mean `ehsm-account`?" in done.stderr


def test_the_key_that_signs_the_enclave_is_rotated_and_the_signature_follows(applied: Place) -> None:
    key = applied.folder / "keys" / "enclave-key.pem"
    before = key.read_bytes()
    recap = applied.apply("--rotate", "enclave-key")["recap"]
    assert recap["failed"] == 0
    assert key.read_bytes() != before
    assert [kept.read_bytes() for kept in key.parent.glob("enclave-key.pem.retired-*")] == [before]
    assert applied.plan()[0] == 0


def instants_of(keys_applied: Path, folder: Path) -> list[str]:
    """The instants of a rotation that nobody disturbs."""
    with sandboxed(copy_of(keys_applied, folder)) as place:
        place.succeed(*ROTATE, PPMLCTL_FAILPOINT_LOG=str(folder / "instants"))
        return [line.split(" ", 1)[1] for line in (folder / "instants").read_text().splitlines()]


def survives(keys_applied: Path, folder: Path, number: int, names: list[str]) -> None:
    """Killed at this instant, the next apply ends well, asked for the rotation again (where odd) or not.

    Only the answer of Enroll can be lost; and once the lockfile says that all is done, asking again means another one.
    """
    with sandboxed(copy_of(keys_applied, folder)) as place:
        killed = place.run(*ROTATE, PPMLCTL_FAILPOINT=str(number))
        instant = f"{number} {names[number - 1]}"
        assert killed.returncode == -signal.SIGKILL, f"at {instant}:\n{killed.stdout}{killed.stderr}"
        ends = len(names) - names[::-1].index("after file ppml.lock")
        asked_again = number % 2 == 1 and number < ends
        done = place.run(*ROTATE) if asked_again else place.run(*ROTATE[:4])
        assert done.returncode == 0, f"after {instant}:\n{done.stdout}{done.stderr}"
        is_rotated = asked_again or number > 1 + names.index("before file ppml.lock")
        opens = names.index("after ehsm Enroll")
        closes = names.index("before file ppml.vault", opens)
        lost = opens <= number - 1 <= closes
        assert sent(place, "Enroll") == 1 + is_rotated + lost, instant
        assert sent(place, "CreateKey") == (4 if is_rotated else 2), instant
        assert place.plan()[0] == 0, instant
        assert b"rotations" not in place.lockfile, instant


def test_a_rotation_that_is_killed_around_its_enrolment_is_made_once(keys_applied: Path, tmp_path: Path) -> None:
    names = instants_of(keys_applied, tmp_path / "undisturbed")
    enrolment = names.index("after ehsm Enroll")
    recorded = next(n for n, name in enumerate(names) if n > enrolment and name == "after file ppml.lock")
    for number in (enrolment + 1, recorded + 1):
        survives(keys_applied, tmp_path / str(number), number, names)


@pytest.mark.parametrize("share", range(4))
@pytest.mark.crash
def test_a_rotation_that_is_killed_at_any_instant_is_made_once(keys_applied: Path, tmp_path: Path, share: int) -> None:
    names = instants_of(keys_applied, tmp_path / "undisturbed")
    for number in range(1 + share, len(names) + 1, 4):
        survives(keys_applied, tmp_path / str(number), number, names)

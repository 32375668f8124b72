"""A lockfile that somebody changed: it steers no file of this machine elsewhere, and is told as what it is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flows.place import Place

pytestmark = pytest.mark.long

Change = Callable[[str], str]


def raised(text: str) -> str:
    return re.sub(r"serial: (\d+)", lambda found: f"serial: {int(found[1]) + 1}", text)


def replaced(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def without_results(text: str) -> str:
    """Every result is empty."""
    lines, inside = [], False
    for line in text.splitlines():
        if line == "    result:":
            lines.append("    result: {}")
            inside = True
            continue
        inside = inside and line.startswith("      ")
        if not inside:
            lines.append(line)
    return "\n".join(lines) + "\n"


CASES = {
    "a file of another folder": (replaced("file:keys/password/output.bin", "file:/etc/hostname"), "lockfile-altered"),
    "a file beside it": (replaced("file:keys/password/output.bin", "file:keys/password/key.txt"), "lockfile-altered"),
    "a file above": (replaced("file:keys/password/output.bin", "file:../../hosts"), "lockfile-altered"),
    "another vault entry": (replaced("vault:ehsm-account", "vault:other"), "lockfile-altered"),
    "an empty result": (without_results, "lockfile-altered"),
    "another module": (replaced("module: ssl_password", "module: enclave_key"), "task-module-changed"),
    "a number for a path": (replaced("path: keys/password", "path: 5"), "lockfile-altered"),
}


def told(place: Place, change: Change, *command: str) -> str:
    """What a command says that must refuse, with the changed lockfile in place."""
    lockfile = place.folder / "ppml.lock"
    before = lockfile.read_text()
    changed = change(before)
    assert changed != before
    lockfile.write_text(raised(changed))
    try:
        done = place.run(*command)
    finally:
        lockfile.write_text(before)
    assert done.returncode == 1
    assert "internal-error" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("name", CASES)
def test_a_changed_record_is_one_message(altered: Place, name: str) -> None:
    change, code = CASES[name]
    assert f"error[{code}]" in told(altered, change, "plan")


def test_apply_and_destroy_refuse_as_plan_does(altered: Place) -> None:
    change, code = CASES["a file of another folder"]
    assert f"error[{code}]" in told(altered, change, "apply", "--yes")
    assert f"error[{code}]" in told(altered, change, "destroy", "--yes")


def test_destroy_takes_no_files_away_elsewhere(altered: Place) -> None:
    elsewhere = altered.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "bash.sig").write_text("somebody's own")
    message = told(altered, replaced(".ppml/enclave", str(elsewhere)), "destroy", "--yes")
    assert "outside of the environment's folder, and no task says so" in message
    assert (elsewhere / "bash.sig").exists()


@pytest.mark.parametrize(
    "intent",
    [
        "{submit: spark-pi-1}",
        "{submit: spark-pi-1, namespace: 5}",
        "{submit: spark-pi-1, namespace: ppml, attempt: x}",
        "{submit: spark-pi-1, namespace: ppml, client: c}",
        "{submit: spark-pi-1, namespace: ppml, client: c, runs: /etc}",
    ],
)
def test_an_intent_of_another_shape_is_one_message(altered: Place, intent: str) -> None:
    change = replaced("\ntasks:\n", f"\nintents:\n  workload.gone: {intent}\ntasks:\n")
    assert "error[lockfile-altered]" in told(altered, change, "plan")

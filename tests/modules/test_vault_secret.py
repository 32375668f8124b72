from pathlib import Path
from typing import Any

import pytest

from ppmlctl.diagnostics import InputError, StateError
from ppmlctl.modules.vault_secret import VaultSecret
from ppmlctl.planning import ActionKind
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown


@pytest.fixture
def context(make_context: Any) -> Any:
    return make_context()


@pytest.fixture
def task(drive: Any, context: Any) -> Any:
    return drive(VaultSecret(), context, name="ssl_password")


def test_a_missing_value_is_made_at_random_once_and_then_kept(task: Any, context: Any) -> None:
    assert task.plan().action is ActionKind.CREATE
    result = task.apply()
    assert result.value.handle == "vault:ssl_password"
    assert len(result.value.reveal_text()) == 24
    assert result.value.reveal_text().isalnum()
    assert task.plan().action is ActionKind.KEEP
    assert task.apply().value == result.value
    assert context.vault.writes == 1


def test_two_random_values_differ(drive: Any, context: Any) -> None:
    one, other = drive(VaultSecret(), context, name="a"), drive(VaultSecret(), context, name="b", length=40)
    assert one.apply().value != other.apply().value
    assert len(other.apply().value.reveal_text()) == 40


def test_a_value_that_is_there_is_adopted(task: Any, context: Any) -> None:
    context.vault.put("ssl_password", "by hand")
    change = task.plan()
    assert (change.action, change.reasons) == (ActionKind.CREATE, ("adopts what is there already",))
    assert task.apply().value.reveal_text() == "by hand"


def test_what_is_behind_an_adopted_value_sees_it_in_the_plan(task: Any, context: Any) -> None:
    context.vault.put("ssl_password", "by hand")
    assert task.observe().foreseen["value"].handle == "vault:ssl_password"


def test_a_given_value_is_stored_and_a_changed_one_takes_its_place(drive: Any, context: Any) -> None:
    task = drive(VaultSecret(), context, name="a", value=Secret("one"))
    assert task.apply().value.reveal_text() == "one"
    assert task.plan().action is ActionKind.KEEP
    task.arguments["value"] = Secret("two")
    assert task.plan().action is ActionKind.UPDATE
    assert task.apply().value.reveal_text() == "two"


def test_a_value_from_a_variable_follows_the_variable(
    drive: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD_HERE", "one")
    task = drive(VaultSecret(), context, name="a", env="PASSWORD_HERE", generate=False)
    assert task.apply().value.reveal_text() == "one"
    assert task.plan().action is ActionKind.KEEP
    monkeypatch.setenv("PASSWORD_HERE", "two")
    change = task.plan()
    assert (change.action, change.reasons) == (ActionKind.UPDATE, ("another value is given",))
    assert "two" not in repr(change)
    assert "value" not in task.observe().foreseen
    assert task.apply().value.reveal_text() == "two"


def test_a_value_from_a_file_loses_one_newline(drive: Any, context: Any, tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"from file\n")
    (tmp_path / "password").chmod(0o600)
    task = drive(VaultSecret(), context, name="a", file="password", generate=False)
    assert task.apply().value.reveal_text() == "from file"


def test_a_source_that_is_not_at_hand_leaves_what_the_vault_holds(
    drive: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD_HERE", "one")
    task = drive(VaultSecret(), context, name="a", env="PASSWORD_HERE", generate=False)
    task.apply()
    monkeypatch.delenv("PASSWORD_HERE")
    assert task.plan().action is ActionKind.KEEP


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ({}, "no entry a"),
        ({"env": "NOT_SET_ANYWHERE"}, "no entry a, and the variable NOT_SET_ANYWHERE is not there or empty"),
        ({"file": "absent"}, "no entry a, and the file absent is not there or empty"),
    ],
)
def test_a_value_that_nobody_gives_and_nobody_may_make_is_an_error(
    drive: Any, context: Any, source: dict[str, str], found: str
) -> None:
    with pytest.raises(StateError) as error:
        drive(VaultSecret(), context, name="a", generate=False, **source).plan()
    assert str(error.value) == (
        "error[vault-entry-missing]: the vault has no such entry\n"
        f"  is   {found}\n"
        "  fix  restore the vault, or put the value there: ppmlctl vault set a"
    )


def test_a_recorded_value_that_is_missing_is_never_made_anew(task: Any, context: Any) -> None:
    task.apply()
    context.vault.remove("ssl_password")
    with pytest.raises(StateError) as error:
        task.plan()
    assert "[vault-entry-missing]" in str(error.value)
    assert "never made anew" in str(error.value)
    assert context.vault.names() == []


def test_a_file_open_to_others_is_refused(drive: Any, context: Any, tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"from file\n")
    (tmp_path / "password").chmod(0o644)
    with pytest.raises(InputError) as error:
        drive(VaultSecret(), context, name="a", file="password").plan()
    assert str(error.value) == (
        "error[secret-file-readable]: a secret file can be read by others\n"
        "  is   password has mode 0644\n"
        "  why  whoever can read it has the secret\n"
        "  fix  chmod 600 password"
    )


def test_a_folder_is_no_secret_file(drive: Any, context: Any) -> None:
    with pytest.raises(InputError, match="secret-file-unreadable"):
        drive(VaultSecret(), context, name="a", file=".").plan()


def test_a_locked_vault_shows_what_is_kept_and_changes_nothing(
    drive: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD_HERE", "one")
    task = drive(VaultSecret(), context, name="a", env="PASSWORD_HERE")
    task.apply()
    context.vault.locked = True
    monkeypatch.setenv("PASSWORD_HERE", "two")
    assert task.plan().action is ActionKind.KEEP


def test_a_name_that_is_not_known_yet_is_looked_for_nowhere(drive: Any, context: Any) -> None:
    assert not drive(VaultSecret(), context, name=Unknown("other")).observe().exists


def test_a_removed_task_leaves_its_entry_and_says_so(task: Any, context: Any) -> None:
    task.apply()
    assert task.module.kept_as(task.recorded) == "vault entry ssl_password"
    task.remove()
    assert context.vault.names() == ["ssl_password"]


def test_a_rotation_makes_another_random_value_though_one_is_there(task: Any) -> None:
    old = task.apply().value.reveal_text()
    new = task.rotate().value.reveal_text()
    assert new != old
    assert task.plan().action is ActionKind.KEEP
    assert task.apply().value.reveal_text() == new


def test_what_opens_something_that_stays_is_kept_beside_the_new_one(drive: Any, context: Any) -> None:
    task = drive(VaultSecret(), context, name="a", opens="a saved file")
    old = task.apply().value.reveal_text()
    reasons = task.module.rotation(task.wanted(), task.recorded).reasons
    assert reasons[-1] == "only the old value opens a saved file; it stays in the vault"
    assert task.rotate().value.reveal_text() != old
    assert context.vault.get("a.retired-1").reveal_text() == old


@pytest.mark.parametrize(("word", "source"), [("env", "variable VALUE"), ("file", "file VALUE")])
def test_a_value_that_the_user_gives_is_not_rotated_here(
    make_context: Any, drive: Any, tmp_path: Path, word: str, source: str
) -> None:
    (tmp_path / "VALUE").write_text("given")
    (tmp_path / "VALUE").chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VALUE", "given")
        task = drive(VaultSecret(), make_context(), name="a", **{word: "VALUE"})
        task.apply()
    with pytest.raises(InputError) as caught:
        task.rotate()
    assert str(caught.value) == (
        "error[rotation-given]: what you give yourself cannot be rotated here\n"
        f"  is   task is given by the {source}\n"
        "  why  what was made here would be put back by the next apply\n"
        f"  fix  give another one by the {source}, then apply"
    )

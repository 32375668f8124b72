"""ehsm_secret: a value of the vault under a name, each change a new version, and removed with time to take it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ehsm_world import SERVER, URL, Switchboard, Task, World, switchboard, world_of

from ppmlctl.clients.ehsm import EhsmClient
from ppmlctl.diagnostics import WriteRefusedError
from ppmlctl.ehsm import Account, KeySpec
from ppmlctl.modules.context import Context, EhsmServer
from ppmlctl.modules.ehsm_enroll import EhsmEnroll
from ppmlctl.modules.ehsm_secret import EhsmSecret
from ppmlctl.planning import ActionKind
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

MakeContext = Callable[..., Context]
ADDRESS = "ehsm-secret.database"
NAME = "database"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def world(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[World]:
    with world_of(board, tmp_path / "ehsm", make_context) as world:
        yield world


def account_of(world: World) -> Account:
    enrolled = world.task(EhsmEnroll(), "ehsm-account", server=SERVER).apply()
    return Account(appid=enrolled.appid, apikey=enrolled.apikey)


def client(world: World) -> EhsmClient:
    return world.ehsm(EhsmServer(URL))


def secret(world: World, value: str = "first", **arguments: Any) -> Task:
    account = account_of(world)
    given = {"server": SERVER, "appid": account.appid, "apikey": account.apikey, "name": NAME, "value": Secret(value)}
    return world.task(EhsmSecret(), ADDRESS, **(given | arguments))


def held(world: World) -> tuple[str, int]:
    found = client(world).secrets.get(account_of(world), NAME)
    assert found
    return found.data.reveal_text(), found.version


def writes(world: World) -> list[str]:
    reads = {"GetSecretValue", "ListSecrets", "ListSecretVersionIds", "DescribeSecret", "Enroll", "CreateKey"}
    return [action for action in world.sent() if action not in reads]


def test_a_secret_is_made_once_and_its_value_is_not_fetched_by_a_plan(world: World) -> None:
    task = secret(world, description="text")
    assert task.plan().action is ActionKind.CREATE
    assert task.apply().version == 1
    assert held(world) == ("first", 1)
    before = len(world.sent())
    assert task.plan().action is ActionKind.KEEP
    assert world.sent()[before:] == ["ListSecrets", "ListSecretVersionIds"]
    task.apply()
    assert writes(world) == ["CreateSecret"]


def test_a_plan_writes_nothing(world: World) -> None:
    task = secret(world)
    world.writes_allowed = False
    task.plan()
    with pytest.raises(WriteRefusedError):
        task.apply()


def test_a_changed_value_is_a_new_version_and_not_shown(world: World) -> None:
    secret(world).apply()
    change = secret(world, "second value").plan()
    assert (change.action, [field.path for field in change.fields]) == (ActionKind.UPDATE, ["value"])
    assert "second" not in repr(change)
    assert secret(world, "second value").apply().version == 2
    assert held(world) == ("second value", 2)


def test_a_changed_description_changes_no_value(world: World) -> None:
    secret(world, description="old").apply()
    assert secret(world, description="new").plan().action is ActionKind.UPDATE
    secret(world, description="new").apply()
    secret(world, description="").apply()
    assert writes(world) == ["CreateSecret", "UpdateSecretDesc", "UpdateSecretDesc"]
    described = client(world).secrets.describe(account_of(world), NAME)
    assert described
    assert described.description == ""


def test_a_value_that_others_put_there_is_drift_and_put_right(world: World) -> None:
    secret(world).apply()
    client(world).secrets.put(account_of(world), NAME, Secret("theirs"))
    change = secret(world).plan()
    assert change.reasons == ("changed outside ppmlctl",)
    assert [(field.path, field.before, field.after) for field in change.fields] == [("version", 2, 1)]
    assert secret(world).apply().version == 3
    assert held(world) == ("first", 3)
    assert secret(world).plan().action is ActionKind.KEEP


def test_a_secret_that_waits_for_its_deletion_is_restored(world: World) -> None:
    secret(world).apply()
    client(world).secrets.delete(account_of(world), NAME, recovery_days=7)
    change = secret(world).plan()
    assert [(field.path, field.before, field.after) for field in change.fields] == [("leaving", True, False)]
    secret(world).apply()
    assert held(world) == ("first", 1)
    assert secret(world).plan().action is ActionKind.KEEP


def test_a_secret_whose_record_was_lost_in_a_crash_is_adopted(world: World) -> None:
    secret(world).apply(record=False)
    assert secret(world).plan().reasons == ("adopts what is there already",)
    assert secret(world).apply().version == 1
    assert writes(world) == ["CreateSecret"]


def test_a_secret_that_is_gone_is_made_again(world: World) -> None:
    secret(world).apply()
    client(world).secrets.delete(account_of(world), NAME, recovery_days=None)
    assert secret(world).plan().action is ActionKind.CREATE
    secret(world).apply()
    assert held(world) == ("first", 1)


def test_another_encryption_key_replaces_and_the_plan_says_what_goes(world: World) -> None:
    account = account_of(world)
    secret(world).apply()
    keyid = client(world).keys.create(account, KeySpec.AES_GCM_256)
    change = secret(world, encryption_key=keyid).plan()
    assert (change.action, change.reasons[-1]) == (ActionKind.REPLACE, "its older values go")
    secret(world, encryption_key=keyid).apply()
    assert held(world) == ("first", 1)
    assert secret(world, encryption_key=keyid).plan().action is ActionKind.KEEP
    client(world).keys.delete(account, keyid)
    with pytest.raises(Exception, match="Cannot find cmk by keyid"):
        held(world)


def test_another_account_gets_a_secret_of_its_own(world: World) -> None:
    secret(world).apply()
    other = client(world).enroll()
    task = secret(world).with_(appid=other.appid, apikey=other.apikey)
    change = task.plan()
    assert (change.action, change.reasons[-1]) == (ActionKind.REPLACE, "the old one stays with its account")
    task.apply()
    assert client(world).secrets.get(other, NAME)
    assert held(world) == ("first", 1)


def test_a_removal_gives_time_to_take_it_back_and_is_done_once(world: World) -> None:
    secret(world, recovery_days=7).apply()
    for _ in range(2):
        EhsmSecret().remove(world.context, world.recorded[ADDRESS])
    assert writes(world) == ["CreateSecret", "DeleteSecret"]
    described = client(world).secrets.describe(account_of(world), NAME)
    assert described
    assert described.is_leaving
    client(world).secrets.delete(account_of(world), NAME, recovery_days=None)
    EhsmSecret().remove(world.context, world.recorded[ADDRESS])


def test_an_account_that_is_not_known_yet_is_not_asked(world: World) -> None:
    secret(world).apply()
    before = len(world.sent())
    secret(world).with_(appid=Unknown("ehsm-account"), apikey=Unknown("ehsm-account")).observe()
    assert "ListSecrets" not in world.sent()[before:]

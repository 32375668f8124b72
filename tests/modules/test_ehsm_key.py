"""ehsm_key: one key, found again after a crash where it can be told, and never made anew in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ehsm_world import SERVER, URL, Switchboard, Task, World, switchboard, world_of

from ppmlctl.clients.ehsm import EhsmClient
from ppmlctl.diagnostics import EngineError, StateError, WriteRefusedError
from ppmlctl.ehsm import Account, KeySpec, KeyUsage
from ppmlctl.modules.context import Context, EhsmServer
from ppmlctl.modules.ehsm_enroll import EhsmEnroll
from ppmlctl.modules.ehsm_key import EhsmKey
from ppmlctl.planning import ActionKind, Removal
from ppmlctl.unknown import Unknown

MakeContext = Callable[..., Context]
ADDRESS = "ehsm-key.files"


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


def key(world: World, address: str = ADDRESS, **arguments: Any) -> Task:
    account = account_of(world)
    given = {"server": SERVER, "appid": account.appid, "apikey": account.apikey, "spec": "EH_AES_GCM_128"}
    return world.task(EhsmKey(), address, **(given | arguments))


def client(world: World) -> EhsmClient:
    return world.ehsm(EhsmServer(URL))


def made(world: World) -> int:
    return world.sent().count("CreateKey")


def test_a_key_is_made_once_and_kept_until_it_expires(world: World) -> None:
    task = key(world)
    assert task.plan().action is ActionKind.CREATE
    keyid = task.apply().keyid
    change = task.plan()
    assert change.action is ActionKind.KEEP
    assert change.reasons[0].startswith("as recorded; expires on 20")
    assert task.apply().keyid == keyid
    assert made(world) == 1
    assert not world.context.intents.pending(ADDRESS)


def test_a_plan_makes_nothing(world: World) -> None:
    task = key(world)
    world.writes_allowed = False
    task.plan()
    with pytest.raises(WriteRefusedError):
        task.apply()
    assert made(world) == 0


def test_the_keys_of_an_account_are_seen_by_one_list(world: World) -> None:
    tasks = [key(world, f"ehsm-key.{name}") for name in ("a", "b", "c")]
    for task in tasks:
        task.apply()
    before = len(world.sent())
    assert len(EhsmKey().observe(world.context, [task.wanted() for task in tasks])) == 3
    assert world.sent()[before:].count("ListKey") == 1


def test_whether_a_key_may_be_used_is_compared_and_set(world: World) -> None:
    task = key(world)
    keyid = task.apply().keyid
    account = account_of(world)
    client(world).keys.disable(account, keyid)
    change = task.plan()
    assert (change.action, change.reasons) == (ActionKind.UPDATE, ("changed outside ppmlctl",))
    assert [(field.path, field.before, field.after) for field in change.fields] == [("enabled", False, True)]
    task.apply()
    assert [found.enabled for found in client(world).keys.list(account)] == [True]
    assert task.with_(enabled=False).plan().action is ActionKind.UPDATE
    assert task.with_(enabled=False).apply().enabled is False
    assert [(found.keyid, found.enabled) for found in client(world).keys.list(account)] == [(keyid, False)]


@pytest.mark.parametrize("changed", [{"spec": "EH_AES_GCM_256"}, {"spec": "EH_RSA_2048", "usage": "sign"}])
def test_another_kind_of_key_replaces_and_leaves_the_old_one(world: World, changed: dict[str, str]) -> None:
    old = key(world).apply().keyid
    change = key(world, **changed).plan()
    assert change.action is ActionKind.REPLACE
    assert change.reasons[-1] == f"key {old} is left at EHSM, as what it encrypted needs it"
    new = key(world, **changed).apply().keyid
    listed = {found.keyid: found.keyspec for found in client(world).keys.list(account_of(world))}
    assert listed == {old: "EH_AES_GCM_128", new: changed["spec"]}
    assert key(world, **changed).plan().action is ActionKind.KEEP


def test_a_recorded_key_that_is_gone_is_an_error_and_never_made_anew(world: World) -> None:
    keyid = key(world).apply().keyid
    client(world).keys.delete(account_of(world), keyid)
    with pytest.raises(StateError) as caught:
        key(world).plan()
    assert str(caught.value) == (
        "error[ehsm-key-missing]: EHSM does not have the recorded key any more\n"
        f"  is   {ADDRESS}: {keyid}\n"
        "  why  it was deleted or expired; what it encrypted is lost, and another key would hide that\n"
        "  fix  restore EHSM's database, or ask for a new key:\n"
        f"       ppmlctl apply --rotate {ADDRESS}"
    )
    assert made(world) == 1


def test_a_rotation_makes_another_key_and_is_not_made_twice(world: World) -> None:
    old = key(world).apply().keyid
    new = key(world).apply(rotating=True, record=False).keyid
    assert new != old
    assert key(world).apply(rotating=True).keyid == new
    assert made(world) == 2


def test_a_key_whose_answer_was_kept_is_taken_after_a_crash(world: World) -> None:
    keyid = key(world).apply(record=False).keyid
    assert key(world).apply().keyid == keyid
    assert (made(world), world.warnings) == (1, [])


def test_a_key_whose_answer_was_lost_is_found_in_the_list(world: World) -> None:
    task, account = key(world), account_of(world)
    wanted = {"appid": account.appid, "spec": "EH_AES_GCM_128", "usage": "encrypt"}
    world.context.intents.begin(ADDRESS, {"operation": "CreateKey", **wanted, "newest": "0"})
    keyid = client(world).keys.create(account, KeySpec.AES_GCM_128)
    client(world).keys.create(account, KeySpec.EC_P256, KeyUsage.SIGN_VERIFY)
    assert task.apply().keyid == keyid
    assert world.warnings == []


def test_two_tasks_that_were_interrupted_together_never_take_one_key(world: World) -> None:
    module, account = EhsmKey(), account_of(world)
    tasks = [replace(key(world, f"ehsm-key.{name}"), module=module) for name in ("a", "b")]
    wanted = {"appid": account.appid, "spec": "EH_AES_GCM_128", "usage": "encrypt"}
    for task in tasks:
        world.context.intents.begin(task.address, {"operation": "CreateKey", **wanted, "newest": "0"})
    lost = client(world).keys.create(account, KeySpec.AES_GCM_128)
    keyids = [task.apply(record=False).keyid for task in tasks]
    assert keyids[0] == lost
    assert keyids[1] != lost


def test_where_it_cannot_be_told_which_key_was_made_another_is_made_and_said(world: World) -> None:
    task, account = key(world), account_of(world)
    wanted = {"appid": account.appid, "spec": "EH_AES_GCM_128", "usage": "encrypt"}
    world.context.intents.begin(ADDRESS, {"operation": "CreateKey", **wanted, "newest": "0"})
    lost = {client(world).keys.create(account, KeySpec.AES_GCM_128) for _ in range(2)}
    assert task.apply().keyid not in lost
    assert world.warnings == [f"an interrupted apply may have left a key that nobody uses among 2 at {URL}"]


def test_an_intent_whose_call_was_never_sent_makes_the_key(world: World) -> None:
    task, account = key(world), account_of(world)
    wanted = {"appid": account.appid, "spec": "EH_AES_GCM_128", "usage": "encrypt"}
    world.context.intents.begin(ADDRESS, {"operation": "CreateKey", **wanted, "newest": "0"})
    task.apply()
    assert (made(world), world.warnings) == (1, [])


def test_a_refused_creation_leaves_no_intent(world: World) -> None:
    world.answers["CreateKey"] = lambda: {"code": 500, "message": "Server exception.", "result": None}
    with pytest.raises(EngineError):
        key(world).apply()
    assert world.context.intents.pending(ADDRESS) is None


def test_an_account_that_is_not_known_yet_is_not_asked(world: World) -> None:
    key(world).apply()
    before = len(world.sent())
    task = key(world).with_(appid=Unknown("ehsm-account"), apikey=Unknown("ehsm-account"))
    assert task.observe().exists
    assert "ListKey" not in world.sent()[before:]


def test_another_account_replaces_without_asking_for_the_old_key(world: World) -> None:
    key(world).apply()
    other = client(world).enroll()
    task = key(world).with_(appid=other.appid, apikey=other.apikey)
    assert task.plan().action is ActionKind.REPLACE
    assert task.apply().keyid in {found.keyid for found in client(world).keys.list(other)}


def test_a_removal_keeps_the_key_and_says_how_it_can_go(world: World) -> None:
    keyid = key(world).apply().keyid
    assert EhsmKey().removal is Removal.KEEP
    assert EhsmKey().kept_as(world.recorded[ADDRESS]) == (
        f"EHSM key {keyid}, with which what it encrypted would be lost (ppmlctl ehsm keys delete {keyid})"
    )

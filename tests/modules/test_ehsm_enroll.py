"""ehsm_enroll: one account, kept in the vault, never made twice in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ehsm_world import SERVER, URL, Switchboard, Task, World, switchboard, world_of

from ppmlctl.diagnostics import EngineError, StateError, WriteRefusedError
from ppmlctl.modules.context import Context
from ppmlctl.modules.ehsm_enroll import EhsmEnroll
from ppmlctl.planning import ActionKind, Removal
from ppmlctl.sandbox.tls import ensure_certificates
from ppmlctl.unknown import Unknown

MakeContext = Callable[..., Context]
ADDRESS = "ehsm-account"
ORPHAN = [f"an interrupted apply may have left an account that nobody uses at EHSM {URL}"]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def world(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[World]:
    with world_of(board, tmp_path / "ehsm", make_context) as world:
        yield world


def account(world: World) -> Task:
    return world.task(EhsmEnroll(), ADDRESS, server=SERVER)


def vault(world: World) -> Any:
    return world.context.vault


def test_an_account_is_enrolled_once_and_kept(world: World) -> None:
    assert account(world).plan().action is ActionKind.CREATE
    result = account(world).apply()
    assert (result.apikey.handle, len(result.apikey.reveal_bytes())) == (f"vault:{ADDRESS}", 32)
    assert account(world).plan().action is ActionKind.KEEP
    assert account(world).apply().appid == result.appid
    assert world.sent() == ["Enroll"]


def test_a_plan_asks_the_server_nothing(world: World) -> None:
    world.writes_allowed = False
    account(world).plan()
    assert world.sent() == []
    with pytest.raises(WriteRefusedError):
        account(world).apply()


def test_an_account_whose_record_was_lost_in_a_crash_is_taken_from_the_vault(world: World) -> None:
    appid = account(world).apply(record=False).appid
    change = account(world).plan()
    assert (change.action, change.reasons) == (ActionKind.CREATE, ("adopts what is there already",))
    assert account(world).apply().appid == appid
    assert (world.sent(), world.warnings) == (["Enroll"], [])


def test_a_key_without_its_entry_is_put_back_from_the_account(world: World) -> None:
    key = account(world).apply(record=False).apikey.reveal_bytes()
    vault(world).remove(ADDRESS)
    assert account(world).apply().apikey.reveal_bytes() == key


def test_a_crash_before_the_answer_was_kept_is_reported_and_enrolled_anew(world: World) -> None:
    world.context.intents.begin(ADDRESS, {"operation": "Enroll", "server": URL})
    account(world).apply()
    assert (world.sent(), world.warnings) == (["Enroll"], ORPHAN)


def test_nothing_is_enrolled_where_the_vault_cannot_keep_it(world: World) -> None:
    vault(world).full = True
    with pytest.raises(OSError, match="No space left"):
        account(world).apply()
    assert (world.sent(), world.context.intents.pending(ADDRESS)) == ([], None)


def test_a_refused_enrolment_leaves_no_orphan_behind(world: World) -> None:
    world.answers["Enroll"] = lambda: {"code": 500, "message": "enroll user info failed", "result": {}}
    with pytest.raises(EngineError):
        account(world).apply()
    assert world.context.intents.pending(ADDRESS) is None
    world.answers.clear()
    account(world).apply()
    assert world.warnings == []


def test_a_server_that_is_not_trusted_was_sent_nothing(world: World, tmp_path: Path) -> None:
    board = world.board
    trusted = board.certificates
    board.certificates = ensure_certificates(tmp_path / "another authority")
    with pytest.raises(EngineError, match="ehsm-untrusted"):
        account(world).apply()
    board.certificates = trusted
    assert world.context.intents.pending(ADDRESS) is None
    account(world).apply()
    assert world.warnings == []


def test_a_recorded_account_that_the_vault_lacks_is_an_error_and_never_made_anew(world: World) -> None:
    account(world).apply()
    vault(world).values.clear()
    with pytest.raises(StateError) as caught:
        account(world).plan()
    assert str(caught.value) == (
        "error[vault-entry-missing]: the vault lacks what the lockfile records\n"
        "  is   ehsm-account: the account at EHSM\n"
        "  why  its policies and secrets belong to that account; another one would be made in silence\n"
        "  fix  bring back the ppml.vault that belongs to this lockfile"
    )
    assert world.sent() == ["Enroll"]


def test_another_server_gets_an_account_of_its_own(world: World) -> None:
    first = account(world).apply()
    other = account(world).with_(server={"url": "https://localhost:9000"})
    change = other.plan()
    assert change.action is ActionKind.REPLACE
    assert change.reasons == (f"accounts belong to one server; {first.appid} is left behind at {URL}",)
    second = other.apply(record=False)
    assert second.appid != first.appid
    assert other.apply().appid == second.appid
    assert second.apikey.reveal_bytes() == vault(world).values[ADDRESS]
    assert world.sent() == ["Enroll", "Enroll"]


def test_another_way_to_trust_the_same_server_keeps_the_account(world: World) -> None:
    first = account(world).apply()
    trusting = account(world).with_(server=SERVER | {"ca": "ca.pem"})
    assert trusting.plan().action is ActionKind.UPDATE
    assert trusting.apply().appid == first.appid


def test_an_account_that_went_with_its_sandbox_is_made_anew(world: World) -> None:
    world.context = replace(world.context, target="sandbox")
    first = account(world).apply()
    world.answers["GenerateQuote"] = lambda: {"code": 400, "result": {}}
    change = account(world).plan()
    assert [(f.path, f.before, f.after) for f in change.fields] == [("appid", "(unknown to this EHSM)", first.appid)]
    assert account(world).apply().appid != first.appid
    world.answers.clear()
    assert account(world).plan().action is ActionKind.KEEP


def test_a_real_servers_account_is_never_made_anew_in_silence(world: World) -> None:
    first = account(world).apply()
    world.answers["GenerateQuote"] = lambda: {"code": 400, "result": {}}
    assert account(world).plan().action is ActionKind.KEEP
    assert account(world).apply().appid == first.appid


def test_a_locked_vault_plans_without_the_values(world: World) -> None:
    account(world).apply()
    vault(world).locked = True
    assert account(world).plan().action is ActionKind.KEEP


def test_a_server_that_is_not_known_yet_is_no_obstacle(world: World) -> None:
    assert not account(world).with_(server={"url": Unknown("ehsm")}).observe().exists


def test_an_account_cannot_be_removed(world: World) -> None:
    result = account(world).apply()
    EhsmEnroll().remove(world.context, world.recorded[ADDRESS])
    assert EhsmEnroll().removal is Removal.IMPOSSIBLE
    assert EhsmEnroll().kept_as(world.recorded[ADDRESS]) == f"EHSM account {result.appid}"


def test_no_public_part_holds_the_key(world: World) -> None:
    result = account(world).apply()
    key = result.apikey.reveal_text()
    intents: Any = world.context.intents
    assert key not in repr(world.recorded) + repr(result) + repr(intents.kept) + result.model_dump_json()


def test_a_rotation_enrols_anew_once_and_keeps_the_old_account(world: World) -> None:
    old = account(world).apply()
    entry = vault(world).values[f"{ADDRESS}.account"]
    new = account(world).apply(rotating=True, record=False)
    assert new.appid != old.appid
    assert account(world).apply(rotating=True).appid == new.appid
    assert world.sent() == ["Enroll", "Enroll"]
    assert vault(world).values[f"{ADDRESS}.account.retired-1"] == entry
    kept = f"the old value is kept in the vault as {ADDRESS}.account.retired-1, until you remove it"
    assert world.warnings == [kept]
    assert account(world).plan().action is ActionKind.KEEP


def test_a_rotation_whose_enrolment_failed_keeps_the_old_account_in_use(world: World) -> None:
    old = account(world).apply()
    world.answers["Enroll"] = lambda: {"code": 500, "message": "enroll user info failed", "result": {}}
    with pytest.raises(EngineError):
        account(world).apply(rotating=True)
    del world.answers["Enroll"]
    assert account(world).apply(rotating=True).appid != old.appid
    assert [name for name in vault(world).names() if "retired" in name] == [f"{ADDRESS}.account.retired-1"]

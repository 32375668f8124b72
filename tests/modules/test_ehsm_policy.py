"""ehsm_policy: the one measurement that passes, and the control that shows it is in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ehsm_world import SERVER, URL, Switchboard, Task, World, switchboard, world_of
from pydantic import ValidationError

from ppmlctl.clients.ehsm import EhsmClient
from ppmlctl.diagnostics import EngineError, WriteRefusedError
from ppmlctl.failpoint import FailpointError
from ppmlctl.modules.context import Context
from ppmlctl.modules.ehsm_enroll import EhsmEnroll
from ppmlctl.modules.ehsm_policy import EhsmPolicy
from ppmlctl.planning import ActionKind, Removal
from ppmlctl.sandbox.ehsm import ehsm_identity
from ppmlctl.unknown import Unknown

MakeContext = Callable[..., Context]
ADDRESS = "ehsm-policy"
ORPHAN = [f"an interrupted apply may have left a policy that nobody uses at EHSM {URL}"]
CONTROL = ["GenerateQuote", "VerifyQuote", "VerifyQuote", "VerifyQuote"]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def world(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[World]:
    with world_of(board, tmp_path / "ehsm", make_context) as world:
        yield world


def policy(world: World, **arguments: Any) -> Task:
    enrolled = world.task(EhsmEnroll(), "ehsm-account", server=SERVER).apply()
    account = {"server": SERVER, "appid": enrolled.appid, "apikey": enrolled.apikey}
    measured = {"mr_enclave": "AB" * 32, "mr_signer": "cd" * 32}
    return world.task(EhsmPolicy(), ADDRESS, **(account | measured | arguments))


def uploads(world: World) -> int:
    return world.sent().count("UploadQuotePolicy")


def test_a_policy_is_uploaded_once_shown_to_be_in_force_and_kept(world: World) -> None:
    task = policy(world)
    assert task.plan().action is ActionKind.CREATE
    result = task.apply()
    assert (result.mr_enclave, result.mr_signer) == ("ab" * 32, "cd" * 32)
    assert world.sent() == ["Enroll", "UploadQuotePolicy", *CONTROL]
    assert task.plan().action is ActionKind.KEEP
    assert task.apply().policy_id == result.policy_id
    assert uploads(world) == 1


def test_a_plan_uploads_nothing(world: World) -> None:
    task = policy(world)
    world.writes_allowed = False
    task.plan()
    with pytest.raises(WriteRefusedError):
        task.apply()
    assert uploads(world) == 0


def test_another_measurement_gets_another_policy_and_the_old_one_is_left_behind(world: World) -> None:
    first = policy(world).apply()
    changed = policy(world, mr_enclave="ef" * 32)
    change = changed.plan()
    assert change.action is ActionKind.REPLACE
    assert change.reasons == (
        "mr_enclave cannot be changed in place",
        f"policy {first.policy_id} is left behind, EHSM cannot remove it",
    )
    assert changed.apply().policy_id != first.policy_id
    assert changed.plan().action is ActionKind.KEEP


def test_a_policy_that_the_server_lost_is_uploaded_again(world: World) -> None:
    task = policy(world)
    task.apply()
    world.answers["GetQuotePolicy"] = lambda: {
        "code": 200,
        "message": "",
        "result": {"policyId": world.recorded[ADDRESS].result["policy_id"]},
    }
    change = task.plan()
    assert (change.action, change.reasons) == (ActionKind.CREATE, ("was made before, is not there any more",))
    task.apply()
    assert uploads(world) == 2


def test_a_policy_that_says_something_else_is_drift(world: World) -> None:
    task = policy(world)
    policy_id = task.apply().policy_id
    other = {"policyId": policy_id, "mr_enclave": "00" * 32, "mr_signer": "cd" * 32}
    world.answers["GetQuotePolicy"] = lambda: {"code": 200, "message": "", "result": other}
    change = task.plan()
    assert change.action is ActionKind.UPDATE
    assert [(f.path, f.before, f.after) for f in change.fields] == [("mr_enclave", "00" * 32, "ab" * 32)]
    assert task.apply().policy_id != policy_id


def test_a_policy_whose_record_was_lost_in_a_crash_is_found_by_its_journalled_answer(world: World) -> None:
    task = policy(world)
    policy_id = task.apply(record=False).policy_id
    assert task.apply().policy_id == policy_id
    assert (uploads(world), world.warnings) == (1, [])


def test_a_crash_before_the_answer_was_journalled_is_reported(world: World) -> None:
    task = policy(world)
    world.context.intents.begin(ADDRESS, {"operation": "UploadQuotePolicy", "appid": task.arguments["appid"]})
    task.apply()
    assert (uploads(world), world.warnings) == (1, ORPHAN)


def test_a_fault_after_the_upload_and_before_the_journal_is_the_one_window(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = policy(world)
    monkeypatch.setenv("PPMLCTL_FAILPOINT", "raise:1")
    monkeypatch.setattr("ppmlctl.failpoint._reached", iter([2, 1]))  # the one after the upload
    with pytest.raises(FailpointError):
        task.apply()
    monkeypatch.undo()
    task.apply()
    assert (uploads(world), world.warnings) == (2, ORPHAN)


def test_a_refused_upload_leaves_no_orphan_behind(world: World) -> None:
    task = policy(world)
    world.answers["UploadQuotePolicy"] = lambda: {"code": 500, "message": "Server exception.", "result": None}
    with pytest.raises(EngineError):
        task.apply()
    assert world.context.intents.pending(ADDRESS) is None
    world.answers.clear()
    task.apply()
    assert world.warnings == []


def test_a_policy_that_lets_the_servers_own_quote_pass_is_not_established(world: World) -> None:
    own = ehsm_identity()
    task = policy(world, mr_enclave=own.mr_enclave, mr_signer=own.mr_signer)
    with pytest.raises(EngineError) as caught:
        task.apply()
    intents: Any = world.context.intents
    assert str(caught.value) == (
        "error[policy-not-established]: the quote policy is not established\n"
        f"  is   policy {intents.kept[ADDRESS]['policy_id']}: EHSM answers that"
        " its own quote passes under a policy for another enclave\n"
        "  why  a policy that is not in force would let every enclave have the secrets\n"
        "  fix  look at EHSM's log and its PCCS"
    )
    with pytest.raises(EngineError):
        task.apply()
    assert uploads(world) == 1


@pytest.mark.parametrize("measured", ["ab" * 31, "zz" * 32, ""])
def test_what_is_no_measurement_is_refused_before_anything_is_sent(world: World, measured: str) -> None:
    with pytest.raises(ValidationError, match="mr_enclave"):
        policy(world, mr_enclave=measured).wanted()


def test_a_server_that_refuses_everything_establishes_nothing(world: World) -> None:
    task = policy(world)
    world.answers["VerifyQuote"] = lambda: {"code": 500, "message": "Server exception.", "result": None}
    with pytest.raises(EngineError, match="its own quote does not pass without a policy"):
        task.apply()


def test_a_fault_of_the_server_is_no_refusal_by_the_policy(world: World) -> None:
    task = policy(world)
    genuine = EhsmClient.verify_quote

    def verify(client: EhsmClient, account: Any, quote: bytes, policy_id: str | None = None) -> Any:
        if policy_id is not None:
            words = "Server internal error, please contact the administrator."
            world.answers["VerifyQuote"] = lambda: {"code": 500, "message": words, "result": {}}
        try:
            return genuine(client, account, quote, policy_id=policy_id)
        finally:
            world.answers.clear()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EhsmClient, "verify_quote", verify)
        with pytest.raises(EngineError) as caught:
            task.apply()
    intents: Any = world.context.intents
    assert str(caught.value) == (
        "error[policy-not-established]: the quote policy is not established\n"
        f"  is   under policy {intents.kept[ADDRESS]['policy_id']}:"
        " VerifyQuote: code 500, `Server internal error, please contact the administrator.`\n"
        "  why  a policy that is not in force would let every enclave have the secrets\n"
        "  fix  look at EHSM's log and its PCCS"
    )


def test_an_account_that_is_lost_meanwhile_is_told_as_that(world: World) -> None:
    task = policy(world)
    world.answers["VerifyQuote"] = lambda: {"code": 400, "result": {}}
    with pytest.raises(EngineError, match="it does not know this account"):
        task.apply()


def test_a_policy_at_a_server_that_is_left_for_another_may_be_out_of_reach(world: World) -> None:
    task = policy(world)
    task.apply()
    world.answers["GetQuotePolicy"] = lambda: {"code": 400, "result": {}}
    assert task.observe().exists  # the engine decides without it where the server is to become another one
    for use in (task.plan, task.apply):
        with pytest.raises(EngineError, match="it does not know this account"):
            use()
    assert uploads(world) == 1


def test_another_account_gets_a_policy_of_its_own(world: World) -> None:
    first = policy(world).apply()
    stranger = world.task(EhsmEnroll(), "other-account", server=SERVER).apply()
    moved = policy(world, appid=stranger.appid, apikey=stranger.apikey)
    assert moved.plan().action is ActionKind.CREATE
    assert moved.apply().policy_id != first.policy_id


def test_a_locked_vault_or_an_unknown_measurement_does_not_hinder_the_plan(world: World) -> None:
    task = policy(world)
    task.apply()
    assert task.with_(mr_enclave=Unknown("enclave")).observe().fields == {
        "mr_enclave": "ab" * 32,
        "mr_signer": "cd" * 32,
    }
    vault: Any = world.context.vault
    vault.locked = True
    assert task.with_(apikey=vault.get("ehsm-account")).observe().exists


def test_a_policy_cannot_be_removed(world: World) -> None:
    result = policy(world).apply()
    EhsmPolicy().remove(world.context, world.recorded[ADDRESS])
    assert EhsmPolicy().removal is Removal.IMPOSSIBLE
    assert EhsmPolicy().kept_as(world.recorded[ADDRESS]) == f"EHSM policy {result.policy_id}"

"""attestation_account: a given account, or one kept in the vault and never made twice in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attestation_world import SERVER, URL, AttestationWorld, world_of
from ehsm_world import Switchboard, Task, switchboard

from ppmlctl.diagnostics import EngineError, InputError, StateError
from ppmlctl.modules.attestation_account import AttestationAccount
from ppmlctl.modules.context import AttestationServer, Context
from ppmlctl.planning import ActionKind, Removal
from ppmlctl.secret import Secret

MakeContext = Callable[..., Context]
ADDRESS = "attestation-account"
ORPHAN = [f"an interrupted apply may have left an account that nobody uses at {URL}"]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def world(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[AttestationWorld]:
    with world_of(board, tmp_path / "attestation", make_context) as world:
        yield world


def account(world: AttestationWorld, **given: Any) -> Task:
    return world.task(AttestationAccount(), ADDRESS, server=SERVER, **given)


def vault(world: AttestationWorld) -> Any:
    return world.context.vault


def test_an_account_is_enrolled_once_and_kept(world: AttestationWorld) -> None:
    assert account(world).plan().action is ActionKind.CREATE
    result = account(world).apply()
    assert (result.api_key.handle, len(result.api_key.reveal_bytes())) == (f"vault:{ADDRESS}", 32)
    assert account(world).plan().action is ActionKind.KEEP
    assert account(world).apply().app_id == result.app_id
    assert world.writes == 1


def test_a_crash_before_the_record_takes_the_account_from_the_vault(world: AttestationWorld) -> None:
    first = account(world).apply(record=False)
    assert account(world).apply().app_id == first.app_id
    assert (world.writes, world.warnings) == (1, [])


def test_a_crash_before_the_answer_is_said_and_enrols_again(world: AttestationWorld) -> None:
    world.context.intents.begin(ADDRESS, {"operation": "enroll", "server": URL})
    account(world).apply()
    assert world.warnings == ORPHAN


def test_a_given_account_is_checked_and_nobody_enrols(world: AttestationWorld) -> None:
    enrolled = world.attestation(AttestationServer(URL)).enroll()
    given = account(world, app_id=enrolled.app_id, api_key=enrolled.api_key)
    result = given.apply()
    assert (result.app_id, result.api_key.reveal_text()) == (enrolled.app_id, enrolled.api_key.reveal_text())
    assert given.plan().action is ActionKind.KEEP
    assert (world.writes, list(vault(world).values)) == (1, [ADDRESS])
    vault(world).values.clear()
    assert given.plan().action is ActionKind.CREATE


def test_a_given_account_that_the_service_does_not_know_is_refused(world: AttestationWorld) -> None:
    key = Secret("never-to-be-seen")
    with pytest.raises(EngineError) as caught:
        account(world, app_id="stranger", api_key=key).apply()
    assert "attestation-account-unknown" in str(caught.value)
    assert f"stranger at {URL}" in str(caught.value)
    assert "never-to-be-seen" not in str(caught.value)


def test_another_given_account_replaces(world: AttestationWorld) -> None:
    first = account(world).apply()
    other = world.attestation(AttestationServer(URL)).enroll()
    change = account(world, app_id=other.app_id, api_key=other.api_key).plan()
    assert change.action is ActionKind.REPLACE
    assert change.reasons == (f"account {first.app_id} is left behind at {URL}",)


def test_a_recorded_account_that_the_vault_lacks_is_never_made_anew(world: AttestationWorld) -> None:
    account(world).apply()
    vault(world).values.clear()
    with pytest.raises(StateError, match="attestation-account: the account at the attestation service"):
        account(world).plan()


def test_a_rotation_enrols_another_and_keeps_the_old_one(world: AttestationWorld) -> None:
    first = account(world).apply()
    second = account(world).apply(rotating=True)
    assert second.app_id != first.app_id
    assert any(name.endswith(".account.retired-1") for name in vault(world).values)
    given = account(world, app_id="a", api_key=Secret("k"))
    with pytest.raises(InputError, match="rotation-given"):
        AttestationAccount().rotation(given.wanted(), world.recorded[ADDRESS])


def test_only_a_sandbox_that_is_no_more_is_enrolled_at_again(
    board: Switchboard, tmp_path: Path, make_context: MakeContext, world: AttestationWorld
) -> None:
    first = account(world).apply()
    world.forget()
    assert account(world).plan().action is ActionKind.KEEP
    assert account(world).apply().app_id == first.app_id
    with world_of(board, tmp_path / "sandbox", make_context, target="sandbox") as other:
        lost = account(other).apply()
        other.forget()
        assert account(other).plan().action is ActionKind.UPDATE
        assert account(other).apply().app_id != lost.app_id


def test_it_stays_at_the_service(world: AttestationWorld) -> None:
    result = account(world).apply()
    recorded = world.recorded[ADDRESS]
    assert AttestationAccount().removal_of(recorded) is Removal.IMPOSSIBLE
    AttestationAccount().remove(world.context, recorded)
    assert AttestationAccount().kept_as(recorded) == f"attestation service account {result.app_id}"

"""ehsm_service: a server at a given address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ehsm_world import SERVER, URL, Switchboard, Task, World, switchboard, world_of

from ppmlctl.diagnostics import EngineError, TransientError
from ppmlctl.modules import _answering
from ppmlctl.modules.context import Context
from ppmlctl.modules.ehsm_service import EhsmService
from ppmlctl.planning import ActionKind, Removal
from ppmlctl.unknown import Unknown

MakeContext = Callable[..., Context]
REFUSED = {"code": 400, "message": {}, "result": {}}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def world(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[World]:
    with world_of(board, tmp_path / "ehsm", make_context) as world:
        yield world


def service(world: World) -> Task:
    return world.task(EhsmService(), "ehsm", **SERVER)


def test_a_server_that_answers_is_taken_and_then_kept(world: World) -> None:
    result = service(world).apply()
    assert (result.url, result.version, result.ca, result.insecure) == (URL, "sandbox", None, False)
    assert service(world).plan().action is ActionKind.KEEP


def test_a_plan_foresees_what_those_behind_it_need(world: World) -> None:
    assert service(world).plan().action is ActionKind.CREATE
    assert service(world).observe().foreseen == SERVER | {
        "ca": None,
        "fingerprint": None,
        "insecure": False,
        "version": "sandbox",
    }


def test_another_version_is_drift(world: World) -> None:
    service(world).apply()
    world.answers["GetVersion"] = lambda: {"code": 200, "message": "", "result": {"version": "2"}}
    change = service(world).plan()
    assert (change.action, [(f.path, f.before) for f in change.fields]) == (ActionKind.UPDATE, [("version", "2")])


def test_an_url_that_is_not_known_yet_is_not_looked_at(world: World) -> None:
    assert not service(world).with_(url=Unknown("deployment")).observe().exists


def test_a_new_server_may_come_up_later_and_a_known_one_may_not_be_away(world: World) -> None:
    service(world).apply()
    world.answers["GetVersion"] = lambda: REFUSED
    with pytest.raises(TransientError):
        service(world).plan()
    world.recorded.clear()
    assert service(world).plan().action is ActionKind.CREATE


def test_apply_waits_until_the_server_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_answering, "_BETWEEN_TRIES", 0.0)
    tries = iter([REFUSED, REFUSED, {"code": 200, "message": "", "result": {"version": "3"}}])
    world.answers["GetVersion"] = lambda: next(tries)
    world.recorded.clear()
    task = service(world)
    assert task.module.apply(task.context, task.wanted().args, task.observe()).version == "3"


def test_apply_does_not_wait_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_answering, "WAIT_SECONDS", 0.0)
    world.answers["GetVersion"] = lambda: REFUSED
    with pytest.raises(EngineError) as caught:
        service(world).apply()
    assert not isinstance(caught.value, TransientError)


def test_a_stop_ends_the_wait(world: World) -> None:
    world.answers["GetVersion"] = lambda: REFUSED
    world.context.stopping.set()
    with pytest.raises(EngineError):
        service(world).apply()


def test_an_insecure_server_is_said_aloud(world: World) -> None:
    insecure = service(world).with_(insecure=True).wanted().args
    assert EhsmService().notes(insecure) == (f"EHSM at {URL}: its certificate is not checked (insecure: true)",)
    assert EhsmService().notes(service(world).wanted().args) == ()


def test_the_server_is_left_alone(world: World) -> None:
    service(world).apply()
    EhsmService().remove(world.context, world.recorded["ehsm"])
    assert EhsmService().removal is Removal.KEEP
    assert EhsmService().kept_as(world.recorded["ehsm"]) == f"EHSM at {URL}"

"""attestation_service: a service at a given address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from attestation_world import SERVER, URL, AttestationWorld, unavailable, world_of
from ehsm_world import Switchboard, Task, switchboard

from ppmlctl.clients.attestation import ServerTrust
from ppmlctl.diagnostics import EngineError
from ppmlctl.evidence import Evidence
from ppmlctl.modules import _answering
from ppmlctl.modules.attestation_service import AttestationService
from ppmlctl.modules.context import Context
from ppmlctl.planning import ActionKind, Removal
from ppmlctl.unknown import Unknown

MakeContext = Callable[..., Context]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def world(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[AttestationWorld]:
    with world_of(board, tmp_path / "attestation", make_context) as world:
        yield world


def service(world: AttestationWorld, **arguments: object) -> Task:
    return world.task(AttestationService(), "attestation-service", **{**SERVER, **arguments})


def test_a_service_that_answers_is_reached_once(world: AttestationWorld) -> None:
    assert service(world).plan().action is ActionKind.CREATE
    result = service(world).apply()
    assert (result.url, result.evidence) == (URL, None)
    assert service(world).plan().action is ActionKind.KEEP
    assert world.writes == 0


def test_the_sandboxs_is_simulated(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> None:
    with world_of(board, tmp_path / "attestation", make_context, target="sandbox") as world:
        assert service(world).apply().evidence is Evidence.SIMULATED


def test_a_service_that_is_not_there_yet_is_waited_for(
    world: AttestationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, world.board.app = world.board.app, unavailable
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        world.board.app = app

    monkeypatch.setattr(_answering, "_BETWEEN_TRIES", 0.0)
    world.context = replace(world.context, tell=tell)
    assert service(world).apply().url == URL
    assert told == [f"waiting for {URL}"]


def test_a_service_that_is_away_is_planned_to_be_waited_for(world: AttestationWorld) -> None:
    """Recorded or not: what deploys it comes before it."""
    service(world).apply()
    world.board.app = unavailable
    assert service(world).plan().action is ActionKind.CREATE


def test_another_server_at_its_address_is_planned_away_and_refused_by_apply(world: AttestationWorld) -> None:
    """Before it is deployed somebody else may answer there: a plan that fails could never deploy it."""
    world.trust = ServerTrust(fingerprint="00" * 32)
    assert service(world).plan().action is ActionKind.CREATE
    with pytest.raises(EngineError, match="attestation-untrusted"):
        service(world).apply()


def test_a_service_that_never_answers_ends_the_wait(world: AttestationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.board.app = unavailable
    monkeypatch.setattr(_answering, "WAIT_SECONDS", 0.0)
    with pytest.raises(EngineError, match="attestation-unreachable"):
        service(world).apply()


def test_nothing_unknown_is_asked(world: AttestationWorld) -> None:
    world.board.app = None
    assert service(world, url=Unknown("deployed")).observe().exists is False


def test_every_plan_says_what_its_verdicts_rest_on(world: AttestationWorld) -> None:
    args = service(world).wanted().args
    (note,) = AttestationService().notes(args)
    assert note == (
        f"attestation service at {URL}: it signs no verdict, and the images' client accepts any certificate: "
        "pods believe whoever answers there"
    )
    assert len(AttestationService().notes(args.model_copy(update={"insecure": True}))) == 2


def test_it_is_left_alone(world: AttestationWorld) -> None:
    service(world).apply()
    recorded = world.recorded["attestation-service"]
    assert AttestationService().removal_of(recorded) is Removal.KEEP
    AttestationService().remove(world.context, recorded)
    assert AttestationService().kept_as(recorded) == f"attestation service at {URL}"

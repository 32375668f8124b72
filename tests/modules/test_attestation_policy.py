"""attestation_policy: registered once for what may pass, and shown to be in force where a quote of that is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from attestation_world import SERVER, URL, AttestationWorld, unavailable, world_of
from ehsm_world import Switchboard, Task, switchboard

from ppmlctl.attestation import Account
from ppmlctl.clients.attestation import AttestationClient
from ppmlctl.diagnostics import EngineError, InputError
from ppmlctl.evidence import Evidence
from ppmlctl.modules.attestation_policy import AttestationPolicy
from ppmlctl.modules.context import AttestationServer, Context
from ppmlctl.planning import ActionKind, Removal
from ppmlctl.sandbox.ehsm import Flaws
from ppmlctl.sandbox.ehsm.made_up import DOMAIN

MakeContext = Callable[..., Context]
ADDRESS = "attestation-policy"
MR_TD = DOMAIN.mr_td.hex()
RTMRS = [one.hex() for one in (DOMAIN.rtmr0, DOMAIN.rtmr1, DOMAIN.rtmr2, DOMAIN.rtmr3)]
ENCLAVE = "00" + "0a" * 31


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def make_world(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Callable[..., Any]:
    return lambda **options: world_of(board, tmp_path / "attestation", make_context, **options)


@pytest.fixture
def world(make_world: Callable[..., Any]) -> Iterator[AttestationWorld]:
    with make_world() as world:
        yield world


def client(world: AttestationWorld) -> AttestationClient:
    return world.attestation(AttestationServer(URL))


def policy(world: AttestationWorld, **arguments: Any) -> Task:
    """Of one account, which each test enrols once."""
    if "account" not in vars(world):
        world.account = client(world).enroll()  # type: ignore[attr-defined]  # the test's own
    account: Account = world.account  # type: ignore[attr-defined]  # the same
    given = {"server": SERVER, "app_id": account.app_id, "api_key": account.api_key, **arguments}
    return world.task(AttestationPolicy(), ADDRESS, **given)


def control(world: AttestationWorld, quote: bytes | None = None) -> str:
    world.context.files.path("td.quote").write_bytes(world.quoting.quote_of_domain() if quote is None else quote)
    return "td.quote"


def passes(world: AttestationWorld, policy_id: str, quote: bytes) -> bool:
    account: Account = world.account  # type: ignore[attr-defined]  # the same
    return client(world).verify_quote(account, quote, policy_id).passes


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"mr_enclave": ENCLAVE}, "SGXMREnclavePolicy"),
        ({"mr_enclave": ENCLAVE, "mr_signer": "0b" * 32, "prod_id": 1}, "SGXMRSignerPolicy"),
        ({"mr_enclave": ENCLAVE, "mr_td": MR_TD}, "TDXMRTDPolicy"),
        ({"mr_td": MR_TD, "rtmrs": RTMRS}, "TDXLaunchTimePolicy"),
    ],
)
def test_what_may_pass_is_registered_once(world: AttestationWorld, arguments: dict[str, Any], kind: str) -> None:
    task = policy(world, **arguments)
    assert task.plan().action is ActionKind.CREATE
    result = task.apply()
    assert (result.policy_type, result.evidence) == (kind, Evidence.NOT_VERIFIED)
    assert task.plan().action is ActionKind.KEEP
    assert task.apply().policy_id == result.policy_id
    assert world.writes == 2  # the account, and this
    quote = world.quoting.quote_of(bytes.fromhex(ENCLAVE), b"\x0b" * 32)
    assert passes(world, result.policy_id, world.quoting.quote_of_domain() if "mr_td" in arguments else quote)


def test_a_measurement_that_begins_with_zeros_passes(world: AttestationWorld) -> None:
    result = policy(world, mr_enclave=ENCLAVE).apply()
    assert passes(world, result.policy_id, world.quoting.quote_of(bytes.fromhex(ENCLAVE), bytes(32)))
    assert not passes(world, result.policy_id, world.quoting.quote_of(b"\1" * 32, bytes(32)))


def test_another_measurement_replaces_and_leaves_the_old_one(world: AttestationWorld) -> None:
    first = policy(world, mr_td=MR_TD).apply()
    other = policy(world, mr_td=MR_TD, rtmrs=RTMRS)
    change = other.plan()
    assert change.action is ActionKind.REPLACE
    assert change.reasons[-1] == f"policy {first.policy_id} is left behind, the service cannot remove it"
    assert other.apply().policy_id != first.policy_id


def test_another_service_has_another_policy_even_for_the_same_account(world: AttestationWorld) -> None:
    """A given account may be known to both; the policy's id is known to one."""
    first = policy(world, mr_td=MR_TD).apply()
    moved = policy(world, mr_td=MR_TD, server={"url": "https://localhost:9875"})
    change = moved.plan()
    assert change.action is ActionKind.REPLACE
    assert change.reasons[-1] == f"policy {first.policy_id} is left behind, the service cannot remove it"
    assert moved.apply().policy_id != first.policy_id
    assert moved.plan().action is ActionKind.KEEP


def test_another_way_to_trust_the_service_keeps_the_policy(world: AttestationWorld) -> None:
    first = policy(world, mr_td=MR_TD).apply()
    trusting = policy(world, mr_td=MR_TD, server={"url": URL, "insecure": True})
    assert trusting.plan().action is ActionKind.UPDATE
    assert trusting.apply().policy_id == first.policy_id


def test_what_a_killed_apply_registered_elsewhere_is_not_taken(world: AttestationWorld) -> None:
    first = policy(world, mr_td=MR_TD).apply(record=False)
    moved = policy(world, mr_td=MR_TD, server={"url": "https://localhost:9875"})
    assert moved.apply().policy_id != first.policy_id


def test_a_crash_before_the_record_registers_no_second_one(world: AttestationWorld) -> None:
    first = policy(world, mr_td=MR_TD).apply(record=False)
    assert policy(world, mr_td=MR_TD).apply().policy_id == first.policy_id
    assert (world.writes, world.warnings) == (2, [])


def test_a_crash_before_the_answer_is_said(world: AttestationWorld) -> None:
    task = policy(world, mr_td=MR_TD)
    world.context.intents.begin(ADDRESS, {"operation": "registerPolicy"})
    task.apply()
    assert world.warnings == [f"an interrupted apply may have left a policy that nobody uses at {URL}"]


def test_a_rotation_registers_another(world: AttestationWorld) -> None:
    first = policy(world, mr_td=MR_TD).apply()
    assert policy(world, mr_td=MR_TD).apply(rotating=True).policy_id != first.policy_id


def test_a_control_quote_shows_that_the_policy_is_in_force(world: AttestationWorld) -> None:
    task = policy(world, mr_td=MR_TD, control=control(world))
    result = task.apply()
    assert result.evidence is Evidence.REPORTED
    writes = world.writes
    assert task.plan().action is ActionKind.KEEP
    assert world.writes == writes


def test_a_control_quote_shows_that_the_service_lost_its_policies(world: AttestationWorld) -> None:
    """What without one nobody sees: the service cannot be asked for a policy."""
    task = policy(world, mr_td=MR_TD, control=control(world))
    first = task.apply()
    for path in world.folder.glob("attestation.sqlite"):
        with sqlite3.connect(path) as database:
            database.execute("DELETE FROM policies")
    assert policy(world, mr_td=MR_TD).plan().action is ActionKind.UPDATE  # another `control`, as declared
    assert task.plan().action is ActionKind.CREATE
    assert task.apply().policy_id != first.policy_id


def test_a_service_whose_policies_do_nothing_is_not_established(make_world: Callable[..., Any]) -> None:
    with make_world(flaws=Flaws(ignores_policies=True)) as world:
        with pytest.raises(EngineError) as caught:
            policy(world, mr_td=MR_TD, control=control(world)).apply()
        assert "policy-not-established" in str(caught.value)
        assert "the control quote passes under a policy that nothing meets" in str(caught.value)


def test_a_service_that_is_away_says_nothing_of_its_policies(world: AttestationWorld) -> None:
    task = policy(world, mr_td=MR_TD, control=control(world))
    task.apply()
    world.board.app = unavailable
    assert task.plan().action is ActionKind.KEEP


@pytest.mark.parametrize("flaws", [Flaws(refuses_quotes=True), Flaws(pccs_lost=True), Flaws(pck_revoked=True)])
def test_a_service_that_verifies_nothing_is_told(make_world: Callable[..., Any], flaws: Flaws) -> None:
    with make_world(flaws=flaws) as world, pytest.raises(EngineError, match="attestation-service-failed"):
        policy(world, mr_td=MR_TD, control=control(world)).apply()


@pytest.mark.parametrize("content", [b"", b"no quote", b"\0" * 5000])
def test_a_control_that_is_no_quote_is_refused(world: AttestationWorld, content: bytes) -> None:
    task = policy(world, mr_td=MR_TD, control=control(world, content))
    with pytest.raises(InputError, match="control-quote-unfit"):
        task.apply()


def test_a_control_of_something_else_is_refused_before_anything_is_sent(world: AttestationWorld) -> None:
    quote = world.quoting.quote_of_domain(replace(DOMAIN, mr_td=b"\1" * 48, rtmr2=b"\2" * 48))
    task = policy(world, mr_td=MR_TD, rtmrs=RTMRS, control=control(world, quote))
    writes = world.writes
    with pytest.raises(InputError, match=r"td\.quote: it shows another mrTD, rtmr than the policy says"):
        task.apply()
    assert world.writes == writes


def test_a_control_that_is_not_there_is_refused(world: AttestationWorld) -> None:
    with pytest.raises(InputError, match="control-quote-unfit"):
        policy(world, mr_td=MR_TD, control="nowhere").apply()


def test_it_stays_at_the_service(world: AttestationWorld) -> None:
    result = policy(world, mr_td=MR_TD).apply()
    recorded = world.recorded[ADDRESS]
    assert AttestationPolicy().removal_of(recorded) is Removal.IMPOSSIBLE
    AttestationPolicy().remove(world.context, recorded)
    assert AttestationPolicy().kept_as(recorded) == f"attestation service policy {result.policy_id}"

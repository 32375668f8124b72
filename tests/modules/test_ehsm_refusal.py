"""Why EHSM refused a run's pods, which are told no reason: EHSM itself is asked, as the account that they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ehsm_world import SERVER, URL, Switchboard, World, switchboard, world_of

from ppmlctl.diagnostics import EngineError
from ppmlctl.flows.spark.arguments import SparkSubmitArgs, run_digest
from ppmlctl.flows.spark.modules.spark_submit import SparkSubmit
from ppmlctl.flows.spark.run import SparkJudge, run_of
from ppmlctl.flows.spark.submission import Submission
from ppmlctl.modules._ehsm import AccountArgs
from ppmlctl.modules._ehsm_refusal import AttestingAccount
from ppmlctl.modules.context import Context
from ppmlctl.modules.ehsm_enroll import EhsmEnroll
from ppmlctl.modules.ehsm_policy import EhsmPolicy
from ppmlctl.runs.execution import Execution
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.refusal import Refusal
from ppmlctl.runs.submitter import SubmitState
from ppmlctl.secret import Secret

MakeContext = Callable[..., Context]
STRANGER = "11111111-2222-3333-4444-555555555555"
OTHER_KEY = "0123456789ABCDEFabcdefghijkmnpqr"
ASKED = f"EHSM, asked from here at {URL},"
ENROL = "restore EHSM's database, or enrol anew:\nppmlctl apply --rotate ehsm-account"
REFUSED = 'postResult:{}\norg.json.JSONException: JSONObject["sign"] not found.'
PI = Submission("pi-0-1", "pi", "ppml", "ppml/custom:1", "local:///a.jar", "spark", mode="local", deadline=60)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def world(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[World]:
    with world_of(board, tmp_path / "ehsm", make_context) as world:
        yield world


def attesting(world: World) -> AttestingAccount:
    """With an account and a policy that EHSM has."""
    enrolled = world.task(EhsmEnroll(), "ehsm-account", server=SERVER).apply()
    account = {"server": SERVER, "appid": enrolled.appid, "apikey": enrolled.apikey}
    measured = {"mr_enclave": "ab" * 32, "mr_signer": "cd" * 32}
    policy = world.task(EhsmPolicy(), "ehsm-policy", **account, **measured).apply()
    return AttestingAccount(AccountArgs.model_validate(account), policy.policy_id, "kms-secret")


def with_(known: AttestingAccount, **changes: Any) -> AttestingAccount:
    return replace(known, args=known.args.model_copy(update=changes))


def test_a_lost_account_is_told_with_the_way_to_a_new_one(world: World) -> None:
    lost = with_(attesting(world), appid=STRANGER)
    assert lost.refusal(world.context) == Refusal(f"{ASKED} does not know the account {STRANGER}", ENROL)


def test_a_key_of_another_account_is_told(world: World) -> None:
    wrong = with_(attesting(world), apikey=Secret(OTHER_KEY))
    told = wrong.refusal(world.context)
    assert told.said == f"{ASKED} knows the account {wrong.args.appid} with another apikey"
    assert told.fix == "compare appid and apikey with those of the enrolment"


def test_a_policy_that_the_account_does_not_have_is_told(world: World) -> None:
    known = replace(attesting(world), policy_id=STRANGER)
    said = f"{ASKED} takes the account {known.args.appid}, which has no policy {STRANGER}"
    assert known.refusal(world.context) == Refusal(said, "upload the policy again:\nppmlctl apply")


def test_where_ehsm_takes_both_the_pods_have_other_values_or_another_time(world: World) -> None:
    known = attesting(world)
    asked = len(world.sent())
    told = known.refusal(world.context)
    assert told.said == (
        f"{ASKED} takes the account {known.args.appid} and has its policy {known.policy_id}: "
        "the pods have other values from Secret kms-secret, or their node's clock is 10 minutes off"
    )
    assert told.fix == "ppmlctl plan compares the Secret with the vault; on the pod's node: date -u"
    assert world.sent()[asked:] == ["GetQuotePolicy"]


def test_without_a_policy_the_account_alone_is_asked_about(world: World) -> None:
    known = replace(attesting(world), policy_id=None)
    said = f"{ASKED} takes the account {known.args.appid}: the pods have other values"
    assert known.refusal(world.context).said.startswith(said)
    lost = with_(known, appid=STRANGER)
    assert lost.refusal(world.context) == Refusal(f"{ASKED} does not know the account {STRANGER}", ENROL)


def test_an_ehsm_without_its_database_cannot_be_asked(world: World) -> None:
    known = attesting(world)
    world.answers["GetQuotePolicy"] = lambda: {"code": 400, "message": {}, "result": {}}
    told = known.refusal(world.context)
    assert told == Refusal("EHSM could not be asked why: GetQuotePolicy: code 400, no message")


def test_a_locked_vault_leaves_nobody_to_ask_as(world: World) -> None:
    vault: Any = world.context.vault
    known = with_(attesting(world), apikey=vault.get("ehsm-account"))
    vault.locked = True
    assert known.refusal(world.context) == Refusal("EHSM was not asked why: the vault is locked")


class Ended:
    """A submitter whose run has failed already, with the log that the image's client leaves."""

    def __str__(self) -> str:
        return "job pi-0-1"

    def begin(self) -> float:
        return 0.0

    def look(self, _pods: Pods) -> SubmitState:
        return SubmitState("failed", "it ended with exit code 1")

    def pod(self, _pods: Pods) -> None:
        return None

    def log(self, _pods: Pods) -> str:
        return REFUSED

    def end(self) -> None:
        """It has."""


def failed(world: World, account: AttestingAccount | None) -> tuple[str, str]:
    """What is found, and the remedy."""
    cluster = SimpleNamespace(list_objects=lambda *_arguments, **_selectors: [])
    engines: Any = SimpleNamespace(kubernetes=cluster, ehsm=world.ehsm)
    context = replace(world.context, engines=engines)
    ask = partial(account.refusal, context) if account else None
    run = Execution(context, run_of(PI), cast("Any", Ended()), SparkJudge(PI, ask=ask))
    with pytest.raises(EngineError) as raised:
        run.outcome()
    (diagnostic,) = raised.value.diagnostics
    return diagnostic.found, diagnostic.fix


def test_a_run_that_ehsm_refused_says_which_it_was(world: World) -> None:
    found, fix = failed(world, with_(attesting(world), appid=STRANGER))
    assert found.splitlines()[0] == "job pi-0-1: it ended with exit code 1"
    assert found.splitlines()[-1] == f"{ASKED} does not know the account {STRANGER}"
    assert fix == ENROL


def test_a_run_that_attests_to_another_service_asks_no_ehsm(world: World) -> None:
    found, fix = failed(world, None)
    assert ASKED not in found
    assert fix == "mend the cause; the next apply makes another attempt"


def test_who_is_asked_makes_no_other_run_and_no_change_of_one() -> None:
    given = {"name": "pi", "namespace": "n", "image": "i", "application": "local:///a.jar"}
    account = {"server": SERVER, "appid": STRANGER, "apikey": Secret(OTHER_KEY)}
    without, asked = (SparkSubmitArgs.model_validate(one) for one in (given, given | {"ehsm": account}))
    assert (without.ehsm.account, asked.ehsm.account) == (None, AccountArgs.model_validate(account))
    assert run_digest(without) == run_digest(asked)
    assert SparkSubmit().fingerprint(without, bytes.hex) == SparkSubmit().fingerprint(asked, bytes.hex)

"""What a changed record names is asked for nothing: removals go to servers, and by keys, that tasks name."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ppmlctl.diagnostics import StateError
from ppmlctl.engine.believable import Believable
from ppmlctl.engine.unasked import unasked
from ppmlctl.modules.registry import Registry
from ppmlctl.planning import ActionKind, Planner, Recorded, Removal, Wanted
from ppmlctl.secret import Secret

SERVER = {"url": "https://ehsm:9000", "ca": "ca.pem", "fingerprint": None, "insecure": False}
TODAY = [(Wanted("ehsm", None, SERVER), "ehsm_service")]
KEPT = Recorded("ehsm_enroll", {"server": SERVER}, {"appid": "a", "apikey": Secret("k", handle="vault:account")})


def secret(server: dict[str, Any] = SERVER, handle: str = "vault:account") -> Recorded:
    result = {"name": "n", "apikey": Secret("k", handle=handle), "version": 1, "description": "", "leaving": False}
    return Recorded("ehsm_secret", {"server": server, "appid": "a", "recovery_days": 30}, result)


def why(entry: Recorded) -> dict[str, str]:
    return unasked({"account": KEPT, "secret": entry}, TODAY, Registry())


def test_a_removal_asks_the_server_that_a_task_names_by_a_key_that_one_keeps() -> None:
    assert why(secret()) == {}


@pytest.mark.parametrize("change", [{"url": "https://evil"}, {"ca": None}, {"insecure": True}, {"fingerprint": "ab"}])
def test_it_asks_no_server_that_the_record_alone_names(change: dict[str, Any]) -> None:
    assert why(secret({**SERVER, **change})) == {"secret": "no task names its server"}


@pytest.mark.parametrize("handle", ["file:keys/enclave.pem", "vault:other"])
def test_it_signs_by_no_secret_that_the_record_alone_names(handle: str) -> None:
    assert why(secret(handle=handle)) == {"secret": "no task keeps its apikey"}


def test_such_a_thing_is_left_and_the_plan_says_why() -> None:
    recorded = {"secret": secret()}
    planner = Planner(Registry(), {}, recorded, lambda _: None, unasked={"secret": "no task names its server"})
    (action,) = planner.plan([]).actions
    assert (action.action, action.removal) == (ActionKind.DELETE, Removal.IMPOSSIBLE)
    assert action.reasons == ("no task wants it any more; cannot be removed, left behind: no task names its server",)


def test_what_a_kept_thing_hands_on_is_what_its_arguments_are_and_not_what_its_record_says() -> None:
    module = Registry()["ehsm_service"]
    args = module.Args.model_validate(SERVER)
    kept = module.kept_result(args, Recorded("ehsm_service", SERVER, {**SERVER, "url": "https://evil", "version": "1"}))
    assert kept == {**SERVER, "version": "1"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"recovery_days": 0}, "recovery_days"),
        ({"recovery_days": None}, "recovery_days"),
        ({"server": {**SERVER, "ca": ["x"]}}, "server"),
        ({"server": 5}, "server"),
        ({"appid": ["a"]}, "appid"),
    ],
)
def test_how_a_removal_is_asked_for_is_believed_only_as_the_module_writes_it(
    change: dict[str, Any], field: str, tmp_path: Path
) -> None:
    written = secret()
    inputs = {**written.inputs, "name": "n", "value": {"$digest": "ab"}, "apikey": {"$digest": "ab"}}

    def check(inputs: dict[str, Any]) -> None:
        recorded = {"secret": Recorded("ehsm_secret", inputs, written.result)}
        Believable(recorded, {}, (), Registry(), tmp_path, "ppml.lock").check()

    check(inputs)
    with pytest.raises(StateError) as refused:
        check({**inputs, **change})
    assert refused.value.diagnostics[0].found == f"secret: inputs.{field} is no value that ehsm_secret writes"


def test_a_server_of_another_shape_is_none() -> None:
    assert Registry()["ehsm_attest"].asks({"server": {**SERVER, "ca": ["x"]}}) is None


def test_a_kept_run_hands_on_its_own_name_and_not_its_workloads() -> None:
    module = Registry()["spark_submit"]
    args: Any = SimpleNamespace(name="pi", namespace="default")
    recorded = Recorded("spark_submit", {}, {"name": "pi-a968e91e-1", "namespace": "other"})
    assert module.kept_result(args, recorded) == {"name": "pi-a968e91e-1", "namespace": "default"}

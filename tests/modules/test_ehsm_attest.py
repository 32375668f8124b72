"""ehsm_attest: a server's quote decides whether its account leaves quarantine."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from ehsm_world import SERVER, URL, Switchboard, Task, World, switchboard, world_of

from ppmlctl.dcap import Collateral, ReportBody
from ppmlctl.diagnostics import EngineError, InputError, TransientError
from ppmlctl.ehsm import NOT_BOUND
from ppmlctl.evidence import Evidence
from ppmlctl.modules.context import Context
from ppmlctl.modules.ehsm_attest import EhsmAttest
from ppmlctl.modules.ehsm_enroll import EhsmEnroll
from ppmlctl.planning import ActionKind
from ppmlctl.sandbox.ehsm import Flaws, ehsm_identity
from ppmlctl.unknown import Unknown

MakeContext = Callable[..., Context]
IDENTITY = {"mr_enclave": ehsm_identity().mr_enclave}
UNVERIFIED = "the quote was not verified: there is no collateral to verify it with; name pccs.url"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def sandbox(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[World]:
    """`target: sandbox`"""
    with world_of(board, tmp_path / "ehsm", make_context, target="sandbox") as world:
        yield world


@pytest.fixture
def cluster(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[World]:
    """`target: cluster`, at which the sandbox's EHSM listens."""
    with world_of(board, tmp_path / "ehsm", make_context) as world:
        yield world


PASSED_ON = "TLS does not authenticate the server, so the quote may be passed on from another one"


def private(world: World, **changes: Any) -> dict[str, Any]:
    """What accepts the sandbox's quote for a cluster."""
    root = str(world.folder / "quote-root.pem")
    return {"identity": IDENTITY, "trust_root": root, "pccs": {"url": URL}} | changes


def attestation(world: World, **arguments: Any) -> Task:
    enrolled = world.task(EhsmEnroll(), "ehsm-account", server=SERVER).apply()
    account = {"server": SERVER, "appid": enrolled.appid, "apikey": enrolled.apikey}
    return world.task(EhsmAttest(), "ehsm-attestation", **(account | arguments))


def refusal(task: Task) -> tuple[str, list[str]]:
    with pytest.raises(EngineError) as caught:
        task.apply()
    (found,) = caught.value.diagnostics
    return found.code, found.found.splitlines()[1:]


def test_the_sandboxs_quote_is_accepted_as_simulated(sandbox: World) -> None:
    task = attestation(sandbox)
    assert task.plan().action is ActionKind.CREATE
    result = task.apply()
    assert result.verdict == f"simulated: {NOT_BOUND}"
    assert (result.evidence, result.root, result.tcb_status) == (Evidence.SIMULATED, "sandbox", "UpToDate")
    assert (result.mr_enclave, result.mr_signer) == (ehsm_identity().mr_enclave, ehsm_identity().mr_signer)
    assert (result.appid, result.apikey.handle) == (task.arguments["appid"], "vault:ehsm-account")
    assert task.plan().action is ActionKind.KEEP


def test_only_a_quote_is_asked_for_with_a_quarantined_account(sandbox: World) -> None:
    attestation(sandbox).apply()
    assert sandbox.sent() == ["Enroll", "GenerateQuote"]


def test_an_identity_that_is_asked_for_counts_in_the_sandbox_too(sandbox: World) -> None:
    code, faults = refusal(attestation(sandbox, identity={"mr_signer": "00" * 32}))
    assert code == "ehsm-refused-attestation"
    assert faults == [f"MRSIGNER is {ehsm_identity().mr_signer}, expected {'00' * 32}"]


def test_a_refused_server_keeps_the_account_for_the_next_apply(sandbox: World) -> None:
    refusal(attestation(sandbox, identity={"mr_signer": "00" * 32}))
    attestation(sandbox).apply()
    assert sandbox.sent().count("Enroll") == 1


def test_the_sandboxs_root_is_not_accepted_for_a_cluster(cluster: World) -> None:
    collateral = str(cluster.folder / "collateral.json")
    code, faults = refusal(attestation(cluster, identity=IDENTITY, collateral=collateral))
    assert code == "ehsm-not-verified"
    assert len(faults) == 1
    assert faults[0].startswith("the quote was not verified: the quote's chain ends in the root certificate")
    assert "which is not Intel's" in faults[0]


def test_an_explicit_root_is_accepted_and_called_private(cluster: World) -> None:
    result = attestation(cluster, **private(cluster)).apply()
    assert result.verdict == f"private root: {NOT_BOUND}"
    assert (result.evidence, result.root) == (Evidence.VERIFIED, "private root")


def test_collateral_may_come_from_a_file(cluster: World) -> None:
    folder = cluster.folder
    paths = {"trust_root": str(folder / "quote-root.pem"), "collateral": str(folder / "collateral.json")}
    assert attestation(cluster, identity=IDENTITY, **paths).apply().tcb_status == "UpToDate"


def test_a_cluster_needs_an_identity(cluster: World) -> None:
    code, faults = refusal(attestation(cluster, **private(cluster, identity={})))
    assert code == "ehsm-refused-attestation"
    assert faults == ["neither MRENCLAVE nor MRSIGNER is expected, so every enclave would do"]


def test_an_unauthenticated_channel_verifies_nothing(cluster: World) -> None:
    insecure = private(cluster, server=SERVER | {"insecure": True})
    code, faults = refusal(attestation(cluster, **insecure))
    assert code == "ehsm-not-verified"
    assert faults == [PASSED_ON]
    assert attestation(cluster, **insecure, attest="warn").apply().evidence is Evidence.NOT_VERIFIED


def test_the_whole_refusal_reads_well(cluster: World) -> None:
    with pytest.raises(EngineError) as caught:
        attestation(cluster, identity=IDENTITY).apply()
    assert str(caught.value) == (
        "error[ehsm-not-verified]: EHSM could not be verified\n"
        f"  is   {URL}\n"
        f"       {UNVERIFIED}\n"
        "  why  the account stays quarantined: nothing is entrusted to this server\n"
        "  fix  correct kms.ehsm (identity, accept_tcb, trust_root, tls), pccs, or the server;"
        " the next apply uses the account"
    )


def test_freshness_can_be_required_and_todays_server_has_none(sandbox: World) -> None:
    code, faults = refusal(attestation(sandbox, freshness="require"))
    assert code == "ehsm-refused-attestation"
    assert faults == ["the quote does not bind the challenge sent, so it may be another server's or an old one"]


def test_a_warning_lets_an_unverified_server_pass_as_unverified(cluster: World) -> None:
    task = attestation(cluster, identity=IDENTITY, attest="warn")
    result = task.apply()
    assert (result.verdict, result.evidence, result.root) == ("not verified", Evidence.NOT_VERIFIED, "")
    assert result.tcb_status == "not verified"
    assert cluster.warnings == [f"EHSM is not verified: {UNVERIFIED}"]
    assert task.plan().action is ActionKind.KEEP


def test_a_skipped_attestation_asks_for_no_quote(cluster: World) -> None:
    task = attestation(cluster, attest="skip")
    result = task.apply()
    assert (result.verdict, result.evidence, result.mr_enclave) == ("not verified", Evidence.NOT_VERIFIED, "")
    assert task.plan().action is ActionKind.KEEP
    assert cluster.sent() == ["Enroll"]


@pytest.mark.parametrize("attest", ["warn", "skip"])
def test_letting_a_server_pass_is_said_aloud(sandbox: World, attest: str) -> None:
    args = attestation(sandbox, attest=attest).wanted().args
    words = f"EHSM's quote decides nothing (attest: {attest}): its account is used whatever the server is"
    assert EhsmAttest().notes(args) == (words,)
    assert EhsmAttest().notes(attestation(sandbox).wanted().args) == ()


def test_another_enclave_behind_the_same_server_is_drift(sandbox: World) -> None:
    task = attestation(sandbox)
    task.apply()
    recorded = sandbox.recorded["ehsm-attestation"].result
    assert isinstance(recorded, dict)
    recorded["mr_enclave"] = "11" * 32
    change = task.plan()
    assert change.action is ActionKind.UPDATE
    assert [(f.path, f.before, f.after) for f in change.fields] == [
        ("mr_enclave", ehsm_identity().mr_enclave, "11" * 32)
    ]


def test_a_server_that_turned_into_a_debug_enclave_is_not_kept(sandbox: World, monkeypatch: pytest.MonkeyPatch) -> None:
    task = attestation(sandbox)
    task.apply()
    monkeypatch.setattr(ReportBody, "debug", property(lambda _: True))  # it is no part of the measurement
    change = task.plan()
    assert change.action is ActionKind.UPDATE
    assert [(f.path, f.before, f.after) for f in change.fields] == [
        ("verdict", "not verified", f"simulated: {NOT_BOUND}")
    ]
    assert refusal(task)[1] == ["it is a debug enclave, whose memory its host can read"]


def test_a_server_that_is_left_for_another_may_be_gone(sandbox: World) -> None:
    task = attestation(sandbox)
    task.apply()
    sandbox.answers["GenerateQuote"] = lambda: {"code": 400, "result": {}}
    assert task.observe().exists  # the engine decides without it where the server is to become another one
    with pytest.raises(EngineError, match="it does not know this account"):
        task.plan()


def test_collateral_that_is_no_text_verifies_nothing(cluster: World) -> None:
    collateral = cluster.folder / "damaged.json"
    collateral.write_bytes(b"\xff\xfe{")
    code, faults = refusal(attestation(cluster, identity=IDENTITY, collateral=str(collateral)))
    assert code == "ehsm-not-verified"
    assert faults[0].startswith("the quote was not verified: ")


def test_an_answer_that_is_no_quote_is_refused(sandbox: World, monkeypatch: pytest.MonkeyPatch) -> None:
    task = attestation(sandbox)
    challenge = base64.b64encode(b"x" * 32).decode()
    answer = {"code": 200, "message": "", "result": {"challenge": challenge, "quote": "eA=="}}
    sandbox.answers["GenerateQuote"] = lambda: answer
    monkeypatch.setattr("ppmlctl.modules._ehsm_quote.secrets.token_bytes", lambda size: b"x" * size)
    with pytest.raises(EngineError, match="a quote has at least 436 bytes, not 1"):
        task.apply()


def test_a_locked_vault_or_an_unknown_account_asks_for_nothing(sandbox: World) -> None:
    task = attestation(sandbox)
    task.apply()
    before = len(sandbox.sent())
    vault: Any = sandbox.context.vault
    vault.locked = True
    assert task.with_(apikey=vault.get("ehsm-account")).observe().exists
    assert task.with_(apikey=Unknown("ehsm-account")).observe().exists
    assert len(sandbox.sent()) == before


def test_a_missing_root_is_named(cluster: World) -> None:
    with pytest.raises(InputError) as caught:
        attestation(cluster, trust_root="certs/missing.pem").apply()
    assert str(caught.value) == (
        "error[trust-root-unreadable]: a file to verify quotes with cannot be read\n"
        "  is   certs/missing.pem: No such file or directory"
    )


def test_a_cluster_without_a_pccs_has_nothing_to_verify_with(cluster: World) -> None:
    code, faults = refusal(attestation(cluster, **private(cluster, pccs=None)))
    assert (code, faults) == ("ehsm-not-verified", [UNVERIFIED])


def test_collateral_is_recorded_with_its_own_end_and_kept_by_its_digest(cluster: World) -> None:
    (cluster.context.files.root / ".ppml").mkdir()
    task = attestation(cluster, **private(cluster))
    result = task.apply()
    used = Collateral.parse((cluster.folder / "collateral.json").read_text())
    assert result.collateral == f"sha256:{used.digest}"
    assert result.collateral_until == used.ends().strftime("%Y-%m-%dT%H:%M:%SZ")
    kept = cluster.context.files.root / ".ppml" / "cache" / "collateral" / f"{used.digest}.json"
    assert Collateral.parse(kept.read_text()) == used
    assert task.plan().action is ActionKind.KEEP
    assert task.apply() == result


def test_a_pccs_that_is_away_stops_no_plan_while_the_recorded_collateral_is_kept(cluster: World) -> None:
    (cluster.context.files.root / ".ppml").mkdir()
    task = attestation(cluster, **private(cluster))
    task.apply()
    cluster.pccs_port = 1
    observed = task.observe()
    assert task.module.diff(task.wanted(), observed, cluster.recorded["ehsm-attestation"]).action is ActionKind.KEEP
    assert observed.notes == (f"the PCCS at {URL} cannot be reached; the collateral recorded last was used",)
    shutil.rmtree(cluster.context.files.root / ".ppml")
    with pytest.raises(TransientError, match="the PCCS cannot be reached"):
        task.plan()


def test_a_pccs_that_is_away_is_a_reason_not_to_verify_where_a_warning_is_enough(cluster: World) -> None:
    cluster.pccs_port = 1
    result = attestation(cluster, **private(cluster, attest="warn")).apply()
    assert result.evidence is Evidence.NOT_VERIFIED
    (warning,) = cluster.warnings
    assert "the quote was not verified: the PCCS cannot be reached: " in warning


@pytest.mark.parametrize(("days", "late"), [(6, True), (8, False)])
def test_collateral_about_to_end_is_warned_of(
    board: Switchboard,
    tmp_path: Path,
    make_context: MakeContext,
    days: int,
    late: bool,  # noqa: FBT001 - a column
) -> None:
    flaws = Flaws(collateral_lifetime=timedelta(days=days))
    with world_of(board, tmp_path / "ehsm", make_context, flaws=flaws) as world:
        task = attestation(world, **private(world))
        result = task.apply()
        words = f"the collateral that verifies EHSM's quote ends at {result.collateral_until}: renew it at its source"
        assert task.observe().notes == ((words,) if late else ())
        assert world.warnings == ([words] if late else [])


def test_collateral_that_ended_is_drift_and_then_refused(cluster: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(cluster.folder / "collateral.json")
    task = attestation(cluster, **private(cluster, pccs=None, collateral=path))
    task.apply()

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=31)

    monkeypatch.setattr("ppmlctl.modules._ehsm_quote.datetime", Later)
    change = task.plan()
    assert change.action is ActionKind.UPDATE
    assert [(field.path, field.before) for field in change.fields] == [
        ("tcb_status", "not verified"),
        ("verdict", "not verified"),
    ]
    code, (fault,) = refusal(task)
    assert code == "ehsm-not-verified"
    assert fault.startswith("the quote was not verified: the TCB levels ended at ")


REFUSED, UNVERIFIABLE = "ehsm-refused-attestation", "ehsm-not-verified"
NOT_VERIFIED = "the quote was not verified: "
WRONG = [
    (Flaws(tcb_status="OutOfDate"), (REFUSED, "the platform's TCB status is OutOfDate, accepted: UpToDate")),
    (Flaws(debug=True), (UNVERIFIABLE, f"{NOT_VERIFIED}Debug mode is enabled")),
    (
        Flaws(collateral_lifetime=timedelta(seconds=-1)),
        (UNVERIFIABLE, f"{NOT_VERIFIED}the TCB levels ended at"),
    ),
    (Flaws(pck_revoked=True), (UNVERIFIABLE, f"{NOT_VERIFIED}Failed to verify certificate chain")),
    (Flaws(qe_identity_wrong=True), (UNVERIFIABLE, f"{NOT_VERIFIED}QE MRSIGNER mismatch")),
]


@pytest.mark.parametrize(("flaws", "told"), WRONG)
def test_a_flaw_of_the_platform_is_refused_by_name(
    board: Switchboard, tmp_path: Path, make_context: MakeContext, flaws: Flaws, told: tuple[str, str]
) -> None:
    code, fault = told
    with world_of(board, tmp_path / "ehsm", make_context, flaws=flaws) as world:
        found, faults = refusal(attestation(world, **private(world)))
        assert found == code
        assert faults[0].startswith(fault)
        assert set(world.sent()) == {"Enroll", "GenerateQuote"}

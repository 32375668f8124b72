"""The sandbox's quotes of TDX domains, under the same verifier and policy as real ones."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ehsm_service import Service

from ppmlctl.clients.pccs import PccsClient
from ppmlctl.dcap import Expectations, Judgement, Policy, Reason, TdReport, judge_quote, parse_quote, platform_of
from ppmlctl.effects import Effects
from ppmlctl.sandbox.ehsm import make_app
from ppmlctl.sandbox.ehsm.flaws import Flaws
from ppmlctl.sandbox.ehsm.made_up import DOMAIN
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import ensure_certificates

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
WANTED = [f"{name}={getattr(DOMAIN, name).hex()}" for name in ("mr_td", "rtmr0", "rtmr1", "rtmr2", "td_attributes")]


def judged(folder: Path, domain: TdReport = DOMAIN, expected: list[str] = WANTED, **flaws: Any) -> Judgement:
    quoting = Quoting(folder, NOW.timestamp, Flaws(**flaws))
    raw, collateral = quoting.quote_of_domain(domain), quoting.collateral("TDX")
    return judge_quote(raw, collateral, quoting.root_ca.encode(), Policy(Expectations.parse(expected)), NOW)


def test_the_domain_that_is_expected_is_accepted(tmp_path: Path) -> None:
    found = judged(tmp_path)
    assert (found.reason, found.words) == (None, "")
    assert (found.claims["tee"], found.claims["quote_version"], found.claims["debug"]) == ("tdx", 4, False)


def test_a_debug_domain_is_refused_even_where_it_is_expected(tmp_path: Path) -> None:
    expected = ["debug=true"]
    assert judged(tmp_path, expected=expected, debug=True).reason is Reason.DEBUG


def test_a_domain_whose_host_may_answer_for_its_memory_is_refused(tmp_path: Path) -> None:
    assert judged(tmp_path, replace(DOMAIN, td_attributes=bytes(8))).reason is Reason.TD_ATTRIBUTES_WRONG


def test_a_module_that_is_not_intels_is_refused(tmp_path: Path) -> None:
    assert judged(tmp_path, replace(DOMAIN, mr_signer_seam=b"\1" * 48)).reason is Reason.TDX_MODULE_WRONG


@pytest.mark.parametrize("name", ["mr_td", "rtmr0", "rtmr1", "rtmr2"])
def test_another_domain_is_refused_by_name(tmp_path: Path, name: str) -> None:
    found = judged(tmp_path, replace(DOMAIN, **{name: b"\1" * 48}))
    words = f"{name} is {'01' * 48}, expected {getattr(DOMAIN, name).hex()}"
    assert (found.reason, found.words) == (Reason.EXPECTATION_NOT_MET, words)


@pytest.mark.parametrize(
    ("flaws", "reason"),
    [
        ({"tcb_status": "OutOfDate"}, Reason.STATUS_NOT_ACCEPTED),
        ({"pck_revoked": True}, Reason.REVOKED),
        ({"qe_identity_wrong": True}, Reason.QE_IDENTITY_WRONG),
    ],
)
def test_a_platform_with_a_flaw_is_refused(tmp_path: Path, flaws: dict[str, Any], reason: Reason) -> None:
    assert judged(tmp_path, **flaws).reason is reason


def test_an_enclaves_collateral_does_not_do_for_a_domain(tmp_path: Path) -> None:
    quoting = Quoting(tmp_path, NOW.timestamp)
    policy = Policy(Expectations.parse([]))
    found = judge_quote(quoting.quote_of_domain(), quoting.collateral(), quoting.root_ca.encode(), policy, NOW)
    assert found.reason is Reason.COLLATERAL_MISMATCH


def test_a_quote_that_the_service_issues_verifies_with_what_it_serves_as_a_pccs(tmp_path: Path) -> None:
    now, certificates, asked = datetime.now(UTC), ensure_certificates(tmp_path / "tls"), "5a" * 48
    service = Service(tmp_path / "ehsm", now=int(now.timestamp() * 1000))
    raw = base64.b64decode(service.http("GET", f"/quote?mr_td={asked}&rtmr3={asked}").json()["quote"])
    body = parse_quote(raw).body
    assert isinstance(body, TdReport)
    assert (body.mr_td.hex(), body.rtmr3.hex(), body.rtmr1) == (asked, asked, DOMAIN.rtmr1)
    with (
        served(make_app(tmp_path / "ehsm"), certificates) as port,
        PccsClient(f"https://127.0.0.1:{port}", Effects("pccs", writes_allowed=False), ca=certificates.ca) as client,
    ):
        collateral = client.collateral(platform_of(raw)).to_json()
    root, policy = (tmp_path / "ehsm" / "quote-root.pem").read_bytes(), Policy(Expectations.parse([f"mr_td={asked}"]))
    assert judge_quote(raw, collateral, root, policy, now).words == ""


def test_a_measurement_of_another_size_is_told(tmp_path: Path) -> None:
    answer = Service(tmp_path).http("GET", f"/quote?mr_td={'5a' * 32}")
    assert (answer.status_code, answer.json()) == (400, {"error": "mr_td is not 96 hexadecimal digits"})

"""What ppmlctl relies on from BigDL's Remote Attestation Service: of the embedded one and, by environment, a real one.

PPMLCTL_ATTESTATION_URL names the real one, trusted by PPMLCTL_ATTESTATION_FINGERPRINT; PPMLCTL_ATTESTATION_QUOTE is a
file with a quote of a TDX domain (version 4) that it takes for genuine, without which quotes are not judged there. Each
run leaves an account and its policies behind.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ppmlctl.attestation import Account, Policy, Verdict
from ppmlctl.clients.attestation import AttestationClient, AttestationRefusedError, ServerTrust
from ppmlctl.dcap import TdReport, parse_quote
from ppmlctl.diagnostics import EngineError
from ppmlctl.effects import Effects
from ppmlctl.sandbox.attestation import make_app
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import ensure_certificates
from ppmlctl.secret import Secret

STRANGER = Account("00000000-0000-0000-0000-000000000000", Secret("x"))


@dataclass(frozen=True)
class Target:
    """A service, an account of it, and a domain's quote that it takes for genuine."""

    client: AttestationClient
    account: Account
    quote: bytes | None

    @property
    def genuine(self) -> bytes:
        if self.quote is None:
            pytest.skip("PPMLCTL_ATTESTATION_QUOTE names no quote")
        return self.quote

    @property
    def domain(self) -> TdReport:
        body = parse_quote(self.genuine).body
        assert isinstance(body, TdReport)
        return body

    def verdict(self, policy: Policy) -> Verdict:
        policy_id = self.client.register_policy(self.account, policy)
        return self.client.verify_quote(self.account, self.genuine, policy_id)


@pytest.fixture(
    scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.given("PPMLCTL_ATTESTATION_URL"))]
)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    effects = Effects("attestation", writes_allowed=True)
    if request.param == "real":
        url, quote = os.environ["PPMLCTL_ATTESTATION_URL"], os.environ.get("PPMLCTL_ATTESTATION_QUOTE")
        trust = ServerTrust(fingerprint=os.environ["PPMLCTL_ATTESTATION_FINGERPRINT"])
        with AttestationClient(url, effects, trust=trust) as client:
            yield Target(client, client.enroll(), Path(quote).read_bytes() if quote else None)
        return
    folder = tmp_path_factory.mktemp("attestation")
    certificates = ensure_certificates(folder / "tls")
    with served(make_app(folder), certificates) as port:
        trust, place = ServerTrust(ca=certificates.ca), ("127.0.0.1", port)
        url = "https://attestation.sandbox:9875"
        with AttestationClient(url, effects, trust=trust, connect_to=place) as client:
            quoting = Quoting(folder, clock=time.time)
            yield Target(client, client.enroll(), quoting.quote_of_domain())


def test_it_names_itself_to_anyone(target: Target) -> None:
    target.client.check()


def test_every_enrolment_is_another_account(target: Target) -> None:
    other = target.client.enroll()
    assert other.app_id != target.account.app_id
    assert target.client.has_account(other)


def test_an_account_is_known_by_its_key(target: Target) -> None:
    assert target.client.has_account(target.account)
    assert not target.client.has_account(STRANGER)
    assert not target.client.has_account(Account(target.account.app_id, STRANGER.api_key))


def test_a_stranger_registers_and_verifies_nothing(target: Target) -> None:
    with pytest.raises(AttestationRefusedError, match=r"Invalid app_id and api_key\."):
        target.client.register_policy(STRANGER, Policy.of_domain("ab" * 48))
    with pytest.raises(AttestationRefusedError, match=r"Invalid app_id and api_key\."):
        target.client.verify_quote(STRANGER, b"quote")


def test_each_registration_is_another_policy(target: Target) -> None:
    policy = Policy.of_enclave("0a" * 32)
    first, second = (target.client.register_policy(target.account, policy) for _ in range(2))
    assert first != second


def test_a_quote_that_is_none_makes_it_fail(target: Target) -> None:
    with pytest.raises(EngineError, match="attestation-service-failed"):
        target.client.verify_quote(target.account, b"no quote")


def test_a_genuine_quote_passes_and_a_changed_one_does_not(target: Target) -> None:
    assert target.client.verify_quote(target.account, target.genuine).passes
    changed = bytearray(target.genuine)
    changed[200] ^= 1  # of MRTD
    with pytest.raises(EngineError, match="attestation-service-failed"):
        target.client.verify_quote(target.account, bytes(changed))


def test_a_domain_passes_under_policies_of_its_own_alone(target: Target) -> None:
    mr_td = target.domain.mr_td.hex()
    rtmrs = [register.hex() for register in (target.domain.rtmr0, target.domain.rtmr1)]
    rtmrs += [register.hex() for register in (target.domain.rtmr2, target.domain.rtmr3)]
    assert target.verdict(Policy.of_domain(mr_td)).passes
    assert target.verdict(Policy.of_domain(mr_td, rtmrs)).passes
    assert target.verdict(Policy.of_report_data(target.domain.report_data.hex(), "tdx")).passes
    assert target.verdict(Policy.of_domain("ab" * 48)) is Verdict.REFUSED
    assert target.verdict(Policy.of_domain(mr_td, [*rtmrs[:3], "ab" * 48])) is Verdict.REFUSED
    assert target.verdict(Policy.of_domain(mr_td).another()) is Verdict.REFUSED


def test_anothers_policy_passes_nothing(target: Target) -> None:
    other = target.client.enroll()
    policy_id = target.client.register_policy(other, Policy.of_domain(target.domain.mr_td.hex()))
    assert target.client.verify_quote(target.account, target.genuine, policy_id) is Verdict.REFUSED
    assert target.client.verify_quote(other, target.genuine, policy_id).passes


def test_a_policy_that_is_not_there_is_a_refusal_in_words(target: Target) -> None:
    with pytest.raises(AttestationRefusedError, match=r"Unsupported policy type\."):
        target.client.verify_quote(target.account, target.genuine, "00000000-0000-0000-0000-000000000000")

"""What ppmlctl relies on from an EHSM, held against the embedded one and, where PPMLCTL_EHSM_URL names it, a real one.

The real one is trusted by PPMLCTL_EHSM_FINGERPRINT. Each run leaves an account and its policies there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ppmlctl.clients.ehsm import EhsmClient, EhsmRefusedError, ServerTrust
from ppmlctl.dcap import parse_quote
from ppmlctl.effects import Effects
from ppmlctl.ehsm import Account, VerificationResult
from ppmlctl.sandbox.ehsm import make_app
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import ensure_certificates
from ppmlctl.secret import Secret

STRANGER = Account(appid="00000000-0000-0000-0000-000000000000", apikey=Secret("x"))
USABLE = {
    VerificationResult.OK,
    VerificationResult.CONFIG_NEEDED,
    VerificationResult.OUT_OF_DATE,
    VerificationResult.OUT_OF_DATE_CONFIG_NEEDED,
    VerificationResult.SW_HARDENING_NEEDED,
    VerificationResult.CONFIG_AND_SW_HARDENING_NEEDED,
}


@dataclass(frozen=True)
class Enrolled:
    """An account of the server under test, and a quote it gave."""

    client: EhsmClient
    account: Account
    quote: bytes

    def upload(self, mr_enclave: str) -> str:
        return self.client.upload_quote_policy(self.account, mr_enclave, parse_quote(self.quote).body.mr_signer.hex())


@pytest.fixture(scope="module", params=["embedded", "real"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EhsmClient]:
    effects = Effects("ehsm", writes_allowed=True)
    if request.param == "real":
        url = os.environ.get("PPMLCTL_EHSM_URL")
        if not url:
            pytest.skip("PPMLCTL_EHSM_URL names no real EHSM")
        with EhsmClient(url, effects, trust=ServerTrust(fingerprint=os.environ["PPMLCTL_EHSM_FINGERPRINT"])) as client:
            yield client
        return
    folder = tmp_path_factory.mktemp("ehsm")
    certificates = ensure_certificates(folder / "tls")
    with served(make_app(folder), certificates) as port:
        trust, place = ServerTrust(ca=certificates.ca), ("127.0.0.1", port)
        with EhsmClient("https://ehsm.sandbox:9000", effects, trust=trust, connect_to=place) as client:
            yield client


@pytest.fixture(scope="module")
def enrolled(client: EhsmClient) -> Enrolled:
    account = client.enroll()
    return Enrolled(client, account, client.generate_quote(account, b"challenge"))


def test_the_version_is_told_to_anyone(client: EhsmClient) -> None:
    assert client.get_version().version


def test_every_quote_shows_the_same_enclave(enrolled: Enrolled) -> None:
    another = parse_quote(enrolled.client.generate_quote(enrolled.account, b"another challenge")).body
    first = parse_quote(enrolled.quote).body
    assert (another.mr_enclave, another.mr_signer) == (first.mr_enclave, first.mr_signer)


def test_the_servers_own_quote_is_verified_and_signed_for(enrolled: Enrolled) -> None:
    assert enrolled.client.verify_quote(enrolled.account, enrolled.quote).verdict in USABLE


def test_a_policy_accepts_its_own_enclave_and_refuses_another(enrolled: Enrolled) -> None:
    own = parse_quote(enrolled.quote).body.mr_enclave.hex()
    accepting, refusing = enrolled.upload(own.upper()), enrolled.upload("00" * 32)
    reply = enrolled.client.verify_quote(enrolled.account, enrolled.quote, policy_id=accepting)
    assert (reply.verdict in USABLE, reply.mr_enclave) == (True, own)
    with pytest.raises(EhsmRefusedError) as caught:
        enrolled.client.verify_quote(enrolled.account, enrolled.quote, policy_id=refusing)
    assert caught.value.code == 500


def test_a_policy_can_be_read_back_and_an_unknown_one_is_none(enrolled: Enrolled) -> None:
    policy_id = enrolled.upload("00" * 32)
    policy = enrolled.client.get_quote_policy(enrolled.account, policy_id)
    assert policy is not None
    assert (policy.policy_id, policy.mr_enclave) == (policy_id, "00" * 32)
    assert enrolled.client.get_quote_policy(enrolled.account, STRANGER.appid) is None


def test_an_unknown_account_and_a_wrong_key_are_refused(enrolled: Enrolled) -> None:
    imposter = Account(appid=enrolled.account.appid, apikey=Secret("x"))
    for nobody, words in ((STRANGER, ""), (imposter, "sign error")):
        with pytest.raises(EhsmRefusedError) as caught:
            enrolled.client.generate_quote(nobody, b"challenge")
        assert (caught.value.code, caught.value.words) == (400, words)

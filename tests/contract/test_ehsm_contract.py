"""What ppmlctl relies on from an EHSM: of today's embedded one, of one like v0.3.2, and, by environment, of a real one.

PPMLCTL_EHSM_URL names the real one, trusted by PPMLCTL_EHSM_FINGERPRINT. Each run leaves an account and its policies
there; keys and secrets it deletes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from ppmlctl.clients.ehsm import EhsmClient, EhsmRefusedError, ServerTrust
from ppmlctl.dcap import parse_quote
from ppmlctl.effects import Effects
from ppmlctl.ehsm import Account, KeySpec, KeyUsage, VerificationResult
from ppmlctl.sandbox.ehsm import make_app
from ppmlctl.sandbox.ehsm.release import Release, Release032
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


@pytest.fixture(
    scope="module",
    params=["embedded", "embedded v0.3.2", pytest.param("real", marks=pytest.mark.given("PPMLCTL_EHSM_URL"))],
)
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EhsmClient]:
    effects = Effects("ehsm", writes_allowed=True)
    if request.param == "real":
        url = os.environ["PPMLCTL_EHSM_URL"]
        with EhsmClient(url, effects, trust=ServerTrust(fingerprint=os.environ["PPMLCTL_EHSM_FINGERPRINT"])) as client:
            yield client
        return
    folder = tmp_path_factory.mktemp("ehsm")
    certificates = ensure_certificates(folder / "tls")
    release = Release032() if request.param.endswith("v0.3.2") else Release()
    with served(make_app(folder, release=release), certificates) as port:
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


@pytest.fixture
def key(enrolled: Enrolled) -> Iterator[str]:
    keyid = enrolled.client.keys.create(enrolled.account, KeySpec.AES_GCM_128)
    yield keyid
    enrolled.client.keys.delete(enrolled.account, keyid)


def test_a_key_encrypts_for_its_account_and_shows_in_its_list(enrolled: Enrolled, key: str) -> None:
    keys, account = enrolled.client.keys, enrolled.account
    listed = next(one for one in keys.list(account) if one.keyid == key)
    assert (listed.keyspec, listed.enabled) == (KeySpec.AES_GCM_128, True)
    sealed = keys.encrypt(account, key, Secret("plain"), b"aad")
    assert keys.decrypt(account, key, sealed, b"aad").reveal_bytes() == b"plain"
    with pytest.raises(EhsmRefusedError) as caught:
        keys.decrypt(account, key, sealed, b"another")
    assert caught.value.code == 400


def test_a_data_key_comes_wrapped_and_can_be_unwrapped(enrolled: Enrolled, key: str) -> None:
    keys, account = enrolled.client.keys, enrolled.account
    both = keys.generate_data_key(account, key, 32, b"test")
    assert keys.decrypt(account, key, both.ciphertext, b"test") == both.plaintext
    alone = keys.generate_wrapped_data_key(account, key, 16)
    assert len(keys.decrypt(account, key, alone).reveal_bytes()) == 16


def test_a_disabled_key_is_refused_until_it_is_enabled(enrolled: Enrolled, key: str) -> None:
    keys, account = enrolled.client.keys, enrolled.account
    keys.disable(account, key)
    assert not next(one for one in keys.list(account) if one.keyid == key).enabled
    with pytest.raises(EhsmRefusedError) as caught:
        keys.encrypt(account, key, Secret("plain"))
    assert (caught.value.code, caught.value.words) == (400, "keyid is disabled")
    keys.enable(account, key)
    assert keys.encrypt(account, key, Secret("plain"))


def test_a_deleted_key_is_gone_and_deleting_it_again_is_no_fault(enrolled: Enrolled) -> None:
    keyid = enrolled.client.keys.create(enrolled.account, KeySpec.AES_GCM_256)
    for _ in range(2):
        enrolled.client.keys.delete(enrolled.account, keyid)
    assert keyid not in {one.keyid for one in enrolled.client.keys.list(enrolled.account)}


@pytest.mark.parametrize("spec", [KeySpec.RSA_2048, KeySpec.EC_P256])
def test_a_signing_key_signs(enrolled: Enrolled, spec: KeySpec) -> None:
    keys, account = enrolled.client.keys, enrolled.account
    keyid = keys.create(account, spec, KeyUsage.SIGN_VERIFY)
    signature = keys.sign(account, keyid, b"message")
    assert keys.verify(account, keyid, b"message", signature)
    assert not keys.verify(account, keyid, b"another", signature)
    keys.delete(account, keyid)


def test_rsa_encrypts_and_a_data_key_is_exported_for_it(enrolled: Enrolled, key: str) -> None:
    keys, account = enrolled.client.keys, enrolled.account
    target = keys.create(account, KeySpec.RSA_2048)
    sealed = keys.encrypt_asymmetric(account, target, Secret("plain"))
    assert keys.decrypt_asymmetric(account, target, sealed).reveal_bytes() == b"plain"
    both = keys.generate_data_key(account, key, 32)
    exported = keys.export_data_key(account, key, target, both.ciphertext)
    assert keys.decrypt_asymmetric(account, target, exported) == both.plaintext
    keys.delete(account, target)


def test_a_secret_has_versions_and_a_second_life(enrolled: Enrolled) -> None:
    secrets, account = enrolled.client.secrets, enrolled.account
    secrets.create(account, "contract", Secret("first & ä=%"), description="text")
    secrets.put(account, "contract", Secret("second"))
    assert [one.version for one in secrets.versions(account, "contract")] == [1, 2]
    current, first = secrets.get(account, "contract"), secrets.get(account, "contract", 1)
    assert current
    assert first
    assert (current.data, current.version, first.data) == (Secret("second"), 2, Secret("first & ä=%"))
    assert secrets.get(account, "contract", 3) is None
    secrets.describe_anew(account, "contract", "another")
    secrets.delete(account, "contract", recovery_days=7)
    described = secrets.describe(account, "contract")
    assert described
    assert (described.description, described.is_leaving) == ("another", True)
    secrets.restore(account, "contract")
    assert [(one.name, one.is_leaving) for one in secrets.list(account)] == [("contract", False)]
    secrets.delete(account, "contract", recovery_days=None)
    assert secrets.describe(account, "contract") is None


def test_requests_of_one_instant_do_not_collide(enrolled: Enrolled) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: enrolled.client.keys.list(enrolled.account), range(16)))
    assert len(found) == 16

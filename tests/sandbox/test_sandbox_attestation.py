"""The embedded attestation service, asked over HTTP without a client of ours."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ppmlctl.sandbox.attestation import beside_ehsm, make_app
from ppmlctl.sandbox.ehsm.flaws import Flaws
from ppmlctl.sandbox.ehsm.quoting import Quoting

ENCLAVE, SIGNER = bytes([0, 0x0F, *range(30)]), bytes(reversed(range(1, 33)))


@dataclass
class Service:
    """The app of one folder, and the platform whose quotes it judges."""

    folder: Path
    flaws: Flaws

    def __post_init__(self) -> None:
        self.app: Any = make_app(self.folder, flaws=self.flaws)
        self.quoting = Quoting(self.folder, time.time, self.flaws)

    def http(self, method: str, path: str, **content: Any) -> httpx.Response:
        return asked(self.app, method, path, **content)

    def enroll(self) -> dict[str, str]:
        account: dict[str, str] = self.http("GET", "/enroll").json()
        return account

    def register(self, account: dict[str, str], **policy: Any) -> httpx.Response:
        return self.http("POST", "/registerPolicy", json={**account, **policy})

    def verify(self, account: dict[str, str], quote: bytes, **more: Any) -> tuple[int, str]:
        asking = {**account, "quote": base64.b64encode(quote).decode(), **more}
        answer = self.http("POST", "/verifyQuote", json=asking)
        return answer.status_code, answer.text


def asked(app: Any, method: str, path: str, host: str = "attestation.sandbox", **content: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{host}:9875") as client:
            return await client.request(method, path, **content)

    return asyncio.run(send())


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path, Flaws())


def test_accounts_and_policies_survive_a_restart(service: Service) -> None:
    account = service.enroll()
    policy = service.register(account, policyType="SGXMREnclavePolicy", mrEnclave=ENCLAVE.hex().lstrip("0")).json()
    again = Service(service.folder, Flaws())
    quote = again.quoting.quote_of(ENCLAVE, SIGNER)
    assert again.verify(account, quote, policyID=policy["policyID"]) == (200, '{"result": 0}')


def test_measurements_are_compared_as_numbers_in_text(service: Service) -> None:
    """As the real service does: what everybody would register never passes where it begins with a zero."""
    account, quote = service.enroll(), service.quoting.quote_of(ENCLAVE, SIGNER)
    for text, status in ((ENCLAVE.hex(), 400), (ENCLAVE.hex().lstrip("0"), 200), (ENCLAVE.hex().upper(), 400)):
        policy = service.register(account, policyType="SGXMREnclavePolicy", mrEnclave=text).json()
        assert service.verify(account, quote, policyID=policy["policyID"])[0] == status


def test_a_signers_product_is_read_with_its_bytes_swapped(service: Service) -> None:
    account, quote = service.enroll(), service.quoting.quote_of(ENCLAVE, SIGNER)
    for product, status in (("1", 400), ("100", 200), (100, 200)):
        given = {"policyType": "SGXMRSignerPolicy", "mrSigner": SIGNER.hex().lstrip("0"), "isvProdID": product}
        policy = service.register(account, **given).json()
        assert service.verify(account, quote, policyID=policy["policyID"])[0] == status


def test_names_are_read_whatever_their_case_and_unknown_ones_are_passed_over(service: Service) -> None:
    account = service.enroll()
    given = {"APPID": account["appID"], "apikey": account["apiKey"], "policytype": "TDXMRTDPolicy", "x": [1]}
    assert service.http("POST", "/registerPolicy", json=given).status_code == 200


@pytest.mark.parametrize("kind", [None, "", "sgxmrenclavepolicy", "Other", ["SGXMREnclavePolicy"]])
def test_a_policy_of_no_known_type_is_refused(service: Service, kind: Any) -> None:
    answer = service.register(service.enroll(), policyType=kind, mrEnclave="a")
    assert (answer.status_code, answer.text) == (400, "Unsupported policy type.")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"'])
def test_what_is_no_object_is_refused(service: Service, body: bytes) -> None:
    for path in ("/registerPolicy", "/verifyQuote"):
        answer = service.http("POST", path, content=body)
        assert (answer.status_code, answer.text) == (400, "The request content was malformed.")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/registerPolicy", 404), ("POST", "/enroll", 404), ("GET", "/other", 404), ("PUT", "/enroll", 405)],
)
def test_other_paths_and_methods_are_not_served(service: Service, method: str, path: str, status: int) -> None:
    assert service.http(method, path).status_code == status


@pytest.mark.parametrize(
    ("flaws", "expected"),
    [
        (Flaws(tcb_status="OutOfDate"), (200, '{"result": 1}')),
        (Flaws(pck_revoked=True), (500, "There was an internal server error.")),
        (Flaws(pccs_lost=True), (500, "There was an internal server error.")),
        (Flaws(refuses_quotes=True), (500, "There was an internal server error.")),
    ],
)
def test_a_platform_is_judged_by_its_collateral(tmp_path: Path, flaws: Flaws, expected: tuple[int, str]) -> None:
    service = Service(tmp_path, flaws)
    assert service.verify(service.enroll(), service.quoting.quote_of(ENCLAVE, SIGNER)) == expected
    assert service.verify(service.enroll(), service.quoting.quote_of_domain()) == expected


def test_a_quote_of_another_platform_is_not_genuine(service: Service, tmp_path: Path) -> None:
    other = Quoting(tmp_path / "other", time.time)
    assert service.verify(service.enroll(), other.quote_of_domain())[0] == 500


def test_the_sandboxs_ehsm_is_one_by_its_name_and_judges_the_same_platform(tmp_path: Path) -> None:
    app = beside_ehsm(tmp_path)
    quote = asked(app, "GET", f"/quote?mr_td={'ab' * 48}", host="ehsm.sandbox").json()["quote"]
    account = asked(app, "GET", "/enroll").json()
    answer = asked(app, "POST", "/verifyQuote", json={**account, "quote": quote})
    assert (answer.status_code, json.loads(answer.text)) == (200, {"result": 0})
    assert asked(app, "GET", "/enroll", host="ehsm.sandbox").json()["code"] == 400


def test_no_key_gets_into_files_that_others_may_read(service: Service) -> None:
    key = service.enroll()["apiKey"].encode()
    holders = [path for path in service.folder.iterdir() if path.is_file() and key in path.read_bytes()]
    assert holders
    assert {path.stat().st_mode & 0o077 for path in holders} == {0}

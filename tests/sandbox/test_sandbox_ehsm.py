"""The embedded EHSM, call by call: order of checks, words of refusals, actions, and what survives a restart."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ehsm_service import NOW, Service

from ppmlctl.dcap import parse_quote
from ppmlctl.ehsm import Account, canonical_text, is_signed
from ppmlctl.sandbox.ehsm import ehsm_identity
from ppmlctl.secret import Secret

SANDBOX_POLICY = {"mr_enclave": ehsm_identity().mr_enclave, "mr_signer": ehsm_identity().mr_signer}
SOME_ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.fixture
def account(service: Service) -> Account:
    return service.enroll()


# HTTP around it


def test_json_answers_have_status_200_even_when_they_refuse(service: Service) -> None:
    response = service.http("POST", "/ehsm?Action=GenerateQuote", json={})
    assert response.status_code == 200
    assert response.json() == {"code": 400, "message": "Missing required parameters", "result": {}}


@pytest.mark.parametrize("path", ["/ehsm", "/ehsm/", "/EHSM"])
def test_the_path_is_taken_with_and_without_a_slash(service: Service, path: str) -> None:
    assert service.http("GET", f"{path}?Action=GetVersion").json()["code"] == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("PUT", "/ehsm?Action=GenerateQuote"), ("GET", "/other")])
def test_the_parameter_check_comes_before_path_and_method(service: Service, method: str, path: str) -> None:
    assert service.http(method, path).json()["message"] == "Missing required parameters"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/<x>?Action=Enroll"), ("PUT", "/ehsm?Action=Enroll"), ("DELETE", "/ehsm?Action=Enroll")],
)
def test_other_paths_and_methods_are_an_html_404(service: Service, method: str, path: str) -> None:
    response = service.http(method, path)
    assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<x>" not in response.text
    assert f"Cannot {method} /" in response.text


def test_a_body_beyond_100_kilobytes_is_an_html_413(service: Service) -> None:
    largest, larger = (b'"' + b"x" * (100 * 1024 - 2 + more) + b'"' for more in (0, 1))
    headers = {"Content-Type": "application/json"}
    response = service.http("POST", "/ehsm?Action=GenerateQuote", content=larger, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert service.http("POST", "/ehsm", content=largest, headers=headers).status_code == 200


@pytest.mark.parametrize("body", ["{", "7", '"text"', '{"a": NaN}', "[" * 50_000])
def test_what_is_no_json_object_or_array_is_invalid(service: Service, body: str) -> None:
    response = service.http("POST", "/ehsm", content=body, headers={"Content-Type": "application/json; charset=utf-8"})
    assert response.json() == {"code": 400, "message": "Invalid JSON", "result": {}}


def test_another_media_type_is_an_empty_body(service: Service, account: Account) -> None:
    content = json.dumps(service.body(account, {"challenge": "eA=="}))
    response = service.http("POST", "/ehsm?Action=GenerateQuote", content=content)
    assert response.json()["message"] == "Missing required parameters"


# Who may ask


def test_an_account_has_the_form_of_real_ones(service: Service) -> None:
    result = service.get("Enroll")["result"]
    assert len(result["appid"]) == 36
    assert len(result["apikey"]) == 32
    assert result["apikey"].isalnum()
    assert not set(result["apikey"]) & set("IOlo")


@pytest.mark.parametrize("action", ["Enroll", "GetVersion"])
def test_open_actions_exist_on_get_only(service: Service, action: str) -> None:
    assert service.get(action)["code"] == 200
    assert service.post(action, {}) == {"code": 404, "message": "API Not Found", "result": {}}


@pytest.mark.parametrize("action", ["Createkey", "Generatequote", ""])
def test_an_action_that_is_not_served_is_not_found_once_signed(service: Service, account: Account, action: str) -> None:
    assert service.refusal(account, action, {}) == (404, "API Not Found")
    assert service.post(action, {})["message"] == "Missing required parameters"


def test_an_unknown_account_gets_no_message(service: Service) -> None:
    stranger = Account(appid=SOME_ID, apikey=Secret("x"))
    assert service.call(stranger, "GenerateQuote", {"challenge": "eA=="}) == {"code": 400, "result": {}}


def test_a_wrong_signature_is_refused(service: Service, account: Account) -> None:
    other = Account(appid=account.appid, apikey=Secret("another key"))
    assert service.refusal(other, "GenerateQuote", {"challenge": "eA=="}) == (400, "sign error")


CHANGED_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"appid": ""}, "Missing required parameters"),
    ({"timestamp": 0}, "Missing required parameters"),
    ({"appid": 7}, "param type error"),
    ({"timestamp": NOW}, "param type error"),
    ({"payload": "text"}, "param type error"),
    ({"nonce": "n" * 65}, "Nonce length error"),
    ({"timestamp": "170000000000"}, "Timestamp length error"),
    ({"timestamp": "17000000000000"}, "Timestamp length error"),
    ({"timestamp": "thirteen char"}, "Timestamp error"),
    ({"timestamp": str(NOW - 10 * 60 * 1000)}, "Timestamp error"),
    ({"timestamp": str(NOW + 10 * 60 * 1000)}, "Timestamp error"),
]


@pytest.mark.parametrize(("changes", "message"), CHANGED_FIELDS)
def test_fields_around_the_payload_are_checked(
    service: Service, account: Account, changes: Mapping[str, Any], message: str
) -> None:
    assert service.refusal(account, "GetQuotePolicy", **changes) == (400, message)


@pytest.mark.parametrize("offset", [-10 * 60 * 1000 + 1, 10 * 60 * 1000 - 1])
def test_a_timestamp_just_inside_the_window_is_taken(service: Service, account: Account, offset: int) -> None:
    assert service.call(account, "UploadQuotePolicy", timestamp=str(NOW + offset))["code"] == 200


# Replays


def test_a_request_sent_twice_is_refused_the_second_time(service: Service, account: Account) -> None:
    body = service.body(account, SANDBOX_POLICY)
    assert service.post("UploadQuotePolicy", body)["code"] == 200
    again = service.post("UploadQuotePolicy", body)
    assert again == {"code": 400, "message": "Timestamp can't be repeated in 20 minutes", "result": {}}


def test_nonce_and_timestamp_seen_in_different_requests_are_a_replay_too(service: Service, account: Account) -> None:
    early, late = str(NOW), str(NOW + 1)
    assert service.call(account, "UploadQuotePolicy", nonce="a", timestamp=early)["code"] == 200
    assert service.call(account, "UploadQuotePolicy", nonce="b", timestamp=late)["code"] == 200
    assert service.call(account, "UploadQuotePolicy", nonce="a", timestamp=late)["code"] == 400


def test_no_nonce_counts_as_one_nonce(service: Service, account: Account) -> None:
    assert service.call(account, "UploadQuotePolicy", nonce="")["code"] == 200
    assert service.call(account, "UploadQuotePolicy", nonce="")["code"] == 400
    assert service.call(service.enroll(), "UploadQuotePolicy", nonce="")["code"] == 200


def test_a_refused_request_burns_its_nonce_and_timestamp(service: Service, account: Account) -> None:
    good = service.body(account, SANDBOX_POLICY)
    assert service.post("UploadQuotePolicy", good | {"sign": "wrong"})["message"] == "sign error"
    assert service.post("UploadQuotePolicy", good)["message"] == "Timestamp can't be repeated in 20 minutes"


def test_the_memory_lasts_twenty_minutes_and_not_over_a_restart(service: Service, account: Account) -> None:
    body = service.body(account, timestamp=str(NOW + 9 * 60 * 1000))
    assert service.post("UploadQuotePolicy", body)["code"] == 200
    service.now += 18 * 60 * 1000
    assert service.post("UploadQuotePolicy", body)["message"] == "Timestamp can't be repeated in 20 minutes"
    service.restart()
    assert service.post("UploadQuotePolicy", body)["code"] == 200


# Payloads

B64, LENGTH = "not a vailed base64 string.", "length error."
PAYLOADS: list[tuple[str, Any, str]] = [
    ("GenerateQuote", {}, "Missing required parameters, The challenge cannot be empty."),
    ("GenerateQuote", {"challenge": None}, "Missing required parameters, The challenge cannot be empty."),
    ("GenerateQuote", [], "Missing required parameters, The challenge cannot be empty."),
    ("GenerateQuote", {"challenge": 7}, "Parameter invalid, The challenge must be of string type."),
    ("GenerateQuote", {"challenge": "x" * 4097}, f"Parameter invalid, The challenge {LENGTH}"),
    ("GenerateQuote", {"challenge": "eA"}, f"Parameter invalid, The challenge {B64}"),
    ("GenerateQuote", {"challenge": "e-_="}, f"Parameter invalid, The challenge {B64}"),
    ("VerifyQuote", {"nonce": "eA=="}, "Missing required parameters, The quote cannot be empty."),
    ("VerifyQuote", {"quote": "eA=="}, "Missing required parameters, The nonce cannot be empty."),
    ("VerifyQuote", {"quote": "A" * 10928, "nonce": "eA=="}, f"Parameter invalid, The quote {LENGTH}"),
    (
        "VerifyQuote",
        {"quote": "eA==", "nonce": "eA==", "policyId": "short"},
        f"Parameter invalid, The policyId {LENGTH}",
    ),
    ("GetQuotePolicy", {"policyId": SOME_ID.replace("-", "_")}, "Parameter invalid, The policyId format wrong."),
    ("UploadQuotePolicy", {"mr_enclave": "a" * 64}, "Missing required parameters, The mr_signer cannot be empty."),
    ("UploadQuotePolicy", {"mr_enclave": "a" * 63}, f"Parameter invalid, The mr_enclave {LENGTH}"),
]


@pytest.mark.parametrize(("action", "payload", "message"), PAYLOADS)
def test_payloads_are_checked_even_for_callers_that_did_not_sign(
    service: Service, account: Account, action: str, payload: Any, message: str
) -> None:
    unsigned = service.body(account, payload) | {"sign": "unsigned"}
    assert service.post(action, unsigned) == {"code": 400, "message": message, "result": {}}


def test_a_payload_that_no_enclave_request_has_room_for_is_refused(service: Service, account: Account) -> None:
    payload = {"challenge": "eA==", "unknown": "x" * 9000}
    assert service.refusal(account, "GenerateQuote", payload) == (400, "Unexpected Error")


def test_a_payload_nested_beyond_all_reason_is_an_internal_error(service: Service, account: Account) -> None:
    payload = '{"challenge":"eA==","x":' + '{"x":' * 500 + "1" + "}" * 501
    body = service.body(account) | {"payload": "HERE", "sign": "x"}
    content = json.dumps(body).replace('"HERE"', payload)
    headers = {"Content-Type": "application/json"}
    answer = service.http("POST", "/ehsm?Action=GenerateQuote", content=content, headers=headers).json()
    assert answer["message"] in ("sign error", "Server internal error, please contact the administrator.")


# Quotes and policies


def test_a_quote_shows_the_sandboxs_enclave_and_does_not_bind_the_challenge(service: Service, account: Account) -> None:
    result = service.call(account, "GenerateQuote", {"challenge": "eA=="})["result"]
    assert set(result) == {"challenge", "quote"}
    assert result["challenge"] == "eA=="
    body = parse_quote(base64.b64decode(result["quote"])).body
    assert (body.mr_enclave.hex(), body.mr_signer.hex()) == (ehsm_identity().mr_enclave, ehsm_identity().mr_signer)
    assert list(ehsm_identity().differences(body)) == []
    assert body.report_data == bytes(64)


def test_a_verdict_is_signed_over_the_callers_nonce_without_a_zero_result(service: Service, account: Account) -> None:
    payload = {"quote": service.quote(account), "nonce": "bm9uY2U="}
    result = service.call(account, "VerifyQuote", payload)["result"]
    assert (result["result"], result["nonce"]) == (0, "bm9uY2U=")
    assert is_signed("nonce=bm9uY2U=", result["sign"], account.apikey)
    assert set(result) == {"result", "nonce", "sign"}


def test_a_verdict_with_a_policy_names_its_measurements(service: Service, account: Account) -> None:
    policy_id = service.call(account, "UploadQuotePolicy", SANDBOX_POLICY)["result"]["policyId"]
    payload = {"quote": service.quote(account), "nonce": "bm9uY2U=", "policyId": policy_id}
    result = service.call(account, "VerifyQuote", payload)["result"]
    assert {name: result[name] for name in SANDBOX_POLICY} == SANDBOX_POLICY
    text = canonical_text(SANDBOX_POLICY | {"nonce": "bm9uY2U=", "result": 0})
    assert is_signed(text, result["sign"], account.apikey)


def test_a_quote_that_was_changed_has_an_invalid_signature(service: Service, account: Account) -> None:
    quote = bytearray(base64.b64decode(service.quote(account)))
    quote[200] ^= 1
    payload = {"quote": base64.b64encode(quote).decode(), "nonce": "bm9uY2U="}
    assert service.call(account, "VerifyQuote", payload)["result"]["result"] == 0xA004


@pytest.mark.parametrize("change", [str.upper, lambda text: "0" * len(text)])
def test_a_policy_is_compared_as_text_and_a_mismatch_is_an_exception(
    service: Service, account: Account, change: Callable[[str], str]
) -> None:
    uploaded = {name: change(value or "") for name, value in SANDBOX_POLICY.items()}
    policy_id = service.call(account, "UploadQuotePolicy", uploaded)["result"]["policyId"]
    payload = {"quote": service.quote(account), "nonce": "eA==", "policyId": policy_id}
    assert service.call(account, "VerifyQuote", payload) == {
        "code": 500,
        "message": "Server exception.",
        "result": None,
    }


def test_the_simulated_platform_quotes_whatever_enclave_it_is_asked_for(service: Service, account: Account) -> None:
    measured = {"mr_enclave": "a1" * 32, "mr_signer": "b2" * 32}
    quote = service.http("GET", "/quote", params=measured).json()["quote"]
    payload = {"quote": quote, "nonce": "eA=="}
    assert service.call(account, "VerifyQuote", payload)["result"]["result"] == 0
    policy_id = service.call(account, "UploadQuotePolicy", measured)["result"]["policyId"]
    verdict = service.call(account, "VerifyQuote", payload | {"policyId": policy_id})["result"]
    assert {name: verdict[name] for name in measured} == measured
    other = service.call(account, "UploadQuotePolicy", measured | {"mr_signer": "c3" * 32})["result"]["policyId"]
    assert service.call(account, "VerifyQuote", payload | {"policyId": other})["code"] == 500


@pytest.mark.parametrize("mr_signer", ["", "b2" * 31, "z2" * 32])
def test_what_is_no_measurement_is_not_quoted(service: Service, mr_signer: str) -> None:
    refused = service.http("GET", "/quote", params={"mr_enclave": "a1" * 32, "mr_signer": mr_signer})
    assert (refused.status_code, refused.json()) == (400, {"error": "mr_signer is not 64 hexadecimal digits"})


def test_bytes_that_are_no_quote_are_an_exception(service: Service, account: Account) -> None:
    assert service.refusal(account, "VerifyQuote", {"quote": "eA==", "nonce": "eA=="}) == (500, "Server exception.")


def test_policies_belong_to_their_account(service: Service, account: Account) -> None:
    policy_id = service.call(account, "UploadQuotePolicy", SANDBOX_POLICY)["result"]["policyId"]
    own = service.call(account, "GetQuotePolicy", {"policyId": policy_id})["result"]
    assert own == {"policyId": policy_id, "createTime": NOW} | SANDBOX_POLICY
    stranger = service.enroll()
    assert service.call(stranger, "GetQuotePolicy", {"policyId": policy_id})["result"] == {"policyId": policy_id}
    payload = {"quote": service.quote(stranger), "nonce": "eA==", "policyId": policy_id}
    assert service.refusal(stranger, "VerifyQuote", payload) == (400, "Invalid  policyId.")


def test_an_upload_without_a_payload_still_gives_an_id(service: Service, account: Account) -> None:
    assert len(service.call(account, "UploadQuotePolicy")["result"]["policyId"]) == 36


@pytest.mark.parametrize("action", ["GenerateQuote", "VerifyQuote", "GetQuotePolicy"])
def test_other_actions_without_a_payload_are_an_exception(service: Service, account: Account, action: str) -> None:
    assert service.refusal(account, action) == (500, "Server exception.")


# What it keeps


def test_accounts_policies_and_quotes_survive_a_restart(service: Service, account: Account) -> None:
    policy_id = service.call(account, "UploadQuotePolicy", SANDBOX_POLICY)["result"]["policyId"]
    quote = service.quote(account)
    service.restart()
    payload = {"quote": quote, "nonce": "eA==", "policyId": policy_id}
    assert service.call(account, "VerifyQuote", payload)["result"]["result"] == 0


def test_the_apikey_stands_in_the_database_only_and_for_its_owner_only(service: Service, account: Account) -> None:
    service.call(account, "GenerateQuote", {"challenge": "eA=="})
    holders = [p for p in service.folder.rglob("*") if p.is_file() and account.apikey.reveal_bytes() in p.read_bytes()]
    assert {p.name for p in holders} <= {"ehsm.sqlite", "ehsm.sqlite-wal"}
    assert {p.stat().st_mode & 0o777 for p in service.folder.glob("ehsm.sqlite*")} == {0o600}
    assert (service.folder / "platform.json").stat().st_mode & 0o777 == 0o600


def test_the_access_log_tells_who_asked_for_what_and_when(service: Service, account: Account) -> None:
    service.refusal(account, "GenerateQuote", {})
    service.post("GenerateQuote", {"appid": "a secret in the wrong place", "payload": "x"})
    lines = [json.loads(line) for line in (service.folder / "requests.jsonl").read_text().splitlines()]
    assert lines == [
        {"time": NOW, "action": "Enroll", "appid": None, "code": 200},
        {"time": NOW, "action": "GenerateQuote", "appid": account.appid, "code": 400},
        {"time": NOW, "action": "GenerateQuote", "appid": None, "code": 400},
    ]


def test_callers_at_the_same_time_each_get_an_account(service: Service) -> None:
    appids: list[str] = []
    threads = [threading.Thread(target=lambda: appids.append(service.enroll().appid)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(appids)) == 8

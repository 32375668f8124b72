"""Secrets of the embedded EHSM: their versions, their deletion, and the words of its refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ehsm_service import NOW, Service

from ppmlctl.ehsm import Account

DAY = 24 * 60 * 60 * 1000
SOME_ID = "00000000-0000-0000-0000-000000000000"
NAME = {"secretName": "password"}
LONG = "x" * 65


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.fixture
def account(service: Service) -> Account:
    return service.enroll()


def result(service: Service, account: Account, action: str, **payload: Any) -> Any:
    answer = service.call(account, action, payload)
    assert answer["code"] == 200, answer
    return answer["result"]


def create(service: Service, account: Account, **more: Any) -> None:
    answer = service.call(account, "CreateSecret", NAME | {"secretData": "first value"} | more)
    assert answer == {"code": 200, "message": "The password create success.", "result": {}}


def test_a_secret_keeps_every_value_it_had(service: Service, account: Account) -> None:
    create(service, account)
    service.now += 5
    answer = service.call(account, "PutSecretValue", NAME | {"secretData": "zweiter Wert äöü 🔑"})
    assert answer == {"code": 200, "message": "The password new version put success.", "result": {}}
    newest = NAME | {"secretData": "zweiter Wert äöü 🔑", "versionId": 2, "createTime": NOW + 5}
    assert result(service, account, "GetSecretValue", **NAME) == newest
    first = NAME | {"secretData": "first value", "versionId": 1, "createTime": NOW}
    assert result(service, account, "GetSecretValue", **NAME, versionId=1) == first
    assert result(service, account, "GetSecretValue", **NAME, versionId=3) == {}
    versions = result(service, account, "ListSecretVersionIds", **NAME)
    assert (versions["secretName"], versions["totalCount"]) == ("password", 2)
    ids = sorted(versions["versionIds"], key=lambda version: int(version["versionId"]))
    assert ids == [{"versionId": 1, "createTime": NOW}, {"versionId": 2, "createTime": NOW + 5}]


def test_a_secret_tells_of_itself_without_its_value(service: Service, account: Account) -> None:
    create(service, account, description="of the keystore", rotationInterval="30d")
    described = result(service, account, "DescribeSecret", **NAME)
    assert described == NAME | {
        "description": "of the keystore",
        "createTime": NOW,
        "rotationInterval": "30d",
        "lastRotationDate": "",
        "nextRotationDate": NOW + 30 * DAY,
    }
    listed = NAME | {"description": "of the keystore", "createTime": NOW}
    assert result(service, account, "ListSecrets") == {"totalCount": 1, "secretList": [listed]}
    result(service, account, "UpdateSecretDesc", **NAME, description="another")
    assert result(service, account, "ListSecrets", **NAME)["secretList"][0]["description"] == "another"
    assert result(service, account, "ListSecrets", secretName="other") == {"totalCount": 0, "secretList": []}
    assert service.call(account, "ListSecrets")["result"]["totalCount"] == 1


def test_an_unknown_secret_has_an_empty_description(service: Service, account: Account) -> None:
    assert service.call(account, "DescribeSecret", NAME) == {
        "code": 200,
        "message": "Describe secrets success.",
        "result": {},
    }


@pytest.mark.parametrize(
    ("action", "more", "words"),
    [
        ("UpdateSecretDesc", {}, "Cannot find secretName"),
        ("PutSecretValue", {"secretData": "x"}, "Can not find secretName"),
        ("GetSecretValue", {}, "Can't find the password's value."),
        ("DeleteSecret", {}, "Delete error, Can not find the secretName"),
        ("RestoreSecret", {}, "Can not restore secret, the secretName not find."),
    ],
)
def test_an_unknown_secret_is_a_bad_request(
    service: Service, account: Account, action: str, more: dict[str, str], words: str
) -> None:
    create(service, service.enroll())
    assert service.refusal(account, action, NAME | more) == (400, words)


def test_a_secret_that_waits_for_its_deletion_can_be_restored(service: Service, account: Account) -> None:
    create(service, account)
    answer = service.call(account, "DeleteSecret", NAME | {"recoveryPeriod": 7})
    assert answer["message"] == "The password will be deleted after 7 days."
    for action, more, words in (
        ("GetSecretValue", {}, "Can't find the password's value."),
        ("PutSecretValue", {"secretData": "x"}, "Can not put value for a deleted secret."),
        ("UpdateSecretDesc", {}, "Can not modify a deleted secret."),
        ("CreateSecret", {"secretData": "x"}, "Secret name already exists, cannot use the same secret name"),
    ):
        assert service.refusal(account, action, NAME | more) == (400, words)
    assert result(service, account, "DescribeSecret", **NAME)["plannedDeleteTime"] == NOW + 7 * DAY
    assert result(service, account, "ListSecretVersionIds", **NAME)["totalCount"] == 0
    assert service.call(account, "RestoreSecret", NAME)["message"] == "The password restore success."
    assert result(service, account, "GetSecretValue", **NAME)["secretData"] == "first value"
    assert "plannedDeleteTime" not in result(service, account, "DescribeSecret", **NAME)


def test_a_secret_goes_when_its_time_has_come(service: Service, account: Account) -> None:
    create(service, account)
    result(service, account, "DeleteSecret", **NAME)
    service.now += 30 * DAY
    assert result(service, account, "DescribeSecret", **NAME) == {}
    create(service, account)
    assert result(service, account, "GetSecretValue", **NAME)["versionId"] == 1


@pytest.mark.parametrize(("force", "is_gone"), [("true", True), ("TRUE", False), ("false", False)])
def test_only_the_lower_case_word_forces_a_deletion(
    service: Service, account: Account, force: str, *, is_gone: bool
) -> None:
    create(service, account)
    result(service, account, "DeleteSecret", **NAME, forceDelete=force)
    assert (result(service, account, "DescribeSecret", **NAME) == {}) is is_gone
    assert service.refusal(account, "DeleteSecret", NAME | {"forceDelete": "maybe"}) == (
        400,
        "The forceDelete must be true or false",
    )


def test_a_secret_is_lost_with_the_key_that_encrypts_it(service: Service, account: Account) -> None:
    payload = {"keyspec": "EH_AES_GCM_256", "origin": "EH_INTERNAL_KEY", "keyusage": "EH_KEYUSAGE_ENCRYPT_DECRYPT"}
    keyid = result(service, account, "CreateKey", **payload)["keyid"]
    create(service, account, encryptionKeyId=keyid)
    assert result(service, account, "GetSecretValue", **NAME)["secretData"] == "first value"
    result(service, account, "DeleteKey", keyid=keyid)
    assert service.refusal(account, "GetSecretValue", NAME) == (400, "Cannot find cmk by keyid.")


@pytest.mark.parametrize("keyid", [SOME_ID, "theirs"])
def test_a_secret_needs_a_key_of_its_own_account(service: Service, account: Account, keyid: str) -> None:
    payload = {"keyspec": "EH_AES_GCM_256", "origin": "EH_INTERNAL_KEY", "keyusage": "EH_KEYUSAGE_ENCRYPT_DECRYPT"}
    theirs = result(service, service.enroll(), "CreateKey", **payload)["keyid"]
    wanted = NAME | {"secretData": "x", "encryptionKeyId": theirs if keyid == "theirs" else keyid}
    assert service.refusal(account, "CreateSecret", wanted) == (400, "Cannot find cmk by keyid.")


@pytest.mark.parametrize("interval", ["5h", "366d", "9999s", "30,"])
def test_a_rotation_is_between_six_hours_and_a_year(service: Service, account: Account, interval: str) -> None:
    payload = NAME | {"secretData": "x", "rotationInterval": interval}
    words = "The rotation time is less than 6 hours or more than 8760 hours"
    assert service.refusal(account, "CreateSecret", payload) == (400, words)
    assert result(service, account, "ListSecrets")["totalCount"] == 0


WRONG: list[tuple[str, Any, str]] = [
    ("CreateSecret", {}, "Missing required parameters, The secretName cannot be empty."),
    ("CreateSecret", {"secretName": LONG, "secretData": "x"}, "Parameter invalid, The secretName length error."),
    ("CreateSecret", NAME | {"secretData": "x" * 4097}, "Parameter invalid, The secretData length error."),
    (
        "CreateSecret",
        NAME | {"secretData": "x", "rotationInterval": "30w"},
        "Parameter invalid, The rotationInterval format wrong.",
    ),
    (
        "CreateSecret",
        NAME | {"secretData": "x", "encryptionKeyId": "x"},
        "Parameter invalid, The encryptionKeyId length error.",
    ),
    ("DeleteSecret", NAME | {"recoveryPeriod": "7"}, "Parameter invalid, The recoveryPeriod must be of integer type."),
    (
        "DeleteSecret",
        NAME | {"recoveryPeriod": 366},
        "Parameter invalid, The recoveryPeriod value must be less than or equal to 365.",
    ),
    ("DeleteSecret", NAME | {"forceDelete": True}, "Parameter invalid, The forceDelete must be of string type."),
    (
        "GetSecretValue",
        NAME | {"versionId": 0},
        "Parameter invalid, The versionId value must be greater than or equal to 1.",
    ),
    ("ListSecrets", {"secretName": LONG}, "Parameter invalid, The secretName length error."),
]


@pytest.mark.parametrize(("action", "payload", "message"), WRONG)
def test_payloads_are_checked_before_the_signature(
    service: Service, account: Account, action: str, payload: Any, message: str
) -> None:
    unsigned = service.body(account, payload) | {"sign": "unsigned"}
    assert service.post(action, unsigned) == {"code": 400, "message": message, "result": {}}


def test_an_action_on_a_secret_without_a_payload_is_an_internal_error(service: Service, account: Account) -> None:
    words = "Server internal error, please contact the administrator."
    assert service.refusal(account, "CreateSecret") == (500, words)


def test_no_value_stands_in_the_database_as_it_is_nor_in_the_log(service: Service, account: Account) -> None:
    create(service, account)
    for file in service.folder.rglob("*"):
        assert file.is_dir() or b"first value" not in file.read_bytes()

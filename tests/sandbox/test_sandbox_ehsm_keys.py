"""Keys of the embedded EHSM: what they do, whom they obey, and the words of its refusals."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from ehsm_service import NOW, Service

from ppmlctl.ehsm import Account
from ppmlctl.sandbox.ehsm.database import Database
from ppmlctl.sandbox.ehsm.key_store import KeyStore

DAY = 24 * 60 * 60 * 1000
ENCRYPT, SIGN = "EH_KEYUSAGE_ENCRYPT_DECRYPT", "EH_KEYUSAGE_SIGN_VERIFY"
INTERNAL, EXTERNAL = "EH_INTERNAL_KEY", "EH_EXTERNAL_KEY"
OAEP, PKCS1, PSS = "EH_RSA_PKCS1_OAEP", "EH_RSA_PKCS1", "EH_RSA_PKCS1_PSS"
SOME_ID = "00000000-0000-0000-0000-000000000000"
EXCEPTION = (500, "Server exception.")


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.fixture
def account(service: Service) -> Account:
    return service.enroll()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def create(service: Service, account: Account, keyspec: str, usage: str = ENCRYPT, origin: str = INTERNAL) -> str:
    payload = {"keyspec": keyspec, "origin": origin, "keyusage": usage}
    keyid: str = service.call(account, "CreateKey", payload)["result"]["keyid"]
    return keyid


def result(service: Service, account: Account, action: str, **payload: Any) -> Any:
    answer = service.call(account, action, payload)
    assert answer["code"] == 200, answer
    return answer["result"]


# Symmetric keys


@pytest.mark.parametrize(
    ("keyspec", "overhead"),
    [("EH_AES_GCM_128", 28), ("EH_AES_GCM_192", 28), ("EH_AES_GCM_256", 28), ("EH_SM4_CTR", 16), ("EH_SM4_CBC", 25)],
)
def test_what_is_encrypted_can_be_decrypted(service: Service, account: Account, keyspec: str, overhead: int) -> None:
    keyid = create(service, account, keyspec)
    sealed = result(service, account, "Encrypt", keyid=keyid, plaintext=b64(b"plaintext bytes 23 long"), aad=b64(b"a"))
    assert len(base64.b64decode(sealed["ciphertext"])) == 23 + overhead
    opened = result(service, account, "Decrypt", keyid=keyid, ciphertext=sealed["ciphertext"], aad=b64(b"a"))
    assert opened == {"plaintext": b64(b"plaintext bytes 23 long")}


def test_an_aes_ciphertext_is_body_then_iv_then_tag(service: Service, account: Account) -> None:
    keyid = create(service, account, "EH_AES_GCM_256")
    key = KeyStore(Database(service.folder / "ehsm.sqlite")).find(keyid)
    assert key
    raw = base64.b64decode(result(service, account, "Encrypt", keyid=keyid, plaintext=b64(b"plain"))["ciphertext"])
    body, iv, tag = raw[:-28], raw[-28:-16], raw[-16:]
    assert AESGCM(key.material).decrypt(iv, body + tag, b"") == b"plain"


@pytest.mark.parametrize(
    "change", [{"aad": b64(b"other")}, {"ciphertext": b64(bytes(40))}, {"ciphertext": b64(b"short")}]
)
def test_what_cannot_be_decrypted_is_a_bad_request(service: Service, account: Account, change: dict[str, str]) -> None:
    keyid = create(service, account, "EH_AES_GCM_128")
    sealed = result(service, account, "Encrypt", keyid=keyid, plaintext=b64(b"plain"), aad=b64(b"aad"))
    payload = {"keyid": keyid, "ciphertext": sealed["ciphertext"], "aad": b64(b"aad")} | change
    words = "Decryption failed, Please confirm that your parameters are correct."
    assert service.refusal(account, "Decrypt", payload) == (400, words)


@pytest.mark.parametrize("length", [1, 16, 1024])
def test_a_data_key_comes_wrapped_and_with_its_plaintext_only_where_asked(
    service: Service, account: Account, length: int
) -> None:
    keyid = create(service, account, "EH_AES_GCM_128")
    both = result(service, account, "GenerateDataKey", keyid=keyid, keylen=length, aad=b64(b"test"))
    opened = result(service, account, "Decrypt", keyid=keyid, ciphertext=both["ciphertext"], aad=b64(b"test"))
    assert (opened["plaintext"], len(base64.b64decode(both["plaintext"]))) == (both["plaintext"], length)
    alone = result(service, account, "GenerateDataKeyWithoutPlaintext", keyid=keyid, keylen=length)
    assert list(alone) == ["ciphertext"]
    assert alone["ciphertext"] != both["ciphertext"]


# Asymmetric keys


@pytest.mark.parametrize("padding_mode", [OAEP, PKCS1])
def test_rsa_decrypts_what_its_public_key_encrypted(service: Service, account: Account, padding_mode: str) -> None:
    keyid = create(service, account, "EH_RSA_2048")
    public = load_pem_public_key(result(service, account, "GetPublicKey", keyid=keyid)["pubkey"].encode())
    assert isinstance(public, rsa.RSAPublicKey)
    modes = {OAEP: padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None), PKCS1: padding.PKCS1v15()}
    ours = b64(public.encrypt(b"plain", modes[padding_mode]))
    asked = {"keyid": keyid, "padding_mode": padding_mode}
    theirs = result(service, account, "AsymmetricEncrypt", plaintext=b64(b"plain"), **asked)["ciphertext"]
    for ciphertext in (ours, theirs):
        assert result(service, account, "AsymmetricDecrypt", ciphertext=ciphertext, **asked) == {
            "plaintext": b64(b"plain")
        }


CURVES = ["EH_EC_P224", "EH_EC_P256", "EH_EC_P256K", "EH_EC_P384", "EH_EC_P521"]


@pytest.mark.parametrize(
    ("keyspec", "padding_mode"),
    [("EH_RSA_2048", PKCS1), ("EH_RSA_2048", PSS), *((one, "EH_PAD_NONE") for one in CURVES)],
)
def test_a_signature_holds_for_its_message_alone(
    service: Service, account: Account, keyspec: str, padding_mode: str
) -> None:
    keyid = create(service, account, keyspec, SIGN)
    how = {"keyid": keyid, "message_type": "EH_RAW", "digest_mode": "EH_SHA_256", "padding_mode": padding_mode}
    signature = result(service, account, "Sign", message=b64(b"message"), **how)["signature"]
    for message, holds in ((b"message", True), (b"another", False)):
        verified = result(service, account, "Verify", message=b64(message), signature=signature, **how)
        assert verified == {"result": holds}


def test_a_digest_is_signed_as_it_is(service: Service, account: Account) -> None:
    keyid = create(service, account, "EH_EC_P256", SIGN)
    how = {"keyid": keyid, "message_type": "EH_DIGEST", "digest_mode": "EH_SHA_256", "padding_mode": "EH_PAD_NONE"}
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"message")
    signature = result(service, account, "Sign", message=b64(digest.finalize()), **how)["signature"]
    public = load_pem_public_key(result(service, account, "GetPublicKey", keyid=keyid)["pubkey"].encode())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(base64.b64decode(signature), b"message", ec.ECDSA(hashes.SHA256()))
    assert service.refusal(account, "Sign", how | {"message": b64(b"no digest")}) == EXCEPTION


def test_a_data_key_is_exported_for_another_key(service: Service, account: Account) -> None:
    wrapping, target = create(service, account, "EH_AES_GCM_128"), create(service, account, "EH_RSA_2048")
    data_key = result(service, account, "GenerateDataKey", keyid=wrapping, keylen=32)
    payload = {"keyid": wrapping, "ukeyid": target, "olddatakey_base": data_key["ciphertext"]}
    exported = result(service, account, "ExportDataKey", **payload)["newdatakey"]
    opened = result(service, account, "AsymmetricDecrypt", keyid=target, ciphertext=exported, padding_mode=OAEP)
    assert opened["plaintext"] == data_key["plaintext"]
    assert service.refusal(account, "ExportDataKey", payload | {"ukeyid": wrapping}) == EXCEPTION
    assert service.refusal(account, "ExportDataKey", payload | {"olddatakey_base": "no base64"}) == EXCEPTION


# Key material of one's own


@pytest.mark.parametrize("length", [16, 24])
def test_an_imported_key_is_used_once_its_length_fits(service: Service, account: Account, length: int) -> None:
    keyid = create(service, account, "EH_AES_GCM_128", origin=EXTERNAL)
    assert service.refusal(account, "Encrypt", {"keyid": keyid, "plaintext": "eA=="}) == EXCEPTION
    given = result(service, account, "GetParametersForImport", keyid=keyid, keyspec="EH_RSA_2048")
    public = load_pem_public_key(given["pubkey"].encode())
    assert isinstance(public, rsa.RSAPublicKey)
    payload = {
        "keyid": keyid,
        "padding_mode": PKCS1,
        "key_material": b64(public.encrypt(bytes(length), padding.PKCS1v15())),
        "importToken": given["importToken"],
    }
    if length != 16:
        assert service.refusal(account, "ImportKeyMaterial", payload) == (500, "Import key failed.")
        return
    assert result(service, account, "ImportKeyMaterial", **payload) == {"result": True}
    raw = base64.b64decode(result(service, account, "Encrypt", keyid=keyid, plaintext=b64(b"plain"))["ciphertext"])
    assert AESGCM(bytes(16)).decrypt(raw[-28:-16], raw[:-28] + raw[-16:], b"") == b"plain"


def test_an_import_token_is_for_one_key_and_one_day(service: Service, account: Account) -> None:
    one, other = (create(service, account, "EH_AES_GCM_128", origin=EXTERNAL) for _ in range(2))
    tokens = {
        keyid: result(service, account, "GetParametersForImport", keyid=keyid, keyspec="EH_RSA_2048")["importToken"]
        for keyid in (one, other)
    }
    payload = {"keyid": one, "padding_mode": OAEP, "key_material": "eA==", "importToken": tokens[other]}
    assert service.refusal(account, "ImportKeyMaterial", payload) == (500, "ImportToken failed.")
    garbled = payload | {"importToken": "garbled"}
    assert service.refusal(account, "ImportKeyMaterial", garbled) == (500, "ImportKeyMaterial failed.")
    service.now += DAY + 1
    words = 'Token validity time is 24 hours. Try to send "GetParametersForImport" request again.'
    assert service.refusal(account, "ImportKeyMaterial", payload | {"importToken": tokens[one]}) == (500, words)


def test_a_key_of_ones_own_making_takes_no_import(service: Service, account: Account) -> None:
    keyid = create(service, account, "EH_AES_GCM_128")
    assert service.refusal(account, "GetParametersForImport", {"keyid": keyid, "keyspec": "EH_RSA_2048"}) == EXCEPTION


# What a key refuses


@pytest.mark.parametrize(
    "payload",
    [
        {"keyspec": "EH_AES_GCM_128", "origin": INTERNAL},
        {"keyspec": "EH_AES_GCM_128", "origin": INTERNAL, "keyusage": "EH_OTHER"},
        {"keyspec": "EH_HMAC", "origin": INTERNAL, "keyusage": ENCRYPT},
    ],
)
def test_a_key_without_a_usage_and_an_hmac_key_are_exceptions(
    service: Service, account: Account, payload: dict[str, str]
) -> None:
    answer = service.call(account, "CreateKey", payload)
    assert answer == {"code": 500, "message": "Server exception.", "result": None}


def test_sm2_is_refused_and_the_answer_says_why(service: Service, account: Account) -> None:
    payload = {"keyspec": "EH_SM2", "origin": INTERNAL, "keyusage": SIGN}
    assert service.refusal(account, "CreateKey", payload) == (500, "Server exception. (The sandbox has no SM2.)")


def test_a_key_is_for_one_use(service: Service, account: Account) -> None:
    signing, encrypting = create(service, account, "EH_RSA_2048", SIGN), create(service, account, "EH_RSA_2048")
    symmetric = create(service, account, "EH_AES_GCM_128")
    asymmetric = {"plaintext": "eA==", "padding_mode": OAEP}
    message = {"message": "eA==", "message_type": "EH_RAW", "digest_mode": "EH_SHA_256", "padding_mode": PKCS1}
    assert service.refusal(account, "AsymmetricEncrypt", {"keyid": signing} | asymmetric) == EXCEPTION
    assert service.refusal(account, "AsymmetricEncrypt", {"keyid": symmetric} | asymmetric) == EXCEPTION
    assert service.refusal(account, "Sign", {"keyid": encrypting} | message) == EXCEPTION
    assert service.refusal(account, "Encrypt", {"keyid": encrypting, "plaintext": "eA=="}) == EXCEPTION
    assert service.refusal(account, "GetPublicKey", {"keyid": symmetric}) == EXCEPTION
    assert service.refusal(account, "Sign", {"keyid": signing} | message | {"padding_mode": OAEP}) == EXCEPTION


def test_a_key_obeys_its_own_account_while_it_is_enabled_and_young(service: Service, account: Account) -> None:
    keyid, stranger = create(service, account, "EH_AES_GCM_128"), service.enroll()
    payload = {"keyid": keyid, "plaintext": "eA=="}
    assert service.refusal(account, "Encrypt", payload | {"keyid": SOME_ID}) == (400, "keyid error")
    assert service.refusal(stranger, "Encrypt", payload) == (400, "appid error")
    assert service.call(account, "DisableKey", {"keyid": keyid}) == {"code": 200, "message": "successful", "result": {}}
    assert service.refusal(account, "Encrypt", payload) == (400, "keyid is disabled")
    assert service.call(account, "EnableKey", {"keyid": keyid})["code"] == 200
    assert service.call(account, "Encrypt", payload)["code"] == 200
    service.now += 365 * DAY + 1
    assert service.refusal(account, "Encrypt", payload) == (400, "keyid expire")


def test_an_apikey_that_is_only_like_the_account_s_is_refused(service: Service, account: Account) -> None:
    imposter = replace_key(account)
    assert service.refusal(imposter, "ListKey") == (400, "sign error")


def replace_key(account: Account) -> Account:
    return account.model_copy(update={"apikey": account.apikey.__class__(account.apikey.reveal_text()[:-1] + "_")})


# Keeping keys


def test_the_list_of_keys_is_the_account_s_and_tells_state_and_times(service: Service, account: Account) -> None:
    first, second = create(service, account, "EH_AES_GCM_128"), create(service, account, "EH_EC_P256", SIGN)
    create(service, service.enroll(), "EH_AES_GCM_128")
    service.call(account, "DisableKey", {"keyid": first})
    answer = service.call(account, "ListKey")
    listed = {"creationDate": NOW, "expireTime": NOW + 365 * DAY, "alias": ""}
    assert answer["message"] == "successful"
    assert sorted(answer["result"]["list"], key=lambda key: str(key["keyspec"])) == [
        {"keyid": first, "keyspec": "EH_AES_GCM_128", "keyState": 0} | listed,
        {"keyid": second, "keyspec": "EH_EC_P256", "keyState": 1} | listed,
    ]
    service.restart()
    assert len(result(service, account, "ListKey")["list"]) == 2


def test_keys_go_one_by_one_all_at_once_and_ten_days_before_they_expire(service: Service, account: Account) -> None:
    stranger = service.enroll()
    kept = create(service, stranger, "EH_AES_GCM_128")
    first, *_ = [create(service, account, "EH_AES_GCM_128") for _ in range(3)]
    assert service.call(account, "DeleteKey", {"keyid": first})["code"] == 200
    assert service.call(account, "DeleteKey", {"keyid": first})["code"] == 200
    assert service.call(account, "DeleteKey", {"keyid": kept})["code"] == 200
    assert len(result(service, account, "ListKey")["list"]) == 2
    assert service.call(account, "DeleteAllKey")["result"] == {}
    assert result(service, account, "ListKey") == {"list": []}
    assert [key["keyid"] for key in result(service, stranger, "ListKey")["list"]] == [kept]
    service.now += 356 * DAY
    assert result(service, stranger, "ListKey") == {"list": []}


@pytest.mark.parametrize("action", ["EnableKey", "DisableKey"])
def test_a_key_that_is_not_there_cannot_be_switched(service: Service, account: Account, action: str) -> None:
    theirs = create(service, service.enroll(), "EH_AES_GCM_128")
    for keyid in (SOME_ID, theirs):
        assert service.refusal(account, action, {"keyid": keyid}) == (400, "not find this keyid")


# Payloads

KEYID = {"keyid": SOME_ID}
MESSAGE = KEYID | {"message": "eA==", "message_type": "EH_RAW", "digest_mode": "EH_SHA_256", "padding_mode": PKCS1}
WRONG: list[tuple[str, Any, str]] = [
    ("CreateKey", {}, "Missing required parameters, The keyspec cannot be empty."),
    ("CreateKey", {"keyspec": "AES", "origin": INTERNAL}, "Parameter invalid, The keyspec type is incorrect."),
    ("CreateKey", {"keyspec": 1, "origin": INTERNAL}, "Parameter invalid, The keyspec type is incorrect."),
    ("CreateKey", {"keyspec": "EH_SM2", "origin": "other"}, "Parameter invalid, The origin type is incorrect."),
    ("Encrypt", {"keyid": "x", "plaintext": "eA=="}, "Parameter invalid, The keyid length error."),
    ("Encrypt", {"keyid": SOME_ID.upper().replace("0", "A")}, "Parameter invalid, The keyid format wrong."),
    ("Encrypt", KEYID, "Missing required parameters, The plaintext cannot be empty."),
    ("Encrypt", KEYID | {"plaintext": "A" * 8196}, "Parameter invalid, The plaintext length error."),
    ("Encrypt", KEYID | {"plaintext": "eA==", "aad": "e"}, "Parameter invalid, The aad not a vailed base64 string."),
    ("Decrypt", KEYID | {"ciphertext": "A" * 8236}, "Parameter invalid, The ciphertext length error."),
    ("GenerateDataKey", KEYID | {"keylen": "16"}, "Parameter invalid, The keylen must be of integer type."),
    ("GenerateDataKey", KEYID | {"keylen": True}, "Parameter invalid, The keylen must be of integer type."),
    ("GenerateDataKey", KEYID | {"keylen": 1.5}, "Parameter invalid, The keylen must be of integer type."),
    (
        "GenerateDataKey",
        KEYID | {"keylen": 0},
        "Parameter invalid, The keylen value must be greater than or equal to 1.",
    ),
    (
        "GenerateDataKeyWithoutPlaintext",
        KEYID | {"keylen": 1025},
        "Parameter invalid, The keylen value must be less than or equal to 1024.",
    ),
    ("Sign", MESSAGE | {"message_type": "RAW"}, "Parameter invalid, The message_type type is incorrect."),
    ("Sign", MESSAGE | {"digest_mode": "MD5"}, "Parameter invalid, The digest_mode type is incorrect."),
    ("Verify", MESSAGE, "Missing required parameters, The signature cannot be empty."),
    ("ExportDataKey", KEYID | {"ukeyid": 7}, "Parameter invalid, The ukeyid must be of string type."),
]


@pytest.mark.parametrize(("action", "payload", "message"), WRONG)
def test_payloads_are_checked_before_the_signature(
    service: Service, account: Account, action: str, payload: Any, message: str
) -> None:
    unsigned = service.body(account, payload) | {"sign": "unsigned"}
    assert service.post(action, unsigned) == {"code": 400, "message": message, "result": {}}


@pytest.mark.parametrize("payload", [None, "", 0])
def test_a_cryptographic_action_needs_a_payload_before_all_else(
    service: Service, account: Account, payload: object
) -> None:
    body = service.body(account, payload) | {"timestamp": "too short"}
    assert service.post("CreateKey", body)["message"] == "Missing required parameters"


def test_the_largest_plaintext_has_room(service: Service, account: Account) -> None:
    keyid = create(service, account, "EH_AES_GCM_128")
    assert result(service, account, "Encrypt", keyid=keyid, plaintext=b64(bytes(6144)))["ciphertext"]

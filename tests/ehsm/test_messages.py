"""The typed answers of EHSM."""

from __future__ import annotations

import pytest

from ppmlctl.ehsm import Account, Envelope, GeneratedQuote, MessageError, QuoteVerification, VerificationResult

APPID = "11111111-2222-3333-4444-555555555555"


def test_an_account_masks_its_key() -> None:
    account = Account.parse({"appid": APPID, "apikey": "plain-key"})
    assert "plain-key" not in repr(account) + str(account) + account.model_dump_json()
    assert account.apikey.reveal_text() == "plain-key"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "answer: model_type"),
        ({"appid": "plain-key", "apikey": "plain-key"}, "appid: string_pattern_mismatch"),
        ({"appid": APPID, "apikey": 7}, "apikey: value_error"),
    ],
)
def test_a_wrong_answer_is_named_by_field_and_never_by_value(raw: object, words: str) -> None:
    with pytest.raises(MessageError) as caught:
        Account.parse(raw)
    assert str(caught.value) == words
    assert caught.value.__context__ is None


def test_messages_that_are_no_text_have_no_words() -> None:
    assert Envelope.parse({"code": 400, "message": {}, "result": {}}).words == ""
    assert Envelope.parse({"code": 400, "result": {}}).words == ""
    assert Envelope.parse({"code": 400, "message": "sign error", "result": {}}).words == "sign error"


def test_a_quote_comes_as_bytes() -> None:
    assert GeneratedQuote.parse({"challenge": "eA==", "quote": "cXVvdGU="}).quote == b"quote"


@pytest.mark.parametrize(
    ("result", "verdict"),
    [(0, VerificationResult.OK), (0xA007, VerificationResult.SW_HARDENING_NEEDED), (5, VerificationResult.UNSPECIFIED)],
)
def test_a_verification_result_has_a_name(result: int, verdict: VerificationResult) -> None:
    reply = QuoteVerification(result=result, nonce="bm9uY2U=", sign="s")
    assert reply.verdict is verdict
    assert reply.signed_fields == {"result": result, "nonce": "bm9uY2U="}

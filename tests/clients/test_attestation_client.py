"""The attestation service's client, against servers that misbehave."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ppmlctl.attestation import Account, Policy, Verdict
from ppmlctl.clients.attestation import AttestationClient, AttestationRefusedError, ServerTrust
from ppmlctl.diagnostics import EngineError, InputError, TransientError, WriteRefusedError
from ppmlctl.effects import Effect, Effects
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import SandboxCertificates, ensure_certificates
from ppmlctl.secret import Secret

URL = "https://attestation.sandbox:9875"
KEY = "a-key-that-must-not-be-seen"
ACCOUNT = Account("11111111-2222-3333-4444-555555555555", Secret(KEY))
POLICY = Policy.of_domain("ab" * 48)
OPERATIONS: list[Callable[[AttestationClient], Any]] = [
    lambda client: client.check(),
    lambda client: client.enroll(),
    lambda client: client.has_account(ACCOUNT),
    lambda client: client.register_policy(ACCOUNT, POLICY),
    lambda client: client.verify_quote(ACCOUNT, b"quote", "policy"),
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> SandboxCertificates:
    return ensure_certificates(tmp_path_factory.mktemp("tls"), [])


@dataclass
class Switchboard:
    """One listening server for all tests, which answers as the test at hand says."""

    answer: Response | None = None
    port: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.answer
        await self.answer(scope, receive, send)


@pytest.fixture(scope="module")
def board(certificates: SandboxCertificates) -> Iterator[Switchboard]:
    board = Switchboard()
    app: ASGIApp = board
    with served(app, certificates) as board.port:
        yield board


Connect = Callable[..., AttestationClient]


@pytest.fixture
def connect(board: Switchboard, certificates: SandboxCertificates) -> Iterator[Connect]:
    with ExitStack() as stack:

        def client_of(status: int, text: str | bytes, **options: Any) -> AttestationClient:
            board.answer = PlainTextResponse(text, status)
            effects = options.pop("effects", Effects("attestation", writes_allowed=True))
            options = {"trust": ServerTrust(ca=certificates.ca), "connect_to": ("127.0.0.1", board.port), **options}
            return stack.enter_context(AttestationClient(URL, effects, **options))

        yield client_of


@pytest.mark.parametrize("call", OPERATIONS)
@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "not what it gives"),
        (200, "[]"),
        (200, "{}"),
        (200, '{"result": 7}'),
        (200, '{"result": true}'),
        (200, '{"result": -1}'),
        (200, '{"policyID": 1, "appID": "", "apiKey": null}'),
        (200, "[" * 100_000),
        (302, ""),
        (404, "The requested resource could not be found."),
    ],
)
def test_an_answer_of_another_form_is_told_apart(
    connect: Connect, call: Callable[[AttestationClient], Any], status: int, text: str
) -> None:
    with pytest.raises(EngineError, match="attestation-answer-wrong") as caught:
        call(connect(status, text))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("call", OPERATIONS)
def test_status_500_is_its_own_failure(connect: Connect, call: Callable[[AttestationClient], Any]) -> None:
    with pytest.raises(EngineError) as caught:
        call(connect(500, f"exception with {KEY}"))
    assert "HTTP 500" in str(caught.value)
    assert "attestation-service-failed" in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_refusal_has_the_services_words_on_one_line(connect: Connect) -> None:
    with pytest.raises(AttestationRefusedError) as caught:
        connect(400, "some\nwords\x1b[31m" + "x" * 500).register_policy(ACCOUNT, POLICY)
    (found,) = [line for line in str(caught.value).splitlines() if line.lstrip().startswith("is ")]
    assert found.lstrip().startswith("is   registerPolicy: `some words [31mxxx")
    assert found.endswith("…`")


@pytest.mark.parametrize("call", OPERATIONS[2:])
@pytest.mark.parametrize("key", [KEY, 'a "key" that\\must not be seen'])
def test_a_refusal_that_repeats_what_was_sent_tells_no_key(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, call: Callable[[AttestationClient], Any], key: str
) -> None:
    monkeypatch.setitem(globals(), "ACCOUNT", Account(ACCOUNT.app_id, Secret(key)))
    for sent in (key, json.dumps({"apiKey": key})):
        with pytest.raises(EngineError) as caught:
            call(connect(400, f"no: {sent}"))
        assert key not in str(caught.value)
        assert json.dumps(key)[1:-1] not in str(caught.value)


def test_an_unknown_account_comes_with_its_cause(connect: Connect) -> None:
    with pytest.raises(AttestationRefusedError) as caught:
        connect(400, "Invalid app_id and api_key.").verify_quote(ACCOUNT, b"quote")
    assert str(caught.value) == (
        "error[attestation-refused]: the attestation service refused an operation\n"
        "  is   verifyQuote: `Invalid app_id and api_key.`\n"
        "  why  it does not know this account, or its key is another one; a service that is killed loses its last 30 "
        "seconds\n"
        "  fix  give the account that its enroll answered, or enrol anew:\n"
        "       ppmlctl apply --rotate attestation-account"
    )


@pytest.mark.parametrize(("result", "verdict"), [(0, Verdict.ACCEPTED), (1, Verdict.OUTDATED)])
def test_a_verdict_is_read_with_or_without_a_byte_order_mark(connect: Connect, result: int, verdict: Verdict) -> None:
    for text in (f'{{"result":{result}}}', f'\ufeff{{"result":{result}}}'):
        assert connect(200, text.encode()).verify_quote(ACCOUNT, b"quote") is verdict


def test_a_refused_quote_is_a_verdict(connect: Connect) -> None:
    assert connect(400, '{"result": -1}').verify_quote(ACCOUNT, b"quote") is Verdict.REFUSED
    with pytest.raises(EngineError, match="attestation-answer-wrong"):
        connect(400, '{"result": 0}').verify_quote(ACCOUNT, b"quote")


def test_a_plan_reads_and_never_writes(connect: Connect) -> None:
    effects = Effects("attestation", writes_allowed=False)
    client = connect(400, "Unsupported policy type.", effects=effects)
    assert client.has_account(ACCOUNT)
    for write in (client.enroll, lambda: client.register_policy(ACCOUNT, POLICY)):
        with pytest.raises(WriteRefusedError):
            write()
    assert (effects.count(Effect.READ), effects.count(Effect.WRITE)) == (1, 0)


def test_a_server_that_is_not_the_trusted_one_is_sent_nothing(connect: Connect) -> None:
    client = connect(200, "{}", trust=ServerTrust(fingerprint="00" * 32))
    with pytest.raises(EngineError) as caught:
        client.enroll()
    assert "attestation-untrusted" in str(caught.value)
    assert "set attestation.service.tls to the CA file" in str(caught.value)


def test_nobody_there_is_worth_another_try(connect: Connect) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = connect(200, "{}", connect_to=taken.getsockname())
        with pytest.raises(TransientError, match="attestation-unreachable"):
            client.register_policy(ACCOUNT, POLICY)


def test_a_gateway_may_have_passed_a_write_on(connect: Connect) -> None:
    with pytest.raises(EngineError, match="attestation-answer-lost"):
        connect(502, "").register_policy(ACCOUNT, POLICY)
    with pytest.raises(TransientError, match="attestation-unreachable"):
        connect(502, "").verify_quote(ACCOUNT, b"quote")


def test_a_wrong_address_or_ca_is_an_input_error() -> None:
    effects = Effects("attestation", writes_allowed=True)
    with pytest.raises(InputError, match="attestation-url-wrong"):
        AttestationClient("http://attestation", effects)
    trust = ServerTrust(Path("no.pem"), service="the attestation service", key="attestation.service.tls")
    with pytest.raises(InputError, match=r"let attestation\.service\.tls\.ca name a PEM file"):
        AttestationClient(URL, effects, trust=trust)

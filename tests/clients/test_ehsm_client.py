"""The EHSM client, against the embedded server and against servers that misbehave."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ppmlctl.clients.ehsm import NOTHING_DONE, EhsmClient, EhsmRefusedError, Freshness, ServerTrust
from ppmlctl.diagnostics import EngineError, InputError, TransientError, WriteRefusedError
from ppmlctl.effects import Effect, Effects
from ppmlctl.ehsm import Account, canonical_request, sign
from ppmlctl.sandbox.ehsm import make_app
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import SandboxCertificates, ensure_certificates
from ppmlctl.secret import Secret

URL = "https://ehsm.sandbox:9000"
APIKEY = "a-key-that-must-not-be-seen"
ACCOUNT = Account(appid="11111111-2222-3333-4444-555555555555", apikey=Secret(APIKEY))
Answers = Callable[[Mapping[str, Any]], Any]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> SandboxCertificates:
    return ensure_certificates(tmp_path_factory.mktemp("tls"), [])


@dataclass
class Switchboard:
    """One listening server for all tests, which answers as the test at hand says."""

    app: ASGIApp | None = None
    port: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def switchboard(certificates: SandboxCertificates) -> Iterator[Switchboard]:
    board = Switchboard()
    with served(board, certificates) as board.port:
        yield board


@dataclass
class Connection:
    """A client of one server, with what it sent."""

    client: EhsmClient
    effects: Effects


Connect = Callable[..., Connection]


@pytest.fixture
def connect(switchboard: Switchboard, certificates: SandboxCertificates) -> Iterator[Connect]:
    with ExitStack() as stack:

        def open_client(app: ASGIApp, *, url: str = URL, writes_allowed: bool = True, **options: Any) -> Connection:
            switchboard.app = app
            effects = Effects("ehsm", writes_allowed=writes_allowed)
            place = ("127.0.0.1", switchboard.port)
            options = {"trust": ServerTrust(ca=certificates.ca), "connect_to": place, **options}
            client = EhsmClient(url.replace("PORT", str(switchboard.port)), effects, **options)
            return Connection(stack.enter_context(client), effects)

        yield open_client


def answering(answer: Answers) -> Starlette:
    """A server that answers every call by `answer`, given its JSON body."""

    async def respond(request: Request) -> Response:
        body = await request.body()
        answered = answer(json.loads(body) if body else {})
        return answered if isinstance(answered, Response) else JSONResponse(answered)

    return Starlette(routes=[Route("/ehsm", respond, methods=["GET", "POST"])])


def refusing(message: Any) -> Starlette:
    return answering(lambda _body: {"code": 400, "result": {}} | ({} if message is None else {"message": message}))


@contextmanager
def closing_server() -> Iterator[int]:
    """Takes one connection and ends it without a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_accept_and_close, args=(listening,))
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def _accept_and_close(listening: socket.socket) -> None:
    listening.accept()[0].close()


# What it does


def test_every_operation_works_against_the_embedded_server(connect: Connect, tmp_path: Path) -> None:
    client = connect(make_app(tmp_path)).client
    assert client.get_version().version == "sandbox"
    account = client.enroll()
    quote = client.generate_quote(account, b"challenge")
    assert client.verify_quote(account, quote).result == 0
    policy_id = client.upload_quote_policy(account, "AB" * 32, "cd" * 32)
    policy = client.get_quote_policy(account, policy_id)
    assert policy is not None
    assert (policy.mr_enclave, policy.mr_signer) == ("ab" * 32, "cd" * 32)
    assert client.get_quote_policy(account, account.appid) is None


def test_reads_and_writes_are_counted_apart(connect: Connect, tmp_path: Path) -> None:
    connection = connect(make_app(tmp_path))
    account = connection.client.enroll()
    connection.client.upload_quote_policy(account, "ab" * 32, "cd" * 32)
    connection.client.generate_quote(account, b"challenge")
    assert (connection.effects.count(Effect.WRITE), connection.effects.count(Effect.READ)) == (2, 1)


def test_a_plans_client_sends_no_write(connect: Connect, tmp_path: Path) -> None:
    client = connect(make_app(tmp_path), writes_allowed=False).client
    with pytest.raises(WriteRefusedError):
        client.enroll()
    with pytest.raises(WriteRefusedError):
        client.upload_quote_policy(ACCOUNT, "ab" * 32, "cd" * 32)
    assert not (tmp_path / "requests.jsonl").exists()


def test_requests_of_one_instant_carry_different_timestamps_and_nonces(connect: Connect) -> None:
    seen: list[tuple[str, str]] = []

    def answer(body: Mapping[str, Any]) -> Any:
        seen.append((body["timestamp"], body["nonce"]))
        return {"code": 200, "message": "", "result": {"policyId": ACCOUNT.appid}}

    client = connect(answering(answer), freshness=Freshness(lambda: 1_700_000_000.0)).client
    for _ in range(3):
        client.get_quote_policy(ACCOUNT, ACCOUNT.appid)
    assert [timestamp for timestamp, _ in seen] == ["1700000000000", "1700000000001", "1700000000002"]
    assert len({nonce for _, nonce in seen}) == 3


def test_a_replay_answer_is_tried_again_with_another_timestamp(connect: Connect) -> None:
    seen: list[str] = []

    def answer(body: Mapping[str, Any]) -> Any:
        seen.append(body["timestamp"])
        if len(seen) < 3:
            return {"code": 400, "message": "Timestamp can't be repeated in 20 minutes", "result": {}}
        return {"code": 200, "message": "", "result": {"policyId": ACCOUNT.appid}}

    client = connect(answering(answer)).client
    assert client.upload_quote_policy(ACCOUNT, "ab" * 32, "cd" * 32) == ACCOUNT.appid
    assert sorted(set(seen)) == seen


def test_a_server_that_knows_no_nonces_is_signed_for_without_them(connect: Connect) -> None:
    seen: list[bool] = []

    def answer(body: Mapping[str, Any]) -> Any:
        seen.append("nonce" in body)
        signed = {name: body[name] for name in ("appid", "payload", "timestamp")}
        if body["sign"] != sign(canonical_request(signed), ACCOUNT.apikey):
            return {"code": 400, "message": "sign error", "result": {}}
        return {"code": 200, "message": "", "result": {"policyId": ACCOUNT.appid}}

    client = connect(answering(answer)).client
    for _ in range(2):
        client.get_quote_policy(ACCOUNT, ACCOUNT.appid)
    assert seen == [True, False, False]


def test_a_measurement_that_is_none_is_not_sent(connect: Connect, tmp_path: Path) -> None:
    connection = connect(make_app(tmp_path))
    with pytest.raises(ValueError, match="a measurement is 64 hexadecimal digits"):
        connection.client.upload_quote_policy(ACCOUNT, "xy" * 32, "cd" * 32)
    assert connection.effects.count(Effect.WRITE) == 0


# Whom it trusts


def fingerprint_of(certificates: SandboxCertificates) -> str:
    der = x509.load_pem_x509_certificate(certificates.certificate.read_bytes()).public_bytes(Encoding.DER)
    return hashlib.sha256(der).hexdigest()


def test_a_pinned_certificate_is_trusted_under_any_name(
    connect: Connect, tmp_path: Path, certificates: SandboxCertificates
) -> None:
    colons = ":".join(fingerprint_of(certificates).upper()[i : i + 2] for i in range(0, 64, 2))
    client = connect(make_app(tmp_path), url="https://elsewhere.test:1", trust=ServerTrust(fingerprint=colons)).client
    assert client.get_version().version == "sandbox"
    assert client.trust.authenticates


def test_another_certificate_than_the_pinned_one_gets_no_request(
    connect: Connect, tmp_path: Path, certificates: SandboxCertificates
) -> None:
    client = connect(make_app(tmp_path), trust=ServerTrust(fingerprint="00" * 32)).client
    with pytest.raises(EngineError) as caught:
        client.get_version()
    assert str(caught.value) == (
        "error[ehsm-untrusted]: EHSM's certificate is not trusted\n"
        "  is   GetVersion at https://ehsm.sandbox:9000: "
        f"certificate fingerprint is {fingerprint_of(certificates)}, expected {'00' * 32}\n"
        "  why  whoever stands between could read and answer in its place\n"
        "  fix  set kms.ehsm.tls to the CA file, or the SHA-256 fingerprint, that the server's owner gave you"
    )
    assert not isinstance(caught.value, TransientError)
    assert not (tmp_path / "requests.jsonl").exists()


def test_a_name_that_the_certificate_lacks_is_not_trusted(connect: Connect, tmp_path: Path) -> None:
    client = connect(make_app(tmp_path), url="https://elsewhere.test:9000").client
    with pytest.raises(EngineError) as caught:
        client.get_version()
    assert str(caught.value) == (
        "error[ehsm-untrusted]: EHSM's certificate is not trusted\n"
        "  is   GetVersion at https://elsewhere.test:9000: "
        "Hostname mismatch, certificate is not valid for 'elsewhere.test'.\n"
        "  why  EHSM's self-made certificate names no host, so a CA file cannot vouch for it\n"
        "  fix  pin it with kms.ehsm.tls.fingerprint, or give the server a certificate that names its host"
    )


def test_an_authority_that_is_not_known_is_not_trusted(connect: Connect, tmp_path: Path) -> None:
    client = connect(make_app(tmp_path), trust=ServerTrust()).client
    with pytest.raises(EngineError) as caught:
        client.get_version()
    assert caught.value.diagnostics[0].code == "ehsm-untrusted"


def test_an_insecure_connection_is_made_by_explicit_choice_and_authenticates_nobody(
    connect: Connect, tmp_path: Path
) -> None:
    client = connect(make_app(tmp_path), trust=ServerTrust(insecure=True), url="https://127.0.0.1:PORT").client
    assert client.get_version().version == "sandbox"
    assert not client.trust.authenticates


def test_the_url_is_used_as_it_is_where_nothing_maps_it(connect: Connect, tmp_path: Path) -> None:
    client = connect(make_app(tmp_path), url="https://127.0.0.1:PORT/ehsm/", connect_to=None).client
    assert client.get_version().version == "sandbox"


@pytest.mark.parametrize(
    ("url", "trust", "message"),
    [
        (
            "http://ehsm.test:9000",
            ServerTrust(),
            "error[ehsm-url-wrong]: EHSM's URL is no https URL\n  is   http://ehsm.test:9000\n  fix  https://HOST:9000",
        ),
        (
            URL,
            ServerTrust(fingerprint="12:34"),
            (
                "error[server-fingerprint-wrong]: EHSM's fingerprint is no SHA-256\n  is   12:34\n"
                "  why  it has 64 hexadecimal digits\n"
                "  fix  openssl x509 -in CERTIFICATE -noout -fingerprint -sha256"
            ),
        ),
        (
            URL,
            ServerTrust(ca=Path("missing/ca.pem")),
            (
                "error[server-ca-unreadable]: EHSM's CA file holds no certificates that can be read\n"
                "  is   missing/ca.pem: No such file or directory\n"
                "  fix  let kms.ehsm.tls.ca name a PEM file"
            ),
        ),
    ],
)
def test_a_wrong_address_or_trust_is_an_input_error(url: str, trust: ServerTrust, message: str) -> None:
    with pytest.raises(InputError) as caught:
        EhsmClient(url, Effects("ehsm", writes_allowed=True), trust=trust)
    assert str(caught.value) == message


# What goes wrong


def test_nobody_there_is_transient() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    url = f"https://127.0.0.1:{port}"
    with EhsmClient(url, Effects("ehsm", writes_allowed=True)) as client, pytest.raises(TransientError) as caught:
        client.enroll()
    assert str(caught.value) == (
        "error[ehsm-unreachable]: EHSM cannot be reached\n"
        f"  is   Enroll at {url}: [Errno 111] Connection refused\n"
        "  why  it does not run, or a firewall or name stands between\n"
        f"  fix  curl -k {url}"
    )


def test_a_connection_that_ends_in_the_handshake_is_transient() -> None:
    with (
        closing_server() as port,
        EhsmClient(f"https://127.0.0.1:{port}", _effects()) as client,
        pytest.raises(TransientError),
    ):
        client.enroll()


def _effects() -> Effects:
    return Effects("ehsm", writes_allowed=True)


def test_a_write_that_was_sent_and_not_answered_is_not_tried_again(certificates: SandboxCertificates) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)

    def read_and_leave(listening: socket.socket) -> None:
        connection = context.wrap_socket(listening.accept()[0], server_side=True)
        with connection:
            connection.recv(4096)

    def try_operation(operation: Callable[[EhsmClient], object]) -> EngineError:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=read_and_leave, args=(listening,))
            thread.start()
            place = ("127.0.0.1", listening.getsockname()[1])
            client = EhsmClient(URL, _effects(), trust=ServerTrust(ca=certificates.ca), connect_to=place)
            with client, pytest.raises(EngineError) as caught:
                operation(client)
            thread.join()
        return caught.value

    lost = try_operation(EhsmClient.enroll)
    assert (lost.diagnostics[0].code, type(lost)) == ("ehsm-answer-lost", EngineError)
    assert isinstance(try_operation(EhsmClient.get_version), TransientError)


REFUSALS: list[tuple[Any, str]] = [
    (
        "sign error",
        (
            "GetQuotePolicy: code 400, `sign error`\n"
            "  why  the apikey is not this account's\n"
            "  fix  compare appid and apikey with those of the enrolment"
        ),
    ),
    (
        None,
        (
            "GetQuotePolicy: code 400, no message\n"
            "  why  it does not know this account: another server, or an emptied database\n"
            "  fix  restore EHSM's database, or enrol anew:\n"
            "       ppmlctl apply --rotate ehsm-account"
        ),
    ),
    (
        {},
        (
            "GetQuotePolicy: code 400, no message\n"
            "  why  its database cannot be reached\n"
            "  fix  look at the couchdb of EHSM, then try again"
        ),
    ),
    (
        "Timestamp error",
        (
            "GetQuotePolicy: code 400, `Timestamp error`\n"
            "  why  the clocks of this machine and of EHSM differ by 10 minutes or more\n"
            "  fix  date -u"
        ),
    ),
    (
        "red \x1b[31m words\n" + "x" * 200,
        "GetQuotePolicy: code 400, `red  [31m words " + "x" * 184 + "…`\n  fix  read the log of the EHSM server",
    ),
]


@pytest.mark.parametrize(("message", "text"), REFUSALS)
def test_a_refusal_tells_operation_words_and_likely_cause(connect: Connect, message: Any, text: str) -> None:
    client = connect(refusing(message)).client
    with pytest.raises(EhsmRefusedError) as caught:
        client.get_quote_policy(ACCOUNT, ACCOUNT.appid)
    assert str(caught.value) == f"error[ehsm-refused]: EHSM refused an operation\n  is   {text}"
    assert caught.value.code == 400
    assert isinstance(caught.value, TransientError) == (message == {})
    assert APIKEY not in str(caught.value) + repr(caught.value.__dict__)


WRONG_ANSWERS = [
    (PlainTextResponse("Cannot GET /ehsm", 404), "HTTP 404"),
    (PlainTextResponse("hello"), "no JSON"),
    (PlainTextResponse("[" * 100_000), "no JSON"),
    (JSONResponse([]), "answer: model_type"),
    (JSONResponse({"code": 200, "result": {"version": 3}}), "version: string_type"),
]


@pytest.mark.parametrize(("answer", "reason"), WRONG_ANSWERS)
def test_an_answer_that_is_not_ehsms_is_named_so(connect: Connect, answer: Response, reason: str) -> None:
    client = connect(answering(lambda _body: answer)).client
    with pytest.raises(EngineError) as caught:
        client.get_version()
    assert str(caught.value) == (
        "error[ehsm-answer-wrong]: what answered is not the EHSM that was asked\n"
        f"  is   GetVersion at {URL}: {reason}\n"
        "  fix  compare kms.ehsm.url with the deployment"
    )


def test_a_gateway_without_a_server_behind_it_is_transient(connect: Connect) -> None:
    client = connect(answering(lambda _body: PlainTextResponse("", 503))).client
    with pytest.raises(TransientError):
        client.get_version()


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_that_passed_a_write_on_leaves_open_whether_it_was_done(connect: Connect, status: int) -> None:
    client = connect(answering(lambda _body: PlainTextResponse("", status))).client
    with pytest.raises(EngineError, match=f"ehsm-answer-lost.*\n.*HTTP {status}") as caught:
        client.enroll()
    assert not isinstance(caught.value, NOTHING_DONE)
    with pytest.raises(TransientError):
        client.get_version()


def test_a_gateway_that_did_not_pass_a_write_on_lets_it_be_sent_again(connect: Connect) -> None:
    client = connect(answering(lambda _body: PlainTextResponse("", 503))).client
    with pytest.raises(TransientError):
        client.enroll()


def test_an_answer_without_end_is_cut_off(connect: Connect) -> None:
    client = connect(answering(lambda _body: PlainTextResponse("x" * (1 << 21)))).client
    with pytest.raises(TransientError, match="the answer is too large"):
        client.get_version()


def test_a_write_whose_answer_cannot_be_unpacked_may_have_been_done(connect: Connect) -> None:
    packed = PlainTextResponse("no gzip", headers={"content-encoding": "gzip"})
    client = connect(answering(lambda _body: packed)).client
    with pytest.raises(EngineError, match=r"ehsm-answer-lost.*\n.*: the answer cannot be unpacked") as caught:
        client.enroll()
    assert not isinstance(caught.value, NOTHING_DONE)
    with pytest.raises(TransientError, match="the answer cannot be unpacked"):
        client.get_version()


def test_an_enrolment_of_another_form_shows_no_key(connect: Connect) -> None:
    answer = {"code": 200, "message": "", "result": {"appid": 7, "apikey": APIKEY}}
    client = connect(answering(lambda _body: answer)).client
    with pytest.raises(EngineError) as caught:
        client.enroll()
    assert APIKEY not in str(caught.value)
    assert caught.value.__cause__ is None


def verdict(body: Mapping[str, Any], **changes: Any) -> Any:
    result = {"result": 0, "nonce": body["payload"]["nonce"]}
    signature = sign(f"nonce={result['nonce']}", ACCOUNT.apikey)
    return {"code": 200, "message": "", "result": result | {"sign": signature} | changes}


def test_a_verdict_signed_over_our_nonce_is_taken(connect: Connect) -> None:
    reply = connect(answering(verdict)).client.verify_quote(ACCOUNT, b"quote", b"nonce")
    assert reply.result == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": "b3RoZXI="}, "the nonce that came back is another one"),
        ({"nonce": "é"}, "the nonce that came back is another one"),
        ({"result": 0xA004}, "the verdict is not signed with the account's key"),
        ({"mr_enclave": "ab" * 32}, "the verdict is not signed with the account's key"),
        ({"sign": "AAAA"}, "the verdict is not signed with the account's key"),
    ],
)
def test_a_verdict_that_is_not_signed_over_our_nonce_is_refused(
    connect: Connect, changes: dict[str, Any], reason: str
) -> None:
    client = connect(answering(lambda body: verdict(body, **changes))).client
    with pytest.raises(EngineError, match=reason):
        client.verify_quote(ACCOUNT, b"quote", b"nonce")


def test_an_echo_of_another_challenge_is_refused(connect: Connect) -> None:
    answer = {"code": 200, "message": "", "result": {"challenge": "eA==", "quote": "eA=="}}
    client = connect(answering(lambda _body: answer)).client
    with pytest.raises(EngineError, match="the challenge that came back is another one"):
        client.generate_quote(ACCOUNT, b"ours")

"""The PCCS client against the sandbox's service, and against services that are no PCCS."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from ppmlctl.clients.pccs import PccsClient
from ppmlctl.dcap import Collateral, PlatformFamily, QuoteUntrustedError, platform_of
from ppmlctl.diagnostics import EngineError, InputError, TransientError
from ppmlctl.effects import Effects
from ppmlctl.sandbox.ehsm import make_app
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import SandboxCertificates, ensure_certificates

PLATFORM = PlatformFamily("sgx", "73616E646278", "processor")
Answer = Callable[[str], Response | None]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> SandboxCertificates:
    return ensure_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def answers() -> list[Answer]:
    """What answers in the service's place; None passes a request on."""
    return []


@pytest.fixture
def service(tmp_path: Path, certificates: SandboxCertificates, answers: list[Answer]) -> Iterator[int]:
    class Instead(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            path = request.url.path.partition("certification/")[2]
            given = next((found for answer in answers if (found := answer(path)) is not None), None)
            return given or await call_next(request)

    app: Starlette = make_app(tmp_path)
    app.add_middleware(Instead)
    with served(app, certificates) as port:
        yield port


@pytest.fixture
def client(service: int, certificates: SandboxCertificates) -> Iterator[PccsClient]:
    with PccsClient(f"https://127.0.0.1:{service}", reading(), ca=certificates.ca) as client:
        yield client


def reading() -> Effects:
    return Effects("pccs", writes_allowed=False)


def exported(folder: Path) -> Collateral:
    return Collateral.parse((folder / "collateral.json").read_text())


def test_a_quotes_own_certificate_names_its_platform(tmp_path: Path) -> None:
    assert platform_of(Quoting(tmp_path, lambda: 1.7e9).quote()) == PLATFORM
    with pytest.raises(QuoteUntrustedError):
        platform_of(b"no quote")


def test_the_collateral_is_what_the_service_signed_byte_for_byte(client: PccsClient, tmp_path: Path) -> None:
    assert client.collateral(PLATFORM) == exported(tmp_path)


def test_an_older_service_is_asked_by_its_own_version(
    client: PccsClient, answers: list[Answer], tmp_path: Path
) -> None:
    asked: list[str] = []

    def only_version_3(path: str) -> Response | None:
        asked.append(path)
        return PlainTextResponse("Not Found", 404) if path.startswith("v4") else None

    answers.append(only_version_3)
    assert client.collateral(PLATFORM) == exported(tmp_path)
    assert asked == ["v4/tcb", "v3/tcb", "v3/qe/identity", "v3/pckcrl", "v3/rootcacrl"]


@pytest.mark.parametrize("path", ["", "/", "/sgx/certification/v4/", "/tdx/certification/v3"])
def test_the_apis_path_may_be_in_the_url(service: int, certificates: SandboxCertificates, path: str) -> None:
    with PccsClient(f"https://127.0.0.1:{service}{path}", reading(), ca=certificates.ca) as client:
        assert client.url == f"https://127.0.0.1:{service}"
        assert client.collateral(PLATFORM).tee == "SGX"


def pem(der: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(der).replace("CERTIFICATE", "X509 CRL").encode()


@pytest.mark.parametrize(
    "written", [bytes, pem, lambda der: der.hex().encode(), lambda der: der.hex().upper().encode() + b"\n"]
)
def test_revocation_lists_are_read_in_every_form_that_services_write(
    client: PccsClient, answers: list[Answer], tmp_path: Path, written: Callable[[bytes], bytes]
) -> None:
    der = bytes.fromhex(exported(tmp_path).root_ca_crl)
    answers.append(lambda path: Response(written(der)) if path.endswith("rootcacrl") else None)
    assert bytes.fromhex(client.collateral(PLATFORM).root_ca_crl) == der


@pytest.mark.parametrize(
    "written", [b"-----BEGIN", b"-----BEGIN X509 CRL-----\nA\n-----END X509 CRL-----\n", b"-----BEGIN\xff"]
)
def test_a_revocation_list_that_is_cut_off_is_told(client: PccsClient, answers: list[Answer], written: bytes) -> None:
    answers.append(lambda path: Response(written) if path.endswith("rootcacrl") else None)
    with pytest.raises(EngineError, match=r"pccs-answer-wrong.*\n.*: a revocation list is no PEM"):
        client.collateral(PLATFORM)


def test_an_unknown_platform_is_told_with_its_remedy(client: PccsClient) -> None:
    with pytest.raises(EngineError) as caught:
        client.collateral(PlatformFamily("sgx", "00906EA10000", "processor"))
    assert str(caught.value) == (
        "error[pccs-unknown-platform]: the PCCS has no collateral for this platform\n"
        f"  is   {client.url}: FMSPC 00906EA10000\n"
        "  why  the PCCS does not know this platform (461)\n"
        "  fix  register the platform with Intel (mpa_registration, PCKIDRetrievalTool),"
        " and check the PCCS's API key in its log"
    )
    with pytest.raises(EngineError, match="pccs-unknown-platform"):
        client.collateral(PlatformFamily("sgx", PLATFORM.fmspc, "platform"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (PlainTextResponse("<html>hello</html>"), "no signed `tcbInfo`"),
        (PlainTextResponse('{"tcbInfo": {}, "signature": 1}'), "no signature of `tcbInfo`"),
        (PlainTextResponse('{"tcbInfo": {}, "signature": "00"}'), "no header TCB-Info-Issuer-Chain"),
        (PlainTextResponse("no", 401), "HTTP 401 for /sgx/certification/v4/tcb"),
    ],
)
def test_what_is_no_pccs_is_told(client: PccsClient, answers: list[Answer], answer: Response, words: str) -> None:
    answers.append(lambda path: answer if path == "v4/tcb" else None)
    with pytest.raises(EngineError) as caught:
        client.collateral(PLATFORM)
    assert str(caught.value) == (
        "error[pccs-answer-wrong]: what answered is no PCCS\n"
        f"  is   {client.url}: {words}\n  fix  compare pccs.url (or --pccs) with the deployment"
    )


def test_a_failing_service_may_be_tried_again(client: PccsClient, answers: list[Answer]) -> None:
    answers.append(lambda path: PlainTextResponse("down", 503) if path == "v4/qe/identity" else None)
    with pytest.raises(TransientError) as caught:
        client.collateral(PLATFORM)
    assert str(caught.value) == (
        "error[pccs-unreachable]: the PCCS cannot be reached\n"
        f"  is   {client.url}: HTTP 503 for /sgx/certification/v4/qe/identity\n"
        "  why  it does not run, or a firewall or name stands between\n"
        f"  fix  curl {client.url}"
    )


def test_an_answer_without_end_is_not_read_to_its_end(client: PccsClient, answers: list[Answer]) -> None:
    answers.append(lambda path: Response(bytes(5 << 20)) if path == "v4/tcb" else None)
    with pytest.raises(TransientError, match="the answer is too large"):
        client.collateral(PLATFORM)


def test_nobody_listening_may_be_tried_again() -> None:
    with (
        PccsClient("https://127.0.0.1:1", reading()) as client,
        pytest.raises(TransientError, match="pccs-unreachable"),
    ):
        client.collateral(PLATFORM)


def test_a_certificate_that_nobody_vouches_for_is_refused(service: int) -> None:
    with PccsClient(f"https://127.0.0.1:{service}", reading()) as client, pytest.raises(EngineError) as caught:
        client.collateral(PLATFORM)
    assert not isinstance(caught.value, TransientError)
    assert str(caught.value).startswith("error[pccs-untrusted]: the PCCS's certificate is not trusted\n")


def test_an_answer_that_cannot_be_unpacked_may_be_tried_again(client: PccsClient, answers: list[Answer]) -> None:
    packed = Response(b"no gzip", headers={"content-encoding": "gzip"})
    answers.append(lambda path: packed if path == "v4/tcb" else None)
    with pytest.raises(TransientError, match="the answer cannot be unpacked"):
        client.collateral(PLATFORM)


@pytest.mark.parametrize(
    "url",
    ["http://pccs:8081", "pccs:8081", "https://", "https://pccs:99999", "https://pccs:x", "https://[::1", "https://é"],
)
def test_a_wrong_url_is_told(url: str) -> None:
    with pytest.raises(InputError) as caught:
        PccsClient(url, reading())
    assert str(caught.value) == (
        f"error[pccs-url-wrong]: the PCCS's URL is no https URL\n  is   {url}\n  fix  https://HOST:8081"
    )


def test_a_ca_file_without_certificates_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        PccsClient("https://pccs", reading(), ca=tmp_path / "missing.pem")
    assert str(caught.value) == (
        "error[pccs-ca-unreadable]: the PCCS's CA file holds no certificates that can be read\n"
        f"  is   {tmp_path / 'missing.pem'}: No such file or directory\n"
        "  fix  let pccs.ca (or --pccs-ca) name a PEM file"
    )

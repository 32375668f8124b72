import shutil
import ssl
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from ppmlctl.keystore import (
    CertificateRequest,
    KeystoreError,
    belongs_to,
    certificate_facts,
    issue,
    new_password_key,
    new_private_key,
    signing_request,
)
from ppmlctl.keystore.pem import key_to_pem, load_rsa_key

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REQUEST = CertificateRequest("ppml.example.com", "Example", 825, ("ppml", "192.0.2.1", "2001:db8::1"))
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def test_the_servers_key_has_3072_bits() -> None:
    assert load_rsa_key(new_private_key()).key_size == 3072


def test_a_certificate_says_what_was_asked_for(key: bytes) -> None:
    issued = issue(key, REQUEST, now=NOW)
    facts = certificate_facts(issued)
    assert (facts.common_name, facts.organization) == ("ppml.example.com", "Example")
    assert facts.alternative_names == ("ppml.example.com", "ppml", "192.0.2.1", "2001:db8::1")
    assert facts.not_before == NOW - timedelta(hours=1)
    assert facts.not_after == NOW + timedelta(days=825)
    assert facts.is_self_signed
    assert belongs_to(issued, key)


def test_an_organization_may_be_missing(key: bytes) -> None:
    assert certificate_facts(issue(key, CertificateRequest("a"), now=NOW)).organization is None


def test_the_same_inputs_give_the_same_bytes_and_serials_are_random_otherwise(key: bytes) -> None:
    assert issue(key, REQUEST, now=NOW, serial=7) == issue(key, REQUEST, now=NOW, serial=7)
    assert issue(key, REQUEST, now=NOW) != issue(key, REQUEST, now=NOW)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (REQUEST, True),
        (replace(REQUEST, alternative_names=("ppml",)), False),
        (replace(REQUEST, alternative_names=("other",)), False),
        (replace(REQUEST, common_name="ppml"), False),
        (replace(REQUEST, organization=None), False),
        (replace(REQUEST, days=824), False),
    ],
)
def test_a_self_signed_certificate_says_what_was_asked_for_or_is_told_apart(
    key: bytes, request_: CertificateRequest, *, says: bool
) -> None:
    assert certificate_facts(issue(key, REQUEST, now=NOW)).says(request_) is says


def test_a_ca_may_choose_organization_and_time_but_no_name(key: bytes) -> None:
    facts = replace(certificate_facts(issue(key, REQUEST, now=NOW)), is_self_signed=False)
    assert facts.says(replace(REQUEST, organization="Other", days=1))
    assert not facts.says(replace(REQUEST, common_name="other"))


def test_a_certificate_for_another_key_is_told_apart(key: bytes) -> None:
    assert not belongs_to(issue(key, REQUEST, now=NOW), new_password_key())


def test_a_certificate_without_alternative_names_can_be_read() -> None:
    # Self-signed, version 1, made with `openssl x509 -req -signkey` as the manual procedure does.
    pem = b"""-----BEGIN CERTIFICATE-----
MIIBFjCBvQIUawrRQv5FXqjsdITP+s+JDwBzSAkwCgYIKoZIzj0EAwIwDTELMAkG
A1UEAwwCdjEwIBcNMjYxMTIzMjM0NTA3WhgPMjA1NDA0MDkyMzQ1MDdaMA0xCzAJ
BgNVBAMMAnYxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzXhXNzFC9Qh2uSw3
/5Lw3m8pphLLZdUj8S8vfC70+99yIcpHyzdtjh6E4SftYDbRdUaqzhx8DOfMsGAP
FqH/5jAKBggqhkjOPQQDAgNIADBFAiB1yLgKX+9mCsr9QIyqVZNC9CFQ2t2E09MW
irAZ7e1cSQIhAJ7LKO1+e7whPzMHTmgN4S1Mt4AFuWGrILuLknNJNBSJ
-----END CERTIFICATE-----
"""
    assert certificate_facts(pem).alternative_names == ()


@needs_openssl
def test_openssl_trusts_the_certificate_by_itself_and_accepts_the_request(key: bytes, tmp_path: Path) -> None:
    (tmp_path / "server.crt").write_bytes(issue(key, REQUEST, now=datetime.now(UTC)))
    (tmp_path / "server.csr").write_bytes(signing_request(key, REQUEST))
    verify = [
        "openssl",
        "verify",
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "ppml",
        "-CAfile",
        "server.crt",
        "server.crt",
    ]
    assert subprocess.run(verify, cwd=tmp_path, capture_output=True, check=True).stdout == b"server.crt: OK\n"
    shown = subprocess.run(
        ["openssl", "req", "-in", "server.csr", "-verify", "-noout", "-text"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert b"DNS:ppml.example.com" in shown.stdout


def test_a_client_that_trusts_the_certificate_completes_a_handshake(key: bytes, tmp_path: Path) -> None:
    issued = issue(key, REQUEST, now=datetime.now(UTC))
    pem = tmp_path / "server.pem"
    pem.write_bytes(key + issued)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cadata=issued.decode())
    assert shaken_hands(client, server, "192.0.2.1")


def shaken_hands(client_context: ssl.SSLContext, server_context: ssl.SSLContext, name: str) -> bool:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    done = [False, False]
    for _ in range(6):
        for number, side in enumerate((client, server)):
            try:
                side.do_handshake()
                done[number] = True
            except ssl.SSLWantReadError:
                continue
    return all(done)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (CertificateRequest(""), "common name and organization have 1 to 64 printable characters each"),
        (CertificateRequest("x" * 65), "common name and organization have 1 to 64 printable characters each"),
        (CertificateRequest("a", ""), "common name and organization have 1 to 64 printable characters each"),
        (CertificateRequest("a", days=0), "a certificate lives between 1 and 36500 days, not 0"),
        (CertificateRequest("a", days=10**9), "a certificate lives between 1 and 36500 days, not 1000000000"),
        (CertificateRequest("bücher.example"), "not a host name or address: 'bücher.example'"),
        (CertificateRequest("a", alternative_names=("a b",)), "not a host name or address: 'a b'"),
        (CertificateRequest("a", alternative_names=("a.",)), "not a host name or address: 'a.'"),
    ],
)
def test_what_a_certificate_cannot_say_is_refused(key: bytes, request_: CertificateRequest, message: str) -> None:
    with pytest.raises(KeystoreError) as error:
        issue(key, request_, now=NOW)
    assert str(error.value) == message


@pytest.mark.parametrize("pem", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_or_key_is_said_so(key: bytes, pem: bytes) -> None:
    with pytest.raises(KeystoreError, match=r"^not a certificate in PEM$"):
        certificate_facts(pem)
    with pytest.raises(KeystoreError, match=r"^not an unencrypted private key in PEM$"):
        issue(pem, REQUEST, now=NOW)


@needs_openssl
def test_a_key_of_another_kind_or_with_a_password_is_refused() -> None:
    curve = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        capture_output=True,
        check=True,
    ).stdout
    locked = subprocess.run(
        ["openssl", "genrsa", "-aes128", "-passout", "pass:secret", "2048"], capture_output=True, check=True
    ).stdout
    with pytest.raises(KeystoreError, match=r"^a private key, but not an RSA one$"):
        issue(curve, REQUEST, now=NOW)
    with pytest.raises(KeystoreError, match=r"^not an unencrypted private key in PEM$"):
        issue(locked, REQUEST, now=NOW)


def test_a_damaged_key_is_noticed_by_what_it_signs() -> None:
    numbers = load_rsa_key(new_password_key()).private_numbers()
    damaged = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d + 2, numbers.dmp1 + 2, numbers.dmq1 + 2, numbers.iqmp, numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    with pytest.raises(KeystoreError) as error:
        issue(key_to_pem(damaged), REQUEST, now=NOW)
    assert str(error.value) == "the private key is damaged: what it signs does not verify"

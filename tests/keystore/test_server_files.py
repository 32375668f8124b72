from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from ppmlctl.keystore import (
    CERTIFICATE,
    JKS,
    KEY,
    PKCS12,
    SERVER_FILES,
    SIGNING_REQUEST,
    CertificateRequest,
    KeystoreError,
    PrivateKeyEntry,
    TrustedCertificateEntry,
    derived_files,
    disagreeing_files,
    issue,
    new_password_key,
    read_jks,
    signing_request,
    write_jks,
)
from ppmlctl.keystore.pem import load_rsa_key
from ppmlctl.secret import Secret

PASSWORD = Secret("ein-geheimnis")
REQUEST = CertificateRequest("ppml.example.com", "Example")


@pytest.fixture
def files(key: bytes, certificate: bytes) -> dict[str, bytes]:
    return {KEY: key, CERTIFICATE: certificate, **derived_files(key, certificate, REQUEST, PASSWORD)}


def test_the_six_files_of_the_manual_procedure_are_made(files: dict[str, bytes]) -> None:
    assert set(files) == set(SERVER_FILES)
    assert disagreeing_files(files, PASSWORD) == []


def test_the_jks_is_keystore_and_truststore_in_one(files: dict[str, bytes], certificate_der: bytes) -> None:
    own, trusted = read_jks(files[JKS], PASSWORD)
    assert isinstance(own, PrivateKeyEntry)
    assert isinstance(trusted, TrustedCertificateEntry)
    assert own.chain == (trusted.certificate,) == (certificate_der,)


def test_the_chain_of_a_ca_goes_into_the_keystores(key: bytes) -> None:
    chain = signed_by_ca(key)
    files = {KEY: key, CERTIFICATE: chain, **derived_files(key, chain, REQUEST, PASSWORD)}
    own, trusted = read_jks(files[JKS], PASSWORD)
    assert isinstance(own, PrivateKeyEntry)
    assert len(own.chain) == 2
    assert isinstance(trusted, TrustedCertificateEntry)
    assert trusted.certificate == own.chain[0]
    assert disagreeing_files(files, PASSWORD) == []


@pytest.mark.parametrize("name", [name for name in SERVER_FILES if name not in {KEY, CERTIFICATE}])
def test_a_missing_or_damaged_file_is_named(files: dict[str, bytes], name: str) -> None:
    missing = {other: content for other, content in files.items() if other != name}
    assert disagreeing_files(missing, PASSWORD) == [name]
    assert disagreeing_files(files | {name: b"damaged"}, PASSWORD) == [name]


def test_files_of_another_key_are_named(files: dict[str, bytes], certificate: bytes) -> None:
    other = new_password_key()
    theirs = issue(other, REQUEST, now=datetime.now(UTC))
    swapped = files | derived_files(other, theirs, REQUEST, PASSWORD)
    assert disagreeing_files(swapped, PASSWORD) == ["server.csr", "server.pem", "keystore.pkcs12", "keystore.jks"]


def test_keystores_of_another_password_are_named(files: dict[str, bytes]) -> None:
    assert disagreeing_files(files, Secret("another")) == [PKCS12, JKS]


def test_without_the_password_keystores_are_only_missed(files: dict[str, bytes]) -> None:
    assert disagreeing_files(files | {JKS: b"damaged", PKCS12: b"damaged"}, None) == []
    assert disagreeing_files({name: files[name] for name in (KEY, CERTIFICATE, SIGNING_REQUEST)}, None) == [
        "server.pem",
        "keystore.pkcs12",
        "keystore.jks",
    ]


def test_a_jks_that_does_not_trust_its_own_certificate_is_named(files: dict[str, bytes]) -> None:
    own, _trusted = read_jks(files[JKS], PASSWORD)
    assert disagreeing_files(files | {JKS: write_jks((own,), PASSWORD)}, PASSWORD) == [JKS]


def test_a_request_with_the_wrong_name_is_refused(key: bytes, certificate: bytes) -> None:
    with pytest.raises(KeystoreError):
        derived_files(key, certificate, CertificateRequest("not a host"), PASSWORD)


def signed_by_ca(key: bytes) -> bytes:
    authority = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a CA")])
    builder = x509.CertificateBuilder().issuer_name(name).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=90))
    request = x509.load_pem_x509_csr(signing_request(key, REQUEST))
    leaf = builder.subject_name(request.subject).public_key(load_rsa_key(key).public_key())
    root = builder.subject_name(name).public_key(authority.public_key())
    return b"".join(one.sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM) for one in (leaf, root))

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ppmlctl.keystore import CertificateRequest, ServerCertificate, issue, new_password_key


@pytest.fixture(scope="session")
def issued() -> ServerCertificate:
    return issue(new_password_key(), CertificateRequest("ppml.example.com", "Example"), now=datetime.now(UTC))


@pytest.fixture(scope="session")
def key_der(issued: ServerCertificate) -> bytes:
    key = load_pem_private_key(issued.key, None)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="session")
def certificate_der(issued: ServerCertificate) -> bytes:
    return x509.load_pem_x509_certificate(issued.certificate).public_bytes(Encoding.DER)

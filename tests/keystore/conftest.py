from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ppmlctl.keystore import CertificateRequest, issue, new_password_key


@pytest.fixture(scope="session")
def key() -> bytes:
    return new_password_key()


@pytest.fixture(scope="session")
def certificate(key: bytes) -> bytes:
    return issue(key, CertificateRequest("ppml.example.com", "Example"), now=datetime.now(UTC))


@pytest.fixture(scope="session")
def key_der(key: bytes) -> bytes:
    return load_pem_private_key(key, None).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="session")
def certificate_der(certificate: bytes) -> bytes:
    return x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)

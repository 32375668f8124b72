"""Key material in the forms that Java, OpenSSL and the BigDL PPML images read. Values in, values out; no files."""

from ppmlctl.keystore.certificate import (
    CertificateFacts,
    CertificateRequest,
    belongs_to,
    certificate_facts,
    check_key,
    issue,
    new_private_key,
    signing_request,
)
from ppmlctl.keystore.credential_store import write_credentials
from ppmlctl.keystore.encrypted_password import (
    decrypt_password,
    encrypt_password,
    new_password_key,
    password_fault,
)
from ppmlctl.keystore.errors import KeystoreError, WrongPasswordError
from ppmlctl.keystore.jks import Entry, PrivateKeyEntry, TrustedCertificateEntry, read_jks, write_jks
from ppmlctl.keystore.pkcs12 import read_pkcs12, write_pkcs12
from ppmlctl.keystore.server_files import (
    CERTIFICATE,
    JKS,
    KEY,
    KEY_AND_CERTIFICATE,
    KEY_BEARING,
    PKCS12,
    SERVER_FILES,
    SIGNING_REQUEST,
    derived_files,
    disagreeing_files,
)

__all__ = [
    "CERTIFICATE",
    "JKS",
    "KEY",
    "KEY_AND_CERTIFICATE",
    "KEY_BEARING",
    "PKCS12",
    "SERVER_FILES",
    "SIGNING_REQUEST",
    "CertificateFacts",
    "CertificateRequest",
    "Entry",
    "KeystoreError",
    "PrivateKeyEntry",
    "TrustedCertificateEntry",
    "WrongPasswordError",
    "belongs_to",
    "certificate_facts",
    "check_key",
    "decrypt_password",
    "derived_files",
    "disagreeing_files",
    "encrypt_password",
    "issue",
    "new_password_key",
    "new_private_key",
    "password_fault",
    "read_jks",
    "read_pkcs12",
    "signing_request",
    "write_credentials",
    "write_jks",
    "write_pkcs12",
]

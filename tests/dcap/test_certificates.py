"""Certificates and revocation lists, of which no byte may change unnoticed."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from made_platforms import UNTIL, make_platform
from quote_samples import SANDBOX_AT

from ppmlctl.dcap.certificates import Certificate, RevocationList
from ppmlctl.dcap.refusal import QuoteUntrustedError
from ppmlctl.sandbox.ehsm.issuing import revocation_list


def with_an_unused_bit(der: bytes, signature: bytes) -> bytes:
    """The same document to a reader that passes over the count of unused bits, which nothing signs."""
    count = len(der) - len(signature) - 1
    return der[:count] + b"\1" + der[count + 1 :]


def test_a_certificate_whose_signature_has_unused_bits_is_refused() -> None:
    made = (make_platform().pck.certificate for _ in range(100))
    even = next(one for one in made if not one.signature[-1] & 1)
    der = even.public_bytes(Encoding.DER)
    assert Certificate.read("it", der, "PCK").document == even
    changed = with_an_unused_bit(der, even.signature)
    assert x509.load_der_x509_certificate(changed).signature == even.signature, "nobody else would notice"
    with pytest.raises(QuoteUntrustedError, match="the signature of it is not whole bytes"):
        Certificate.read("it", changed, "PCK")


def test_a_revocation_list_whose_signature_has_unused_bits_is_refused() -> None:
    issuer = make_platform().processor_ca
    made = (revocation_list(issuer, [], SANDBOX_AT, UNTIL) for _ in range(100))
    even = next(one for one in made if not one[-1] & 1)
    assert RevocationList.read("it", even).document is not None
    changed = with_an_unused_bit(even, x509.load_der_x509_crl(even).signature)
    with pytest.raises(QuoteUntrustedError, match="the signature of it is not whole bytes"):
        RevocationList.read("it", changed)

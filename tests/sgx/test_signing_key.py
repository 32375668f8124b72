from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from gramine_vectors import MR_SIGNERS, key
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.secret import Secret
from ppmlctl.sgx import SigningKeyError
from ppmlctl.sgx.signing_key import SigningKey, public_modulus

_PASSPHRASE = b"a passphrase of a test"


def _pem(private: PrivateKeyTypes, *, pkcs8: bool = True, passphrase: bytes | None = None) -> Secret:
    form = serialization.PrivateFormat.PKCS8 if pkcs8 else serialization.PrivateFormat.TraditionalOpenSSL
    hidden = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return Secret(private.private_bytes(serialization.Encoding.PEM, form, hidden))


def _public_pem(private: rsa.RSAPrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.PEM, form)


@pytest.mark.parametrize("name", MR_SIGNERS)
def test_mr_signer_is_the_one_gramine_gives(name: str) -> None:
    assert key(name).mr_signer == MR_SIGNERS[name]


def test_a_generated_key_satisfies_sgx_and_comes_back_from_its_file() -> None:
    generated = SigningKey.generate()

    numbers = generated.private.public_key().public_numbers()
    assert (numbers.n.bit_length(), numbers.e) == (3072, 3)
    pem = generated.to_pem()
    assert pem.reveal_bytes().startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert SigningKey.from_pem(pem).mr_signer == generated.mr_signer


@pytest.mark.parametrize("pkcs8", [True, False])
def test_reads_both_forms_of_key_files(*, pkcs8: bool) -> None:
    assert SigningKey.from_pem(_pem(key("first").private, pkcs8=pkcs8)).modulus == key("first").modulus


def test_reads_a_key_file_with_a_passphrase() -> None:
    pem = _pem(key("first").private, passphrase=_PASSPHRASE)
    assert SigningKey.from_pem(pem, Secret(_PASSPHRASE)).modulus == key("first").modulus


@pytest.mark.parametrize(
    ("pem", "passphrase", "message"),
    [
        (_pem(key("first").private, passphrase=_PASSPHRASE), None, "the signing key needs a passphrase"),
        (
            _pem(key("first").private),
            Secret(_PASSPHRASE),
            "the signing key has no passphrase, but one was given",
        ),
        (
            _pem(key("first").private, passphrase=_PASSPHRASE),
            Secret("wrong"),
            "the signing key is no readable private key in PEM, or the passphrase is wrong",
        ),
        (
            Secret("-----BEGIN RSA PRIVATE KEY-----\n"),
            None,
            "the signing key is no readable private key in PEM, or the passphrase is wrong",
        ),
        (_pem(ec.generate_private_key(ec.SECP256R1())), None, "the signing key is no RSA key"),
        (
            _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
            None,
            "the key is RSA-2048 with exponent 65537; SGX takes RSA-3072 with exponent 3",
        ),
    ],
    ids=["no passphrase", "useless passphrase", "wrong passphrase", "cut off", "elliptic curve", "wrong size"],
)
def test_refuses_a_key_that_cannot_sign_enclaves(pem: Secret, passphrase: Secret | None, message: str) -> None:
    with pytest.raises(SigningKeyError) as refused:
        SigningKey.from_pem(pem, passphrase)
    assert str(refused.value) == message


def test_primes_that_do_not_fit_are_seen_unless_only_the_public_key_is_wanted() -> None:
    pem = key("first").to_pem().reveal_bytes()
    lines = pem.splitlines()
    lines[20] = lines[20][:10] + (b"A" if lines[20][10:11] != b"A" else b"B") + lines[20][11:]
    broken = Secret(b"\n".join(lines))

    with pytest.raises(SigningKeyError, match="no readable private key"):
        SigningKey.from_pem(broken)
    assert SigningKey.from_pem(broken, check_primes=False).modulus == key("first").modulus


def test_a_public_key_gives_the_modulus() -> None:
    assert public_modulus(_public_pem(key("first").private)) == key("first").modulus


@given(st.binary(max_size=100))
def test_garbage_is_no_public_key(pem: bytes) -> None:
    with pytest.raises(SigningKeyError, match="no readable public key"):
        public_modulus(pem)


def test_refuses_a_public_key_of_another_size() -> None:
    with pytest.raises(SigningKeyError, match="RSA-2048"):
        public_modulus(_public_pem(rsa.generate_private_key(public_exponent=3, key_size=2048)))


def test_the_private_part_is_in_no_repr() -> None:
    assert repr(key("first")) == "SigningKey()"

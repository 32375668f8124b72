"""The enclave signing key: RSA-3072 with exponent 3, in a PEM file (PKCS#1 or PKCS#8).

Not part of the package's `__init__`: it loads `cryptography`, which those who only read or measure need not pay for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ppmlctl.secret import Secret
from ppmlctl.sgx.errors import SigningKeyError
from ppmlctl.sgx.sigstruct import EXPONENT, KEY_BITS, mr_signer_of


@dataclass(frozen=True)
class SigningKey:
    """A private key that satisfies SGX. It is a `Signer`, and never shows its private part."""

    private: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """A new key from the system's random source."""
        return cls(rsa.generate_private_key(public_exponent=EXPONENT, key_size=KEY_BITS))

    @classmethod
    def from_pem(cls, pem: Secret, passphrase: Secret | None = None, *, check_primes: bool = True) -> Self:
        """Loads a key file. Raises SigningKeyError if it is no readable RSA-3072 key with exponent 3.

        Checking the primes takes a tenth of a second, and is worth it before signing; the public key needs none.
        """
        password = passphrase.reveal_bytes() if passphrase else None
        skipped = not check_primes
        try:
            key = serialization.load_pem_private_key(
                pem.reveal_bytes(), password, unsafe_skip_rsa_key_validation=skipped
            )
        except TypeError:
            problem = "needs a passphrase" if passphrase is None else "has no passphrase, but one was given"
            raise SigningKeyError(f"the signing key {problem}") from None
        except (ValueError, UnsupportedAlgorithm):
            raise SigningKeyError(
                "the signing key is no readable private key in PEM, or the passphrase is wrong"
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise SigningKeyError("the signing key is no RSA key")
        _checked(key.public_key())
        return cls(key)

    def to_pem(self) -> Secret:
        """The key unencrypted in PKCS#1, the form that every version of Gramine and openssl reads."""
        return Secret(
            self.private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )

    def public_pem(self) -> bytes:
        """The public half, as `public_modulus` reads it."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def modulus(self) -> int:
        """The public key."""
        return self.private.public_key().public_numbers().n

    @property
    def mr_signer(self) -> str:
        """In hex: who signs, as enclaves and policies call it."""
        return mr_signer_of(self.modulus)

    def sign(self, message: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256: 384 bytes, big-endian, the same for the same message."""
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())


def public_modulus(pem: bytes) -> int:
    """The modulus of a public key in PEM, for an external signer. Raises SigningKeyError as `SigningKey.from_pem`."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise SigningKeyError("the public key is no readable public key in PEM") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise SigningKeyError("the public key is no RSA key")
    return _checked(key)


def _checked(key: rsa.RSAPublicKey) -> int:
    numbers = key.public_numbers()
    if key.key_size != KEY_BITS or numbers.e != EXPONENT:
        found = f"the key is RSA-{key.key_size} with exponent {numbers.e}"
        raise SigningKeyError(f"{found}; SGX takes RSA-{KEY_BITS} with exponent {EXPONENT}")
    return numbers.n

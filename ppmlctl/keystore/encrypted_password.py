"""The keystore password as the images take it: `output.bin`, encrypted (RSAES-PKCS1-v1_5) for the key in `key.txt`.

Key and ciphertext lie side by side, so this hides the password from a glance only; both files are kept private.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import padding

from ppmlctl.keystore.errors import KeystoreError
from ppmlctl.keystore.pem import load_rsa_key, new_rsa_key
from ppmlctl.secret import Secret

KEY_BITS = 2048
SHORTEST_PASSWORD = 6
"""In characters: keytool refuses to work with shorter ones."""
LONGEST_PASSWORD = 128


def password_fault(password: Secret) -> str | None:
    """What keeps this from being the password of keystores, Spark and shell scripts alike; None if nothing does.

    The submit script splits its words at blanks, and Java and the shell disagree about characters beyond ASCII.
    """
    content = password.reveal_bytes()
    if not SHORTEST_PASSWORD <= len(content) <= LONGEST_PASSWORD:
        return f"it has {len(content)} characters; keytool and RSA take {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}"
    if not all(0x21 <= byte <= 0x7E for byte in content):  # noqa: PLR2004 - the visible part of ASCII
        return "it has a blank or a character beyond ASCII; the submit script splits words at blanks"
    return None


def new_password_key() -> bytes:
    """What `key.txt` holds: a fresh RSA-2048 key in PEM."""
    return new_rsa_key(KEY_BITS)


def encrypt_password(key: bytes, password: Secret) -> bytes:
    """What `output.bin` holds, for the key in PEM. Raises KeystoreError for a password too long for the key."""
    public = load_rsa_key(key).public_key()
    try:
        return public.encrypt(password.reveal_bytes(), padding.PKCS1v15())
    except ValueError:
        raise KeystoreError("the password is too long for this key") from None


def decrypt_password(key: bytes, encrypted: bytes) -> Secret:
    """The password, as `openssl rsautl -decrypt` prints it. Raises KeystoreError.

    A ciphertext for another key may decrypt to random bytes (implicit rejection): compare before trusting it.
    """
    private = load_rsa_key(key)
    try:
        return Secret(private.decrypt(encrypted, padding.PKCS1v15()))
    except ValueError:
        raise KeystoreError("the encrypted password does not belong to its key") from None

"""Operations on the keys of an account. Each payload serves both releases that are met, see `create` and `sign`."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ppmlctl.clients.ehsm.calls import Calls
from ppmlctl.ehsm import Account, DigestMode, KeyOrigin, KeySpec, KeyUsage, MessageType, PaddingMode
from ppmlctl.ehsm.key_messages import (
    Ciphertext,
    CreatedKey,
    DataKey,
    ExportedDataKey,
    ImportParameters,
    Key,
    KeyList,
    Plaintext,
    PublicKey,
    Signature,
    Verified,
)
from ppmlctl.secret import Secret


class KeyOperations:
    """Part of EhsmClient; raises as it does. Only the account that made a key can use it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(
        self,
        account: Account,
        spec: KeySpec,
        usage: KeyUsage = KeyUsage.ENCRYPT_DECRYPT,
        origin: KeyOrigin = KeyOrigin.INTERNAL,
    ) -> str:
        """Makes a key and gives its id. Keys have no name, and live 365 days.

        EHSM 0.3.2 fixes padding and digest with the key, where later releases want the usage and look at nothing else.
        """
        padding = "PAD_RSA_PKCS1_PSS" if usage is KeyUsage.SIGN_VERIFY else "PAD_RSA_PKCS1_OAEP"
        of_rsa = {"padding_mode": padding, "digest_mode": "SHA_2_256"} if spec.startswith("EH_RSA") else {}
        payload = {"keyspec": spec, "origin": origin, "keyusage": usage} | of_rsa
        return self._calls.parsed(CreatedKey, "CreateKey", self._calls.signed("CreateKey", account, payload)).keyid

    def list(self, account: Account) -> tuple[Key, ...]:
        """All keys of the account."""
        return tuple(self._calls.parsed(KeyList, "ListKey", self._calls.signed("ListKey", account)).keys)

    def enable(self, account: Account, keyid: str) -> None:
        """Lets a key be used."""
        self._calls.signed("EnableKey", account, {"keyid": keyid})

    def disable(self, account: Account, keyid: str) -> None:
        """Lets nobody use a key until it is enabled again."""
        self._calls.signed("DisableKey", account, {"keyid": keyid})

    def delete(self, account: Account, keyid: str) -> None:
        """Takes a key away for good, and with it whatever it encrypted. A missing one is no error."""
        self._calls.signed("DeleteKey", account, {"keyid": keyid})

    def encrypt(self, account: Account, keyid: str, plaintext: Secret, aad: bytes = b"") -> bytes:
        """The ciphertext of at most 6144 bytes under a symmetric key."""
        payload = {"keyid": keyid, "plaintext": _base64(plaintext.reveal_bytes())} | _aad(aad)
        return self._calls.parsed(Ciphertext, "Encrypt", self._calls.signed("Encrypt", account, payload)).ciphertext

    def decrypt(self, account: Account, keyid: str, ciphertext: bytes, aad: bytes = b"") -> Secret:
        """What `encrypt` took, or the plaintext of a data key."""
        payload = {"keyid": keyid, "ciphertext": _base64(ciphertext)} | _aad(aad)
        return self._calls.parsed(Plaintext, "Decrypt", self._calls.signed("Decrypt", account, payload)).plaintext

    def generate_data_key(self, account: Account, keyid: str, length: int, aad: bytes = b"") -> DataKey:
        """A random key of 1 to 1024 bytes, and itself encrypted. The server keeps neither."""
        payload = {"keyid": keyid, "keylen": length} | _aad(aad)
        return self._calls.parsed(DataKey, "GenerateDataKey", self._calls.signed("GenerateDataKey", account, payload))

    def generate_wrapped_data_key(self, account: Account, keyid: str, length: int, aad: bytes = b"") -> bytes:
        """The same, whose plaintext is not sent."""
        action, payload = "GenerateDataKeyWithoutPlaintext", {"keyid": keyid, "keylen": length} | _aad(aad)
        return self._calls.parsed(Ciphertext, action, self._calls.signed(action, account, payload)).ciphertext

    def export_data_key(self, account: Account, keyid: str, target: str, data_key: bytes, aad: bytes = b"") -> bytes:
        """An encrypted data key anew under another, asymmetric key of the account."""
        payload = {"keyid": keyid, "ukeyid": target, "olddatakey_base": _base64(data_key)} | _aad(aad)
        result = self._calls.signed("ExportDataKey", account, payload)
        return self._calls.parsed(ExportedDataKey, "ExportDataKey", result).newdatakey

    def encrypt_asymmetric(self, account: Account, keyid: str, plaintext: Secret) -> bytes:
        """The ciphertext under an RSA key, by OAEP with SHA-256."""
        payload = {"keyid": keyid, "plaintext": _base64(plaintext.reveal_bytes()), "padding_mode": _OAEP}
        action = "AsymmetricEncrypt"
        return self._calls.parsed(Ciphertext, action, self._calls.signed(action, account, payload)).ciphertext

    def decrypt_asymmetric(self, account: Account, keyid: str, ciphertext: bytes) -> Secret:
        """What `encrypt_asymmetric` took."""
        payload = {"keyid": keyid, "ciphertext": _base64(ciphertext), "padding_mode": _OAEP}
        action = "AsymmetricDecrypt"
        return self._calls.parsed(Plaintext, action, self._calls.signed(action, account, payload)).plaintext

    def sign(self, account: Account, keyid: str, message: bytes) -> bytes:
        """A signature over the message's SHA-256: PSS for RSA, ECDSA in DER for curves.

        Only the digest is sent, by the names of both releases.
        """
        result = self._calls.signed("Sign", account, {"keyid": keyid} | _digest(message))
        return self._calls.parsed(Signature, "Sign", result).signature

    def verify(self, account: Account, keyid: str, message: bytes, signature: bytes) -> bool:
        """Whether it is the key's signature of the message."""
        payload = {"keyid": keyid, "signature": _base64(signature)} | _digest(message)
        return self._calls.parsed(Verified, "Verify", self._calls.signed("Verify", account, payload)).result

    def public_key(self, account: Account, keyid: str) -> str:
        """The public half of an asymmetric key, in PEM. EHSM 0.3.2 does not have it."""
        result = self._calls.signed("GetPublicKey", account, {"keyid": keyid})
        return self._calls.parsed(PublicKey, "GetPublicKey", result).pubkey

    def import_parameters(self, account: Account, keyid: str, spec: KeySpec = KeySpec.RSA_3072) -> ImportParameters:
        """For what key the material of an external key is to be encrypted. EHSM 0.3.2 does not have it."""
        action, payload = "GetParametersForImport", {"keyid": keyid, "keyspec": spec}
        return self._calls.parsed(ImportParameters, action, self._calls.signed(action, account, payload))

    def import_material(self, account: Account, keyid: str, encrypted: bytes, token: str) -> None:
        """Gives an external key its material, encrypted by OAEP with SHA-256 for the key of `import_parameters`."""
        payload = {"keyid": keyid, "padding_mode": _OAEP, "key_material": _base64(encrypted), "importToken": token}
        action = "ImportKeyMaterial"
        if not self._calls.parsed(Verified, action, self._calls.signed(action, account, payload)).result:
            raise self._calls.wrong_answer(action, "the material was not taken")


_OAEP = PaddingMode.PKCS1_OAEP


def _digest(message: bytes) -> dict[str, Any]:
    digest = _base64(hashlib.sha256(message).digest())
    modes = {
        "message_type": MessageType.DIGEST,
        "digest_mode": DigestMode.SHA_256,
        "padding_mode": PaddingMode.PKCS1_PSS,
    }
    return {"message": digest, "digest": digest, **modes}


def _aad(aad: bytes) -> dict[str, str]:
    return {"aad": _base64(aad)} if aad else {}


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

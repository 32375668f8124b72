"""What an EHSM server answers about keys and secrets. Times are milliseconds since 1970."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ppmlctl.ehsm.messages import Base64, Message, Uuid
from ppmlctl.secret import Secret


def _secret_bytes(value: Any) -> Secret:
    if not isinstance(value, str):
        raise ValueError("base64 is text")  # noqa: TRY004 - pydantic turns a ValueError into a finding
    return Secret(base64.b64decode(value, validate=True))


SecretBase64 = Annotated[Secret, BeforeValidator(_secret_bytes)]


class CreatedKey(Message):
    """The result of CreateKey."""

    keyid: Uuid


class Key(Message):
    """One key of ListKey. What it is for, and where its material is from, is not told."""

    keyid: Uuid
    keyspec: str
    state: int = Field(alias="keyState")
    created: int = Field(alias="creationDate")
    expires: int = Field(alias="expireTime")

    @property
    def enabled(self) -> bool:
        """Whether it may be used."""
        return self.state != 0


class KeyList(Message):
    """The result of ListKey."""

    keys: list[Key] = Field(alias="list")


class Ciphertext(Message):
    """The result of Encrypt, AsymmetricEncrypt and GenerateDataKeyWithoutPlaintext."""

    ciphertext: Base64


class Plaintext(Message):
    """The result of Decrypt and AsymmetricDecrypt."""

    plaintext: SecretBase64


class DataKey(Message):
    """The result of GenerateDataKey: a random key, and itself encrypted."""

    plaintext: SecretBase64
    ciphertext: Base64


class ExportedDataKey(Message):
    """The result of ExportDataKey."""

    newdatakey: Base64


class Signature(Message):
    """The result of Sign."""

    signature: Base64


class Verified(Message):
    """The result of Verify and of ImportKeyMaterial."""

    result: bool


class PublicKey(Message):
    """The result of GetPublicKey, in PEM."""

    pubkey: str


class ImportParameters(Message):
    """The result of GetParametersForImport: what to wrap the material for, and a token of 24 hours."""

    pubkey: str
    token: str = Field(alias="importToken")


class SecretDescription(Message):
    """What ListSecrets and DescribeSecret tell of a secret."""

    name: str = Field(alias="secretName")
    description: str = ""
    created: int = Field(alias="createTime")
    planned_delete_time: int | None = Field(None, alias="plannedDeleteTime")
    rotation_interval: str | None = Field(None, alias="rotationInterval")

    @property
    def is_leaving(self) -> bool:
        """Whether it waits for its deletion."""
        return self.planned_delete_time is not None


class SecretList(Message):
    """The result of ListSecrets."""

    secrets: list[SecretDescription] = Field(alias="secretList")


class SecretValue(Message):
    """The result of GetSecretValue."""

    name: str = Field(alias="secretName")
    data: Secret = Field(alias="secretData")
    version: int = Field(alias="versionId")


class SecretVersionId(Message):
    """One value that a secret had."""

    version: int = Field(alias="versionId")
    created: int = Field(alias="createTime")


class SecretVersionList(Message):
    """The result of ListSecretVersionIds."""

    versions: list[SecretVersionId] = Field(alias="versionIds")

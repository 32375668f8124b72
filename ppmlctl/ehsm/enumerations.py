"""The names that EHSM's requests choose among, sent as they stand here. (intel/ehsm `ehsm_kms_service/constant.js`.)"""

from __future__ import annotations

from enum import StrEnum


class KeySpec(StrEnum):
    """What a key is made of. The server's checks take EH_HMAC too, but its enclave makes none."""

    AES_GCM_128 = "EH_AES_GCM_128"
    AES_GCM_192 = "EH_AES_GCM_192"
    AES_GCM_256 = "EH_AES_GCM_256"
    RSA_2048 = "EH_RSA_2048"
    RSA_3072 = "EH_RSA_3072"
    RSA_4096 = "EH_RSA_4096"
    EC_P224 = "EH_EC_P224"
    EC_P256 = "EH_EC_P256"
    EC_P256K = "EH_EC_P256K"
    EC_P384 = "EH_EC_P384"
    EC_P521 = "EH_EC_P521"
    SM2 = "EH_SM2"
    SM4_CTR = "EH_SM4_CTR"
    SM4_CBC = "EH_SM4_CBC"
    HMAC = "EH_HMAC"


class KeyOrigin(StrEnum):
    """Who makes a key's material: the enclave, or whoever imports it."""

    INTERNAL = "EH_INTERNAL_KEY"
    EXTERNAL = "EH_EXTERNAL_KEY"


class KeyUsage(StrEnum):
    """What a key is for; its enclave refuses the other use."""

    ENCRYPT_DECRYPT = "EH_KEYUSAGE_ENCRYPT_DECRYPT"
    SIGN_VERIFY = "EH_KEYUSAGE_SIGN_VERIFY"


class PaddingMode(StrEnum):
    """RSA's paddings; other keys pass over it."""

    NONE = "EH_PAD_NONE"
    PKCS1 = "EH_RSA_PKCS1"
    PKCS1_PSS = "EH_RSA_PKCS1_PSS"
    PKCS1_OAEP = "EH_RSA_PKCS1_OAEP"


class DigestMode(StrEnum):
    """With which digest a message is signed."""

    SHA_224 = "EH_SHA_224"
    SHA_256 = "EH_SHA_256"
    SHA_384 = "EH_SHA_384"
    SHA_512 = "EH_SHA_512"
    SM3 = "EH_SM3"


class MessageType(StrEnum):
    """Whether what is signed is a message or its digest already."""

    RAW = "EH_RAW"
    DIGEST = "EH_DIGEST"

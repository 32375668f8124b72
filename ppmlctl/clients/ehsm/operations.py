"""What each action does to the server, the reviewed list: most are POSTs, and their names say it of few.

A read leaves the server as it was, whatever it computes, and may be sent again. DeleteAllKey is left out: nobody here
wants all keys of an account gone.
"""

from __future__ import annotations

from collections.abc import Mapping

from ppmlctl.effects import Effect

EFFECTS: Mapping[str, Effect] = {
    **dict.fromkeys(
        (
            "GetVersion",
            "GenerateQuote",
            "VerifyQuote",
            "GetQuotePolicy",
            "ListKey",
            "GetPublicKey",
            "Encrypt",
            "Decrypt",
            "AsymmetricEncrypt",
            "AsymmetricDecrypt",
            "Sign",
            "Verify",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "ExportDataKey",
            "ListSecrets",
            "DescribeSecret",
            "ListSecretVersionIds",
            "GetSecretValue",
        ),
        Effect.READ,
    ),
    **dict.fromkeys(
        (
            "Enroll",
            "UploadQuotePolicy",
            "CreateKey",
            "GetParametersForImport",
            "ImportKeyMaterial",
            "EnableKey",
            "DisableKey",
            "DeleteKey",
            "CreateSecret",
            "UpdateSecretDesc",
            "PutSecretValue",
            "DeleteSecret",
            "RestoreSecret",
        ),
        Effect.WRITE,
    ),
}

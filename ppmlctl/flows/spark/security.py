"""Spark's security settings. Passwords stand in none of them: Spark reads both from files of mounted Secrets.

The secret of `spark.authenticate` is a file by Spark's own setting. But Spark prefers the variable `_SPARK_AUTH_SECRET`
to the file, also an empty one, and the images' `secured_argvs` export it into the enclave whether it is set or not. So
each process that may run in an enclave is started with what Spark would make of the file: its bytes in base64
(`SecurityManager.getSecretKey`: credentials, variable, setting, file). The shell that starts it reads the mounted file,
so the value stands in no manifest, no container's configuration and no argument, and both sides have the same.

Keystore passwords have no such setting, but where they are not set Spark asks Hadoop's credential providers
(`SSLOptions.parse`), and one of these is a file.
Values as upstream's `bigdl-ppml-submit.sh` sets them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.flows.spark.submission import Security, Submission

SECRET_FOLDER = "/ppml/spark-secret"  # noqa: S105 - a folder
AUTHENTICATION, CREDENTIALS = "secret", "credentials.jceks"
"""Keys of the Secret `spark-secret`, files below SECRET_FOLDER: the first for driver and executors, the other for the
driver alone."""
KEYSTORE = "/ppml/keys/keystore.jks"
PROVIDER = "spark.hadoop.hadoop.security.credential.provider.path"
SECRET_FILE = f"{SECRET_FOLDER}/{AUTHENTICATION}"
_VARIABLE = "_SPARK_AUTH_SECRET"
_ENTRYPOINT = "/opt/entrypoint.sh"
"""Of driver and executor pods, in BigDL's images as in Spark's own."""


def exported_secret(file: str) -> str:
    """Words of a shell that export the secret in `file` as Spark's variable, and fail without it."""
    return f'{_VARIABLE}=$(base64 -w0 "{file}") && export {_VARIABLE}'


AUTHENTICATED_ENTRYPOINT = ("bash", "-c", f'{exported_secret(SECRET_FILE)} && exec {_ENTRYPOINT} "$@"', _ENTRYPOINT)
"""The command of driver and executor pods; Spark adds the entrypoint's arguments to it."""


def security_settings(submission: Submission) -> Iterator[tuple[str, str]]:
    """What is switched on, setting by setting."""
    for setting, value in fixed_settings(submission.security):
        yield setting, value
        if setting == "spark.authenticate" and submission.on_cluster:
            # elsewhere Spark takes no file, and makes a secret of its own
            yield "spark.authenticate.secret.file", SECRET_FILE
    if submission.security.tls:
        users, ours = submission.conf.get(PROVIDER), f"localjceks://file{SECRET_FOLDER}/{CREDENTIALS}"
        yield PROVIDER, f"{users},{ours}" if users else ours


def fixed_settings(wanted: Security) -> Iterator[tuple[str, str]]:
    """Those that depend on nothing but the protections."""
    if wanted.rpc_auth:
        yield "spark.authenticate", "true"
    if wanted.rpc_encryption:
        yield "spark.authenticate.enableSaslEncryption", "true"
        yield "spark.network.crypto.enabled", "true"
        yield "spark.network.crypto.keyLength", "128"
        yield "spark.network.crypto.keyFactoryAlgorithm", "PBKDF2WithHmacSHA1"
    if wanted.io_encryption:
        yield "spark.io.encryption.enabled", "true"
        yield "spark.io.encryption.keySizeBits", "128"
        yield "spark.io.encryption.keygen.algorithm", "HmacSHA1"
    if wanted.tls:
        yield "spark.ssl.enabled", "true"
        yield "spark.ssl.port", "8043"
        for store in ("keyStore", "trustStore"):
            yield f"spark.ssl.{store}", KEYSTORE
            yield f"spark.ssl.{store}Type", "JKS"

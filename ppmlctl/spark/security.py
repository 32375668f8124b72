"""Spark's security settings. Passwords stand in none of them: Spark reads both from files of mounted Secrets.

The secret of `spark.authenticate` is a file by Spark's own setting. Keystore passwords have no such setting, but where
they are not set Spark asks Hadoop's credential providers (`SSLOptions.parse`), and one of these is a file.
Values as upstream's `bigdl-ppml-submit.sh` sets them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spark.submission import Submission

SECRET_FOLDER = "/ppml/spark-secret"  # noqa: S105 - a folder
AUTHENTICATION, CREDENTIALS = "secret", "credentials.jceks"
"""Keys of the Secret `spark-secret`, files below SECRET_FOLDER: the first for driver and executors, the other for the
driver alone."""
KEYSTORE = "/ppml/keys/keystore.jks"
PROVIDER = "spark.hadoop.hadoop.security.credential.provider.path"


def security_settings(submission: Submission) -> Iterator[tuple[str, str]]:
    """What is switched on, setting by setting."""
    wanted = submission.security
    if wanted.rpc_auth:
        yield "spark.authenticate", "true"
        if submission.on_cluster:  # elsewhere Spark takes no file, and makes a secret of its own
            yield "spark.authenticate.secret.file", f"{SECRET_FOLDER}/{AUTHENTICATION}"
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
        yield from _tls(submission.conf.get(PROVIDER))


def _tls(users_providers: str | None) -> Iterator[tuple[str, str]]:
    yield "spark.ssl.enabled", "true"
    yield "spark.ssl.port", "8043"
    for store in ("keyStore", "trustStore"):
        yield f"spark.ssl.{store}", KEYSTORE
        yield f"spark.ssl.{store}Type", "JKS"
    provider = f"localjceks://file{SECRET_FOLDER}/{CREDENTIALS}"
    yield PROVIDER, f"{users_providers},{provider}" if users_providers else provider

"""What looks like a secret, and what does not: names of the big connectors, and shapes of values."""

from __future__ import annotations

import pytest

from ppmlctl.spec.secret_words import secret_in, secret_of, secrets_of

NAMES = [
    "AZURE_STORAGE_CONNECTION_STRING",
    "DB_PASS",
    "DB_PW",
    "DOCKER_AUTH_CONFIG",
    "GITHUB_TOKEN",
    "MYSQL_PWD",
    "PGPASSWORD",
    "REDIS_AUTH",
    "SIGNING_KEY",
    "SNOWFLAKE_PRIVATE_KEY",
    "kafka.sasl.jaas.config",
    "kafka.ssl.keystore.key",
    "parquet.encryption.key.list",
    "spark.bigdl.kms.ehs.key",
    "spark.bigdl.kms.simple.apikey",
    "spark.bigdl.primaryKey.one.plainText",
    "spark.es.net.http.auth.pass",
    "spark.hadoop.fs.adl.oauth2.credential",
    "spark.hadoop.fs.adl.oauth2.refresh.token",
    "spark.hadoop.fs.azure.account.key.lake.dfs.core.windows.net",
    "spark.hadoop.fs.azure.account.oauth2.client.secret.lake.dfs.core.windows.net",
    "spark.hadoop.fs.azure.sas.box.lake.blob.core.windows.net",
    "spark.hadoop.fs.azure.sas.fixed.token.lake.dfs.core.windows.net",
    "spark.hadoop.fs.gs.auth.service.account.private.key",
    "spark.hadoop.fs.gs.encryption.key",
    "spark.hadoop.fs.s3a.bucket.b.secret.key",
    "spark.hadoop.fs.s3a.encryption.key",
    "spark.hadoop.fs.s3a.proxy.password",
    "spark.hadoop.fs.s3a.server-side-encryption.key",
    "spark.hadoop.fs.s3a.session.key",
    "spark.hadoop.fs.s3a.session.token",
    "spark.redis.auth",
    "spark.snowflake.pem_private_key",
    "spark.snowflake.sfPassword",
    "sslkey_passphrase",
]

PLAIN = {
    "API_KEY_HEADER": "X-Api-Key",
    "COMPASS": "north",
    "GOOGLE_APPLICATION_CREDENTIALS": "/keys/gcs.json",
    "MAX_TOKENS": "512",
    "OLDPWD": "/opt",
    "PWD": "/opt/app",
    "SECRET_MANAGER_PROJECT": "analytics",
    "TOKENIZERS_PARALLELISM": "false",
    "TOKEN_URL": "https://login.example.com/token",
    "accessKeyId": "reader",
    "spark.authenticate": "true",
    "spark.bigdl.kms.key.data": "/keys/data",
    "spark.bigdl.primaryKey.one.material": "/keys/one",
    "spark.hadoop.fs.azure.account.auth.type.lake.dfs.core.windows.net": "OAuth",
    "spark.hadoop.fs.azure.account.keyprovider.lake.dfs.core.windows.net": "org.example.Provider",
    "spark.hadoop.fs.azure.sas.token.provider.type.lake.dfs.core.windows.net": "org.example.Provider",
    "spark.hadoop.fs.gs.auth.service.account.enable": "true",
    "spark.hadoop.fs.gs.auth.service.account.json.keyfile": "/keys/gcs.json",
    "spark.hadoop.fs.s3a.aws.credentials.provider": "org.example.Provider",
    "spark.hadoop.fs.s3a.path.style.access": "true",
    "spark.hadoop.hadoop.security.credential.provider.path": "jceks://file/keys/credentials.jceks",
    "spark.io.encryption.keySizeBits": "256",
    "spark.io.encryption.keygen.algorithm": "HmacSHA1",
    "spark.kubernetes.authenticate.driver.oauthTokenFile": "/run/token",
    "spark.kerberos.renewal.credentials": "ccache",
    "spark.kubernetes.container.image.pullSecrets": "registry",
    "spark.kubernetes.driver.secretKeyRef.PASSWORD": "db:password",
    "spark.kubernetes.driver.secrets.ssl-keys": "/keys",
    "spark.kubernetes.kerberos.tokenSecret.itemKey": "hadoop.token",
    "spark.kubernetes.kerberos.tokenSecret.name": "delegation",
    "spark.my.password": "${env:PASSWORD}",
    "spark.redaction.regex": "(?i)secret|password",
    "spark.security.credentials.hive.enabled": "false",
    "spark.security.credentials.retryWait": "1h",
    "spark.sql.catalog.primaryKey": "id",
}

VALUES = {
    "AccountName=a;AccountKey=abc==": "AccountKey",
    "Endpoint=sb://x;SharedAccessKeyName=n;SharedAccessKey=abc": "SharedAccessKey",
    "https://lake.blob.core.windows.net/b?sv=2020&sig=abc%3D": "a signature of a shared access",
    "-----BEGIN RSA PRIVATE KEY-----": "a private key",
    "-----BEGIN PRIVATE KEY-----": "a private key",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----": "a private key",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.c2ln": "a signed token (JWT)",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789": "a token of GitHub",
    "AKIAIOSFODNN7EXAMPLE": "an access key of AWS",
    "mongodb+srv://u:p@cluster.example.com/db": "a password in a URL",
    "jdbc:oracle:thin:scott/tiger@db:1521/x": "a password in a URL",
    'org.apache.kafka.X required username="u" password="hunter2";': "password",
    "Bearer abcdefghijklmnopqrstuvwx": "an authorization",
    "sk_live_abcdefghijklmnopqrstuvwx": "a key of Stripe",
    '{"user": "u", "password": "hunter2"}': "password",
    "user: u\npassword: 'hunter2'\n": "password",
    "user = u\ndb.password = hunter2": "db.password",
}

PLAIN_VALUES = [
    "",
    "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----",
    "https://host:1/a@b",
    "jdbc:postgresql://db/x?user=a&password=${PASSWORD}",
    "jdbc:postgresql://u:${PASSWORD}@db/x",
    "local:///opt/app.jar",
    "s3a://bucket/path?signature=1",
    "Basic operations",
    "AccountKey=${KEY}",
    '{"password": "", "token": "${TOKEN}"}',
    "com.example:token-library:1.2-SNAPSHOT",
    "example.com/sealed-secrets-controller:v0.24.1",
    "example.com/vault-token:latest",
    "password: /keys/password",
    "select token from t where secret = 1",
    "x" * 100_000,
]


@pytest.mark.parametrize("name", [*NAMES, "spark.bigdl.dataKey", "data_key", "userpw", "DB_USERPW"])
def test_the_settings_of_connectors_that_hold_secrets_are_known(name: str) -> None:
    assert secret_of(name, "SENTINEL") == name


@pytest.mark.parametrize("name", PLAIN)
def test_settings_beside_them_hold_none(name: str) -> None:
    assert secret_of(name, PLAIN[name]) == ""


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_known_by_its_shape(value: str) -> None:
    assert secret_in(value) == VALUES[value]
    assert secret_of("spark.any.thing", value) == VALUES[value]


@pytest.mark.parametrize("value", PLAIN_VALUES)
def test_a_value_of_another_shape_is_none(value: str) -> None:
    assert secret_in(value) == ""


def test_what_a_url_or_an_endpoint_holds_counts_whatever_the_setting_is_called() -> None:
    for name in ("JDBC_URL", "spark.db.endpoint", "spark.db.uri"):
        assert secret_of(name, "jdbc:postgresql://db/x?user=u&password=hunter2") == "password"


def test_a_path_is_no_token_and_a_token_may_begin_like_one() -> None:
    assert secret_of("TOKEN", "/run/token") == ""
    assert secret_of("TOKEN", "/abc+def=") == "TOKEN"


def test_nested_values_are_told_by_their_place() -> None:
    values = {"db": {"password": "hunter2", "host": "db"}, "urls": ["https://a", "https://u:p@b"]}
    assert list(secrets_of(values)) == [(("db", "password"), "password"), (("urls", 1), "a password in a URL")]

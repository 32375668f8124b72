"""What of a Secret is masked in logs, and what stays readable though it lies in one."""

from __future__ import annotations

import base64
from typing import Any, cast

import pytest

from ppmlctl.kubernetes.secret_values import secret_values
from ppmlctl.runs.pod_secrets import masking

TOKEN = "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"
KUBECONFIG = f"""\
apiVersion: v1
kind: Config
clusters:
- cluster: {{certificate-authority-data: Q0VSVElGSUNBVEU=, server: "https://kubernetes.default.svc"}}
  name: here
contexts:
- context: {{cluster: here, namespace: analytics, user: spark}}
  name: here
users:
- name: spark
  user:
    token: {TOKEN}
"""
KEY = "MC4CAQAwBQYDK2VwBCIEIHcH3sJ0c6xq"
PEM = f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nTUlJQjB6Q0NBWDJnQXdJQkFnSUo=\n-----END CERTIFICATE-----\n"


def secret(**data: str | bytes) -> dict[str, Any]:
    raw = {key.replace("__", "."): value.encode() if isinstance(value, str) else value for key, value in data.items()}
    return {"data": {key: base64.b64encode(value).decode() for key, value in raw.items()}}


class Client:
    """A cluster with one Secret."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def get(self, _key: object) -> dict[str, Any]:
        return self.found


def masked(text: str, **data: str | bytes) -> str:
    reference = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    pod = {"metadata": {"namespace": "analytics", "name": "p"}, "spec": {"containers": [{"env": [reference]}]}}
    return masking(cast("Any", Client(secret(**data))), [pod])(text)


@pytest.mark.parametrize(
    ("data", "text", "shown"),
    [
        ({"key": "s3cret"}, "key=s3cret.", "key=(secret)."),
        (
            {"key": "hunter22"},
            f"_SPARK_AUTH_SECRET={base64.b64encode(b'hunter22').decode()}",
            "_SPARK_AUTH_SECRET=(secret)",
        ),
        ({"config": KUBECONFIG}, f"Bearer {TOKEN}", "Bearer (secret)"),
        ({"config": KUBECONFIG}, "kind: Config of namespace analytics", "kind: Config of namespace analytics"),
        ({"tls__key": PEM}, f"found {KEY} in clear", "found (secret) in clear"),
        (
            {"ca__crt": CERTIFICATE, "namespace": "analytics", "token": TOKEN},
            f"analytics {TOKEN}",
            "analytics (secret)",
        ),
        ({"where": "analytics"}, "pods of analytics", "pods of analytics"),
        ({"switch": "true", "name": "conf"}, "spark.authenticate=true, conf.d", "spark.authenticate=true, (secret).d"),
        ({"key": "pass"}, "password, pass", "password, (secret)"),
        ({"file": "line\nnote: it is\npassword=hunter22\n"}, "line by line: hunter22", "line by line: (secret)"),
        ({"keystore": b"\xfe\xed\xfe\xed\x00word\nword"}, "a word", "a word"),
    ],
)
def test_values_that_are_secret_are_masked_and_no_others(data: dict[str, str], text: str, shown: str) -> None:
    assert masked(text, **data) == shown


def test_a_certificate_beside_a_key_is_none_of_the_secret() -> None:
    values = list(secret_values(secret(pem=CERTIFICATE + PEM)))
    assert KEY in values
    assert not any("TUlJQjB6" in value for value in values if "\n" not in value and len(value) < 100)

"""Secrets of type service-account-token get a token, and end with their account.

Source of the rules: kubernetes, pkg/controller/serviceaccount/tokens_controller.go.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable

from ppmlctl.sandbox.kubernetes.kinds import Json, kind_named
from ppmlctl.sandbox.kubernetes.objects import Objects, WriteOptions
from ppmlctl.sandbox.kubernetes.validation import SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN

SERVICE_ACCOUNT_UID = "kubernetes.io/service-account.uid"
_SIGNATURE_BYTES = 48


def fill(authority: bytes) -> Callable[[Objects, Json], None]:
    """The controller for clusters with this certificate authority (PEM)."""

    def reconcile(objects: Objects, secret: Json) -> None:
        if secret.get("type") != SERVICE_ACCOUNT_TOKEN:
            return
        metadata = secret["metadata"]
        named = metadata.get("annotations", {}).get(SERVICE_ACCOUNT_NAME, "")
        account = objects.store.get(kind_named("serviceaccounts"), metadata["namespace"], named)
        if account is None or _names_another(secret, account):
            objects.erase(kind_named("secrets"), secret)
        elif not {"token", "ca.crt", "namespace"} <= secret.get("data", {}).keys():
            filled = _filled(secret, account["metadata"]["uid"], authority)
            objects.replace(kind_named("secrets"), metadata["namespace"], metadata["name"], filled, WriteOptions())

    return reconcile


def forget(objects: Objects, account: Json) -> None:
    """Deletes the tokens of an account that ended."""
    kind, metadata = kind_named("secrets"), account["metadata"]
    for secret in list(objects.store.list(kind, metadata["namespace"])):
        named = secret["metadata"].get("annotations", {}).get(SERVICE_ACCOUNT_NAME)
        if secret.get("type") == SERVICE_ACCOUNT_TOKEN and named == metadata["name"]:
            objects.erase(kind, secret)


def _names_another(secret: Json, account: Json) -> bool:
    uid = secret["metadata"].get("annotations", {}).get(SERVICE_ACCOUNT_UID)
    return uid not in (None, account["metadata"]["uid"])


def _filled(secret: Json, uid: str, authority: bytes) -> Json:
    metadata = secret["metadata"]
    made = {
        "token": _token(secret, uid),
        "ca.crt": authority,
        "namespace": metadata["namespace"].encode(),
    }
    encoded = {key: base64.b64encode(value).decode() for key, value in made.items()}
    annotations = {**metadata["annotations"], SERVICE_ACCOUNT_UID: uid}
    return {
        **secret,
        "metadata": {**metadata, "annotations": annotations},
        "data": {**encoded, **secret.get("data", {})},
    }


def _token(secret: Json, uid: str) -> bytes:
    """A token in the form of a real one; its signature is random, and nothing here takes it."""
    metadata = secret["metadata"]
    name = metadata["annotations"][SERVICE_ACCOUNT_NAME]
    claims = {
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": metadata["namespace"],
        "kubernetes.io/serviceaccount/secret.name": metadata["name"],
        "kubernetes.io/serviceaccount/service-account.name": name,
        "kubernetes.io/serviceaccount/service-account.uid": uid,
        "sub": f"system:serviceaccount:{metadata['namespace']}:{name}",
    }
    parts = [json.dumps({"alg": "none"}).encode(), json.dumps(claims).encode(), secrets.token_bytes(_SIGNATURE_BYTES)]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)

"""A manifest in the spelling that server-side apply needs."""

from __future__ import annotations

import base64
from typing import Any

from ppmlctl.kubernetes.objects import Manifest
from ppmlctl.secret import Secret


def prepared(manifest: Manifest) -> Manifest:
    """The same object, as the server expects it from an applier.

    Values of type Secret are revealed here, where they are sent. A Secret's `stringData` becomes `data`: the server
    would record ppmlctl as the holder of stringData, not of the data it turns into, so that it would neither notice
    conflicts nor remove a dropped key. A Service's ports get their protocol: old servers take it as part of the list's
    key and do not default it (seen on 1.20).
    """
    match manifest["kind"]:
        case "Secret":
            return _with_data(manifest)
        case "Service":
            return _with_protocols(manifest)
    return manifest


def _with_data(manifest: Manifest) -> Manifest:
    text: dict[str, str | Secret] = manifest.get("stringData") or {}
    folded = {name: base64.b64encode(_plain(value)).decode() for name, value in text.items()}
    rest = {name: value for name, value in manifest.items() if name != "stringData"}
    return {**rest, "data": {**(manifest.get("data") or {}), **folded}} if folded else rest


def _plain(value: str | Secret) -> bytes:
    return value.reveal_bytes() if isinstance(value, Secret) else value.encode()


def _with_protocols(manifest: Manifest) -> Manifest:
    spec: dict[str, Any] = manifest.get("spec") or {}
    if not spec.get("ports"):
        return manifest
    return {**manifest, "spec": {**spec, "ports": [{"protocol": "TCP", **port} for port in spec["ports"]]}}

"""A manifest in the spelling that server-side apply needs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ppmlctl.kubernetes.objects import Manifest
from ppmlctl.secret import Secret

_AMOUNTS = frozenset({"capacity", "hard", "limits", "overhead", "podFixed", "requests"})
_LIMIT_RANGE = frozenset({"default", "defaultRequest", "max", "maxLimitRequestRatio", "min"})
_AMOUNT = frozenset({"averageValue", "divisor", "sizeLimit"})
_FREE = frozenset({"annotations", "binaryData", "data", "labels", "matchLabels", "parameters", "stringData"})
"""Maps whose keys are anybody's."""


def prepared(manifest: Manifest) -> Manifest:
    """The same object, as the server expects it from an applier.

    Values of type Secret are revealed here, where they are sent. A Secret's `stringData` becomes `data`: the server
    would record ppmlctl as the holder of stringData, not of the data it turns into, so that it would neither notice
    conflicts nor remove a dropped key. A Service's ports get their protocol, and quantities that are numbers become
    text: old servers take the one as part of the list's key and do not default it, and refuse the other (seen on 1.20).
    """
    match manifest["kind"]:
        case "Secret":
            return _with_data(manifest)
        case "Service":
            return _with_protocols(manifest)
        case "ConfigMap":
            return manifest
    return _spelled(manifest, "") if _is_built_in(str(manifest["apiVersion"])) else manifest


def _is_built_in(api_version: str) -> bool:
    """Whether the kind is Kubernetes' own: those of others may have numbers where these have quantities."""
    group = api_version.rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def _spelled(value: Any, name: str) -> Any:
    """Quantities as text; what has none comes back as it is."""
    if isinstance(value, Mapping):
        if name in _FREE:
            return value
        amounts = name in _AMOUNTS or name in _LIMIT_RANGE
        return {
            key: _text(member, str(key)) if amounts or key in _AMOUNT else _spelled(member, str(key))
            for key, member in value.items()
        }
    return [_spelled(member, "") for member in value] if isinstance(value, list) else value


def _text(value: Any, name: str) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _spelled(value, name)


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

"""Measurements that took long, remembered by what they were computed from: the digests of manifest and loader.

Nothing that is signed comes from here: whoever signs measures anew.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from ppmlctl.files import read_bytes
from ppmlctl.sgx.attributes import Attributes
from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.measurement import Measurement, measure

_VERSION = 1
_WORTH_SECONDS = 0.1
_MOST_KEPT = 32


class MeasurementCache:
    """`measure`, whose slow answers are kept in the file `store`; it may be deleted, and a damaged one is empty."""

    def __init__(self, store: Path, *, worth: float = _WORTH_SECONDS) -> None:
        """Keeps what took longer than `worth` seconds."""
        self._store = store
        self._worth = worth

    def measure(self, manifest_sgx: bytes, loader: bytes, version: GramineVersion) -> Measurement:
        """As `measure`, in no time where the same was measured before. A store that cannot be written is no error."""
        key, kept = _key(manifest_sgx, loader, version), _loaded(self._store)
        if key in kept:
            return kept[key]
        start = time.perf_counter()
        found = measure(manifest_sgx, loader, version)
        if time.perf_counter() - start > self._worth:
            with suppress(OSError):
                self._save({**dict(list(kept.items())[1 - _MOST_KEPT :]), key: found})
        return found

    def _save(self, kept: dict[str, Measurement]) -> None:
        """Loss of it costs time only, so nothing is synced."""
        self._store.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._store.parent / f".{self._store.name}.{secrets.token_hex(6)}.tmp"
        measurements = {key: asdict(found) for key, found in kept.items()}
        temporary.write_text(json.dumps({"version": _VERSION, "measurements": measurements}), encoding="utf-8")
        temporary.replace(self._store)


def _key(manifest_sgx: bytes, loader: bytes, version: GramineVersion) -> str:
    """Everything that a measurement depends on."""
    digests = [hashlib.sha256(content).hexdigest() for content in (manifest_sgx, loader)]
    constants = json.dumps([version.name, *astuple(version.layout)])
    return hashlib.sha256(" ".join([*digests, constants]).encode()).hexdigest()


def _loaded(store: Path) -> dict[str, Measurement]:
    try:
        document = json.loads(read_bytes(store))
        if document["version"] != _VERSION:
            return {}
        return {key: _measurement(**fields) for key, fields in document["measurements"].items()}
    except (OSError, ValueError, TypeError, AttributeError, LookupError):
        return {}


def _measurement(*, mr_enclave: str, attributes: dict[str, int], **numbers: Any) -> Measurement:
    if not all(isinstance(number, int) for number in (*attributes.values(), *numbers.values())):
        raise ValueError("no measurement")
    bytes.fromhex(mr_enclave)
    return Measurement(mr_enclave=mr_enclave, attributes=Attributes(**attributes), **numbers)

"""What the real Gramine tools answered: `gramine-vectors.json`, typed. Its keys are good for nothing but tests."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.secret import Secret
from ppmlctl.sgx import GramineVersion, gramine_version
from ppmlctl.sgx.signing_key import SigningKey

LIBOS = "/usr/local/lib/x86_64-linux-gnu/gramine/libsysdb.so"


@cache
def _data() -> Any:
    return json.loads((Path(__file__).parent / "gramine-vectors.json").read_bytes())


DAY = date.fromisoformat(_data()["date"])
TAMPERED: list[dict[str, Any]] = _data()["tampered"]
MR_SIGNERS: dict[str, str] = {name: key["mrsigner"] for name, key in _data()["keys"].items()}


@dataclass(frozen=True)
class Manifest:
    name: str
    text: str
    """Input of the tools."""
    manifest_sgx: str
    """Output of the tools."""

    @property
    def version(self) -> GramineVersion:
        return gramine_version(self.name.split("/")[0])


@dataclass(frozen=True)
class Vector:
    name: str
    manifest: Manifest
    elf: str
    mr_enclave: str
    fields: dict[str, Any]
    sigstruct: bytes


@dataclass(frozen=True)
class Verdict:
    """Whether the tools took a manifest; `mr_enclave` and `manifest_sgx` if so."""

    name: str
    version: GramineVersion
    text: str
    elf: str
    accepted: bool
    mr_enclave: str | None
    manifest_sgx: str | None


@cache
def key(name: str) -> SigningKey:
    return SigningKey.from_pem(Secret(_data()["keys"][name]["pem"]))


@cache
def elf(name: str) -> bytes:
    return gzip.decompress(base64.b64decode(_data()["elfs"][name]["gzip_base64"]))


MANIFESTS = {name: Manifest(name, m["text"], m["manifest_sgx"]) for name, m in _data()["manifests"].items()}

VECTORS = {
    v["id"]: Vector(
        v["id"],
        MANIFESTS[v["manifest"]],
        v["elf"],
        v["mrenclave"],
        v["fields"],
        base64.b64decode(v["sigstruct_base64"]),
    )
    for v in _data()["vectors"]
}
EACH_VECTOR = pytest.mark.parametrize(
    "vector",
    [pytest.param(one, id=name, marks=[pytest.mark.long] * ("/huge-" in name)) for name, one in VECTORS.items()],
)
"""A test of each; those of 16 GiB take seconds."""

RESIGNED: list[tuple[str, str, bytes]] = [
    (r["of"], r["key"], base64.b64decode(r["sigstruct_base64"])) for r in _data()["resigned"]
]
"""Name of the vector, name of the key, what the tools made of them."""

VERDICTS = [
    Verdict(
        f"{j['tag']} {j['name']}",
        gramine_version(j["tag"]),
        j["text"],
        j["elf"],
        j["accepted"],
        j.get("mrenclave"),
        j.get("manifest_sgx"),
    )
    for j in _data()["judged_by_upstream"]
]


def write_tree(root: Path) -> None:
    """Puts the file tree of the vectors below `root`."""
    for path, entry in _data()["trees"]["data"].items():
        place = root / path.removeprefix("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if "symlink" in entry:
            place.symlink_to(entry["symlink"])
        else:
            place.write_bytes(entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"]))

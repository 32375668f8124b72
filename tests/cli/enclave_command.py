"""Runs `ppmlctl enclave …` on the files of one vector of the real signer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sgx.gramine_vectors import VECTORS, Vector, elf, key

from ppmlctl.cli.main import run


def vector_files(vector: Vector, folder: Path) -> list[str]:
    """Writes manifest and loader of a vector; the options that name them."""
    folder.mkdir(exist_ok=True)
    manifest, loader = folder / "bash.manifest.sgx", folder / "libpal.so"
    manifest.write_bytes(vector.manifest.manifest_sgx.encode())
    loader.write_bytes(elf(vector.elf))
    return ["--manifest", str(manifest), "--loader", str(loader), "--gramine", vector.manifest.version.name]


def key_file(folder: Path, name: str = "first") -> Path:
    """The vectors' published test key, for its owner only."""
    place = folder / f"{name}.pem"
    place.write_bytes(key(name).to_pem().reveal_bytes())
    place.chmod(0o600)
    return place


@dataclass
class Command:
    """The command in a folder of its own."""

    folder: Path
    streams: pytest.CaptureFixture[str]
    vector: Vector = VECTORS["v1.3.1/nonpie/tiny-based"]

    @property
    def files(self) -> list[str]:
        return vector_files(self.vector, self.folder)

    def json(self, *arguments: object, code: int = 0) -> Any:
        """What it tells machines; it must end with `code`."""
        ended = run(["enclave", *map(str, arguments), "-o", "json"])
        out, err = self.streams.readouterr()
        assert ended == code, out + err
        return json.loads(out)

    def text(self, *arguments: object, code: int = 0) -> tuple[str, str]:
        """What it tells people, on both streams; it must end with `code`."""
        ended = run(["enclave", *map(str, arguments)])
        out, err = self.streams.readouterr()
        assert ended == code, out + err
        return out, err

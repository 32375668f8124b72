"""No secret value, in whatever spelling, in anything that people, git, registries or other processes see."""

from __future__ import annotations

import base64
import json
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.parse import quote

import pytest
from flows.forked_place import sandboxed
from flows.place import Place, make_place

from ppmlctl.clients.kubernetes import KubernetesClient, ObjectKey
from ppmlctl.effects import Effects
from ppmlctl.sandbox import process
from ppmlctl.secret import Secret
from ppmlctl.state import Vault

pytestmark = pytest.mark.long

PASSWORD = 'sentinel"pass+/=&%word'
SHARES = 4
VAULT_PASSWORD = "sentinel-of-the-vault-7f3a"


def spellings(secret: bytes) -> set[bytes]:
    """Raw, base64 in all three alignments, hexadecimal, URL- and JSON-escaped."""
    text = secret.decode("utf-8", "replace")
    found = {secret, secret.hex().encode(), secret.hex().upper().encode(), quote(secret, safe="").encode()}
    found |= {json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret)
        found.add(encoded[4 if shift else 0 : -4])
    return {one for one in found if len(one) >= 12}


class Secrets:
    """All secrets of one environment and how to look for them."""

    def __init__(self, named: dict[str, bytes]) -> None:
        self._spelled = {name: spellings(value) for name, value in named.items()}

    def absent_from(self, content: bytes, where: str) -> None:
        for name, spelled in self._spelled.items():
            for one in spelled:
                assert one not in content, f"{name} stands in {where}"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Secrets, dict[str, bytes]]]:
    """An environment that was planned and applied with planted secrets, and all that it said and showed meanwhile."""
    place = _planted(tmp_path_factory.mktemp("secrets"))
    shown: dict[str, bytes] = {}
    with _ProcessTable() as table:
        for number, words in enumerate(
            [
                ("plan",),
                ("apply", "--yes"),
                ("plan", "--save", "s.plan"),
                ("apply", "--yes", "-o", "json"),
                ("plan", "-o", "json"),
                ("status",),
                ("output", "-o", "json"),
                ("graph",),
                ("validate",),
                ("vault", "list"),
            ]
        ):
            done = place.run(*words)
            shown[f"output of {' '.join(words)} ({number})"] = (done.stdout + done.stderr).encode()
    shown["the process table"] = table.seen
    yield place, Secrets(_secrets_of(place)), shown
    process.down(place.sandbox)


class _ProcessTable:
    """Reads the arguments of every process for as long as it is open."""

    def __init__(self) -> None:
        self.seen = b""
        self._lines: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.seen = b"\n".join(self._lines)

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self._lines.add(path.read_bytes())
                except OSError:
                    continue


def _planted(folder: Path) -> Place:
    """A fresh environment with two secrets that are known."""
    place = make_place(folder)
    place.variables |= {"PPML_VAULT_PASSWORD": VAULT_PASSWORD, "SENTINEL": PASSWORD}
    place.edit("keys: {}", "keys: {password: {env: SENTINEL}}")
    return place


def _secrets_of(place: Place) -> dict[str, bytes]:
    """What is secret in an environment, as far as it has been made."""
    found = {"vault password": VAULT_PASSWORD.encode(), "ssl password": PASSWORD.encode()}
    if (place.folder / "ppml.vault").exists():
        vault = Vault.open(place.folder / "ppml.vault", Secret(VAULT_PASSWORD))
        found |= {f"vault entry {name}": vault.get(name).reveal_bytes() for name in vault.names()}
    for path in (place.folder / "keys").rglob("*"):
        if path.name in {"enclave-key.pem", "server.key", "key.txt"}:
            body = b"".join(path.read_bytes().splitlines()[1:-1])
            found[f"key {path.name}"] = body[200:260]
    if process.status(place.sandbox):
        client = KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=place.sandbox / "kubeconfig")
        token = client.get(ObjectKey("v1", "Secret", "default", "spark-token")) or {}
        if "token" in token.get("data", {}):
            found["service account token"] = base64.b64decode(token["data"]["token"])
    return found


def test_the_secrets_that_are_looked_for_are_there(watched: tuple[Place, Secrets, dict[str, bytes]]) -> None:
    place, _, shown = watched
    named = _secrets_of(place)
    assert {"ssl password", "key enclave-key.pem", "key server.key", "key key.txt"} <= named.keys()
    assert any("account" in name for name in named)
    assert len(shown["the process table"]) > 100


def test_no_output_and_no_process_shows_a_secret(watched: tuple[Place, Secrets, dict[str, bytes]]) -> None:
    _, secrets, shown = watched
    for where, content in shown.items():
        secrets.absent_from(content, where)


def test_no_file_but_the_vault_and_the_keys_holds_a_secret(watched: tuple[Place, Secrets, dict[str, bytes]]) -> None:
    place, secrets, _ = watched
    looked_at = 0
    for path in place.folder.rglob("*"):
        own = {"keys", "tls"} & set(path.relative_to(place.folder).parts)
        if path.is_file() and not own and "ehsm" not in path.parts and path.name != "kubeconfig":
            secrets.absent_from(path.read_bytes(), str(path.relative_to(place.folder)))
            looked_at += 1
    assert looked_at > 20


def test_the_sandbox_keeps_secrets_in_its_account_table_alone(
    watched: tuple[Place, Secrets, dict[str, bytes]], tmp_path: Path
) -> None:
    place, secrets, _ = watched
    database, *others = sorted((place.sandbox / "ehsm").rglob("*.sqlite"), key=lambda path: path.stem != "ehsm")
    for other in others:
        secrets.absent_from(other.read_bytes(), other.name)
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    copy = sqlite3.connect(tmp_path / "copy")
    with connection, copy:
        connection.backup(copy)
        tables = [row[0] for row in copy.execute("select name from sqlite_master where type = 'table'")]
        assert "accounts" in tables
        copy.execute("delete from accounts")
    copy.execute("vacuum")
    copy.close()
    connection.close()
    secrets.absent_from((tmp_path / "copy").read_bytes(), "tables other than the accounts")


def test_no_layer_holds_a_secret(watched: tuple[Place, Secrets, dict[str, bytes]]) -> None:
    place, secrets, _ = watched
    layers = 0
    for blob in (place.folder / ".ppml" / "images").rglob("blobs/sha256/*"):
        secrets.absent_from(blob.read_bytes(), "a blob")
        if tarfile.is_tarfile(blob):
            layers += 1
            with tarfile.open(blob) as layer:
                for member in layer:
                    file = layer.extractfile(member)
                    secrets.absent_from(file.read() if file else b"", f"layer file {member.name}")
    assert layers


def test_key_files_are_for_their_owner_alone(watched: tuple[Place, Secrets, dict[str, bytes]]) -> None:
    place, _, _ = watched
    private = [
        path for path in (place.folder / "keys").rglob("*") if path.is_file() and path.suffix not in {".crt", ".csr"}
    ]
    assert len(private) >= 6
    assert {
        path.stat().st_mode & 0o777 for path in [*private, place.folder / "ppml.vault", place.folder / "s.plan"]
    } == {0o600}


@pytest.mark.crash
@pytest.mark.parametrize("share", range(SHARES))
def test_no_planted_fault_shows_a_secret(share: int, tmp_path: Path) -> None:
    """Each failpoint raises once, in an environment of its own; whatever is said then holds no secret."""
    number, returncode = 1 + share, 1
    while returncode:
        with sandboxed(_planted(tmp_path / str(number))) as place:
            done = place.run("apply", "--yes", "--parallel", "1", PPMLCTL_FAILPOINT=f"raise:{number}")
            said = (done.stdout + done.stderr).encode()
            Secrets(_secrets_of(place)).absent_from(said, f"the fault planted at {number}")
        number, returncode = number + SHARES, done.returncode
    assert number > 100, "the faults ended early"

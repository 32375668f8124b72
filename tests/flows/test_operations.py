"""Every write that is no plan's action goes through one door: an older lockfile, and another apply, keep it out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from flows.keys_place import copied
from flows.place import Place

from ppmlctl.cli.app import app
from ppmlctl.sandbox import process
from ppmlctl.state import apply_lock

pytestmark = pytest.mark.long

READERS = {
    "attest quote",
    "ehsm keys list",
    "ehsm policy",
    "ehsm quote",
    "ehsm secrets get",
    "ehsm secrets list",
    "ehsm status",
    "explain",
    "graph",
    "logs",
    "output",
    "plan",
    "schema",
    "status",
    "validate",
    "vault list",
    "vault show",
}
BESIDE_ENVIRONMENTS = {"init", "sandbox"}
"""What makes or serves a folder, and writes nothing that a lockfile knows."""
WRITERS = {
    "apply": ["--yes"],
    "destroy": ["--yes"],
    "cancel": ["pi"],
    "ehsm keys delete": ["KEY", "--yes"],
    "ehsm keys disable": ["KEY"],
    "ehsm keys enable": ["KEY"],
    "vault rekey": [],
    "vault remove": ["NAME"],
    "vault set": ["NAME"],
}


def commands(group: typer.core.TyperGroup, above: str = "") -> Iterator[str]:
    """All commands by their words."""
    for name, command in group.commands.items():
        words = f"{above} {name}".strip()
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, words)
        else:
            yield words


def test_each_command_either_reads_or_goes_through_the_door() -> None:
    found = set(commands(typer.main.get_command(app)))  # type: ignore[arg-type]  # an app with commands is a group
    elsewhere = {name for name in found if name.split()[0] in {*BESIDE_ENVIRONMENTS, "enclave"}}
    assert found - elsewhere == READERS | set(WRITERS)


@pytest.fixture(scope="module")
def stale(keys_applied: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A checkout whose lockfile is older than what its cluster was made by."""
    place = copied(keys_applied, tmp_path_factory.mktemp("operations") / "copy")
    older = place.lockfile
    (place.folder / "more.yaml").write_text(
        "- name: space\n  k8s_object:\n    manifest: {apiVersion: v1, kind: Namespace, metadata: {name: more}}\n"
    )
    text = (place.folder / "ppml.yaml").read_text()
    (place.folder / "ppml.yaml").write_text(text + "\nplaybooks: [more.yaml]\n")
    place.apply()
    assert place.lockfile != older
    (place.folder / "ppml.lock").write_bytes(older)
    yield place
    process.down(place.sandbox)


@pytest.mark.parametrize("words", WRITERS)
def test_an_older_lockfile_is_refused(stale: Place, words: str) -> None:
    vault, lockfile = (stale.folder / "ppml.vault").read_bytes(), stale.lockfile
    sent = len(stale.requests())
    done = stale.run(*words.split(), *WRITERS[words])
    assert done.returncode == 1, done.stdout + done.stderr
    assert "error[lockfile-older]" in done.stdout + done.stderr
    assert ((stale.folder / "ppml.vault").read_bytes(), stale.lockfile) == (vault, lockfile)
    assert {one.get("action") for one in stale.requests()[sent:]} <= {None, "GetVersion"}


@pytest.mark.parametrize("words", [name for name in WRITERS if name != "cancel"])
def test_another_apply_keeps_it_out(keys_applied: Path, tmp_path: Path, words: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(keys_applied, folder, symlinks=True)
    place = Place(folder / "env", {"XDG_STATE_HOME": str(folder / "state"), "NO_COLOR": "1"})
    with apply_lock(place.folder / ".ppml"):
        done = place.run(*words.split(), *WRITERS[words])
    assert (done.returncode, "error[environment-locked]" in done.stdout + done.stderr) == (1, True), os.linesep.join(
        (done.stdout, done.stderr)
    )

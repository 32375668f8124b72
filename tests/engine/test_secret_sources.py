"""Secrets that ppml.yaml names for engines: fetched when they are needed, and not before."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.effects import Effects
from ppmlctl.engine.secret_sources import secret_of
from ppmlctl.modules.context import Files
from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.spec.secret_source import SecretSource


@pytest.fixture
def look(tmp_path: Path) -> Any:
    vault: Any = SimpleNamespace(get=lambda name: Secret("from the vault") if name == "known" else Secret())
    files = Files(tmp_path, Effects("files", writes_allowed=False))
    return lambda **source: secret_of(SecretSource(**source), files, vault)


def test_each_source_gives_its_value(look: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", "from the environment")
    (tmp_path / "password").write_text("from a file\n")
    (tmp_path / "password").chmod(0o600)
    found = [look(env="A_PASSWORD"), look(file="password"), look(vault="known")]
    assert [secret.reveal_text() for secret in found] == ["from the environment", "from a file", "from the vault"]
    assert [secret.handle for secret in found] == ["env:A_PASSWORD", "file:password", "vault:known"]


def test_a_locked_vault_is_asked_when_the_value_is_needed(look: Any) -> None:
    secret = look(vault="other")
    with pytest.raises(SecretLockedError):
        secret.reveal()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ({"env": "NO_SUCH_VARIABLE"}, "variable NO_SUCH_VARIABLE is not set, or empty"),
        ({"file": "gone"}, "file gone is not there, or empty"),
    ],
)
def test_a_value_that_is_not_there_is_said_when_it_is_needed(look: Any, source: dict[str, str], found: str) -> None:
    secret = look(**source)
    with pytest.raises(InputError) as caught:
        secret.reveal()
    assert str(caught.value) == (
        "error[secret-missing]: a secret that ppml.yaml names is not there\n"
        f"  is   {found}\n"
        "  fix  put it there, or name another source"
    )

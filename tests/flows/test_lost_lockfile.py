"""A lockfile that is missing while its vault is here is told as that, and gone on without only if that is meant."""

from __future__ import annotations

import pytest
from flows.place import Place
from ruamel.yaml import YAML

pytestmark = pytest.mark.long


def test_a_vault_without_its_lockfile_is_told_and_can_be_gone_on_with(applied: Place) -> None:
    lockfile = applied.folder / "ppml.lock"
    before = YAML(typ="safe", pure=True).load(lockfile)
    lockfile.unlink()
    for words in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        refused = applied.run(*words)
        assert refused.returncode == 1
        assert refused.stderr == (
            "error[lockfile-missing]: the lockfile is missing, and its vault is here\n"
            f"  is   ppml.lock does not exist; ppml.vault is of environment {before['environment']}\n"
            "  why  without it everything would be planned anew, as another environment's\n"
            "  fix  restore it from version control:\n"
            "       git checkout -- ppml.lock\n"
            "       or say that all is made anew, with the vault's secrets: ppmlctl plan --accept-lockfile\n"
        )
        assert not lockfile.exists()
    applied.succeed("apply", "--yes", "--accept-lockfile")
    after = YAML(typ="safe", pure=True).load(lockfile)
    assert after["environment"] == before["environment"]
    assert after["tasks"]["ehsm-account"]["result"] == before["tasks"]["ehsm-account"]["result"]
    assert applied.plan()[0] == 0

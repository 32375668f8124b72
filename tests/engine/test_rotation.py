"""What `--rotate` names, and which rotations are gone on with."""

from __future__ import annotations

from typing import Any

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.engine.rotation import rotating
from ppmlctl.planning import Recorded
from ppmlctl.secret import Secret
from ppmlctl.state.lockfile import BEGUN, MADE


class Kind:
    def __init__(self, follows_rotation: str | None) -> None:
        self.follows_rotation = follows_rotation


MODULES: Any = {"vault_secret": Kind("what was made with it follows"), "k8s_secret": Kind(None)}
RECORDED = {
    "password": Recorded("vault_secret", result={"name": "ssl", "value": Secret(handle="vault:ssl_password")}),
    "spark": Recorded("k8s_secret", result={"name": "spark"}),
    "gone": Recorded("of-another-time"),
}


@pytest.mark.parametrize("name", ["password", "ssl_password"])
def test_a_task_is_named_by_its_address_or_by_its_entry_in_the_vault(name: str) -> None:
    assert rotating([name], RECORDED, MODULES, {}) == {"password"}


@pytest.mark.parametrize(
    ("name", "fix"),
    [("passwort", "did you mean `password`?"), ("spark", "name one of: password, ssl_password")],
)
def test_what_cannot_be_rotated_is_an_error_that_lists_what_can(name: str, fix: str) -> None:
    with pytest.raises(InputError) as caught:
        rotating([name], RECORDED, MODULES, {})
    assert str(caught.value) == (
        "error[rotation-unknown]: nothing of this name can be rotated\n"
        f"  is   {name}\n"
        "  why  a task is rotated by its address, or by its entry in the vault, once it was applied\n"
        f"  fix  {fix}"
    )


def test_nothing_can_be_rotated_before_it_was_applied() -> None:
    with pytest.raises(InputError, match="name one of: nothing yet"):
        rotating(["password"], {}, MODULES, {})


def test_a_rotation_that_was_begun_is_gone_on_with_unasked() -> None:
    assert rotating([], RECORDED, MODULES, {"password": BEGUN, "removed": BEGUN}) == {"password"}


def test_a_rotation_that_was_made_is_not_made_again_until_an_apply_has_ended_well() -> None:
    assert rotating(["password"], RECORDED, MODULES, {"password": MADE}) == frozenset()
    assert rotating(["password"], RECORDED, MODULES, {}) == {"password"}

"""Which tasks tags choose, as Ansible's do, and what comes with them."""

from __future__ import annotations

import pytest

from ppmlctl.cli.tags import tags_of
from ppmlctl.planning import Task, select


def task(address: str, tags: str = "", needs: str = "") -> Task:
    return Task(address, "thing", 0, lambda _: None, tags=frozenset(tags.split()), needs=frozenset(needs.split()))


TASKS = [
    task("base", "keys"),
    task("late", "keys deep"),
    task("user", "use", "base"),
    task("apart"),
    task("rare", "never seldom"),
    task("each", "always"),
]
CHOSEN = {
    "": "base late user apart each",
    "--tags keys": "base late each",
    "--tags deep": "late each",
    "--tags use": "base user each",
    "--tags deep,seldom": "late rare each",
    "--tags never": "rare each",
    "--tags all": "base late user apart each",
    "--tags tagged": "base late user each",
    "--tags untagged": "apart each",
    "--tags always": "each",
    "--tags keys --skip-tags deep": "base each",
    "--tags deep --tags untagged": "late apart each",
    "--skip-tags use": "base late apart each",
    "--skip-tags always,deep": "base user apart",
    "--skip-tags tagged": "apart",
    "--skip-tags untagged": "base late user each",
    "--skip-tags all": "each",
    "--tags absent": "each",
}


@pytest.mark.parametrize("words", CHOSEN)
def test_tags_choose_as_ansibles_do_and_what_is_needed_comes_too(words: str) -> None:
    options: dict[str, list[str]] = {"--tags": [], "--skip-tags": []}
    for name, value in zip(words.split()[::2], words.split()[1::2], strict=True):
        options[name].append(value)
    planned, selection = select(TASKS, tags_of(*options.values()))
    expected = CHOSEN[words].split()
    assert [one.address for one in planned] == expected
    assert [one.address for one in TASKS if one.address not in selection.left_out] == [
        one for one in expected if one not in selection.held
    ]


def test_what_is_kept_out_and_needed_is_looked_at_but_left_out() -> None:
    planned, selection = select(TASKS, tags_of(["use"], ["keys"]))
    assert [one.address for one in planned] == ["base", "user", "each"]
    assert (selection.held, selection.included) == ({"base"}, ())
    assert "base" in selection.left_out
    needs_rare = [*TASKS, task("last", needs="rare")]
    assert select(needs_rare, tags_of(None, None))[1].held == {"rare"}
    assert select(needs_rare, tags_of(["seldom,untagged"], None))[1].held == set()

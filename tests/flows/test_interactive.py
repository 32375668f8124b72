"""A user at a terminal: what is asked, and what an answer does, on both clusters and with the whole sandbox."""

from __future__ import annotations

import pytest
from flows.checkouts import Checkout, Make
from flows.place import Place


def left_behind(checkout: Checkout) -> list[str]:
    """What is there of an environment's state, and of its objects."""
    files = [name for name in ("ppml.lock", "ppml.vault") if (checkout.folder / name).exists()]
    return files + [name for name, live in (("first", checkout.object("first")), ("lease", checkout.lease())) if live]


def test_the_first_apply_of_an_environment_is_answered_with_y(place: Place) -> None:
    terminal = place.type("apply")
    terminal.answer(r"Apply this plan to quickstart \(target sandbox, namespace default\)\? \[y/N\]", "y")
    assert terminal.ended() == 0, terminal.said
    assert terminal.said.startswith("Environment quickstart  target sandbox, namespace default\n")
    assert "# not looked at before apply" in terminal.said
    assert "# not there yet" in terminal.said, "of what lies on this machine"
    assert "# unknown until apply" in terminal.said
    assert "Recap" in terminal.said
    assert place.plan()[0] == 0


@pytest.mark.long
def test_an_environment_on_a_cluster_from_its_first_apply_to_its_end(make: Make) -> None:
    checkout = make()
    where = rf"shared \(target cluster, context \S+, namespace {checkout.namespace}\)"
    refused = checkout.type("apply")
    refused.answer(rf"Apply this plan to {where}\? \[y/N\]", "n")
    assert refused.ended() == 0, refused.said
    assert left_behind(checkout) == []

    agreed = checkout.type("apply")
    agreed.answer(r"Apply this plan to ", "y")
    assert agreed.ended() == 0, agreed.said
    assert left_behind(checkout) == ["ppml.lock", "ppml.vault", "first", "lease"]

    objects = checkout.folder / "objects.yaml"
    _, first, task = objects.read_text().partition("- name: first")
    objects.write_text(objects.read_text() + f"{first}{task}".replace("name: first", "name: second"))
    assert checkout.run("plan", "--save", "next.plan").returncode == 2
    saved = checkout.type("apply", "next.plan")
    assert saved.ended() == 0, saved.said
    assert checkout.object("second") is not None

    wrong = checkout.type("destroy")
    wrong.answer(rf"To destroy {where}, type its name: ", "y")
    assert wrong.ended() == 0, wrong.said
    assert wrong.said.endswith("That is not its name. Nothing was done.\n")
    assert checkout.object("first") is not None
    end = checkout.type("destroy")
    end.answer(rf"To destroy {where}, type its name: ", "shared")
    assert end.ended() == 0, end.said
    assert checkout.object("first") is None

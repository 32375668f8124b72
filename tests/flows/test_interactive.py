"""A user at a terminal: what is asked, what an answer does, and plans that are kept for later."""

from __future__ import annotations

from flows.place import Place


def test_the_first_apply_of_an_environment_is_answered_with_y(place: Place) -> None:
    terminal = place.type("apply")
    terminal.answer(r"Apply this plan\?", "y")
    assert terminal.ended() == 0, terminal.said
    assert "Recap" in terminal.said
    assert place.plan()[0] == 0

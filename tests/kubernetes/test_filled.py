"""What is sent in place of empty texts that cannot be emptied."""

from __future__ import annotations

from ppmlctl.kubernetes.filled import filled_in


def test_only_empty_texts_that_are_filled_are_taken_from_the_live_object() -> None:
    desired = {"spec": {"a": "", "b": None, "c": "", "d": "mine", "e": 0, "f": [""], "g": {}, "h": {"i": ""}}}
    live = {"spec": {"a": "1", "b": "2", "c": 3, "d": "theirs", "e": 4, "f": ["5"], "g": {"j": "6"}, "h": {"i": "7"}}}
    assert filled_in(desired, live) == {
        "spec": {"a": "1", "b": "2", "c": "", "d": "mine", "e": 0, "f": [""], "g": {}, "h": {"i": "7"}}
    }

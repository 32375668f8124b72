"""Words that are said."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.flows.announcement.section import Announcement

from ppmlctl.flows.flow import Flow
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.key_path import KeyPath


def it_is_polite(_environment: Environment, path: KeyPath, one: Announcement) -> Iterator[Finding]:
    """What only this flow can know."""
    for index, word in enumerate(one.words):
        if word == "damn":
            place = (*path, "words", index)
            yield Finding(place, "rude-word", "a word is rude", word, fix="leave it out")


ANNOUNCEMENT = Flow(
    key="announcement",
    section=Announcement,
    about="Words that are said once.",
    rules=(it_is_polite,),
)

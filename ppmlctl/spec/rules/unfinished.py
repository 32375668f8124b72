"""Keys of the language that this version takes and does not act upon: every plan says so."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath


def keys_without_effect_are_said(environment: Environment) -> Iterator[Finding]:
    """One warning for each, with what happens instead."""
    for path, instead in _without_effect(environment):
        title = "a key has no effect in this version"
        yield warning(path, "key-without-effect", title, found=".".join(map(str, path)), why=instead, fix="")


def _without_effect(environment: Environment) -> Iterator[tuple[KeyPath, str]]:
    storage = environment.cluster.storage
    if storage and storage.nfs:
        yield ("cluster", "storage", "nfs"), "no volume is made: the claim must be in the cluster already"

"""What holds for all tests: what cannot run here is left out, how many examples there are, and who hears Ctrl-C."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("few", settings.get_profile("ci"), max_examples=20)
settings.register_profile("many", settings.get_profile("ci"), max_examples=100)
settings.load_profile("few")
"""The second command of the README takes a few examples of each property, always the same; `make long` takes more."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what they put into the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
"""Programs that tests start inherit what is ignored, and some are told to stop."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what needs something that no variable names, and what only a real cluster does, for the sandbox."""
    left_out = {item for item in items if not _can_run(item)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _can_run(item: pytest.Item) -> bool:
    needed = [mark.args[0] for mark in item.iter_markers("given")]
    if not all(os.environ.get(variable) for variable in needed):
        return False
    return item.get_closest_marker("real") is None or not _is_in_the_sandbox(item)


def _is_in_the_sandbox(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and "sandbox" in callspec.params.values()

"""Waiting until a server answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ppmlctl.diagnostics import EngineError, TransientError
from ppmlctl.modules.context import Context

WAIT_SECONDS = 60.0
_BETWEEN_TRIES = 1.0  # seconds
T = TypeVar("T")


def once_it_answers(ctx: Context, url: str, ask: Callable[[], T]) -> T:
    """What `ask` gives, tried for a minute. Raises EngineError, also where the user stops the waiting."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return ask()
        except TransientError as error:
            if time.monotonic() >= deadline or ctx.stopping.wait(_BETWEEN_TRIES):
                # Waited for already: the engine shall not begin anew.
                raise EngineError(*error.diagnostics) from None
            ctx.tell(f"waiting for {url}")

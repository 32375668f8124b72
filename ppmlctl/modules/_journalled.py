"""A call whose effect nobody can observe afterwards: written down before it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ppmlctl.modules.context import Context


@contextmanager
def journalled(ctx: Context, intent: Mapping[str, Any], nothing_done: tuple[type[Exception], ...]) -> Iterator[None]:
    """Begins the intent, and withdraws it where one of the errors `nothing_done` shows that the call had no effect.

    Any other end, kill -9 too, leaves the intent to the next apply; so does success, until the task is recorded.
    """
    ctx.intents.begin(ctx.address, intent)
    try:
        yield
    except nothing_done:
        ctx.intents.withdraw(ctx.address)
        raise

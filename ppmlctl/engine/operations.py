"""The one door for every write that is no plan's action: keys of EHSM, runs that are cancelled, entries of the vault.

As an apply does, it keeps others out by the environment's lock and the cluster's lease, refuses a lockfile that is not
the one that the cluster was made by, and asks before each write whether the lease is still held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ppmlctl.diagnostics import StateError
from ppmlctl.engine.events import Listener
from ppmlctl.engine.options import Options
from ppmlctl.engine.sandbox_state import STATE_FOLDER
from ppmlctl.engine.session import Session
from ppmlctl.state import apply_lock

LOCKED = "environment-locked"


@contextmanager
def operation(
    file: Path, listener: Listener, *, prompt: Callable[[], str] | None = None, beside_an_apply: bool = False
) -> Iterator[Session]:
    """The environment, opened for writing and held until the end.

    `beside_an_apply`: for what must reach through while an apply is under way, such as ending the run that it waits
    for. It then goes on without the lock and the lease, which that apply has, and only by the lockfile that fits.
    Raises StateError: environment-locked, and lockfile-older or its like.
    """
    Session(Options(file))  # what is wrong with the file is said before anything is made
    with ExitStack() as held:
        try:
            held.enter_context(apply_lock(file.parent / STATE_FOLDER))
        except StateError as error:
            if not beside_an_apply or error.diagnostics[0].code != LOCKED:
                raise
        session = Session(Options(file, writes_allowed=True, prompt=prompt))
        held.enter_context(session.hold(listener, beside_an_apply=beside_an_apply))
        yield session

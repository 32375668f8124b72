"""Rendering a template in a process of its own, which the kernel ends where it needs too much.

Jinja2's sandbox keeps templates from the machine, and neither from looping nor from filling memory. The process,
`template_worker`, gets the request as JSON on its standard input; it answers with JSON too: the text, or why there is
none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass

from ppmlctl.sgx.errors import ManifestError, UndefinedVariableError

_PROGRAM = "ppmlctl.sgx.template_worker"
_GRACE = 30
"""Seconds of the clock beyond those of the processor, on a busy machine, before a process that waits is ended."""
_INHERITED = ("PYTHONPATH", "LD_LIBRARY_PATH")
"""What Python may need to find itself. Nothing else of the environment is the template's business."""


@dataclass(frozen=True)
class Request:
    """What to render, and with what."""

    template: str
    variables: dict[str, str | int]
    pkglibdir: str
    env: dict[str, str]


@dataclass(frozen=True)
class Limits:
    """Seconds of the processor; bytes of memory; bytes of the answer."""

    seconds: int = 10
    memory: int = 1 << 29
    answer: int = 1 << 24


LIMITS = Limits()
"""Far beyond any real manifest's needs."""


def render_apart(request: Request, limits: Limits = LIMITS) -> str:
    """The rendered text. Raises ManifestError, where the process says why there is none or needs too much."""
    command = [sys.executable, "-P", "-m", _PROGRAM]
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - this program itself, as a list, without a shell
            command,
            input=json.dumps(asdict(request) | {"limits": asdict(limits)}).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=limits.seconds * 2 + _GRACE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise too_much("time") from None
    if done.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        raise too_much(f"{limits.seconds} seconds")
    if done.returncode:
        raise too_much(f"{limits.memory >> 20} MiB of memory")
    answer = json.loads(done.stdout)
    if "variable" in answer:
        raise UndefinedVariableError(str(answer["error"]), answer["line"], answer["variable"])
    if "error" in answer:
        raise ManifestError(str(answer["error"]))
    return str(answer["text"])


def too_much(what: str) -> ManifestError:
    """The error for a template that needs more than it may have."""
    return ManifestError(f"the manifest template cannot be rendered: it needs more than {what}")

"""What the sandbox says instead of running a container. Never a line that a real workload would print."""

from __future__ import annotations

from ppmlctl.sandbox.kubernetes.kinds import Json

REASON = "Simulated"
MESSAGE = "the sandbox ran no container"
LOG_LINE = f"simulated: {MESSAGE}\n"
NODE = "sandbox"
ADDRESS = "127.0.0.1"


def condition(kind: str, time: str, *, probed: bool = False) -> Json:
    """A true condition of this type, marked as simulated."""
    written = {"type": kind, "status": "True", "reason": REASON, "message": MESSAGE, "lastTransitionTime": time}
    return {**written, "lastProbeTime": time if probed else None}

"""Why a pod failed or does not start, as one reads it: its state, its events, its telling lines, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppmlctl.diagnostics import EngineError
from ppmlctl.explanations import meanings
from ppmlctl.kubernetes.pod_state import end_of, phase, waiting_reason
from ppmlctl.runs.log_lines import telling_lines
from ppmlctl.runs.pod_secrets import without_secrets

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest

_LINES_READ = 2000
_MOST_EVENTS = 4


def cause_lines(client: KubernetesClient, pod: Manifest, *, log: str | None = None) -> list[str]:
    """The pod in a few lines and what these mean; `log` instead of its own where that was read elsewhere."""
    if phase(pod) == "Pending":
        told, lines = waiting_reason(pod), warnings_of(client, pod)
        meant = meaning_lines("\n".join((told, *lines)))
    else:
        told, text = end_of(pod), _log(client, pod, log)
        lines, meant = telling_lines(text), meaning_lines(f"{text}\n{told}")
    head = f"pod {pod['metadata']['name']}: {told or phase(pod)}"
    return [head, *(f"  {line}" for line in (*lines, *meant))]


def meaning_lines(text: str) -> list[str]:
    """Cause and remedy of the numbers and messages in a log that are known, the last ones."""
    last = "\n".join(text.splitlines()[-_LINES_READ:])
    return [f"means {meaning}" for meaning in meanings(last)]


def warnings_of(client: KubernetesClient, about: Manifest) -> list[str]:
    """What the cluster reports about an object as a warning, the latest last, each once."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    try:
        events = client.events(key_of(about))
    except EngineError:
        return []
    told = [f"{event.reason}: {event.message}" for event in events if event.type == "Warning"]
    return list(dict.fromkeys(told))[-_MOST_EVENTS:]


def _log(client: KubernetesClient, pod: Manifest, log: str | None) -> str:
    """Nothing where the log cannot be had any more, or its secrets cannot be told."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

    try:
        text = client.pod_log(key_of(pod), tail_lines=_LINES_READ) if log is None else log
        return without_secrets(client, [pod], text)
    except EngineError:
        return ""

"""The logs of one run, past or running: its leader's, wherever that ran, or its workers'."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.files import open_regular
from ppmlctl.kubernetes.labels import RUN
from ppmlctl.kubernetes.pod_state import phase
from ppmlctl.runs.begin_script import LOG, STATUS
from ppmlctl.runs.pod_secrets import masking
from ppmlctl.runs.run import Roles

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest

_PAUSE_SECONDS = 1.0
_MOST_FOLLOWED = 32


@dataclass(frozen=True)
class LoggedRun:
    """A run by its name in the cluster, and what its pods are."""

    client: KubernetesClient
    namespace: str
    name: str
    roles: Roles


def leader_log(run: LoggedRun, *, follow: bool) -> Iterator[str]:
    """Line by line, without secrets; with `follow` from the leader's start to its end.

    Raises EngineError (workload-log-gone) where there is none, and where the secrets to leave out cannot be read.
    """
    if follow:
        yield from _followed(run)
        return
    pod = _leader(run)
    if pod is None:
        raise _gone(run)
    yield from _written(run.client, pod)


def _followed(run: LoggedRun) -> Iterator[str]:
    """The pod that submits first, where the leader has one of its own; a lost connection is taken up where it was."""
    shown: Counter[str] = Counter()
    ended: set[str] = set()
    while True:
        pod = _leader(run)
        name = pod["metadata"]["name"] if pod else ""
        if pod is not None and phase(pod) != "Pending" and name not in ended:
            if phase(pod) != "Running":  # asked before the log is read, which then is whole
                ended.add(name)
            for line in islice(_lines_until_now(run.client, pod), shown[name], None):
                shown[name] += 1
                yield line
        elif (pod is None or name in ended) and ((pod is not None and run.roles.leads(pod)) or _is_over(run)):
            break
        else:
            time.sleep(_PAUSE_SECONDS)  # it will be there soon, or the submission will have failed
    if not (ended or shown):
        raise _gone(run)


def _lines_until_now(client: KubernetesClient, pod: Manifest) -> Iterator[str]:
    """Of a pod that runs, until it ends or the connection does."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as everywhere

    if phase(pod) != "Running":
        yield from _written(client, pod)
        return
    shown = masking(client, [pod])
    try:
        for line in client.follow_log(key_of(pod)):
            yield shown(line)
    except TransientError:
        time.sleep(_PAUSE_SECONDS)


def _written(client: KubernetesClient, pod: Manifest) -> Iterator[str]:
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as everywhere

    return map(masking(client, [pod]), client.pod_log(key_of(pod)).splitlines())


def leader_has_a_pod(run: LoggedRun) -> bool:
    """Whether the leader is, or was, in the cluster."""
    return _leader(run) is not None


def file_log(folder: Path, *, follow: bool) -> Iterator[str]:
    """The log of a run in the client container, out of its folder. Raises EngineError (workload-log-gone)."""
    path = folder / LOG
    while follow and not path.exists() and not (folder / STATUS).exists():
        time.sleep(_PAUSE_SECONDS)
    if not path.exists():
        fix = "ppmlctl apply --rerun WORKLOAD makes another"
        raise EngineError(Diagnostic("workload-log-gone", "the log of a run is gone", found=str(path), fix=fix))
    with open_regular(path) as stream, TextIOWrapper(stream, encoding="utf-8", errors="replace") as log:
        ended = False
        while not ended:
            ended = not follow or (folder / STATUS).exists()  # asked first: what was written before is read below
            yield from (line.rstrip("\n") for line in log)
            if not ended:
                time.sleep(_PAUSE_SECONDS)


def worker_logs(run: LoggedRun, *, follow: bool) -> Iterator[str]:
    """Every worker's lines, each behind its pod's name; with `follow` as they come, of those that are there."""
    pods = [pod for pod in _pods(run) if run.roles.works(pod)]
    if not pods:
        raise _gone(run)
    running = [pod for pod in pods if follow and phase(pod) == "Running"]
    for pod in pods:
        if pod not in running:
            yield from (f"[{pod['metadata']['name']}] {line}" for line in _written(run.client, pod))
    if running:
        yield from _together(run.client, running[:_MOST_FOLLOWED])


def _together(client: KubernetesClient, pods: list[Manifest]) -> Iterator[str]:
    """By threads that nobody waits for: whoever is interrupted does not wait until the workers end."""
    lines: SimpleQueue[str | EngineError | None] = SimpleQueue()

    def follow(pod: Manifest) -> None:
        try:
            for line in _lines_until_now(client, pod):
                lines.put(f"[{pod['metadata']['name']}] {line}")
        except EngineError as error:
            lines.put(error)
        finally:
            lines.put(None)

    for pod in pods:
        Thread(target=follow, args=(pod,), name="log", daemon=True).start()
    open_logs = len(pods)
    while open_logs:
        line = lines.get()
        if isinstance(line, EngineError):
            raise line
        if line is None:
            open_logs -= 1
        else:
            yield line


def _leader(run: LoggedRun) -> Manifest | None:
    """The leader's own pod, or the one that submitted where there is none: the first, which was admitted."""
    pods = _pods(run)
    for pod in pods:
        if run.roles.leads(pod):
            return pod
    submitters = [pod for pod in pods if "job-name" in pod["metadata"]["labels"]]
    return min(submitters, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)


def _pods(run: LoggedRun) -> list[Manifest]:
    return run.client.list_objects("v1", "Pod", run.namespace, label_selector=f"{RUN}={run.name}")


def _is_over(run: LoggedRun) -> bool:
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - as everywhere
    from ppmlctl.runs.job_submitter import has_ended  # noqa: PLC0415 - as everywhere

    return has_ended(run.client.get(ObjectKey("batch/v1", "Job", run.namespace, run.name)))


def _gone(run: LoggedRun) -> EngineError:
    title, why = "the log of a run is gone", "its pods are not in the cluster any more, or not yet"
    fix = "ppmlctl apply --rerun WORKLOAD makes another"
    return EngineError(Diagnostic("workload-log-gone", title, found=f"{run.namespace}/{run.name}", why=why, fix=fix))

"""The logs of one run, past or running: its driver's, wherever that ran, or its executors'."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.modules._kubernetes import RUN
from ppmlctl.spark import phase
from ppmlctl.spark.begin_script import LOG, STATUS

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest

_PAUSE_SECONDS = 1.0
_MOST_FOLLOWED = 32


def driver_log(client: KubernetesClient, namespace: str, run: str, *, follow: bool) -> Iterator[str]:
    """Line by line; with `follow` from the driver's start to its end. Raises EngineError (workload-log-gone)."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as everywhere

    pod = _driver(client, namespace, run)
    while follow and (pod is None or phase(pod) == "Pending") and not _is_over(client, namespace, run):
        time.sleep(_PAUSE_SECONDS)  # it will be there soon, or the submission will have failed
        pod = _driver(client, namespace, run)
    if pod is None:
        raise _gone(namespace, run)
    if follow and phase(pod) == "Running":
        yield from client.follow_log(key_of(pod))
    else:
        yield from client.pod_log(key_of(pod)).splitlines()


def driver_has_a_pod(client: KubernetesClient, namespace: str, run: str) -> bool:
    """Whether the driver is, or was, in the cluster."""
    return _driver(client, namespace, run) is not None


def file_log(folder: Path, *, follow: bool) -> Iterator[str]:
    """The log of a run in the client container, out of its folder. Raises EngineError (workload-log-gone)."""
    path = folder / LOG
    while follow and not path.exists() and not (folder / STATUS).exists():
        time.sleep(_PAUSE_SECONDS)
    if not path.exists():
        raise EngineError(Diagnostic("workload-log-gone", "the log of a run is gone", found=str(path)))
    with path.open(errors="replace") as log:
        ended = False
        while not ended:
            ended = not follow or (folder / STATUS).exists()  # asked first: what was written before is read below
            yield from (line.rstrip("\n") for line in log)
            if not ended:
                time.sleep(_PAUSE_SECONDS)


def executor_logs(client: KubernetesClient, namespace: str, run: str, *, follow: bool) -> Iterator[str]:
    """Every executor's lines, each behind its pod's name; with `follow` as they come, of those that are there."""
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as everywhere

    pods = [pod for pod in _pods(client, namespace, run) if pod["metadata"]["labels"].get("spark-role") == "executor"]
    if not pods:
        raise _gone(namespace, run)
    running = [pod for pod in pods if follow and phase(pod) == "Running"]
    for pod in pods:
        if pod not in running:
            for line in client.pod_log(key_of(pod)).splitlines():
                yield f"[{pod['metadata']['name']}] {line}"
    if running:
        yield from _together(client, running[:_MOST_FOLLOWED])


def _together(client: KubernetesClient, pods: list[Manifest]) -> Iterator[str]:
    from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - as everywhere

    lines: SimpleQueue[str | None] = SimpleQueue()

    def follow(pod: Manifest) -> None:
        try:
            for line in client.follow_log(key_of(pod)):
                lines.put(f"[{pod['metadata']['name']}] {line}")
        finally:
            lines.put(None)

    with ThreadPoolExecutor(len(pods), thread_name_prefix="log") as pool:
        followed = [pool.submit(follow, pod) for pod in pods]
        open_logs = len(followed)
        while open_logs:
            line = lines.get()
            if line is None:
                open_logs -= 1
            else:
                yield line
        for one in followed:
            one.result()


def _driver(client: KubernetesClient, namespace: str, run: str) -> Manifest | None:
    """The driver's own pod, or the one that submitted where there is none: the first, which was admitted."""
    pods = _pods(client, namespace, run)
    for pod in pods:
        if pod["metadata"]["labels"].get("spark-role") == "driver":
            return pod
    submitters = [pod for pod in pods if "job-name" in pod["metadata"]["labels"]]
    return min(submitters, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)


def _pods(client: KubernetesClient, namespace: str, run: str) -> list[Manifest]:
    return client.list_objects("v1", "Pod", namespace, label_selector=f"{RUN}={run}")


def _is_over(client: KubernetesClient, namespace: str, run: str) -> bool:
    from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - as everywhere
    from ppmlctl.modules._job_submitter import has_ended  # noqa: PLC0415 - as everywhere

    return has_ended(client.get(ObjectKey("batch/v1", "Job", namespace, run)))


def _gone(namespace: str, run: str) -> EngineError:
    title, why = "the log of a run is gone", "its pods are not in the cluster any more, or not yet"
    return EngineError(Diagnostic("workload-log-gone", title, found=f"{namespace}/{run}", why=why))

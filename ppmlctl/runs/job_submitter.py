"""A Kubernetes Job that submits one run. Only one pod of it ever begins: the first, by name, which is written down."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.kubernetes.admission import ADMITTED, admission_name
from ppmlctl.kubernetes.labels import ENVIRONMENT
from ppmlctl.kubernetes.pod_state import Pod
from ppmlctl.runs.job import admission_manifest, files_manifest, job_manifest
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.program import Program
from ppmlctl.runs.run import Run
from ppmlctl.runs.submitter import SubmitState
from ppmlctl.runs.world import World

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import KubernetesClient, Manifest, ObjectKey


class JobSubmitter:
    """A Submitter (see there) by a Job of the run's name."""

    def __init__(self, ctx: World, run: Run, program: Program) -> None:
        self._ctx = ctx
        self._run = run
        self._program = program
        self._admitted: str | None = None

    def __str__(self) -> str:
        return f"Job {self._run.namespace}/{self._run.name}"

    def begin(self) -> float:
        """Raises EngineError for a Job of this name that is somebody else's."""
        from ppmlctl.clients.kubernetes import ObjectExistsError  # noqa: PLC0415 - plans do without the client

        live = self._client.get(self._key)
        if live is None:
            self._client.apply(files_manifest(self._run, self._program.files()))
            try:
                self._client.create(job_manifest(self._run, self._program.pod()))
            except ObjectExistsError:
                live = self._client.get(self._key) or {"metadata": {}}
        if live is None:
            return 0.0
        if (live["metadata"].get("labels") or {}).get(ENVIRONMENT) != self._ctx.environment:
            title = "a workload's name is taken by a Job of somebody else"
            fix = "rename the workload, or give its environment a namespace of its own"
            raise EngineError(Diagnostic("workload-name-taken", title, found=str(self._key), fix=fix))
        return _age(live)

    def look(self, pods: Pods) -> SubmitState:
        job = self._client.get(self._key)
        if job is None:
            return SubmitState("gone", "its Job was deleted while it ran")
        if pods.submitters and self._admitted is None:
            self._admitted = self._admit(pods.submitters[0])
        if condition(job, "Complete"):
            return SubmitState("done")
        if _is_late(job):  # asked first: at its deadline a Job deletes its pods
            return SubmitState("late")
        failed = condition(job, "Failed")
        if failed is not None and self._was_deleted(pods):
            return SubmitState("failed", f"pod {self._admitted}, which began it, was deleted")
        if failed is not None:
            return SubmitState("failed", f"{failed.get('reason', '')}: {failed.get('message', '')}".strip(": "))
        return SubmitState("running")

    def _was_deleted(self, pods: Pods) -> bool:
        """Whether the admitted pod is gone, or on its way: then the Job has replaced it, and that one refused."""
        left = [pod for pod in pods.submitters if "deletionTimestamp" not in pod["metadata"]]
        return bool(self._admitted) and self._admitted not in {pod["metadata"]["name"] for pod in left}

    def pod(self, pods: Pods) -> Manifest | None:
        """The admitted pod, or where it is gone the one that came after it."""
        admitted = [pod for pod in pods.submitters if pod["metadata"]["name"] == self._admitted]
        return dict([*pods.submitters, *admitted][-1]) if pods.submitters else None

    def log(self, pods: Pods) -> str:
        from ppmlctl.clients.kubernetes import key_of  # noqa: PLC0415 - plans do without the client

        pod = self.pod(pods)
        return self._client.pod_log(key_of(pod)) if pod else ""

    def end(self) -> None:
        """A Job that has ended keeps its pods, whose logs people read; one that runs is deleted with them."""
        job = self._client.get(self._key)
        if job is not None and not has_ended(job):
            self._client.delete(self._key, uid=job["metadata"]["uid"])

    def _admit(self, pod: Pod) -> str:
        """Writes the pod's name down, unless a name is written already: creating the object is the decision."""
        from ppmlctl.clients.kubernetes import ObjectExistsError, ObjectKey  # noqa: PLC0415 - as above

        key = ObjectKey("v1", "ConfigMap", self._run.namespace, admission_name(self._run.name))
        admission = self._client.get(key)
        if admission is None:
            try:
                admission = self._client.create(admission_manifest(self._run, pod["metadata"]["name"]))
            except ObjectExistsError:  # another apply was quicker, and its word counts
                admission = self._client.get(key) or {"data": {}}
        return str(admission["data"].get(ADMITTED, ""))

    @property
    def _client(self) -> KubernetesClient:
        return self._ctx.engines.kubernetes

    @property
    def _key(self) -> ObjectKey:
        from ppmlctl.clients.kubernetes import ObjectKey  # noqa: PLC0415 - plans do without the client

        return ObjectKey("batch/v1", "Job", self._run.namespace, self._run.name)


def has_ended(job: Manifest | None) -> bool:
    """Whether there is nothing more to wait for."""
    return job is None or any(condition(job, kind) is not None for kind in ("Complete", "Failed"))


def condition(job: Manifest, kind: str) -> Manifest | None:
    """A condition of the Job that is true; None where it is not."""
    conditions = job.get("status", {}).get("conditions") or ()
    return next((dict(c) for c in conditions if c["type"] == kind and c["status"] == "True"), None)


def _is_late(job: Manifest) -> bool:
    """Whether its deadline ended it. Newer releases say so while its pods still end (`FailureTarget`)."""
    ends = (condition(job, kind) for kind in ("Failed", "FailureTarget"))
    return any(end is not None and end.get("reason") == "DeadlineExceeded" for end in ends)


def _age(job: Manifest) -> float:
    created = datetime.fromisoformat(job["metadata"]["creationTimestamp"])
    return max(0.0, (datetime.now(UTC) - created).total_seconds())

"""One run of words that are said.

Identity: the task. Errors: `workload-failed`. Source: none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppmlctl.evidence import Evidence
from ppmlctl.kubernetes.admission import submission_volumes
from ppmlctl.kubernetes.labels import RUN
from ppmlctl.kubernetes.pod_parts import mounts, sources
from ppmlctl.modules._workload import WorkloadModule, labels_of
from ppmlctl.modules.base import ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import Observed
from ppmlctl.runs.attempt import Workload, begin_attempt
from ppmlctl.runs.execution import Execution
from ppmlctl.runs.job_submitter import JobSubmitter
from ppmlctl.runs.run import Roles, Run

ROLES = Roles(leader="speaker", worker="listener", label="announcement-role", number="announcement-number")


class AnnouncementJobArgs(ModuleArgs):
    """`words` are said in this order."""

    name: str
    namespace: str
    image: str
    words: tuple[str, ...] = ()
    deadline: str = "30m"
    rerun: str = "on-change"


class AnnouncementJobResult(ModuleResult):
    """`name` is the Job's."""

    name: str
    namespace: str
    verdict: str


@dataclass(frozen=True)
class Said:
    """A Verdict, and a Judge that always comes to it."""

    claim: str = "said"
    evidence: Evidence | None = Evidence.NOT_VERIFIED
    failure: str = ""
    warnings: tuple[str, ...] = ()
    said_at_first: tuple[str, ...] = ()

    def judged(self, leader: str, workers: Mapping[str, str]) -> Said:
        return self

    def refusal(self, told: str) -> None:
        return None


@dataclass(frozen=True)
class Echo:
    """A Program."""

    args: AnnouncementJobArgs
    run: str

    def files(self) -> Mapping[str, str]:
        return {"submit.sh": 'echo "$@"'}

    def pod(self) -> dict[str, Any]:
        volumes = submission_volumes(self.run)
        container = {"name": "submit", "image": self.args.image, "args": list(self.args.words)}
        container["volumeMounts"] = mounts(volumes)
        return {"restartPolicy": "Never", "containers": [container], "volumes": sources(volumes)}

    def words(self, api_server: str, folder: str) -> list[str]:
        return list(self.args.words)

    def environment(self) -> Mapping[str, str]:
        return {}


class AnnouncementJob(WorkloadModule[AnnouncementJobArgs, AnnouncementJobResult]):
    """See the module's text."""

    kind = "announcement_job"
    Args = AnnouncementJobArgs
    Result = AnnouncementJobResult
    roles = ROLES
    shown = ("name", "verdict")
    echoes = frozenset({"namespace"})
    found_by = frozenset({"namespace"})

    def apply(self, ctx: Context, args: AnnouncementJobArgs, observed: Observed) -> AnnouncementJobResult:
        text = json.dumps([args.words, args.image])
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        workload = Workload(args.name, args.namespace, self.kind, ROLES, 50)
        attempt = begin_attempt(ctx, workload, digest)
        name = workload.run_name(digest, attempt.number)
        run = Run(name, args.name, args.namespace, ROLES, 60, {**labels_of(ctx), RUN: name})
        execution = Execution(ctx, run, JobSubmitter(ctx, run, Echo(args, name)), Said())
        with attempt.failing():
            outcome = execution.outcome()
        return AnnouncementJobResult(
            name=name, namespace=args.namespace, verdict=outcome.claim, evidence=outcome.evidence
        )

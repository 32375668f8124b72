"""A table over JDBC: a Job of the cluster makes one, reads it and drops it, whenever the server is another one.

Identity: the task, then the digest of the arguments and the attempt, which name the Job. Errors: `workload-failed`,
with what beeline said, `workload-name-taken`. Evidence: `reported`, by its log. Source: the guide's person table.
"""

from __future__ import annotations

import hashlib
import json

from ppmlctl.flows.thrift_server.check import CHECK_ROLES, CheckJudge, CheckProgram, JdbcAddress
from ppmlctl.kubernetes.labels import RUN
from ppmlctl.modules._seconds import Seconds
from ppmlctl.modules._workload import WorkloadModule, labels_of
from ppmlctl.modules.base import ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import Observed
from ppmlctl.runs.attempt import Workload, begin_attempt
from ppmlctl.runs.execution import Execution
from ppmlctl.runs.job_submitter import JobSubmitter
from ppmlctl.runs.run import Run

_LONGEST_NAME = 63


class JdbcCheckArgs(ModuleArgs):
    """`server` is anything that tells the server from one that is made of something else."""

    name: str
    namespace: str
    image: str
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    host: str
    port: int
    tls: bool = False
    server: str = ""
    deadline: Seconds = 600
    rerun: str = "on-change"


class JdbcCheckResult(ModuleResult):
    """`name` is the Job's."""

    name: str
    namespace: str
    verdict: str


class JdbcCheck(WorkloadModule[JdbcCheckArgs, JdbcCheckResult]):
    """See the module's text."""

    kind = "jdbc_check"
    Args = JdbcCheckArgs
    Result = JdbcCheckResult
    roles = CHECK_ROLES
    is_check = True
    shown = ("name", "verdict")
    echoes = frozenset({"namespace"})
    found_by = frozenset({"namespace"})
    recorded_as_digest = frozenset({"server"})

    def apply(self, ctx: Context, args: JdbcCheckArgs, observed: Observed) -> JdbcCheckResult:  # noqa: ARG002 - decided
        digest = _digest(args)
        workload = Workload(args.name, args.namespace, self.kind, CHECK_ROLES, _LONGEST_NAME)
        attempt = begin_attempt(ctx, workload, digest)
        name = workload.run_name(digest, attempt.number)
        labels = {**labels_of(ctx), RUN: name}
        run = Run(name, args.name, args.namespace, CHECK_ROLES, args.deadline, labels)
        address = JdbcAddress(args.host, args.port, tls=args.tls)
        program = CheckProgram(name, address, args.image, args.image_pull_policy, args.image_pull_secrets)
        with attempt.failing():
            outcome = Execution(ctx, run, JobSubmitter(ctx, run, program), CheckJudge()).outcome()
        return JdbcCheckResult(name=name, namespace=args.namespace, verdict=outcome.claim, evidence=outcome.evidence)


def _digest(args: JdbcCheckArgs) -> str:
    data = args.model_dump(mode="json", exclude={"deadline", "rerun"})
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:8]

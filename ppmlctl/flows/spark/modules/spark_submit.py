"""One run of a Spark application: a Kubernetes Job that submits it, for each change of what it depends on.

Identity: the task, then workload + digest of the arguments + attempt, which is the Job's name; the attempt is
journalled before the Job is created, one pod of the Job is admitted by name, and Spark's driver is named after the run,
so nothing runs twice. Other arguments are another run. A recorded success is final: a Job that the cluster has cleaned
up is no drift. A run that failed is planned again, as another attempt.
Errors: `workload-failed` (with the cause from driver and executors), `workload-detached` (the user stopped waiting),
`workload-name-taken`, `claim-missing`, `encrypted-folder-plain`, `key-client-missing`.
Evidence: `reported` where the log holds `expect_log`, else `not verified`.
Source: upstream `ppml/trusted-bigdata/bigdl-ppml-submit.sh` and `entrypoint.sh`, whose exit status says little: see
ppmlctl.flows.spark.verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import read_text
from ppmlctl.flows.spark.arguments import (
    NOT_THE_RUN,
    SparkAttestationArgs,
    SparkEncryptedFsArgs,
    SparkSecurityArgs,
    SparkSubmitArgs,
    exposures,
    protections,
    run_digest,
)
from ppmlctl.flows.spark.encrypted_folder import refuse_no_key_client, refuse_plain_folder
from ppmlctl.flows.spark.pod_template import KEYS_SECRET, KUBECONFIG_SECRET, SPARK_SECRET
from ppmlctl.flows.spark.run import ROLES, SparkJudge, SparkProgram, pods_asked_for, run_of
from ppmlctl.flows.spark.security import AUTHENTICATION, CREDENTIALS
from ppmlctl.flows.spark.submission import LONGEST_NAME, Submission
from ppmlctl.flows.spark.submitted import submission_of
from ppmlctl.kubernetes.labels import RUN
from ppmlctl.modules._ehsm_refusal import AttestingAccount
from ppmlctl.modules._secret_references import keys_read
from ppmlctl.modules._workload import WorkloadModule, labels_of
from ppmlctl.modules.base import ModuleResult, SecretKey
from ppmlctl.modules.context import Context
from ppmlctl.planning import Change, Observed, Recorded, Wanted
from ppmlctl.protection import (
    DATA_KEY,
    PRIMARY_KEY,
    Attestation,
    EncryptedFs,
    attestation_environment,
    encrypted_environment,
)
from ppmlctl.runs.attempt import Workload, begin_attempt
from ppmlctl.runs.check import check_claim, check_pods
from ppmlctl.runs.container_submitter import ClientContainer, ContainerSubmitter
from ppmlctl.runs.execution import Execution
from ppmlctl.runs.job_submitter import JobSubmitter
from ppmlctl.runs.refusal import Refusal
from ppmlctl.runs.submitter import Submitter
from ppmlctl.unknown import Unknown


class SparkSubmitResult(ModuleResult):
    """`name` is the Job's; `digest` tells what it ran."""

    name: str
    namespace: str
    digest: str
    attempt: int
    runs: str | None = None
    """The folder of the client container's runs, where one submitted it."""
    verdict: str


class SparkSubmit(WorkloadModule[SparkSubmitArgs, SparkSubmitResult]):
    """See the module's text."""

    kind = "spark_submit"
    Args = SparkSubmitArgs
    Result = SparkSubmitResult
    roles = ROLES
    shown = ("name", "verdict")
    echoes = frozenset({"namespace"})
    found_by = frozenset({"namespace"})

    def fingerprint(self, args: SparkSubmitArgs, digest: Callable[[bytes], str | None]) -> Mapping[str, Any]:
        """Without what only says when and for how long it runs: that makes no other run of it."""
        return {name: value for name, value in super().fingerprint(args, digest).items() if name not in NOT_THE_RUN}

    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(protections(inputs))

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """Raises InputError where the encrypted folder would be a plain one, or nothing would fetch its key."""
        _check_folder(wanted.args)
        return super().diff(wanted, observed, recorded)

    def apply(self, ctx: Context, args: SparkSubmitArgs, observed: Observed) -> SparkSubmitResult:  # noqa: ARG002 - decided
        _check_folder(args)
        digest = run_digest(args)
        workload = _workload(ctx, args)
        check_pods(ctx, pods_asked_for(_submission(ctx, args, workload.run_name(digest, 1))))
        if args.claim:
            check_claim(ctx, args.namespace, args.claim)
        attempt = begin_attempt(ctx, workload, digest)
        submission = _submission(ctx, args, workload.run_name(digest, attempt.number))
        judge = SparkJudge(submission, args.expect_log, _asking(ctx, args))
        run = Execution(ctx, run_of(submission), _submitter(ctx, args, submission), judge)
        with attempt.failing():
            outcome = run.outcome()
        return SparkSubmitResult(
            name=submission.name,
            namespace=args.namespace,
            digest=digest,
            attempt=attempt.number,
            runs=args.client.runs if args.client else None,
            verdict=outcome.claim,
            evidence=outcome.evidence,
        )

    def reads_secrets(self, args: SparkSubmitArgs) -> Iterable[SecretKey]:
        """What driver, executors and submission mount or read; pods wait for ever for what is not made."""
        if isinstance(args.namespace, Unknown):
            return []
        found = [SecretKey(args.namespace, KUBECONFIG_SECRET, "config")]
        if args.has_keys is True:
            found.append(SecretKey(args.namespace, KEYS_SECRET, "keystore.jks"))
        if isinstance(args.security, SparkSecurityArgs) and any(on is True for _, on in args.security):
            found += [SecretKey(args.namespace, SPARK_SECRET, key) for key in (AUTHENTICATION, CREDENTIALS)]
        if isinstance(args.attestation, SparkAttestationArgs) and isinstance(args.attestation.secret, str):
            account = attestation_environment(Attestation("", "", args.attestation.secret))
            found += keys_read({"metadata": {"namespace": args.namespace}, "env": account})
        if isinstance(args.encrypted_fs, SparkEncryptedFsArgs):
            secret, whose = args.encrypted_fs.secret, args.encrypted_fs.account
            if isinstance(secret, str):
                found += [SecretKey(args.namespace, secret, key) for key in (PRIMARY_KEY, DATA_KEY)]
            opened = encrypted_environment(EncryptedFs("", whose, ""))
            found += keys_read({"metadata": {"namespace": args.namespace}, "env": opened})
        return list(dict.fromkeys(found))

    def notes(self, args: SparkSubmitArgs) -> Sequence[str]:
        return tuple(exposures(args))


def _check_folder(args: SparkSubmitArgs) -> None:
    if args.encrypted_fs is not None:
        refuse_plain_folder(args.name, args.data_key_folders)
        refuse_no_key_client(args.name, args.image, args.key_client)


def _asking(ctx: Context, args: SparkSubmitArgs) -> Callable[[], Refusal] | None:
    account = args.ehsm.account
    if account is None or args.attestation is None:
        return None
    return partial(AttestingAccount(account, args.policy_id, args.attestation.secret).refusal, ctx)


def _submission(ctx: Context, args: SparkSubmitArgs, name: str) -> Submission:
    ca = args.encrypted_fs.ca if args.encrypted_fs else None
    return submission_of(args, name, {**labels_of(ctx), RUN: name}, _certificates(ctx, ca) if ca else None)


def _certificates(ctx: Context, ca: str) -> str:
    try:
        return read_text(ctx.files.path(ca))
    except (OSError, ValueError) as error:
        title, fix = "EHSM's CA file cannot be read", "let kms.ehsm.tls.ca name a PEM file"
        raise InputError(Diagnostic("server-ca-unreadable", title, found=f"{ca}: {error}", fix=fix)) from None


def _submitter(ctx: Context, args: SparkSubmitArgs, submission: Submission) -> Submitter:
    run, program, client = run_of(submission), SparkProgram(submission), _client(args)
    return JobSubmitter(ctx, run, program) if client is None else ContainerSubmitter(ctx, run, program, client)


def _client(args: SparkSubmitArgs) -> ClientContainer | None:
    return ClientContainer(args.client.name, args.client.runs) if args.client else None


def _workload(ctx: Context, args: SparkSubmitArgs) -> Workload:
    """The sandbox runs no driver, so that there its submission's end says it all."""
    leader_apart = args.mode == "cluster" and ctx.simulated is None
    return Workload(args.name, args.namespace, SparkSubmit.kind, ROLES, LONGEST_NAME, _client(args), leader_apart)

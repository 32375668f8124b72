"""What a run that ended is worth.

Neither an exit status nor a pod that `Succeeded` says that anything was done: the images' entrypoint ends with 0 where
no device, no signature or no `SGX_ENABLED` is there. So the logs are read as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ppmlctl.evidence import Evidence
from ppmlctl.flows.spark.log_lines import ATTESTED, DEBUG_FAILURE, ENCLAVE_STARTED, OUTDATED, failures_in
from ppmlctl.flows.spark.submission import Submission

NOT_CHECKED = "ran, result not checked"
_DRIVER = "the driver"
_REGISTERED = re.compile(r"Registered executor .* with ID (\d+)")
"""Of the driver's scheduler (CoarseGrainedSchedulerBackend); not there where the log level hides it."""
REPORTED = "ran, its log holds what was expected"


@dataclass(frozen=True)
class Logs:
    """What driver and executors wrote; executors by their pods' names."""

    driver: str
    executors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What is claimed, with its evidence, or a `failure` in words; `warnings` either way."""

    claim: str = ""
    evidence: Evidence | None = None
    failure: str = ""
    warnings: tuple[str, ...] = ()


def judged(submission: Submission, logs: Logs, expected: str | None) -> Verdict:
    """A run whose driver ended well, by its logs. Logs report; nothing in them is verified."""
    failure = _failure(submission, logs, expected)
    if failure:
        return Verdict(failure=failure)
    outdated = any(OUTDATED in log for log in (logs.driver, *logs.executors.values()))
    warnings = ("it attested on a platform whose BIOS or software is out of date",) if outdated else ()
    if expected is None:
        return Verdict(NOT_CHECKED, Evidence.NOT_VERIFIED, warnings=warnings)
    return Verdict(REPORTED, Evidence.REPORTED, warnings=warnings)


def said_at_first(submission: Submission) -> tuple[str, ...]:
    """What the logs of driver and executors have to say before the application begins."""
    attestation = submission.attested
    must_attest = attestation is not None and attestation.must_succeed
    return (*([ENCLAVE_STARTED] if submission.in_enclave else []), *([ATTESTED] if must_attest else []))


def _failure(submission: Submission, logs: Logs, expected: str | None) -> str:
    attestation = submission.attested
    must_attest = attestation is not None and attestation.must_succeed
    tolerated = {DEBUG_FAILURE} if attestation and not must_attest else set()
    for name, log in {_DRIVER: logs.driver, **_that_worked(logs)}.items():
        of_executor = "" if name == _DRIVER else f" ({name})"
        known = [meaning for meaning in failures_in(log) if meaning not in tolerated]
        if known:
            return f"{known[0]}{of_executor}"
        if submission.in_enclave and ENCLAVE_STARTED not in log:
            return f"no enclave began{of_executor}: its log does not hold {ENCLAVE_STARTED!r}"
        if must_attest and ATTESTED not in log:
            return f"the log of {name} does not report its attestation ({ATTESTED!r})"
    if expected is not None and expected not in logs.driver:
        return f"its log does not hold {expected!r}"
    return ""


def _that_worked(logs: Logs) -> Mapping[str, str]:
    """Executors that may have computed: all, unless the driver's log names those that registered with it.

    One that came too late, or ended before that, was given nothing; its log may be short of everything.
    """
    registered = set(_REGISTERED.findall(logs.driver))
    return {
        name: log
        for name, log in logs.executors.items()
        if not registered or name.rpartition("-exec-")[2] in registered
    }

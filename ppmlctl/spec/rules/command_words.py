"""Rules for the words of a submission, which shells of the image take in their hands and print."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.rules.workloads import kinds_of
from ppmlctl.spec.traits import Trait, marked

_PATTERN = re.compile(r"[*?\[]")
"""What a shell takes for the names of files. With a scheme before it no file has such a name."""
_SCRIPT = re.compile(r"[$`\"'\\;&|<>(){~]|^#")
"""What a shell reads in a script besides."""


def words_survive_the_enclave(environment: Environment) -> Iterator[Finding]:
    """The command of an enclave is `$sgx_command`, split by a shell; after an attestation it is a line of a script.

    Source: upstream `ppml/trusted-bigdata/Dockerfile` (`secured_argvs`) and `entrypoint.sh` (`temp_command_file`).
    """
    for path, kind in kinds_of(environment):
        if not kind.enclosed or environment.cluster.sgx.device_plugin == "none":
            continue  # outside of enclaves words stay words
        in_script = environment.attestation.enabled or any(marked(kind, Trait.ENCRYPTED_FOLDER))
        for place, word in kind.command_words(path):
            found = sorted({*_changed(word)} if in_script else {*_as_pattern(word)})
            if found:
                title = "the image's shell would change a word of the submission"
                why = "the command that runs in the enclave is text that a shell reads, without quotes"
                fix = "put the value into a file that the application reads"
                if place[-1] == "main_class":
                    fix = "start the application by a class of its own file"
                yield Finding(place, "shell-in-word", title, f"it holds {' '.join(found)}", why, fix)


def _changed(word: str) -> Iterator[str]:
    yield from _as_pattern(word)
    yield from _SCRIPT.findall(word)


def _as_pattern(word: str) -> Iterator[str]:
    if "://" not in word:
        yield from _PATTERN.findall(word)


def expected_text_is_the_applications(environment: Environment) -> Iterator[Finding]:
    """The image's entrypoint prints its command before it runs it, and ends with 0 where it does not."""
    for index, workload in enumerate(environment.workloads):
        expected = workload.expect_log
        if not expected or workload.kind.in_the_open:
            continue
        printed = [*(word for _, word in workload.kind.command_words(())), *workload.kind.own_words]
        if any(expected in word for word in printed):
            title, why = (
                "the expected text stands in the command",
                "the image prints its command, so a log would hold the text although nothing was done",
            )
            fix = "name a text that only the application says when it is done"
            yield Finding(("workloads", index, "expect_log"), "expect-log-in-command", title, expected, why, fix)

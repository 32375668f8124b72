"""The program that a kubeconfig names to get credentials from (`users[].user.exec`).

A program that is missing, fails, hangs or answers nothing is an error: without credentials the cluster would refuse a
user `system:anonymous`, or let it do what anybody may.
Faults: `k8s-plugin-missing`, `k8s-plugin-failed`, `k8s-plugin-timeout`, `k8s-plugin-answer`.
Source: Kubernetes, "Authenticating", client-go credential plugins.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ppmlctl.clients.users_program import last_words, without_our_variables
from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.foreign_json import parse_foreign

TIME_LIMIT = 120.0
"""Seconds: somebody may have to log in with a browser."""
_FIX = "run it by hand, or log in to the cluster again"


@dataclass(frozen=True)
class CredentialPlugin:
    """`command` is run in `folder`. `cluster` is told to it, where it wants to know. `interactive`: the terminal is its
    own while it runs.
    """

    command: Sequence[str]
    api_version: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: str | None = None
    cluster: Mapping[str, Any] | None = field(default=None, repr=False)
    interactive: bool = False

    @classmethod
    def of(cls, settings: Any, cluster: Mapping[str, Any], folder: str) -> CredentialPlugin:
        """As the kubeconfig's `exec` says. Raises ValueError where that has another shape."""
        try:
            return cls(
                [str(settings["command"]), *map(str, settings.get("args") or ())],
                str(settings["apiVersion"]),
                {str(one["name"]): str(one["value"]) for one in settings.get("env") or ()},
                folder or None,
                cluster if settings.get("provideClusterInfo") else None,
                settings.get("interactiveMode") != "Never" and sys.stdin.isatty() and sys.stderr.isatty(),
            )
        except (AttributeError, KeyError, TypeError):
            raise ValueError("a user's `exec` needs command and apiVersion; args: texts; env: name and value") from None

    def credential(self) -> Mapping[str, str]:
        """What it answers: `token`, or `clientCertificateData` with `clientKeyData`; with `expirationTimestamp` where
        it ends. Raises EngineError.
        """
        answer = self._answer(self._output())
        status = answer.get("status")
        if not isinstance(status, Mapping) or not all(isinstance(value, str) for value in status.values()):
            raise self.useless("it has no status of texts")
        if not status.get("token") and not (status.get("clientCertificateData") and status.get("clientKeyData")):
            raise self.useless("there is neither a token nor a certificate with its key in it")
        return status

    def _output(self) -> str:
        try:
            process = self._started()
        except (OSError, ValueError) as error:
            raise self._missing(error) from None
        with process:
            try:
                output, complaint = process.communicate(timeout=TIME_LIMIT)
            except subprocess.TimeoutExpired:
                raise self._too_slow() from None
            finally:
                self._end(process)
        if process.returncode != 0:
            raise self._failed(process.returncode, complaint or "")
        return str(output)

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - the command of the user's own kubeconfig, without a shell
            list(self.command),
            cwd=self.folder,
            env={**without_our_variables(os.environ), **self.environment, "KUBERNETES_EXEC_INFO": self._information()},
            stdin=None if self.interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if self.interactive else subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=not self.interactive,  # who asks on the terminal has to stay in its session
        )

    def _end(self, process: subprocess.Popen[str]) -> None:
        """With what it has started, which may hold its output open; on a terminal it has no group of its own."""
        with suppress(ProcessLookupError):
            if self.interactive:
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)

    def _information(self) -> str:
        spec: dict[str, Any] = {"interactive": self.interactive}
        if self.cluster is not None:
            spec["cluster"] = dict(self.cluster)
            for extension in self.cluster.get("extensions") or ():
                if extension.get("name") == "client.authentication.k8s.io/exec":
                    spec["cluster"]["config"] = extension.get("extension")
        return json.dumps({"apiVersion": self.api_version, "kind": "ExecCredential", "spec": spec})

    def _answer(self, output: str) -> Mapping[str, Any]:
        try:
            answer = parse_foreign(output)
        except ValueError:
            answer = None
        if not isinstance(answer, Mapping) or answer.get("kind") != "ExecCredential":
            raise self.useless("it is no ExecCredential as JSON")
        if answer.get("apiVersion") != self.api_version:
            raise self.useless(f"its apiVersion is not {self.api_version}")
        return answer

    @property
    def _shown(self) -> str:
        """Arguments may hold secrets: only the program is told."""
        return shlex.quote(self.command[0])

    def _missing(self, error: OSError | ValueError) -> EngineError:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        title = "the kubeconfig's credential plugin cannot be started"
        fix = "install it, or log in to the cluster in another way"
        return EngineError(Diagnostic("k8s-plugin-missing", title, found=f"{self._shown}: {words}", fix=fix))

    def _failed(self, code: int, complaint: str) -> EngineError:
        ending = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
        words = last_words(complaint)
        found = f"{self._shown} {ending}" + (f"; its last words:\n{words}" if words else "")
        title = "the kubeconfig's credential plugin failed"
        # What issues tokens may be out of reach for a moment, in the middle of a long apply.
        return TransientError(Diagnostic("k8s-plugin-failed", title, found=found, fix=_FIX))

    def _too_slow(self) -> EngineError:
        title = "the kubeconfig's credential plugin took too long"
        found = f"{self._shown} did not end within {TIME_LIMIT:g} seconds, and was ended"
        return EngineError(Diagnostic("k8s-plugin-timeout", title, found=found, fix=_FIX))

    def useless(self, why: str) -> EngineError:
        """The error for an answer that nothing can be made of."""
        title = "the kubeconfig's credential plugin gives no credentials"
        return EngineError(Diagnostic("k8s-plugin-answer", title, found=f"{self._shown}: {why}", fix=_FIX))

"""What can go wrong with an attestation service, in words for people.

EngineError
├── AttestationRefusedError       it answered with a refusal: its words
├── AttestationUntrustedError     TLS does not show the server that is trusted
├── attestation-answer-lost       a write was sent and no answer came: it may have been done
├── attestation-answer-wrong      what answered is no such service
├── attestation-service-failed    it failed by itself (500)
└── TransientError                attestation-unreachable
"""

from __future__ import annotations

import ssl

from ppmlctl.clients.proxies import Way
from ppmlctl.diagnostics import Diagnostic, EngineError, InputError, TransientError
from ppmlctl.explanations import answer_of_ehsm

UNKNOWN_ACCOUNT = "Invalid app_id and api_key."
UNKNOWN_POLICY = "Unsupported policy type."
"""Also the answer to a policy's id that it does not have."""
_LONGEST_WORDS = 200


class AttestationRefusedError(EngineError):
    """The service refused an operation. `words` are its own."""

    def __init__(self, diagnostic: Diagnostic, words: str) -> None:
        super().__init__(diagnostic)
        self.words = words


class AttestationUntrustedError(EngineError):
    """TLS did not show the server that is trusted, so nothing was sent to it."""


NOTHING_DONE = (AttestationRefusedError, AttestationUntrustedError, TransientError)
"""The faults after which a write has certainly not been done."""

_CAUSES = {
    UNKNOWN_ACCOUNT: (
        "it does not know this account, or its key is another one; a service that is killed loses its last 30 seconds",
        "give the account that its enroll answered, or enrol anew:\nppmlctl apply --rotate attestation-account",
    ),
    UNKNOWN_POLICY: (
        "it has no such policy: after a restart it cannot use the policies that it has saved",
        "register it anew:\nppmlctl apply --rotate attestation-policy",
    ),
}


def url_wrong(url: str) -> InputError:
    """The error for an address that is no https URL."""
    title = "the attestation service's URL is no https URL"
    return InputError(Diagnostic("attestation-url-wrong", title, url, fix="https://HOST:9875"))


def refused(operation: str, words: str) -> AttestationRefusedError:
    """The error for an answer with status 400."""
    why, fix = _CAUSES.get(words, ("", "read the log of the attestation service"))
    found = f"{operation}: `{_printable(words)}`"
    title = "the attestation service refused an operation"
    return AttestationRefusedError(Diagnostic("attestation-refused", title, found, why, fix), words)


def failed(url: str, operation: str, words: str) -> EngineError:
    """The error for status 500: it fails so at a quote that is not genuine, and where its PCCS gives nothing.

    Its words are shown only where they are known: they may quote what it was sent.
    """
    title, found = "the attestation service failed by itself", f"{operation} at {url}: HTTP 500"
    why = "it ends so for a quote that does not verify, for one without collateral, and for what it cannot read"
    fix = "read its log, and look at the PCCS that its PCCS_URL names"
    if known := answer_of_ehsm(words):  # the sandbox's, which serves both
        found, why, fix = f"{found}, `{words}`", known.cause, known.remedy
    return EngineError(Diagnostic("attestation-service-failed", title, found, why, fix))


def unreachable(way: Way, operation: str, reason: str) -> TransientError:
    """The error for a connection that did not come about, or a read that broke off."""
    title, why = "the attestation service cannot be reached", "it does not run, or a firewall or name stands between"
    found = f"{operation} at {way}: {_printable(reason)}"
    return TransientError(
        Diagnostic("attestation-unreachable", title, found, why, way.remedy if way.proxy else f"curl -k {way.url}")
    )


def answer_lost(way: Way, operation: str, reason: str) -> EngineError:
    """The error for a write that was sent and not answered; another try could do it twice."""
    title, why = "the attestation service did not answer a write", "it may have been done, and cannot be asked for"
    found = f"{operation} at {way}: {_printable(reason)}"
    return EngineError(Diagnostic("attestation-answer-lost", title, found, why, "ppmlctl apply"))


def answer_wrong(url: str, operation: str, reason: str) -> EngineError:
    """The error for an answer that is not what the service gives."""
    title, fix = "what answered is no BigDL attestation service", "compare attestation.service.url with the deployment"
    found = f"{operation} at {url}: {_printable(reason)}"
    return EngineError(Diagnostic("attestation-answer-wrong", title, found, fix=fix))


def untrusted(way: Way, operation: str, error: ssl.SSLError) -> AttestationUntrustedError:
    """The error for a server whose certificate is not the trusted one. Another try would not mend it."""
    reason = _printable(str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or error.args[0]))
    title, why = "the attestation service's certificate is not trusted", "whoever stands between could answer for it"
    fix = "set attestation.service.tls to the CA file, or the SHA-256 fingerprint, that its owner gave you"
    return AttestationUntrustedError(
        Diagnostic("attestation-untrusted", title, f"{operation} at {way}: {reason}", why, fix)
    )


def _printable(text: str) -> str:
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _LONGEST_WORDS else line[:_LONGEST_WORDS] + "…"

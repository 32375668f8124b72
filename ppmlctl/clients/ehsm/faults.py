"""What can go wrong with an EHSM server, in words for people.

EngineError
├── EhsmRefusedError     it answered with an error: its code and words
│   └── (also Transient) its database is away
├── EhsmUntrustedError   TLS does not show the server that is trusted
├── ehsm-answer-lost     a write was sent and no answer came: it may have been done
├── ehsm-answer-wrong    what answered is no EHSM, or not signed by the account's key
└── TransientError       ehsm-unreachable
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from ppmlctl.clients.proxies import Way
from ppmlctl.diagnostics import Diagnostic, EngineError, InputError, TransientError
from ppmlctl.ehsm import Envelope
from ppmlctl.explanations import answer_of_ehsm

REPLAYED = "Timestamp can't be repeated in 20 minutes"
SIGN_ERROR = "sign error"
_LONGEST_WORDS = 200
_BAD_REQUEST = 400


class EhsmRefusedError(EngineError):
    """EHSM answered an operation with an error. `code` and `words` are the server's."""

    def __init__(self, diagnostic: Diagnostic, code: int, words: str) -> None:
        super().__init__(diagnostic)
        self.code, self.words = code, words

    @property
    def is_wrong_key(self) -> bool:
        """Whether the server has the account and another key of it."""
        return self.words == SIGN_ERROR

    @property
    def is_unknown_account(self) -> bool:
        """Whether the server does not have the account: it refuses that without a word."""
        return self.code == _BAD_REQUEST and not self.words and not isinstance(self, TransientError)


class EhsmDatabaseError(EhsmRefusedError, TransientError):
    """EHSM's database cannot be reached."""


class EhsmUntrustedError(EngineError):
    """TLS did not show the server that is trusted, so nothing was sent to it."""


NOTHING_DONE = (EhsmRefusedError, EhsmUntrustedError, TransientError)
"""The faults after which a write has certainly not been done."""


@dataclass(frozen=True)
class _Cause:
    why: str
    fix: str


_UNKNOWN_ACCOUNT = _Cause(
    "it does not know this account: another server, or an emptied database",
    "restore EHSM's database, or enrol anew:\nppmlctl apply --rotate ehsm-account",
)
_NO_DATABASE = _Cause("its database cannot be reached", "look at the couchdb of EHSM, then try again")
_OTHER = _Cause("", "read the log of the EHSM server")


def url_wrong(url: str) -> InputError:
    """The error for an address that is no https URL."""
    return InputError(Diagnostic("ehsm-url-wrong", "EHSM's URL is no https URL", url, fix="https://HOST:9000"))


def refused(operation: str, envelope: Envelope) -> EhsmRefusedError:
    """The error for an answer whose code is not 200."""
    words = printable(envelope.words)
    database = envelope.message == {} or words == "enroll user info failed"
    unknown = _UNKNOWN_ACCOUNT if envelope.message is None else _OTHER
    known = answer_of_ehsm(words)
    cause = _NO_DATABASE if database else _Cause(known.cause, known.remedy) if known else unknown
    found = f"{operation}: code {envelope.code}, " + (f"`{words}`" if words else "no message")
    diagnostic = Diagnostic("ehsm-refused", "EHSM refused an operation", found, cause.why, cause.fix)
    return (EhsmDatabaseError if database else EhsmRefusedError)(diagnostic, envelope.code, words)


def unreachable(way: Way, operation: str, reason: str) -> TransientError:
    """The error for a connection that did not come about, or a read that broke off."""
    found, why = f"{operation} at {way}: {printable(reason)}", "it does not run, or a firewall or name stands between"
    fix = way.remedy if way.proxy else f"curl -k {way.url}"
    return TransientError(Diagnostic("ehsm-unreachable", "EHSM cannot be reached", found, why, fix))


def answer_lost(way: Way, operation: str, reason: str) -> EngineError:
    """The error for a write that was sent and not answered; another try could do it twice."""
    found = f"{operation} at {way}: {printable(reason)}"
    why = "it may have been done, and cannot be asked for afterwards"
    title = "EHSM did not answer a write"
    return EngineError(Diagnostic("ehsm-answer-lost", title, found, why, "ppmlctl apply"))


def answer_wrong(url: str, operation: str, reason: str) -> EngineError:
    """The error for an answer that is not what EHSM gives."""
    found = f"{operation} at {url}: {printable(reason)}"
    title = "what answered is not the EHSM that was asked"
    return EngineError(Diagnostic("ehsm-answer-wrong", title, found, fix="compare kms.ehsm.url with the deployment"))


def untrusted(way: Way, operation: str, error: ssl.SSLError) -> EhsmUntrustedError:
    """The error for a server whose certificate is not the trusted one. Another try would not mend it."""
    words = getattr(error, "verify_message", "") or getattr(error, "reason", "") or error.args[0]
    reason = printable(str(words))
    why = "whoever stands between could read and answer in its place"
    fix = "set kms.ehsm.tls to the CA file, or the SHA-256 fingerprint, that the server's owner gave you"
    if "mismatch" in reason or "no subjectAltName" in reason:
        why = "EHSM's self-made certificate names no host, so a CA file cannot vouch for it"
        fix = "pin it with kms.ehsm.tls.fingerprint, or give the server a certificate that names its host"
    title = "EHSM's certificate is not trusted"
    return EhsmUntrustedError(Diagnostic("ehsm-untrusted", title, f"{operation} at {way}: {reason}", why, fix))


def printable(text: str) -> str:
    """Another program's words on one line: no control characters, and not too many."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _LONGEST_WORDS else line[:_LONGEST_WORDS] + "…"

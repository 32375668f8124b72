"""What can go wrong with a PCCS, in words for people."""

from __future__ import annotations

import ssl

from ppmlctl.clients.proxies import Way
from ppmlctl.diagnostics import Diagnostic, EngineError, TransientError
from ppmlctl.explanations import explained

_PLATFORM_UNKNOWN = "0xe047"
"""What Intel's own libraries call the same fault."""


def unreachable(way: Way, reason: str) -> TransientError:
    """The error for a connection that did not come about, or an answer that broke off."""
    title, why = "the PCCS cannot be reached", "it does not run, or a firewall or name stands between"
    return TransientError(
        Diagnostic("pccs-unreachable", title, f"{way}: {reason}", why, way.remedy if way.proxy else f"curl {way.url}")
    )


def untrusted(way: Way, error: ssl.SSLError) -> EngineError:
    """The error for a certificate that is not trusted. Another try would not mend it."""
    reason = getattr(error, "verify_message", "") or error.reason or str(error)
    title, fix = (
        "the PCCS's certificate is not trusted",
        "let pccs.ca (or --pccs-ca) name the certificates that vouch for it",
    )
    why = "whoever stands between could hold back that a platform was revoked"
    return EngineError(Diagnostic("pccs-untrusted", title, f"{way}: {reason}", why, fix))


def unknown_platform(url: str, fmspc: str) -> EngineError:
    """The error for a platform that the PCCS has nothing about."""
    (row,) = explained(_PLATFORM_UNKNOWN)
    title = "the PCCS has no collateral for this platform"
    return EngineError(Diagnostic("pccs-unknown-platform", title, f"{url}: FMSPC {fmspc}", row.cause, row.remedy))


def answer_wrong(url: str, reason: str) -> EngineError:
    """The error for an answer that is not what a PCCS gives."""
    title, fix = "what answered is no PCCS", "compare pccs.url (or --pccs) with the deployment"
    return EngineError(Diagnostic("pccs-answer-wrong", title, f"{url}: {reason}", fix=fix))

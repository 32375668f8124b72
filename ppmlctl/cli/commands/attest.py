"""`ppmlctl attest …`"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import typer

from ppmlctl.cli.style import Style
from ppmlctl.dcap import (
    ExpectationError,
    Expectations,
    Judgement,
    Policy,
    QuoteUntrustedError,
    judge_quote,
    platform_of,
    quote_bytes,
)
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import read_bytes
from ppmlctl.spec.kms import TcbStatus

_LARGEST_FILE = 1 << 20  # bytes; a quote has about five thousand, collateral twenty thousand
_REFUSED = 1
_STATUSES: tuple[str, ...] = get_args(TcbStatus)


@dataclass(frozen=True)
class Question:
    """Which quote, and what it is judged by; texts as they were typed."""

    quote: Path
    collateral: Path | None
    pccs: str | None
    pccs_ca: Path | None
    root_ca: Path | None
    at: str | None
    expected: tuple[str, ...]
    statuses: tuple[str, ...]
    advisories: tuple[str, ...]


def quote(asked: Question, *, as_json: bool) -> int:
    """The verdict on one quote; the exit code."""
    policy, at = _policy(asked), _instant(asked.at)
    raw = quote_bytes(_read(asked.quote))
    root = _read(asked.root_ca) if asked.root_ca else None
    found = judge_quote(raw, _collateral(asked, raw), root, policy, at)
    if as_json:
        typer.echo(json.dumps(_as_data(found)))
    else:
        typer.echo("\n".join(_lines(found, Style.of(sys.stdout))))
    return 0 if found.accepted else _REFUSED


def _policy(asked: Question) -> Policy:
    try:
        expected = Expectations.parse(asked.expected)
    except ExpectationError as error:
        fix = "--expect mr_enclave=HEX, mr_signer=, prod_id=, min_svn=, debug=, report_data=, mr_td=, rtmr0="
        title = "an expectation cannot be understood"
        raise InputError(Diagnostic("attest-expectation", title, str(error), fix=fix)) from None
    unknown = [status for status in asked.statuses if status not in _STATUSES]
    if unknown:
        title, fix = "there is no such TCB status", f"name one of: {', '.join(_STATUSES)}"
        raise InputError(Diagnostic("attest-status", title, ", ".join(unknown), fix=fix))
    return Policy(expected, asked.statuses or Policy.statuses, asked.advisories or None)


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # the same words as for a time without its zone
    title, fix = "the time cannot be understood", "--at 2025-06-19T12:00:00Z"
    raise InputError(Diagnostic("attest-time", title, text, fix=fix))


def _collateral(asked: Question, raw: bytes) -> str:
    if (asked.collateral is None) == (asked.pccs is None):
        title = "it is not clear what to verify the quote with"
        found, fix = ("both" if asked.pccs else "neither") + " of two options", "--collateral FILE, or --pccs URL"
        raise InputError(Diagnostic("attest-collateral", title, found, fix=fix))
    if asked.pccs is not None:
        return _fetched(asked.pccs, asked.pccs_ca, raw)
    # What is no UTF-8 is no JSON either, which is a reason to refuse.
    return _read(asked.collateral).decode(errors="replace") if asked.collateral else ""


def _fetched(url: str, ca: Path | None, raw: bytes) -> str:
    """What a PCCS gives for the quote's platform; nothing for a quote that names none, and is refused for its form."""
    from ppmlctl.clients.pccs import PccsClient
    from ppmlctl.effects import Effects

    try:
        platform = platform_of(raw)
    except QuoteUntrustedError:
        return ""
    with PccsClient(url, Effects("pccs", writes_allowed=False), ca=ca) as client:
        return client.collateral(platform).to_json()


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path, _LARGEST_FILE)
    except OSError as error:
        found = f"{path}: {error.strerror or error}"
        raise InputError(Diagnostic("attest-file", "a file cannot be read", found)) from None


def _as_data(found: Judgement) -> dict[str, object]:
    """`verified` false: what the quote says is shown, and nothing speaks for it."""
    genuine = found.genuine
    return {
        "verdict": "accepted" if found.accepted else "refused",
        "reason": found.reason,
        "detail": found.words,
        "verified": genuine is not None,
        "root": genuine.root if genuine else None,
        "tcb_status": genuine.tcb_status if genuine else None,
        "advisories": list(genuine.advisories) if genuine else [],
        "tee": None,
        **found.claims,
    }


def _lines(found: Judgement, style: Style) -> list[str]:
    data = _as_data(found)
    verdict, reason, detail = data.pop("verdict"), data.pop("reason"), data.pop("detail")
    head = style.green(f"{verdict}") if found.accepted else f"{style.red(f'{verdict}')}[{reason}]: {detail}"
    return [head, *(f"  {name:<16} {_word(value)}" for name, value in data.items() if value not in (None, []))]


def _word(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)

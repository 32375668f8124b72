"""Collateral from a PCCS, kept by its digest, so that a PCCS that is away for a while stops no plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ppmlctl.dcap import Collateral, PlatformFamily, QuoteUntrustedError
from ppmlctl.diagnostics import TransientError
from ppmlctl.files import read_text, write_atomic
from ppmlctl.modules.context import Context, PccsServer

_PREFIX = "sha256:"


@dataclass(frozen=True)
class Supply:
    """Collateral, and a warning about where it comes from."""

    collateral: Collateral
    note: str = ""


def fetched(ctx: Context, server: PccsServer, platform: PlatformFamily) -> Supply:
    """What the PCCS gives for a platform. Raises EngineError.

    Where it cannot be reached, the collateral counts that was recorded last: it is signed, and ends by itself.
    """
    try:
        found = ctx.engines.pccs(server).collateral(platform)
    except TransientError:
        kept = _kept(ctx, platform)
        if kept is None:
            raise
        return Supply(kept, f"the PCCS at {server.url} cannot be reached; the collateral recorded last was used")
    _keep(ctx, found)
    return Supply(found)


def _keep(ctx: Context, collateral: Collateral) -> None:
    """Beside the other caches, which may be lost; where there is no place for them, nothing is kept."""
    path = _path(ctx, collateral.digest)
    if path.parent.parent.parent.is_dir() and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, collateral.to_json().encode())


def _kept(ctx: Context, platform: PlatformFamily) -> Collateral | None:
    """The recorded collateral of this platform, if its file is still here and still what was recorded."""
    recorded = (str(entry.result.get("collateral", "")) for entry in ctx.recorded.values())
    for digest in (name.removeprefix(_PREFIX) for name in recorded if name.startswith(_PREFIX)):
        try:
            found = Collateral.parse(read_text(_path(ctx, digest)))
            if found.digest == digest and (found.tee.lower(), found.fmspc) == (platform.tee, platform.fmspc):
                return found
        except (OSError, UnicodeDecodeError, QuoteUntrustedError):
            continue
    return None


def _path(ctx: Context, digest: str) -> Path:
    return ctx.files.root / ".ppml" / "cache" / "collateral" / f"{digest}.json"

"""A fresh quote of an EHSM server, with everything found out about it and the judgement."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ppmlctl.dcap import (
    Collateral,
    QuoteError,
    QuoteUntrustedError,
    QuoteVerdict,
    ReportBody,
    parse_sgx_report,
    platform_of,
    verify_quote,
)
from ppmlctl.diagnostics import Diagnostic, EngineError, InputError
from ppmlctl.ehsm import Identity, Requirements, Shown, Verdict, judge
from ppmlctl.files import read_bytes
from ppmlctl.modules._collateral import Supply, fetched
from ppmlctl.modules.context import SANDBOX, Context, PccsServer

if TYPE_CHECKING:
    from ppmlctl.modules.ehsm_attest import EhsmAttestArgs

_CHALLENGE_BYTES = 32


_WARN_BEFORE = timedelta(days=7)


@dataclass(frozen=True)
class Examination:
    """What a server showed, and what it is worth."""

    shown: Shown
    verdict: Verdict
    supply: Supply | None
    """What the quote was verified with, where it could be had."""

    @property
    def root(self) -> str:
        """Whose root vouches for the quote: `intel`, `private root`, `sandbox`, or nobody's."""
        if self.shown.genuine is None:
            return ""
        return SANDBOX if self.shown.simulated else str(self.shown.genuine.root)

    @property
    def verifiable(self) -> bool:
        """Whether there was anything to judge: a chain that holds, from a server that is the one spoken to."""
        return self.shown.genuine is not None and self.shown.channel_authenticated

    def shown_fields(self) -> dict[str, str | list[str]]:
        """What a later quote of the same server is compared with."""
        body, genuine = self.shown.body, self.shown.genuine
        status = genuine.tcb_status if genuine else "not verified"
        advisories = sorted(genuine.advisories) if genuine else []
        measured = {"mr_enclave": body.mr_enclave.hex(), "mr_signer": body.mr_signer.hex()}
        return {**measured, "tcb_status": status, "advisories": advisories}

    def collateral_fields(self) -> dict[str, str]:
        """Which collateral it was, and when that ends; nothing of the sandbox's, which renews its own as it likes."""
        if self.supply is None or self.shown.simulated:
            return {}
        used = self.supply.collateral
        return {"collateral": f"sha256:{used.digest}", "collateral_until": _instant(used.ends())}

    def notes(self) -> tuple[str, ...]:
        """Warnings: the PCCS is away, or the collateral is about to end and the quote cannot be verified after that."""
        if self.supply is None or self.shown.simulated:
            return ()
        ends = self.supply.collateral.ends()
        late = ends - datetime.now(UTC) <= _WARN_BEFORE
        note = f"the collateral that verifies EHSM's quote ends at {_instant(ends)}: renew it at its source"
        return tuple(filter(None, (self.supply.note, note if late else "")))


def examine(ctx: Context, args: EhsmAttestArgs) -> Examination:
    """Asks for a quote that nobody had before, verifies and judges it. Raises EngineError and InputError."""
    client = args.server.client(ctx)
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    raw = client.generate_quote(args.account(), challenge)
    try:
        body = parse_sgx_report(raw)
    except QuoteError as error:
        title, found = "EHSM's quote is no SGX quote", f"{args.server.url}: {error}"
        raise EngineError(Diagnostic("ehsm-refused-attestation", title, found)) from None
    simulated = ctx.target == SANDBOX
    genuine, supply, reason = _verified(ctx, args, raw)
    shown = Shown(body, challenge, genuine, reason, client.trust.authenticates, simulated)
    return Examination(shown, judge(shown, _requirements(args, body, simulated=simulated)), supply)


def _verified(ctx: Context, args: EhsmAttestArgs, raw: bytes) -> tuple[QuoteVerdict | None, Supply | None, str]:
    """The verifier's findings with the collateral that led to them, or why there are none."""
    root_ca = _read(ctx, args.trust_root, "trust-root-unreadable") if args.trust_root else None
    try:
        supply = _supply(ctx, args, raw)
        if supply is None:
            return None, None, "there is no collateral to verify it with; name pccs.url"
        if ctx.target == SANDBOX and root_ca is None:
            root_ca = supply.collateral.root_pem()
        return verify_quote(raw, supply.collateral.to_json(), root_ca, datetime.now(UTC)), supply, ""
    except QuoteUntrustedError as error:
        return None, None, " ".join(str(error).split())
    except EngineError as error:
        if args.attest != "warn":
            raise
        return None, None, "; ".join(f"{one.title}: {one.found}" for one in error.diagnostics)


def _supply(ctx: Context, args: EhsmAttestArgs, raw: bytes) -> Supply | None:
    """From the file that is named, or the PCCS, which the sandbox's EHSM is as well. It is signed, whoever gives it."""
    if args.collateral:
        # What is no UTF-8 is no JSON either, which is told as such.
        text = _read(ctx, args.collateral, "collateral-unreadable").decode(errors="replace")
        return Supply(Collateral.parse(text))
    if ctx.target == SANDBOX:
        server = PccsServer(args.server.url)
    elif args.pccs:
        server = PccsServer(args.pccs.url, args.pccs.ca)
    else:
        return None
    return fetched(ctx, server, platform_of(raw))


def _requirements(args: EhsmAttestArgs, body: ReportBody, *, simulated: bool) -> Requirements:
    expected = args.identity
    identity = Identity(expected.mr_enclave, expected.mr_signer, expected.prod_id, expected.min_svn)
    if simulated and not (identity.mr_enclave or identity.mr_signer):
        # The sandbox's enclave is made up; where no identity is asked for, the one it shows will do.
        identity = replace(identity, mr_enclave=body.mr_enclave.hex())
    return Requirements(
        identity,
        args.accept_tcb.statuses,
        args.accept_tcb.advisories,
        private_root_accepted=simulated or args.trust_root is not None,
        freshness_required=args.freshness == "require",
    )


def _read(ctx: Context, path: str, code: str) -> bytes:
    try:
        return read_bytes(ctx.files.path(path))
    except OSError as error:
        title = "a file to verify quotes with cannot be read"
        raise InputError(Diagnostic(code, title, f"{path}: {error.strerror}")) from None


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

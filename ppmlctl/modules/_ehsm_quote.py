"""A fresh quote of an EHSM server, with everything found out about it and the judgement."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ppmlctl.dcap import QuoteError, QuoteUntrustedError, QuoteVerdict, ReportBody, parse_sgx_report, verify_quote
from ppmlctl.diagnostics import Diagnostic, EngineError, InputError
from ppmlctl.ehsm import Identity, Requirements, Shown, Verdict, binds, judge
from ppmlctl.modules.context import SANDBOX, Context

if TYPE_CHECKING:
    from ppmlctl.clients.ehsm import EhsmClient
    from ppmlctl.modules.ehsm_attest import EhsmAttestArgs

_CHALLENGE_BYTES = 32


@dataclass(frozen=True)
class Examination:
    """What a server showed, and what it is worth."""

    shown: Shown
    verdict: Verdict

    @property
    def root(self) -> str:
        """Whose root vouches for the quote: `intel`, `private root`, `sandbox`, or nobody's."""
        if self.shown.genuine is None:
            return ""
        return SANDBOX if self.shown.simulated else str(self.shown.genuine.root)

    @property
    def verifiable(self) -> bool:
        """Whether there was anything to judge: a chain that holds, from a server that is the one spoken to."""
        bound = self.shown.channel_authenticated or binds(self.shown.body.report_data, self.shown.challenge)
        return self.shown.genuine is not None and bound

    def shown_fields(self) -> dict[str, str]:
        """What a later quote of the same server is compared with."""
        body, genuine = self.shown.body, self.shown.genuine
        status = genuine.tcb_status if genuine else "not verified"
        return {"mr_enclave": body.mr_enclave.hex(), "mr_signer": body.mr_signer.hex(), "tcb_status": status}


@dataclass(frozen=True)
class _Anchors:
    """What a quote is verified with: collateral, and a root other than Intel's."""

    collateral: str | None
    root_ca: bytes | None


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
    genuine, reason = _verified(raw, _anchors(ctx, args, client))
    simulated = ctx.target == SANDBOX
    shown = Shown(body, challenge, genuine, reason, client.trust.authenticates, simulated)
    return Examination(shown, judge(shown, _requirements(args, body, simulated=simulated)))


def _verified(quote: bytes, anchors: _Anchors) -> tuple[QuoteVerdict | None, str]:
    """The verifier's findings, or why there are none."""
    if anchors.collateral is None:
        return None, "there is no collateral to verify it with"
    try:
        return verify_quote(quote, anchors.collateral, anchors.root_ca, datetime.now(UTC)), ""
    except QuoteUntrustedError as error:
        return None, " ".join(str(error).split())


def _anchors(ctx: Context, args: EhsmAttestArgs, client: EhsmClient) -> _Anchors:
    """Collateral is signed under the root, so it may come from anywhere; the sandbox's EHSM serves its own."""
    root_ca = _read(ctx, args.trust_root, "trust-root-unreadable") if args.trust_root else None
    # What is no UTF-8 is no JSON either, which the verifier says in its own words.
    collateral = (
        _read(ctx, args.collateral, "collateral-unreadable").decode(errors="replace") if args.collateral else None
    )
    if ctx.target == SANDBOX or (args.trust_root and collateral is None):
        served = client.served_collateral()
        return _Anchors(collateral or served.collateral, root_ca or served.root_ca.encode())
    return _Anchors(collateral, root_ca)


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
        return ctx.files.path(path).read_bytes()
    except OSError as error:
        title = "a file to verify quotes with cannot be read"
        raise InputError(Diagnostic(code, title, f"{path}: {error.strerror}")) from None

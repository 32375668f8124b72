"""Made-up platforms with one thing about them changed, and their quotes under a verifier of one's choice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from quote_samples import SANDBOX_AT

from ppmlctl.dcap import QuoteUntrustedError, Reason, ReportBody, verify_quote
from ppmlctl.dcap.verification import Verifier
from ppmlctl.sandbox.ehsm.collateral import make_collateral
from ppmlctl.sandbox.ehsm.flaws import Flaws
from ppmlctl.sandbox.ehsm.issuing import Signer, issue, issue_root, pem, revocation_list
from ppmlctl.sandbox.ehsm.made_up import EHSM, QUOTING_ENCLAVE
from ppmlctl.sandbox.ehsm.platform import TCB, Platform
from ppmlctl.sandbox.ehsm.quoting_enclave import QuotingEnclave
from ppmlctl.sandbox.ehsm.sgx_extension import PlatformTcb

Outcome = Reason | tuple[str, tuple[str, ...]]
"""Why it is refused, or status and advisories."""
PLATFORM = replace(TCB, components=bytes(range(3, 19)), pce_svn=11)
UNTIL = SANDBOX_AT + timedelta(days=30)
NAMES = (
    "sandbox SGX Root CA",
    "sandbox SGX PCK Processor CA",
    "sandbox SGX PCK Certificate",
    "sandbox SGX TCB Signing",
)


def outcome(verify: Verifier | None, raw: bytes, collateral: str, root: bytes | None, at: Any = SANDBOX_AT) -> Outcome:
    """What the verifier finds; None: the one that serves the quote's version."""
    try:
        found = verify_quote(raw, collateral, root, at, verify)
    except QuoteUntrustedError as error:
        return error.reason
    return str(found.tcb_status), found.advisories


def make_platform(
    tcb: PlatformTcb = PLATFORM, names: Sequence[str] = NAMES, ca: int | None = 0, leaf: int | None = None
) -> Platform:
    """Certificates in these names; `ca` and `leaf` as `authority_over` of them."""
    root = issue_root(names[0], SANDBOX_AT)
    authority = issue(root, names[1], SANDBOX_AT, authority_over=ca)
    pck = issue(authority, names[2], SANDBOX_AT, authority_over=leaf, extension=tcb.extension())
    return Platform(root, authority, pck, issue(root, names[3], SANDBOX_AT))


@dataclass(frozen=True)
class Made:
    """A platform with its quoting enclave, an enclave on it, and collateral, all good unless given otherwise."""

    platform: Platform
    quoting_enclave: ReportBody = QUOTING_ENCLAVE
    enclave: ReportBody = EHSM
    collateral: str = ""

    def with_document(self, name: str, change: Callable[[dict[str, Any]], object]) -> Made:
        """One of the signed documents changed, and signed anew."""
        collateral = json.loads(self.text())
        document = json.loads(collateral[name])
        change(document)
        text = json.dumps(document)
        signature = self.platform.tcb_signing.sign(text.encode()).hex()
        return replace(self, collateral=json.dumps(collateral | {name: text, f"{name}_signature": signature}))

    def with_members(self, **members: str) -> Made:
        """Members of the collateral replaced."""
        return replace(self, collateral=json.dumps(json.loads(self.text()) | members))

    def with_revoked(self, name: str, issuer: Signer, revoked: Signer) -> Made:
        """A revocation list with a certificate on it."""
        return self.with_members(
            **{name: revocation_list(issuer, [revoked.certificate], SANDBOX_AT, UNTIL).hex()},
        )

    def text(self) -> str:
        """The collateral."""
        if self.collateral:
            return self.collateral
        return make_collateral(self.platform, "SGX", QUOTING_ENCLAVE, (SANDBOX_AT, UNTIL), Flaws())

    def outcome(self, verify: Verifier | None, version: int = 3, at: Any = SANDBOX_AT) -> Outcome:
        """What the verifier finds of a quote of that version."""
        raw = QuotingEnclave(self.platform, self.quoting_enclave).quote(self.enclave, version)
        return outcome(verify, raw, self.text(), pem(self.platform.root.certificate).encode(), at)

"""The sandbox's quotes, of made-up enclaves and domains: genuine under the sandbox's own root only."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ppmlctl.dcap import QuoteUntrustedError, ReportBody, TdReport, verify_quote
from ppmlctl.ehsm import Identity, VerificationResult
from ppmlctl.files import write_atomic
from ppmlctl.sandbox.ehsm.collateral import Tee, make_collateral
from ppmlctl.sandbox.ehsm.flaws import Flaws
from ppmlctl.sandbox.ehsm.issuing import pem
from ppmlctl.sandbox.ehsm.made_up import DOMAIN, EHSM, QUOTING_ENCLAVE, TD_QUOTING_ENCLAVE
from ppmlctl.sandbox.ehsm.platform import ensure_platform
from ppmlctl.sandbox.ehsm.quoting_enclave import QuotingEnclave

_COLLATERAL_AGE, _RENEW_BEFORE = timedelta(minutes=10), timedelta(days=7)
_FILES: Mapping[Tee, str] = {"SGX": "collateral.json", "TDX": "tdx-collateral.json"}
_ENCLAVES: Mapping[Tee, ReportBody] = {"SGX": QUOTING_ENCLAVE, "TDX": TD_QUOTING_ENCLAVE}
_DEBUG = 1 << 1
_DEBUG_OF_DOMAIN = 1
_EARLIER_CHALLENGE = b"what somebody else was shown"


def ehsm_identity() -> Identity:
    """The enclave that every sandbox's EHSM shows: constant, and no real one's."""
    return Identity(
        mr_enclave=EHSM.mr_enclave.hex(),
        mr_signer=EHSM.mr_signer.hex(),
        prod_id=EHSM.isv_prod_id,
        min_svn=EHSM.isv_svn,
    )


class Quoting:
    """Makes and verifies quotes; exports `quote-root.pem`, `collateral.json` and `tdx-collateral.json`. Thread-safe."""

    def __init__(self, state_folder: Path, clock: Callable[[], float], flaws: Flaws | None = None) -> None:
        self.flaws = flaws or Flaws()
        self._renew_before = min(_RENEW_BEFORE, self.flaws.collateral_lifetime / 4)
        self._folder = state_folder
        self._clock = clock
        self._platform = ensure_platform(state_folder / "platform.json", self._now())
        self._enclaves = {tee: QuotingEnclave(self._platform, report) for tee, report in _ENCLAVES.items()}
        self._lock = threading.Lock()
        self._collateral: dict[Tee, tuple[str, datetime]] = {}
        self.root_ca = pem(self._platform.root.certificate)
        write_atomic(state_folder / "quote-root.pem", self.root_ca.encode())
        for tee in _FILES:
            self.collateral(tee)

    def quote(self, challenge: bytes = b"", version: int = 3) -> bytes:
        """A quote of the EHSM enclave; the challenge is in it only where the flaws say so. Real ones have version 3."""
        return self._enclaves["SGX"].quote(self._body(challenge), version)

    def quote_of(self, mr_enclave: bytes, mr_signer: bytes) -> bytes:
        """What the simulated platform shows for an enclave on it. Whoever asks gets it: it proves nothing."""
        return self._enclaves["SGX"].quote(replace(EHSM, mr_enclave=mr_enclave, mr_signer=mr_signer))

    def quote_of_domain(self, domain: TdReport = DOMAIN) -> bytes:
        """The same for a TDX domain."""
        if self.flaws.debug:
            attributes = bytes([domain.td_attributes[0] | _DEBUG_OF_DOMAIN]) + domain.td_attributes[1:]
            domain = replace(domain, td_attributes=attributes)
        return self._enclaves["TDX"].quote(domain)

    def _body(self, challenge: bytes) -> ReportBody:
        flaws, body = self.flaws, EHSM
        if flaws.debug:
            body = replace(body, flags=body.flags | _DEBUG)
        if flaws.mr_enclave is not None:
            body = replace(body, mr_enclave=flaws.mr_enclave)
        if flaws.binds_challenge:
            bound = _EARLIER_CHALLENGE if flaws.replayed else challenge
            body = replace(body, report_data=hashlib.sha256(bound).digest().ljust(64, b"\0"))
        return body

    def collateral(self, tee: Tee = "SGX") -> str:
        """What verifies the quotes, renewed a week before it ends."""
        now = self._now()
        with self._lock:
            made = self._collateral.get(tee)
            if made is None or now + self._renew_before >= made[1]:
                ends = now + self.flaws.collateral_lifetime
                text = make_collateral(self._platform, tee, _ENCLAVES[tee], (now - _COLLATERAL_AGE, ends), self.flaws)
                made = self._collateral[tee] = text, ends
                write_atomic(self._folder / _FILES[tee], text.encode())
            return made[0]

    def verify(self, quote: bytes) -> VerificationResult:
        """The verdict on any enclave's quote: one under another root has no valid signature here."""
        status = None if self.flaws.refuses_quotes else self.tcb_status(quote)
        if status is None:
            return VerificationResult.INVALID_SIGNATURE
        return VerificationResult.OK if status == "UpToDate" else VerificationResult.UNSPECIFIED

    def tcb_status(self, quote: bytes, tee: Tee = "SGX") -> str | None:
        """What the platform's level of fixes is worth by the collateral; None for a quote that is not genuine here."""
        try:
            return verify_quote(quote, self.collateral(tee), self.root_ca.encode(), self._now()).tcb_status
        except QuoteUntrustedError:
            return None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

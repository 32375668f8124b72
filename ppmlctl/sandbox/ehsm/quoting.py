"""The sandbox's quotes: what a real EHSM shows, of a made-up enclave, genuine under the sandbox's own root only."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ppmlctl.dcap import Quote, QuoteHeader, QuoteUntrustedError, ReportBody, verify_quote
from ppmlctl.dcap.quote import ECDSA_P256, TEE_SGX, VERSION
from ppmlctl.ehsm import Identity, VerificationResult
from ppmlctl.files import write_atomic
from ppmlctl.sandbox.ehsm.collateral import make_collateral
from ppmlctl.sandbox.ehsm.flaws import Flaws
from ppmlctl.sandbox.ehsm.issuing import pem, raw_signature
from ppmlctl.sandbox.ehsm.platform import TCB, Platform, ensure_platform

_INTEL_QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
_PCK_CHAIN_TYPE = 5  # "concatenated PCK certificate chain" in the certification data of a quote
_COLLATERAL_AGE, _RENEW_BEFORE = timedelta(minutes=10), timedelta(days=7)
_DEBUG = 1 << 1
_EARLIER_CHALLENGE = b"what somebody else was shown"
_QE_AUTHENTICATION_DATA = bytes(range(32))


def _made_up(what: str) -> bytes:
    """A measurement that no real enclave has."""
    return hashlib.sha256(f"ppmlctl sandbox {what}".encode()).digest()


_EHSM = ReportBody(
    cpu_svn=TCB.components,
    misc_select=0,
    isv_ext_prod_id=bytes(16),
    flags=5,  # INIT and MODE64BIT
    xfrm=0xE7,
    mr_enclave=_made_up("EHSM enclave"),
    mr_signer=_made_up("EHSM signer"),
    config_id=bytes(64),
    isv_prod_id=1,
    isv_svn=1,
    config_svn=0,
    isv_family_id=bytes(16),
    report_data=bytes(64),  # as the real service leaves it: the challenge is not bound
)
_QUOTING_ENCLAVE = replace(_EHSM, mr_enclave=_made_up("quoting enclave"), mr_signer=_made_up("quoting enclave signer"))


def ehsm_identity() -> Identity:
    """The enclave that every sandbox's EHSM shows: constant, and no real one's."""
    return Identity(
        mr_enclave=_EHSM.mr_enclave.hex(),
        mr_signer=_EHSM.mr_signer.hex(),
        prod_id=_EHSM.isv_prod_id,
        min_svn=_EHSM.isv_svn,
    )


class Quoting:
    """Makes and verifies quotes; exports `quote-root.pem` and `collateral.json` to the state folder. Thread-safe."""

    def __init__(self, state_folder: Path, clock: Callable[[], float], flaws: Flaws | None = None) -> None:
        self.flaws = flaws or Flaws()
        self._renew_before = min(_RENEW_BEFORE, self.flaws.collateral_lifetime / 4)
        self._folder = state_folder
        self._clock = clock
        self._platform = ensure_platform(state_folder / "platform.json", self._now())
        self._attestation_key = ec.generate_private_key(ec.SECP256R1())
        self._lock = threading.Lock()
        self._collateral, self._collateral_ends = "", self._now()
        self.root_ca = pem(self._platform.root.certificate)
        write_atomic(state_folder / "quote-root.pem", self.root_ca.encode())
        self.collateral()

    def quote(self, challenge: bytes = b"") -> bytes:
        """A quote of the EHSM enclave; the challenge is in it only where the flaws say so."""
        return self._quote(self._body(challenge))

    def quote_of(self, mr_enclave: bytes, mr_signer: bytes) -> bytes:
        """What the simulated platform shows for an enclave on it. Whoever asks gets it: it proves nothing."""
        return self._quote(replace(_EHSM, mr_enclave=mr_enclave, mr_signer=mr_signer))

    def _quote(self, body: ReportBody) -> bytes:
        header = QuoteHeader(VERSION, ECDSA_P256, TEE_SGX, 1, TCB.pce_svn, _INTEL_QE_VENDOR, bytes(20))
        signed = header.to_bytes() + body.to_bytes()
        return Quote(header, body, _signature_data(self._platform, self._attestation_key, signed)).to_bytes()

    def _body(self, challenge: bytes) -> ReportBody:
        flaws, body = self.flaws, _EHSM
        if flaws.debug:
            body = replace(body, flags=body.flags | _DEBUG)
        if flaws.mr_enclave is not None:
            body = replace(body, mr_enclave=flaws.mr_enclave)
        if flaws.binds_challenge:
            bound = _EARLIER_CHALLENGE if flaws.replayed else challenge
            body = replace(body, report_data=hashlib.sha256(bound).digest().ljust(64, b"\0"))
        return body

    def collateral(self) -> str:
        """What verifies the quotes, renewed a week before it ends."""
        now = self._now()
        with self._lock:
            if not self._collateral or now + self._renew_before >= self._collateral_ends:
                self._collateral_ends = now + self.flaws.collateral_lifetime
                validity = (now - _COLLATERAL_AGE, self._collateral_ends)
                self._collateral = make_collateral(self._platform, _QUOTING_ENCLAVE, validity, self.flaws)
                write_atomic(self._folder / "collateral.json", self._collateral.encode())
            return self._collateral

    def verify(self, quote: bytes) -> VerificationResult:
        """The verdict on any quote: one under another root has no valid signature here."""
        if self.flaws.refuses_quotes:
            return VerificationResult.INVALID_SIGNATURE
        try:
            verdict = verify_quote(quote, self.collateral(), self.root_ca.encode(), self._now())
        except QuoteUntrustedError:
            return VerificationResult.INVALID_SIGNATURE
        return VerificationResult.OK if verdict.tcb_status == "UpToDate" else VerificationResult.UNSPECIFIED

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _signature_data(platform: Platform, key: ec.EllipticCurvePrivateKey, signed: bytes) -> bytes:
    """The quote's signature, and the chain from its key by the quoting enclave's report to the PCK and the root."""
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    bound = hashlib.sha256(public + _QE_AUTHENTICATION_DATA).digest()
    report = replace(_QUOTING_ENCLAVE, report_data=bound.ljust(64, b"\0")).to_bytes()
    chain = platform.pck_chain.encode()
    authentication = len(_QE_AUTHENTICATION_DATA).to_bytes(2, "little") + _QE_AUTHENTICATION_DATA
    certification = _PCK_CHAIN_TYPE.to_bytes(2, "little") + len(chain).to_bytes(4, "little") + chain
    by_attestation_key = raw_signature(key, signed) + public
    return by_attestation_key + report + platform.pck.sign(report) + authentication + certification

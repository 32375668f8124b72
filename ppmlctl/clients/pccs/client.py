"""A typed client of one PCCS. It only reads; what it gives is verified by whoever uses it.

Paths and headers: Intel's "SGX and TDX Provisioning Certification Service API", versions 3 and 4, and the README of its
caching service, which adds `rootcacrl`.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote

import httpx

from ppmlctl.clients.https import Address, open_client, receive
from ppmlctl.clients.pccs import faults
from ppmlctl.clients.server_trust import context_of
from ppmlctl.dcap import Collateral, PlatformFamily
from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.effects import Effect, Effects
from ppmlctl.foreign_json import parse_foreign

TIMEOUT = 30.0
"""Seconds for a whole exchange: a lazy PCCS asks Intel first."""
_LARGEST_ANSWER = 1 << 22  # bytes; a platform CA's revocation list may be long
_OK, _NOT_FOUND = 200, 404
_PATH = re.compile(r"/(sgx|tdx)/certification/v[34]/?$")


@dataclass(frozen=True)
class _Answer:
    body: bytes
    headers: httpx.Headers


class PccsClient:
    """Talks to the PCCS at `url`. Its operation raises EngineError (see `faults`)."""

    def __init__(
        self, url: str, effects: Effects, *, ca: Path | None = None, connect_to: tuple[str, int] | None = None
    ) -> None:
        """`connect_to` leads a logical URL to its real address; TLS is still checked against the URL's host name."""
        address = Address.of(_PATH.sub("", url), connect_to)
        if address is None:
            raise InputError(
                Diagnostic("pccs-url-wrong", "the PCCS's URL is no https URL", url, fix="https://HOST:8081")
            )
        self.url = address.way.url
        self._address = address
        self._effects = effects
        self._http = open_client(address, _ssl_context(ca), seconds=TIMEOUT)

    def close(self) -> None:
        """Gives back what the client holds."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def collateral(self, platform: PlatformFamily) -> Collateral:
        """What verifies quotes of a platform; by version 4 of the service, or 3 where it has no 4."""
        with self._effects.operation(Effect.READ, "collateral"):
            for version in (4, 3):
                levels = self._get(f"/{platform.tee}/certification/v{version}/tcb?fmspc={platform.fmspc}")
                if levels is not None:
                    return self._beside(levels, platform, version)
        raise faults.unknown_platform(self.url, platform.fmspc)

    def _beside(self, levels: _Answer, platform: PlatformFamily, version: int) -> Collateral:
        """The collateral, given its TCB levels."""

        def get(path: str) -> _Answer:
            answer = self._get(path)
            if answer is None:
                raise faults.unknown_platform(self.url, platform.fmspc)
            return answer

        return self._assembled(levels, platform, f"certification/v{version}", get)

    def _assembled(
        self, levels: _Answer, platform: PlatformFamily, base: str, get: Callable[[str], _Answer]
    ) -> Collateral:
        identity = get(f"/{platform.tee}/{base}/qe/identity")
        revoked = get(f"/sgx/{base}/pckcrl?ca={platform.ca}&encoding=der")
        root_revoked = get(f"/sgx/{base}/rootcacrl")
        tcb_info, tcb_signature = self._signed(levels, "tcbInfo")
        qe_identity, qe_signature = self._signed(identity, "enclaveIdentity")
        return Collateral(
            pck_crl_issuer_chain=self._chain(revoked, "SGX-PCK-CRL-Issuer-Chain"),
            root_ca_crl=self._list(root_revoked),
            pck_crl=self._list(revoked),
            tcb_info_issuer_chain=self._chain(levels, "TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"),
            tcb_info=tcb_info,
            tcb_info_signature=tcb_signature,
            qe_identity_issuer_chain=self._chain(identity, "SGX-Enclave-Identity-Issuer-Chain"),
            qe_identity=qe_identity,
            qe_identity_signature=qe_signature,
        )

    def _get(self, path: str) -> _Answer | None:
        """The answer, or None for what the service does not have."""
        extensions = dict(self._address.extensions)
        request = self._http.build_request("GET", self._address.place + path, extensions=extensions)
        try:
            answer = receive(self._http, request, largest=_LARGEST_ANSWER, seconds=TIMEOUT)
        except httpx.TransportError as error:
            tls = _tls_cause(error)
            if tls is not None:
                raise faults.untrusted(self._address.way, tls) from None
            raise faults.unreachable(self._address.way, str(error) or type(error).__name__) from None
        if answer.status_code == _NOT_FOUND:
            return None
        if answer.status_code >= 500:  # noqa: PLR2004 - the class of server errors
            raise faults.unreachable(self._address.way, f"HTTP {answer.status_code} for {path.partition('?')[0]}")
        if answer.status_code != _OK:
            raise faults.answer_wrong(self.url, f"HTTP {answer.status_code} for {path.partition('?')[0]}")
        return _Answer(answer.content, answer.headers)

    def _signed(self, answer: _Answer, name: str) -> tuple[str, str]:
        """The document as it was signed, byte for byte, and its signature."""
        try:
            text = answer.body.decode()
            signature = parse_foreign(text)["signature"]
            start = text.index("{", text.index(f'"{name}"'))
            _, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, LookupError, TypeError, RecursionError):
            raise faults.answer_wrong(self.url, f"no signed `{name}`") from None
        if not isinstance(signature, str):
            raise faults.answer_wrong(self.url, f"no signature of `{name}`")
        return text[start:end], signature

    def _chain(self, answer: _Answer, *names: str) -> str:
        for name in names:
            if name in answer.headers:
                return unquote(answer.headers[name])
        raise faults.answer_wrong(self.url, f"no header {names[0]}")

    def _list(self, answer: _Answer) -> str:
        """A revocation list in hexadecimal, however the service writes it: DER, hexadecimal or PEM."""
        if re.fullmatch(rb"[0-9a-fA-F\s]+", answer.body):
            return b"".join(answer.body.split()).decode()
        if not answer.body.startswith(b"-----BEGIN"):
            return answer.body.hex()
        try:
            text = answer.body.decode().replace("X509 CRL", "CERTIFICATE")
            return ssl.PEM_cert_to_DER_cert(text).hex()
        except ValueError:
            raise faults.answer_wrong(self.url, "a revocation list is no PEM") from None


def _ssl_context(ca: Path | None) -> ssl.SSLContext:
    try:
        return context_of(ca)
    except OSError as error:
        title, fix = (
            "the PCCS's CA file holds no certificates that can be read",
            "let pccs.ca (or --pccs-ca) name a PEM file",
        )
        raise InputError(Diagnostic("pccs-ca-unreadable", title, f"{ca}: {error.strerror}", fix=fix)) from error


def _tls_cause(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error

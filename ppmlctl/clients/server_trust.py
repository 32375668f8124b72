"""By what a server's TLS is trusted: the machine's authorities, a CA file, one pinned certificate, or nothing."""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import read_bytes

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ServerTrust:
    """At most one of a CA file, a certificate's SHA-256 fingerprint, and the explicit choice to trust anyone."""

    ca: Path | None = None
    fingerprint: str | None = None
    insecure: bool = False
    service: str = "EHSM"
    """What the server is called in messages."""
    key: str = "kms.ehsm.tls"
    """The section of ppml.yaml that says all this."""

    @property
    def authenticates(self) -> bool:
        """Whether a connection proves whom it leads to."""
        return not self.insecure

    def ssl_context(self) -> ssl.SSLContext:
        """Host names are checked except for a pinned certificate, which is compared itself. Raises InputError."""
        if self.insecure:
            return _unchecked(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        if self.fingerprint is not None:
            return self._pinned(self.fingerprint)
        try:
            return context_of(self.ca)
        except OSError as error:
            title = f"{self.service}'s CA file holds no certificates that can be read"
            found, fix = f"{self.ca}: {error.strerror}", f"let {self.key}.ca name a PEM file"
            raise InputError(Diagnostic("server-ca-unreadable", title, found, fix=fix)) from error

    def _pinned(self, fingerprint: str) -> ssl.SSLContext:
        expected = fingerprint.lower().removeprefix("sha256:").replace(":", "")
        if not _SHA256.fullmatch(expected):
            title, why = f"{self.service}'s fingerprint is no SHA-256", "it has 64 hexadecimal digits"
            fix = "openssl x509 -in CERTIFICATE -noout -fingerprint -sha256"
            raise InputError(Diagnostic("server-fingerprint-wrong", title, fingerprint, why, fix))
        context = _PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.expected = expected
        context.sslobject_class = _PinnedObject
        return _unchecked(context)


def context_of(ca: Path | None) -> ssl.SSLContext:
    """Trusts the certificates in a PEM file, or those of the system. Raises OSError."""
    if ca is None:
        return ssl.create_default_context()
    return ssl.create_default_context(cadata=read_bytes(ca).decode("ascii", errors="ignore"))


def _unchecked(context: ssl.SSLContext) -> ssl.SSLContext:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _PinnedContext(ssl.SSLContext):
    """Ends a connection right after the handshake, before anything is sent, unless the leaf is the expected one."""

    expected: str

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        connection = super().wrap_socket(*args, **kwargs)
        try:
            _compare(connection.getpeercert(binary_form=True), self.expected)
        except ssl.SSLError:
            connection.close()
            raise
        return connection


class _PinnedObject(ssl.SSLObject):
    """The same for TLS within TLS, as through a proxy that speaks it."""

    def do_handshake(self) -> None:
        super().do_handshake()
        _compare(self.getpeercert(binary_form=True), getattr(self.context, "expected", ""))


def _compare(leaf: bytes | None, expected: str) -> None:
    shown = hashlib.sha256(leaf or b"").hexdigest()
    if not hmac.compare_digest(shown, expected):
        raise ssl.SSLCertVerificationError(f"certificate fingerprint is {shown}, expected {expected}")

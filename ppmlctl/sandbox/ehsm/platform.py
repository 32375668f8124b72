"""The made-up SGX platform that the sandbox's quotes come from: its keys, its certificates, kept in one file."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ppmlctl.files import PRIVATE, read_text, write_atomic
from ppmlctl.sandbox.ehsm.issuing import Signer, issue, issue_root, pem
from ppmlctl.sandbox.ehsm.sgx_extension import PlatformTcb

TCB = PlatformTcb(ppid=b"ppmlctl sandbox ", fmspc=b"sandbx", pce_id=bytes(2), components=bytes(16), pce_svn=1)


@dataclass(frozen=True)
class Platform:
    """Who signs what: the root all authorities, the processor CA the PCK, the PCK the QE's report."""

    root: Signer
    processor_ca: Signer
    pck: Signer
    tcb_signing: Signer

    @classmethod
    def make(cls, at: datetime) -> Self:
        """A new platform under a new root."""
        root = issue_root("ppmlctl sandbox SGX Root CA", at)
        # Verifiers tell the kinds of certificates, and of revocation lists, by these names.
        processor_ca = issue(root, "ppmlctl sandbox SGX PCK Processor CA", at, authority_over=0)
        pck = issue(processor_ca, "ppmlctl sandbox SGX PCK Certificate", at, extension=TCB.extension())
        return cls(root, processor_ca, pck, issue(root, "ppmlctl sandbox SGX TCB Signing", at))

    @property
    def pck_chain(self) -> str:
        """PEM from the PCK to the root."""
        return pem(self.pck.certificate, self.processor_ca.certificate, self.root.certificate)

    @classmethod
    def load(cls, text: str) -> Self:
        """The platform that `dump` wrote."""
        return cls(**{name: _signer(**member) for name, member in json.loads(text).items()})

    def dump(self) -> str:
        """All keys and certificates as text."""
        signers: dict[str, Signer] = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps(
            {name: {"key": _key_pem(s.key), "certificate": pem(s.certificate)} for name, s in signers.items()}
        )


def ensure_platform(path: Path, at: datetime) -> Platform:
    """The platform kept in a file of mode 0600, made when there is none. One file, so that a kill leaves no half."""
    if path.exists():
        return Platform.load(read_text(path))
    platform = Platform.make(at)
    write_atomic(path, platform.dump().encode(), mode=PRIVATE)
    return platform


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _signer(key: str, certificate: str) -> Signer:
    loaded = load_pem_private_key(key.encode(), password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise TypeError("the platform's keys are elliptic-curve keys")
    return Signer(loaded, x509.load_pem_x509_certificate(certificate.encode()))

"""The extension in a PCK certificate that says which processor, at which level of fixes, its key belongs to.

Layout: Intel's "SGX PCK Certificate and Certificate Revocation List Profile Specification", 1.3.5. Written by hand, as
the certificate library has no type for it and a dozen tags are all there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

_OID = x509.ObjectIdentifier("1.2.840.113741.1.13.1")
_OID_BYTES = bytes.fromhex("2a864886f84d010d01")
_INTEGER, _OCTETS, _IDENTIFIER, _ENUMERATED, _SEQUENCE = 0x02, 0x04, 0x06, 0x0A, 0x30
_PPID, _TCB, _PCE_ID, _FMSPC, _TYPE = range(1, 6)
_SHORT_FORM = 0x80


@dataclass(frozen=True)
class PlatformTcb:
    """A processor: its family, its identity, and its security version numbers."""

    ppid: bytes
    fmspc: bytes
    pce_id: bytes
    components: bytes
    """16 SVNs of a byte each; also the CPUSVN."""
    pce_svn: int

    def extension(self) -> x509.UnrecognizedExtension:
        """The extension for this processor's PCK certificate."""
        svns = [_member([_TCB, index], _integer(svn)) for index, svn in enumerate((*self.components, self.pce_svn), 1)]
        tcb = _sequence([*svns, _member([_TCB, len(svns) + 1], _der(_OCTETS, self.components))])
        members = [
            _member([_PPID], _der(_OCTETS, self.ppid)),
            _member([_TCB], tcb),
            _member([_PCE_ID], _der(_OCTETS, self.pce_id)),
            _member([_FMSPC], _der(_OCTETS, self.fmspc)),
            _member([_TYPE], _der(_ENUMERATED, b"\0")),
        ]
        return x509.UnrecognizedExtension(_OID, _sequence(members))


def _member(arcs: Sequence[int], value: bytes) -> bytes:
    return _sequence([_der(_IDENTIFIER, _OID_BYTES + bytes(arcs)), value])


def _sequence(members: Sequence[bytes]) -> bytes:
    return _der(_SEQUENCE, b"".join(members))


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    if len(content) < _SHORT_FORM:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, _SHORT_FORM | len(length)]) + length + content

"""SIGSTRUCT, the enclave's certificate: 1808 bytes that say what the enclave measures to and who signed it.

Source: Intel SDM Vol. 3D "Enclave Signature Structure (SIGSTRUCT)" and EINIT; `python/graminelibos/sigstruct.py` of
Gramine. Every number is little-endian, the big ones too. Verifying needs no cryptographic library: the exponent is 3.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, Self

from ppmlctl.sgx.attributes import Attributes
from ppmlctl.sgx.errors import SigstructError
from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.measurement import Measurement
from ppmlctl.sgx.sigstruct_date import decode_date, encode_date

SIGSTRUCT_SIZE = 1808
SIGNED_SIZE = 256
"""Bytes of what the signature covers."""
KEY_BITS = 3072
KEY_BYTES = KEY_BITS // 8
EXPONENT = 3

_HEADER = bytes.fromhex("06000000e10000000000010000000000")
_HEADER2 = bytes.fromhex("01010000600000006000000001000000")
_VENDORS = (0, 0x8086)
_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""RFC 8017 section 9.2, note 1: DER of DigestInfo with SHA-256, up to the digest."""

_MODULUS, _SIGNATURE = slice(128, 512), slice(516, 900)
_Q1, _Q2 = slice(1040, 1424), slice(1424, 1808)
_RESERVED = (slice(44, 128), slice(910, 912), slice(992, 1008), slice(1028, 1040))
_SIGNED = (slice(0, 128), slice(900, 1028))


class Signer(Protocol):
    """Whoever holds the enclave signing key: a key file, or a command that talks to a hardware module."""

    @property
    def modulus(self) -> int:
        """The public key; RSA-3072, its exponent is 3."""

    def sign(self, message: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256 over `message`: 384 bytes, big-endian as RSA libraries give it."""


@dataclass(frozen=True)
class GivenSignature:
    """The `Signer` of a signature that was made elsewhere. Whether it is one, `signed_by` finds out."""

    modulus: int
    signature: bytes

    def sign(self, message: bytes) -> bytes:
        """The same, whatever the message."""
        del message
        return self.signature


@dataclass(frozen=True)
class Sigstruct:
    """One SIGSTRUCT, kept byte for byte, so that a broken one can be read, named and shown too."""

    raw: bytes = field(repr=False)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Takes any 1808 bytes; raises SigstructError for another length. What they mean is checked by `verify`."""
        if len(raw) != SIGSTRUCT_SIZE:
            raise SigstructError("size")
        return cls(bytes(raw))

    @classmethod
    def unsigned(cls, measurement: Measurement, version: GramineVersion, day: date | None = None) -> Self:
        """A SIGSTRUCT as Gramine of this version fills it in, without key and signature. No day is written as zeros."""
        a = measurement.attributes
        raw = bytearray(SIGSTRUCT_SIZE)
        raw[0:16], raw[24:40] = _HEADER, _HEADER2
        raw[20:24] = encode_date(day, bcd=version.has_bcd_date)
        struct.pack_into("<L", raw, 512, EXPONENT)
        struct.pack_into("<LL", raw, 900, a.misc_select, a.misc_mask)
        struct.pack_into("<QQQQ", raw, 928, a.flags, a.xfrm, a.flags_mask, a.xfrm_mask)
        raw[960:992] = bytes.fromhex(measurement.mr_enclave)
        struct.pack_into("<HH", raw, 1024, measurement.isv_prod_id, measurement.isv_svn)
        return cls(bytes(raw))

    @classmethod
    def from_signed_part(cls, part: bytes) -> Self:
        """The SIGSTRUCT that `part` is the signed part of, still without key and signature.

        Nothing is lost in between: what is not signed is constant, or follows from key and signature. Raises
        SigstructError for what is no signed part.
        """
        if len(part) != SIGNED_SIZE:
            raise SigstructError("size")
        raw = bytearray(SIGSTRUCT_SIZE)
        raw[_SIGNED[0]], raw[_SIGNED[1]] = part[:128], part[128:]
        struct.pack_into("<L", raw, 512, EXPONENT)
        unsigned = cls(bytes(raw))
        broken = tuple(unsigned._broken_form())
        if broken:
            raise SigstructError(*broken)
        return unsigned

    def to_bytes(self) -> bytes:
        """The 1808 bytes of a `.sig` file."""
        return self.raw

    @property
    def vendor(self) -> int:
        return self._number(slice(16, 20))

    @property
    def date(self) -> date | None:
        """The day of signing in either encoding, None if it is none. Nothing checks it."""
        return decode_date(self.date_bytes)

    @property
    def date_bytes(self) -> bytes:
        return self.raw[20:24]

    @property
    def modulus(self) -> int:
        return self._number(_MODULUS)

    @property
    def mr_enclave(self) -> str:
        """In hex: the measurement that was signed, whatever a build log says."""
        return self.raw[960:992].hex()

    @property
    def mr_signer(self) -> str:
        """In hex: SHA-256 of the modulus as stored."""
        return hashlib.sha256(self.raw[_MODULUS]).hexdigest()

    @property
    def attributes(self) -> Attributes:
        misc_select, misc_mask = struct.unpack_from("<LL", self.raw, 900)
        flags, xfrm, flags_mask, xfrm_mask = struct.unpack_from("<QQQQ", self.raw, 928)
        return Attributes(flags, xfrm, flags_mask, xfrm_mask, misc_select, misc_mask)

    @property
    def isv_prod_id(self) -> int:
        return self._number(slice(1024, 1026))

    @property
    def isv_svn(self) -> int:
        return self._number(slice(1026, 1028))

    def signed_part(self) -> bytes:
        """The 256 bytes that the signature covers; Q1, Q2, the key and the signature are not among them."""
        return b"".join(self.raw[part] for part in _SIGNED)

    def says_the_same_as(self, other: Sigstruct) -> bool:
        """Whether both state the same of the same enclave; key, signature and the day of signing do not count."""
        ours, theirs = self.signed_part(), other.signed_part()
        return (ours[:20], ours[24:]) == (theirs[:20], theirs[24:])

    def verify(self) -> None:
        """Checks what EINIT checks of the structure itself. Raises SigstructError that names every broken part.

        Q1 and Q2 count: with a wrong one the hardware refuses an enclave whose RSA signature is right.
        """
        broken = tuple(self._broken())
        if broken:
            raise SigstructError(*broken)

    def signed_by(self, signer: Signer) -> Self:
        """The same statement, signed anew: only modulus, signature, Q1 and Q2 change, so the date stays.

        Raises SigstructError if the result does not verify: the signer answered with something else, or the
        statement was broken before.
        """
        signature = int.from_bytes(signer.sign(self.signed_part()), "big")
        if not (signer.modulus.bit_length() == KEY_BITS and signature < signer.modulus):
            raise SigstructError("signature")
        raw = bytearray(self.raw)
        q1, q2 = _quotients(signature, signer.modulus)
        for place, number in ((_MODULUS, signer.modulus), (_SIGNATURE, signature), (_Q1, q1), (_Q2, q2)):
            raw[place] = number.to_bytes(KEY_BYTES, "little")
        signed = type(self)(bytes(raw))
        signed.verify()
        return signed

    def _number(self, place: slice) -> int:
        return int.from_bytes(self.raw[place], "little")

    def _broken(self) -> Iterator[str]:
        yield from self._broken_form()
        yield from self._broken_numbers()

    def _broken_form(self) -> Iterator[str]:
        if self.raw[0:16] != _HEADER:
            yield "header"
        if self.vendor not in _VENDORS:
            yield "vendor"
        if self.raw[24:40] != _HEADER2:
            yield "header2"
        if any(any(self.raw[place]) for place in _RESERVED):
            yield "reserved"
        if self._number(slice(512, 516)) != EXPONENT:
            yield "exponent"

    def _broken_numbers(self) -> Iterator[str]:
        modulus, signature = self.modulus, self._number(_SIGNATURE)
        if modulus.bit_length() != KEY_BITS or signature >= modulus:
            yield from ("signature", "q1", "q2")
            return
        if pow(signature, EXPONENT, modulus) != _encoded_digest(self.signed_part()):
            yield "signature"
        q1, q2 = _quotients(signature, modulus)
        if self._number(_Q1) != q1:
            yield "q1"
        if self._number(_Q2) != q2:
            yield "q2"


def mr_signer_of(modulus: int) -> str:
    """MRSIGNER in hex of whoever holds the RSA-3072 key with this modulus."""
    return hashlib.sha256(modulus.to_bytes(KEY_BYTES, "little")).hexdigest()


def _quotients(signature: int, modulus: int) -> tuple[int, int]:
    """Q1 and Q2, by which EINIT cubes the signature without dividing."""
    square = signature * signature
    return square // modulus, signature * (square % modulus) // modulus


def _encoded_digest(message: bytes) -> int:
    """EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) as a number: there is one right encoding, so numbers are compared."""
    tail = b"\0" + _SHA256_DIGEST_INFO + hashlib.sha256(message).digest()
    return int.from_bytes((b"\0\x01").ljust(KEY_BYTES - len(tail), b"\xff") + tail, "big")

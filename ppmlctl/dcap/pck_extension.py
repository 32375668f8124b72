"""What a PCK certificate says of its platform: family, and level of security fixes.

Layout: Intel's "SGX PCK Certificate and Certificate Revocation List Profile Specification", 1.3.5. Read by hand, as the
certificate library has no type for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ppmlctl.dcap.refusal import QuoteError, Reason

OID = "1.2.840.113741.1.13.1"
COMPONENTS = 16
"""SVNs of a platform beside the PCE's."""
_PREFIX = bytes.fromhex("2a864886f84d010d01")
_TCB, _PCE_ID, _FMSPC = bytes([2]), bytes([3]), bytes([4])
_INTEGER, _OCTETS, _IDENTIFIER, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_SIZE_OF_PCE_ID, _SIZE_OF_FMSPC = 2, 6
_LARGEST_COMPONENT, _LARGEST_PCE_SVN = 0xFF, 0xFFFF
_LONG_FORM = 0x80
_Member = tuple[int, bytes]
"""Tag and content."""


@dataclass(frozen=True)
class PlatformLevel:
    """A processor's family, and how far it has been mended."""

    fmspc: bytes
    pce_id: bytes
    components: tuple[int, ...]
    pce_svn: int


def parse_pck_extension(raw: bytes) -> PlatformLevel:
    """Reads the extension's value; each member once, in any order. Raises QuoteError."""
    members = _by_identifier(_content(_only(raw), _SEQUENCE))
    tcb = _by_identifier(_content(_named(members, _TCB), _SEQUENCE))
    svns = (_named(tcb, _TCB + bytes([index])) for index in range(1, COMPONENTS + 1))
    return PlatformLevel(
        _octets(_named(members, _FMSPC), _SIZE_OF_FMSPC),
        _octets(_named(members, _PCE_ID), _SIZE_OF_PCE_ID),
        tuple(_number(svn, _LARGEST_COMPONENT) for svn in svns),
        _number(_named(tcb, _TCB + bytes([COMPONENTS + 1])), _LARGEST_PCE_SVN),
    )


def _by_identifier(raw: bytes) -> dict[bytes, _Member]:
    found: dict[bytes, _Member] = {}
    for pair in _members(raw):
        match list(_members(_content(pair, _SEQUENCE))):
            case [(tag, identifier), value] if tag == _IDENTIFIER and identifier not in found:
                found[identifier] = value
            case _:
                raise _wrong("a member is no pair of an identifier of its own and a value")
    return found


def _named(members: dict[bytes, _Member], arcs: bytes) -> _Member:
    found = members.get(_PREFIX + arcs)
    if found is None:
        raise _wrong(f"{OID}.{'.'.join(map(str, arcs))} is missing")
    return found


def _octets(member: _Member, size: int) -> bytes:
    content = _content(member, _OCTETS)
    if len(content) != size:
        raise _wrong(f"a member has {len(content)} bytes, not {size}")
    return content


def _number(member: _Member, largest: int) -> int:
    value = int.from_bytes(_content(member, _INTEGER), "big", signed=True)
    if not 0 <= value <= largest:
        raise _wrong(f"a security version is {value}, not from 0 to {largest}")
    return value


def _only(raw: bytes) -> _Member:
    found = list(_members(raw))
    if len(found) != 1:
        raise _wrong("it is not one sequence")
    return found[0]


def _content(member: _Member, tag: int) -> bytes:
    if member[0] != tag:
        raise _wrong(f"tag {member[0]:#x} stands where {tag:#x} belongs")
    return member[1]


def _members(raw: bytes) -> Iterator[_Member]:
    """DER elements one after the other, which fill the bytes."""
    place = 0
    while place < len(raw):
        head = raw[place : place + 2]
        if len(head) != len(b"TL"):
            raise _wrong("it ends early")
        tag, length = head
        place += len(head)
        if length >= _LONG_FORM:
            size = length - _LONG_FORM
            length = int.from_bytes(raw[place : place + size], "big")
            place += size
        if place + length > len(raw):
            raise _wrong("it ends early")
        yield tag, raw[place : place + length]
        place += length


def _wrong(words: str) -> QuoteError:
    return QuoteError(f"the PCK certificate does not say which platform it is of: {words}", Reason.CERTIFICATE_WRONG)

"""The two encodings of SIGSTRUCT's DATE, of which CPUs take no notice.

BCD, as the SDM has it and Gramine from v1.5 on writes it: day, month, year (2 bytes), each digit a nibble. Plain, as
Gramine up to v1.4 (and so BigDL) writes it: the year as a 16-bit number, then month and day as bytes.
"""

from __future__ import annotations

import struct
from datetime import date

_FIRST_YEAR = 1980
"""SGX is younger, but reproducible builds like the first day that ZIP archives and FAT know."""


def encode_date(day: date | None, *, bcd: bool) -> bytes:
    """Four bytes; zeros for no date."""
    if day is None:
        return bytes(4)
    if bcd:
        return bytes.fromhex(day.strftime("%Y%m%d").rjust(8, "0"))[::-1]
    return struct.pack("<HBB", day.year, day.month, day.day)


def decode_date(raw: bytes) -> date | None:
    """The date in four bytes of either encoding, None if it is none.

    No date can be taken for another: a plain one read as BCD would be of the year 1912 at most.
    """
    digits = raw[::-1].hex()
    if digits.isdecimal() and int(digits[:4]) >= _FIRST_YEAR:
        return _date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    return _date(*struct.unpack("<HBB", raw))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None

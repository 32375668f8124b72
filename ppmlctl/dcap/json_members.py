"""Members of a signed document of collateral, each of the type that Intel's service gives it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ppmlctl.dcap.refusal import QuoteUntrustedError, Reason
from ppmlctl.dcap.tcb_status import TcbState, TcbStatus


class JsonMembers:
    """One object of the document. Everything raises QuoteUntrustedError where it is not as wanted."""

    def __init__(self, what: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise _malformed(f"{what} is no object")
        self._what, self._members = what, value

    @classmethod
    def parse(cls, what: str, text: str) -> JsonMembers:
        """Reads a whole document."""
        try:
            return cls(what, json.loads(text))
        except (ValueError, RecursionError):
            raise _malformed(f"{what} cannot be read") from None

    def text(self, name: str) -> str:
        """A text."""
        value = self._members.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def number(self, name: str, largest: int) -> int:
        """A number from 0 on."""
        value = self._members.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= largest:
            raise self._wrong(name, f"a number from 0 to {largest}")
        return value

    def octets(self, name: str, size: int) -> bytes:
        """That many bytes, in hexadecimal."""
        try:
            value = bytes.fromhex(self.text(name))
        except ValueError:
            value = b""
        if len(value) != size:
            raise self._wrong(name, f"{size} bytes in hexadecimal")
        return value

    def member(self, name: str) -> JsonMembers:
        """An object."""
        return JsonMembers(f"`{name}` of {self._what}", self._members.get(name))

    def members(self, name: str) -> Iterator[JsonMembers]:
        """A list of objects."""
        for value in self._list(name):
            yield JsonMembers(f"a member of `{name}` of {self._what}", value)

    def state(self) -> TcbState:
        """A level's status and advisories; no advisories where it names none."""
        status = self.text("tcbStatus")
        if status not in list(TcbStatus):
            raise self._wrong("tcbStatus", "a status that is known here")
        advisories = self._list("advisoryIDs") if "advisoryIDs" in self._members else []
        if not all(isinstance(one, str) for one in advisories):
            raise self._wrong("advisoryIDs", "a list of texts")
        return TcbState(TcbStatus(status), tuple(advisories))

    def _list(self, name: str) -> list[Any]:
        value = self._members.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def _wrong(self, name: str, wanted: str) -> QuoteUntrustedError:
        return _malformed(f"`{name}` of {self._what} is not {wanted}")


def _malformed(words: str) -> QuoteUntrustedError:
    return QuoteUntrustedError(f"the collateral cannot be read: {words}", Reason.COLLATERAL_MALFORMED)

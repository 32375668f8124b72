"""Addresses to listen on, as the user writes them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from ppmlctl.diagnostics import Diagnostic, InputError

LOOPBACK = "127.0.0.1"
_HIGHEST_PORT = 65535
_WRITTEN = re.compile(r"\[(?P<six>[^]]+)\](?::(?P<port6>\d+))?|(?P<four>[^:]+)(?::(?P<port4>\d+))?|(?P<bare>[^]]*)")


@dataclass(frozen=True)
class Address:
    """An IP address and a port; port 0 is any free one."""

    host: str
    port: int = 0

    @property
    def authority(self) -> str:
        """Host and port as a URL writes them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """`192.0.2.1`, `192.0.2.1:9000`, `::1` or `[::1]:9000`. Raises InputError.

    The address must be one that clients can use: 0.0.0.0 cannot stand in a certificate or a URL.
    """
    match = _WRITTEN.fullmatch(text)
    host = match and (match["six"] or match["four"] or match["bare"])
    port = int((match and (match["port6"] or match["port4"])) or 0)
    try:
        parsed = ipaddress.ip_address(host or "")
    except ValueError:
        raise _wrong(text, "not an IP address, with or without a port") from None
    if parsed.is_unspecified:
        raise _wrong(text, "every address at once, which no certificate can name")
    if port > _HIGHEST_PORT:
        raise _wrong(text, f"the port is above {_HIGHEST_PORT}")
    return Address(str(parsed), port)


def _wrong(text: str, why: str) -> InputError:
    fix = "give the address at which clients reach this machine, such as 172.17.0.1 or 172.17.0.1:9000"
    return InputError(
        Diagnostic("listen-address", "the address to listen on cannot be used", found=text, why=why, fix=fix)
    )

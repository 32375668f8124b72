"""What several modules have in force by the same arguments, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

VERIFIED_SERVER = "the server's certificate is verified"


def of_server(inputs: Mapping[str, Any]) -> frozenset[str]:
    """Of a server that is reached by TLS."""
    return frozenset() if inputs.get("insecure") is True else frozenset({VERIFIED_SERVER})


def of_enclave(inputs: Mapping[str, Any]) -> Iterator[str]:
    """Of an enclave that is measured or looked at: what refuses it."""
    if inputs.get("measure") != "trust":
        yield "its measurement is computed from its files"
    if inputs.get("debug") != "allow":
        yield "debug is forbidden"
    findings = inputs.get("findings")
    for name, verdict in (findings if isinstance(findings, Mapping) else {}).items():
        if verdict == "error":
            yield f"finding `{name}` refuses it"

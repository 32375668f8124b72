"""BigDL's Remote Attestation Service over HTTPS: the typed client and its faults."""

from ppmlctl.clients.attestation.client import AttestationClient
from ppmlctl.clients.attestation.faults import (
    NOTHING_DONE,
    UNKNOWN_POLICY,
    AttestationRefusedError,
    AttestationUntrustedError,
)
from ppmlctl.clients.server_trust import ServerTrust

__all__ = [
    "NOTHING_DONE",
    "UNKNOWN_POLICY",
    "AttestationClient",
    "AttestationRefusedError",
    "AttestationUntrustedError",
    "ServerTrust",
]

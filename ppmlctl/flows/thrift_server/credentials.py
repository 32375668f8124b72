"""The credential file by which the server has its keystore's password."""

from __future__ import annotations

from ppmlctl.flows.thrift_server.pod import PASSWORD_ALIAS
from ppmlctl.secret import Secret


def keystore_credentials(password: str) -> bytes:
    """The file; the same password gives the same bytes."""
    from ppmlctl.keystore.credential_store import write_credentials  # noqa: PLC0415 - only servers with TLS need it

    return write_credentials({PASSWORD_ALIAS: Secret(password)})

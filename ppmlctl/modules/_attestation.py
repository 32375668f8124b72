"""What the modules about the attestation service share: how it is named in arguments, and the account that asks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ppmlctl.modules._ehsm import is_known
from ppmlctl.modules.base import ModuleArgs
from ppmlctl.modules.context import AttestationServer, Context
from ppmlctl.secret import Secret

if TYPE_CHECKING:
    from ppmlctl.attestation import Account
    from ppmlctl.clients.attestation import AttestationClient


def service_of(inputs: Mapping[str, Any]) -> object:
    """The URL of the service in recorded or wanted inputs; how it is trusted does not make it another one."""
    server = inputs.get("server")
    return server.get("url") if isinstance(server, Mapping) else server


class AttestationServerArgs(ModuleArgs):
    """One attestation service, and by what its TLS is trusted."""

    url: str
    ca: str | None = None
    fingerprint: str | None = None
    insecure: bool = False

    def client(self, ctx: Context) -> AttestationClient:
        """The client of this server, shared by all tasks."""
        return ctx.engines.attestation(AttestationServer(self.url, self.ca, self.fingerprint, self.insecure))


class AttestationAccountArgs(ModuleArgs):
    """An account of a service. Modules that use one add their own arguments."""

    server: AttestationServerArgs
    app_id: str
    api_key: Secret

    def account(self) -> Account:
        """Who asks."""
        from ppmlctl.attestation import Account  # noqa: PLC0415 - not every plan needs it

        return Account(self.app_id, self.api_key)

    def can_ask(self) -> bool:
        """Whether server and account are known already, and the vault is open."""
        return is_known(self.server, self.app_id, self.api_key) and self.api_key.is_available()

"""What the modules about EHSM share: how its server is named in arguments, and the account that asks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import EngineError, InputError
from ppmlctl.modules.base import ModuleArgs
from ppmlctl.modules.context import Context, EhsmServer
from ppmlctl.planning import Observed
from ppmlctl.secret import Secret
from ppmlctl.unknown import unknowns_in

if TYPE_CHECKING:
    from ppmlctl.clients.ehsm import EhsmClient
    from ppmlctl.ehsm import Account


class ServerArgs(ModuleArgs):
    """One EHSM server, and by what its TLS is trusted."""

    url: str
    ca: str | None = None
    fingerprint: str | None = None
    insecure: bool = False

    def client(self, ctx: Context) -> EhsmClient:
        """The client of this server, shared by all tasks."""
        return ctx.engines.ehsm(EhsmServer(self.url, self.ca, self.fingerprint, self.insecure))


class AccountArgs(ModuleArgs):
    """An account of a server. Modules that use one add their own arguments."""

    server: ServerArgs
    appid: str
    apikey: Secret

    def account(self) -> Account:
        """Whom requests are signed as."""
        from ppmlctl.ehsm import Account  # noqa: PLC0415 - loads pydantic models that not every plan needs

        return Account(appid=self.appid, apikey=self.apikey)

    def can_ask(self) -> bool:
        """Whether server and account are known already, and the vault is open."""
        return is_known(self.server, self.appid, self.apikey) and self.apikey.is_available()


def is_known(*values: Any) -> bool:
    """Whether no argument among these waits for a task."""
    members = [vars(value) if isinstance(value, ModuleArgs) else value for value in values]
    return not any(True for _ in unknowns_in(members))


def seen(look: Callable[[], Observed]) -> Observed:
    """What `look` finds. Its fault is kept for `refuse_unseen`.

    A plan looks at the server as it was recorded; where its address or certificate has become another one since, that
    this one no longer answers is no fault.
    """
    try:
        return look()
    except (EngineError, InputError) as error:
        return Observed(detail=error)


def refuse_unseen(observed: Observed) -> None:
    """Raises the fault that kept the wanted server from being looked at."""
    if isinstance(observed.detail, EngineError | InputError):
        raise observed.detail

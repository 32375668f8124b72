"""Why EHSM refused the pods of a run: their client is told no reason, so EHSM is asked here, as the same account."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ppmlctl.diagnostics import EngineError, InputError
from ppmlctl.modules._ehsm import AccountArgs
from ppmlctl.modules.context import Context
from ppmlctl.runs.refusal import Refusal

_COMPARE = "ppmlctl plan compares the Secret with the vault; on the pod's node: date -u"


@dataclass(frozen=True)
class AttestingAccount:
    """What the pods attest with as this machine knows it, and the Secret that they have it from."""

    args: AccountArgs
    policy_id: str | None
    secret: str

    def refusal(self, ctx: Context) -> Refusal:
        """Reads at EHSM with the account, and changes nothing there. Whatever goes wrong is part of the answer."""
        from ppmlctl.clients.ehsm import EhsmRefusedError  # noqa: PLC0415 - few runs need the client

        if not self.args.can_ask():
            return Refusal("EHSM was not asked why: the vault is locked")
        try:
            has_policy = self._has_policy(ctx)
        except (EngineError, InputError) as error:
            first = error.diagnostics[0]
            if isinstance(error, EhsmRefusedError) and error.is_unknown_account:
                return Refusal(f"{self._asked} does not know the account {self.args.appid}", first.fix)
            if isinstance(error, EhsmRefusedError) and error.is_wrong_key:
                return Refusal(f"{self._asked} knows the account {self.args.appid} with another apikey", first.fix)
            return Refusal(f"EHSM could not be asked why: {first.found}")
        if not has_policy:
            said = f"{self._asked} takes the account {self.args.appid}, which has no policy {self.policy_id}"
            return Refusal(said, "upload the policy again:\nppmlctl apply")
        policy = f" and has its policy {self.policy_id}" if self.policy_id else ""
        said = f"{self._asked} takes the account {self.args.appid}{policy}: the pods have other values from Secret "
        return Refusal(f"{said}{self.secret}, or their node's clock is 10 minutes off", _COMPARE)

    def _has_policy(self, ctx: Context) -> bool:
        client, account = self.args.server.client(ctx), self.args.account()
        if self.policy_id is None:
            client.generate_quote(account, secrets.token_bytes(32))
            return True
        return client.get_quote_policy(account, self.policy_id) is not None

    @property
    def _asked(self) -> str:
        return f"EHSM, asked from here at {self.args.server.url},"

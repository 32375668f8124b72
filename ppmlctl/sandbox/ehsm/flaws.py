"""What can be wrong with the made-up platform, for those who try whether it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Flaws:
    """The defaults are a platform without any. Only who calls `make_app` can choose others."""

    tcb_status: str = "UpToDate"
    """What Intel would say of the platform's level of fixes."""
    advisories: tuple[str, ...] = ()
    debug: bool = False
    """The EHSM enclave is one that a debugger can read."""
    mr_enclave: bytes | None = None
    """Another enclave than every sandbox's EHSM."""
    binds_challenge: bool = False
    """The quote's report data holds the challenge, which today's EHSM does not do: no flaw, but no default either."""
    replayed: bool = False
    """With `binds_challenge`: whatever the challenge is, the quote holds an earlier one."""
    collateral_lifetime: timedelta = timedelta(days=30)
    pck_revoked: bool = False
    """The platform's certificate is on the revocation list."""
    qe_identity_wrong: bool = False
    """The collateral knows another quoting enclave."""
    ignores_policies: bool = False
    """VerifyQuote passes what a policy does not."""
    refuses_quotes: bool = False
    """VerifyQuote finds every signature wrong."""
    pccs_lost: bool = False
    """VerifyQuote fails, as where EHSM gets no collateral."""

"""An account of the attestation service."""

from __future__ import annotations

from dataclasses import dataclass

from ppmlctl.secret import Secret


@dataclass(frozen=True)
class Account:
    """Who registers policies and has quotes judged."""

    app_id: str
    api_key: Secret

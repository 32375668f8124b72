"""What is remembered: the lockfile, the vault, and who may write them."""

from ppmlctl.state.apply_lock import apply_lock, locked
from ppmlctl.state.lock_store import LockStore
from ppmlctl.state.lockfile import Lockfile
from ppmlctl.state.vault import Vault

__all__ = ["LockStore", "Lockfile", "Vault", "apply_lock", "locked"]

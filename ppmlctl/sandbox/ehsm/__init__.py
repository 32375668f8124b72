"""An EHSM server for machines without one: the real protocol, and quotes of a made-up enclave under its own root."""

from ppmlctl.sandbox.ehsm.app import make_app
from ppmlctl.sandbox.ehsm.flaws import Flaws
from ppmlctl.sandbox.ehsm.quoting import ehsm_identity

__all__ = ["Flaws", "ehsm_identity", "make_app"]

"""A PCCS over HTTPS: Intel's collateral for quotes, from a cache near the platforms."""

from ppmlctl.clients.pccs.client import PccsClient

__all__ = ["PccsClient"]

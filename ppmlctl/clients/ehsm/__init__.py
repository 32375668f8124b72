"""EHSM over HTTPS: the typed client, what its TLS is trusted by, and its faults."""

from ppmlctl.clients.ehsm.client import EhsmClient
from ppmlctl.clients.ehsm.faults import NOTHING_DONE, EhsmRefusedError
from ppmlctl.clients.ehsm.freshness import Freshness
from ppmlctl.clients.server_trust import ServerTrust

__all__ = ["NOTHING_DONE", "EhsmClient", "EhsmRefusedError", "Freshness", "ServerTrust"]

"""A BigDL Remote Attestation Service for machines without one. It judges quotes of the sandbox's own platform only."""

from ppmlctl.sandbox.attestation.app import beside_ehsm, make_app

__all__ = ["beside_ehsm", "make_app"]

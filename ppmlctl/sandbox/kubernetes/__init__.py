"""An embedded Kubernetes API: the calls that ppmlctl and kubectl make, with their rules; it runs no container."""

from ppmlctl.sandbox.kubernetes.application import make_app

__all__ = ["make_app"]

"""The embedded EHSM and Kubernetes API: one local process per state folder. Importing this loads no server."""

from ppmlctl.sandbox.process import Sandbox, SandboxStatus, down, environment, status, up

__all__ = ["Sandbox", "SandboxStatus", "down", "environment", "status", "up"]

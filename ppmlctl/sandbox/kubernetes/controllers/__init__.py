"""The few controllers that a sandbox needs: each looks at one object and makes the world follow it.

A controller is level-triggered: it may be called again for the same object at any time, also after a restart, and then
does only what is still missing.
"""

from ppmlctl.sandbox.kubernetes.controllers.loop import Controllers

__all__ = ["Controllers"]

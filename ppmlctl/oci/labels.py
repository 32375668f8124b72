"""What ppmlctl writes on the images it makes.

A layout carries them as annotations of its index, outside the image, so that two environments that make the same image
get the same digest. A Docker image has no place but its configuration.
"""

from __future__ import annotations

ENVIRONMENT = "dev.ppmlctl.environment"
"""The identity of the environment that owns the image."""

TASK = "dev.ppmlctl.task"
"""The task that made it."""

INPUTS = "dev.ppmlctl.inputs"
"""A digest of all that it was made from."""

"""The Docker engine: images pulled, built, listed, read and removed through the Engine API."""

from ppmlctl.clients.docker.client import DockerClient
from ppmlctl.clients.docker.context import Build, Proxy, build_context, context_digest, generated_context
from ppmlctl.clients.docker.image import DockerImage, familiar

__all__ = [
    "Build",
    "DockerClient",
    "DockerImage",
    "Proxy",
    "build_context",
    "context_digest",
    "familiar",
    "generated_context",
]

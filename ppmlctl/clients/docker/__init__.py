"""The Docker engine: images pulled, built, listed, read and removed through the Engine API."""

from ppmlctl.clients.docker.archive import Listing
from ppmlctl.clients.docker.buildkit import first_need
from ppmlctl.clients.docker.client import DockerClient
from ppmlctl.clients.docker.containers import Bind, Containers, ContainerSpec, DockerContainer
from ppmlctl.clients.docker.context import Build, build_context, context_digest, generated_context, sent_dockerfile
from ppmlctl.clients.docker.credentials import Credentials
from ppmlctl.clients.docker.image import DockerImage, familiar
from ppmlctl.clients.docker.proxy import Proxy

__all__ = [
    "Bind",
    "Build",
    "ContainerSpec",
    "Containers",
    "Credentials",
    "DockerClient",
    "DockerContainer",
    "DockerImage",
    "Listing",
    "Proxy",
    "build_context",
    "context_digest",
    "familiar",
    "first_need",
    "generated_context",
    "sent_dockerfile",
]

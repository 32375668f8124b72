"""`docker:` the engine that pulls, builds and runs images."""

from __future__ import annotations

from pydantic import Field

from ppmlctl.spec.names import HttpUrl
from ppmlctl.spec.section import Section


class Proxy(Section):
    """`docker.proxy`"""

    http: HttpUrl | None = Field(None, description="Proxy for http URLs during builds.")
    https: HttpUrl | None = Field(None, description="Proxy for https URLs during builds.")
    no_proxy: tuple[str, ...] = Field((), description="Hosts, domains and networks that are reached directly.")


class Docker(Section):
    """`docker`"""

    host: str | None = Field(
        None, description="The engine's address. Default: DOCKER_HOST, or Docker's current context.", min_length=1
    )
    proxy: Proxy | None = Field(None, description="Proxies that builds get as build arguments.")

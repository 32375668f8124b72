"""`docker:` the engine that pulls, builds and runs images."""

from __future__ import annotations

from pydantic import Field

from ppmlctl.spec.names import HttpUrl, RegistryName
from ppmlctl.spec.secret_source import SecretSource
from ppmlctl.spec.section import Section


class Login(Section):
    """`docker.registries.HOST` and `docker.proxy.login`"""

    username: str = Field(description="The user, or what the server wants in its place for a token.", min_length=1)
    password: SecretSource = Field(description="Where the password or token is. It reaches no image and no lockfile.")


class Proxy(Section):
    """`docker.proxy`"""

    http: HttpUrl | None = Field(None, description="Proxy for http URLs during builds.")
    https: HttpUrl | None = Field(None, description="Proxy for https URLs during builds.")
    no_proxy: tuple[str, ...] = Field((), description="Hosts, domains and networks that are reached directly.")
    login: Login | None = Field(None, description="Who asks, where the proxies want to know.")


class Docker(Section):
    """`docker`"""

    host: str | None = Field(
        None, description="The engine's address. Default: DOCKER_HOST, or Docker's current context.", min_length=1
    )
    proxy: Proxy | None = Field(None, description="Proxies that builds get as build arguments.")
    registries: dict[RegistryName, Login] = Field(
        {}, description="Who pulls and pushes, by registry (`docker.io`, `host:port`). Others: Docker's configuration."
    )

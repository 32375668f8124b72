"""Who one is at registries: as given, else as Docker's own configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import docker
from docker.auth import INDEX_URL, AuthConfig, resolve_repository_name

from ppmlctl.secret import MASK, Secret

DOCKER_HUB = "docker.io"


@dataclass(frozen=True)
class Credentials:
    """A user at one registry. A password may be a token."""

    username: str
    password: Secret


class Registries:
    """Credentials by registry, named as in references: `registry.example.com:5000`, `docker.io`.

    What is not given is looked up by docker-py, in auths, credHelpers and credsStore of Docker's configuration.
    """

    def __init__(self, given: Mapping[str, Credentials]) -> None:
        self._given = dict(given)
        self._sent: set[str] = set()

    def login_of(self, reference: str) -> dict[str, str] | None:
        """What docker-py takes as `auth_config`; None leaves it to Docker's configuration.

        Raises SecretLockedError while the password cannot be had.
        """
        registry, _ = resolve_repository_name(reference)
        found = self._given.get(registry)
        if found is None:
            return None
        password = found.password.reveal_text()
        self._sent.add(password)
        return {"username": found.username, "password": password, "serveraddress": registry}

    def prepare_build(self, api: docker.APIClient) -> None:
        """Lets the engine pull what a Dockerfile builds on: a build is sent all credentials that `api` knows."""
        for registry in self._given:
            login = self.login_of(f"{registry}/any")
            # docker-py offers no public way but login(), which asks the registry at once.
            known: AuthConfig = api._auth_configs  # type: ignore[attr-defined] # noqa: SLF001
            known.add_auth(INDEX_URL if registry == DOCKER_HUB else registry, login)

    def masked(self, text: str) -> str:
        """`text` without any password that was sent."""
        for password in self._sent:
            text = text.replace(password, MASK)
        return text

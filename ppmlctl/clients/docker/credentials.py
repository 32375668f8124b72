"""Who one is at registries: as given, else as Docker's own configuration says."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

import docker
from docker.auth import INDEX_URL, AuthConfig, resolve_repository_name
from docker.credentials.errors import StoreError
from docker.errors import DockerException

from ppmlctl.secret import MASK, Secret

DOCKER_HUB = "docker.io"
_CONFIG = "Docker's config.json"


@dataclass(frozen=True)
class Credentials:
    """A user at one registry. A password may be a token."""

    username: str
    password: Secret


@dataclass(frozen=True)
class Login:
    """Empty `auth` goes as nobody. `given`: ppml.yaml names it. `missing`: why Docker's configuration gives none."""

    auth: dict[str, str] = field(default_factory=dict, repr=False)
    given: bool = False
    missing: str = ""


class Registries:
    """Credentials by registry, named as in references: `registry.example.com:5000`, `docker.io`.

    What is not given is looked up by docker-py, in auths, credHelpers and credsStore of Docker's configuration.
    """

    def __init__(self, given: Mapping[str, Credentials]) -> None:
        self._given = dict(given)
        self._sent: set[str] = set()

    def login_of(self, api: docker.APIClient, reference: str) -> Login:
        """What docker-py takes as `auth_config`. Nobody is asked twice, and a public image needs nobody.

        Raises SecretLockedError while a password that ppml.yaml names cannot be had.
        """
        registry, _ = resolve_repository_name(reference)
        if registry not in self._given:
            return _configured(api, registry)
        return Login(self._given_login(registry), given=True)

    def _given_login(self, registry: str) -> dict[str, str]:
        found = self._given[registry]
        password = found.password.reveal_text()
        self._sent.add(password)
        return {"username": found.username, "password": password, "serveraddress": registry}

    def prepare_build(self, api: docker.APIClient) -> None:
        """Lets the engine pull what a Dockerfile builds on: a build is sent all credentials that `api` knows."""
        self.sent_for_builds(api)
        for registry in self._given:
            login = self._given_login(registry)
            _known(api).add_auth(INDEX_URL if registry == DOCKER_HUB else registry, login)

    def masked(self, text: str) -> str:
        """`text` without any password that was sent."""
        for password in self._sent:
            text = text.replace(password, MASK)
        return text

    @staticmethod
    def sent_for_builds(api: docker.APIClient) -> None:
        """Takes out of what a build is sent each helper that is not there: a public base needs none."""
        known = _known(api)
        if known.creds_store and not _is_installed(known.creds_store):
            known.pop("credsStore", None)
        for registry, helper in list(known.cred_helpers.items()):
            if not _is_installed(helper):
                del known.cred_helpers[registry]


def _configured(api: docker.APIClient, registry: str) -> Login:
    """As Docker's own config.json says: as docker does, without a login where it cannot be had."""
    known = _known(api)
    helper = known.get_credential_store(registry)
    about = f"{_CONFIG} names docker-credential-{helper} for {registry}" if helper else f"{_CONFIG} names {registry}"
    if helper and not _is_installed(helper):
        return Login(missing=f"{about}, which is not installed")
    try:
        found = known.resolve_authconfig(registry)
    except (DockerException, StoreError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return Login(missing=f"{about}, which gives no login")
    # What was read of the file has no login for the registry; what was not read may have one.
    return Login(dict(found or {}), missing="" if found else getattr(api, "configuration_fault", ""))


def _known(api: docker.APIClient) -> AuthConfig:
    # docker-py offers no public way but login(), which asks the registry at once.
    known: AuthConfig = api._auth_configs  # type: ignore[attr-defined] # noqa: SLF001
    return known


def _is_installed(helper: object) -> bool:
    return isinstance(helper, str) and shutil.which(f"docker-credential-{helper}") is not None

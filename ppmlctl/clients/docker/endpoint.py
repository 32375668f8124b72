"""Where the Docker engine is: as given, else by DOCKER_HOST, else by Docker's context, each with its TLS.

Source: docker/cli, `cli/command/cli.go` (who wins) and `cli/context/docker/load.go` (TLS of a context).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docker.errors import DockerException
from docker.tls import TLSConfig
from docker.utils import kwargs_from_env

from ppmlctl.clients.docker import faults
from ppmlctl.clients.docker.configuration import Configuration
from ppmlctl.clients.proxies import Way, proxy_of
from ppmlctl.files import read_bytes
from ppmlctl.foreign_json import parse_foreign

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_DEFAULT_CONTEXT = "default"


@dataclass(frozen=True)
class Endpoint:
    """An engine, who named it, and by what it is trusted; `tls` is None where nothing is spoken of TLS."""

    host: str
    source: str
    tls: TLSConfig | None = None

    def way(self, environment: Mapping[str, str]) -> Way:
        """How it is reached. docker asks for proxies over TCP, as for HTTP or, with TLS, HTTPS."""
        scheme, _, place = self.host.partition("://")
        spoken = {"tcp": "https" if self.tls else "http"}.get(scheme, scheme)
        return Way(self.host, proxy_of(f"{spoken}://{place}", environment))


def endpoint_of(given: str | None, environment: Mapping[str, str], configuration: Configuration) -> Endpoint:
    """The engine that is meant. Raises EngineError where what names it is not usable."""
    host = given or environment.get("DOCKER_HOST")
    if host:
        found = _by_environment(host, "docker.host in ppml.yaml" if given else "DOCKER_HOST", environment)
    else:
        found = _by_context(environment, configuration)
    if found.host.startswith("ssh://") and find_spec("paramiko") is None:
        raise faults.ssh_missing(found.host, found.source)
    return found


def _by_environment(host: str, source: str, environment: Mapping[str, str]) -> Endpoint:
    try:
        options: Mapping[str, Any] = kwargs_from_env(environment={**environment, "DOCKER_HOST": host})
    except (DockerException, OSError, ValueError) as error:
        fix = "let DOCKER_CERT_PATH name a folder with ca.pem, cert.pem and key.pem, or unset it and DOCKER_TLS_VERIFY"
        raise faults.configuration_invalid(f"{host} (from {source}): {error}", fix) from None
    return Endpoint(host, source, options.get("tls"))


def _by_context(environment: Mapping[str, str], configuration: Configuration) -> Endpoint:
    name = environment.get("DOCKER_CONTEXT") or configuration.current_context or _DEFAULT_CONTEXT
    if name == _DEFAULT_CONTEXT:
        return Endpoint(_DEFAULT_HOST, f"Docker's context {name!r}")
    named_by = "DOCKER_CONTEXT" if environment.get("DOCKER_CONTEXT") else str(configuration.folder / "config.json")
    identity = hashlib.sha256(name.encode()).hexdigest()
    file = configuration.folder / "contexts" / "meta" / identity / "meta.json"
    try:
        endpoint = parse_foreign(read_bytes(file))["Endpoints"]["docker"]
        host, skips = f"{endpoint.get('Host') or _DEFAULT_HOST}", bool(endpoint.get("SkipTLSVerify"))
        tls = _tls(configuration.folder / "contexts" / "tls" / identity / "docker", verify=not skips)
    except FileNotFoundError:
        fix = "docker context ls"
        raise faults.configuration_invalid(f"there is no Docker context {name!r} (from {named_by})", fix) from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, DockerException) as error:
        found = f"Docker's context {name!r} (from {named_by}): {error or type(error).__name__}"
        raise faults.configuration_invalid(found, f"docker context inspect {name}") from None
    return Endpoint(host, f"Docker's context {name!r}", tls)


def _tls(folder: Path, *, verify: bool) -> TLSConfig | None:
    """From what the context has of ca.pem, cert.pem and key.pem; None where it has nothing and verifies."""
    there = {name: str(folder / name) for name in ("ca.pem", "cert.pem", "key.pem") if (folder / name).exists()}
    if not there and verify:
        return None
    pair = (there.get("cert.pem", ""), there.get("key.pem", ""))
    return TLSConfig(client_cert=pair if any(pair) else None, ca_cert=there.get("ca.pem"), verify=verify)

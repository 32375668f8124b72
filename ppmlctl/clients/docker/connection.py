"""Finding the Docker engine and speaking to it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import docker
from docker.auth import AuthConfig
from docker.errors import APIError, DockerException
from requests.exceptions import ReadTimeout, RequestException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from ppmlctl.clients.docker import faults
from ppmlctl.clients.docker.configuration import Configuration, load
from ppmlctl.clients.docker.endpoint import Endpoint, endpoint_of
from ppmlctl.clients.proxies import Way
from ppmlctl.clients.watched import Watch, watch_answer, watch_connections

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
WHOLE_SECONDS = 120.0
"""For a whole answer, but those that are followed while they grow: builds, pulls, pushes, logs, archives."""
SILENT_SECONDS = 1800.0
"""Without a byte, for those: a step of a build may compile that long without a word."""
_CONNECT_SECONDS = 60.0
_LARGEST_ANSWER = 1 << 25
_PIECE = 1 << 16


class Connection:
    """One engine: the one given, else that of DOCKER_HOST, else that of Docker's current context.

    Opened at the first request. Safe for threads.
    """

    def __init__(self, host: str | None, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        self._given = host
        self._lock = threading.Lock()
        self._api: docker.APIClient | None = None
        self._way = Way("")
        self.unverified_host: str | None = None
        """The engine that was opened, where nothing says that it is the one that is meant."""

    @contextmanager
    def request(self, operation: str) -> Iterator[docker.APIClient]:
        """The Engine API while one request is made. Its faults come out as EngineErrors that name `operation`."""
        with self._lock:
            if self._api is None:
                self._api = self._opened()
        try:
            yield self._api
        except APIError as error:
            raise faults.refused(operation, str(error.explanation or error)) from None
        except (RequestException, HTTPError, DockerException, OSError, LookupError, TypeError, ValueError) as error:
            # HTTPError: docker-py reads answers that come in pieces past requests, from urllib3 itself.
            # The last three: an answer of another shape than the engine's.
            if _is_silence(error):
                raise faults.silent(operation, SILENT_SECONDS / 60, self._way) from None
            raise faults.interrupted(operation, innermost(error), self._way) from None

    def close(self) -> None:
        """Gives back what the connection holds."""
        with self._lock:
            if self._api is not None:
                self._api.close()
                self._api = None

    def _opened(self) -> docker.APIClient:
        configuration = load(self._environment)
        endpoint = endpoint_of(self._given, self._environment, configuration)
        host, way = endpoint.host, endpoint.way(self._environment)
        self._way = way
        try:
            _probe(host)
            api = _BoundedApi(way, configuration, endpoint)
            podman = _podman(api.version())
        except RecursionError:  # docker-py reads the file, too, though nothing of it is used
            raise faults.configuration_invalid(
                configuration.fault, "remove it, and log in anew:\ndocker login"
            ) from None
        except (RequestException, DockerException, OSError, ValueError, LookupError, TypeError) as error:
            raise faults.unreachable(way, endpoint.source, innermost(error)) from None
        self.unverified_host = None if is_verified(host, endpoint.tls) else host
        if podman:
            api.close()
            raise faults.unsupported(host, podman)
        return api


class _BoundedApi(docker.APIClient):
    """Docker's client, whose whole answers have an end in time and size; those that grow are its callers' to bound."""

    def __init__(self, way: Way, configuration: Configuration, endpoint: Endpoint) -> None:
        # Before docker-py's own, which already asks the engine.
        self._proxies = dict.fromkeys(("http", "https"), way.proxy.asked) if way.proxy else {}
        self.configuration_fault = configuration.fault
        """What of config.json could not be read; empty where all could."""
        self._configuration = configuration.content
        self._logins = AuthConfig({**configuration.content})
        self._logins["auths"] = AuthConfig.parse_auth(configuration.content.get("auths", {}))
        by_ssh = endpoint.host.startswith("ssh://")
        super().__init__(endpoint.host, version="auto", tls=endpoint.tls or False, use_ssh_client=by_ssh)

    @property
    def _general_configs(self) -> dict[str, Any]:
        """What of config.json has the shapes that docker-py expects without looking."""
        return {"auths": {}, **self._configuration}  # never empty: docker-py would read the file itself

    @_general_configs.setter
    def _general_configs(self, _value: Any) -> None:
        """docker-py's own reading of the file."""

    @property
    def _auth_configs(self) -> AuthConfig:
        """The same for logins."""
        return self._logins

    @_auth_configs.setter
    def _auth_configs(self, _value: Any) -> None:
        """docker-py's own reading of the file."""

    @property
    def trust_env(self) -> bool:
        """Never: requests would read NO_PROXY in its own way, ask for this machine through a proxy, and read .netrc."""
        return False

    @trust_env.setter
    def trust_env(self, _value: bool) -> None:
        """As requests sets it when it begins."""

    def send(self, request: Any, **options: Any) -> Any:
        options["proxies"] = self._proxies
        options["timeout"] = (_CONNECT_SECONDS, SILENT_SECONDS if options.get("stream") else WHOLE_SECONDS)
        if options.get("stream"):
            return super().send(request, **options)
        with Watch(WHOLE_SECONDS) as watch:
            try:
                response = super().send(request, **{**options, "stream": True})
                watch_answer(watch, response.raw)
                response._content = _content(response)  # noqa: SLF001 - as requests does it itself without `stream`
            except (RequestException, HTTPError, OSError):
                if watch.is_late:
                    raise OSError(f"the answer is not there after {WHOLE_SECONDS:g} seconds") from None
                raise
        return response

    def get_adapter(self, url: str) -> Any:
        """Lets connections over TCP be ended, too."""
        adapter = super().get_adapter(url)
        manager = getattr(adapter, "poolmanager", None)
        if manager is not None:
            watch_connections(manager)
        return adapter


def _content(response: Any) -> bytes:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        response.close()  # unpacked, a few bytes could fill all memory
        raise OSError("the answer is packed, which nobody asked for")
    content = bytearray()
    while piece := response.raw.read(_PIECE, decode_content=False):
        content += piece
        if len(content) > _LARGEST_ANSWER:
            response.close()
            raise OSError(f"the answer has more than {_LARGEST_ANSWER:,} bytes")
    response.raw.release_conn()
    return bytes(content)


def is_verified(host: str, tls: Any) -> bool:
    """Whether only the meant engine can answer at `host`: one of this machine, by SSH, or by TLS that verifies.

    `tls`: docker-py's settings for it, None where there are none.
    """
    place = urlsplit(host)
    if place.scheme not in {"tcp", "http", "https"} or place.hostname in _LOOPBACK:
        return True
    if tls is None:
        return place.scheme == "https"
    return getattr(tls, "verify", True) is not False


def _podman(version: Mapping[str, Any]) -> str:
    """Podman's name and version, where it is who answers."""
    found = (f"{one.get('Name')} {one.get('Version')}" for one in version.get("Components") or ())
    return next((text for text in found if "podman" in text.lower()), "")


def _probe(host: str) -> None:
    """Raises OSError where nothing listens on a local socket: docker-py would leave its own socket open then."""
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(f"/{host.removeprefix('unix://').lstrip('/')}")


def _is_silence(error: BaseException | None) -> bool:
    """Whether nothing came for too long. Whole answers are over earlier, by the time that all of one may take."""
    while error is not None and not isinstance(error, ReadTimeout | ReadTimeoutError):
        error = error.__cause__ or error.__context__
    return error is not None


def innermost(error: BaseException) -> str:
    """The plainest words for a fault: those of the system call behind it, where there is one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error)

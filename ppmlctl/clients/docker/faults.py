"""What can go wrong at the Docker engine, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ppmlctl.clients.proxies import Way
from ppmlctl.diagnostics import Diagnostic, EngineError, Location, TransientError

_PASSING = (
    "connection reset",
    "i/o timeout",
    "net/http: request canceled",
    "server misbehaving",
    "service unavailable",
    "temporary failure in name resolution",
    "tls handshake timeout",
    "toomanyrequests",
    "unexpected eof",
)
"""Words of the engine and of registries for faults that another try may mend."""

_REFUSING = ("denied", "unauthorized", "authentication required", "no basic auth credentials")
"""Words of registries for whom they do not know, or do not allow it."""


def unreachable(way: Way, source: str, reason: str) -> EngineError:
    """No engine answers at a host, which `source` named."""
    host = way.url
    if "Permission denied" in reason:
        fix = "run ppmlctl as a user who may open the socket: sudo usermod -aG docker $USER"
    elif host.startswith("unix://"):
        fix = "start Docker, or name another engine by docker.host in ppml.yaml or by DOCKER_HOST"
    else:
        fix = way.remedy if way.proxy else f"check with: docker --host {host} version"
    title = "the Docker engine cannot be reached"
    return EngineError(Diagnostic("docker-unreachable", title, found=f"{way} (from {source}): {reason}", fix=fix))


def configuration_invalid(found: str, fix: str) -> EngineError:
    """What says where the engine is cannot be used: a context, or certificates."""
    title = "Docker's configuration does not lead to an engine"
    return EngineError(Diagnostic("docker-configuration-invalid", title, found=found, fix=fix))


def ssh_missing(host: str, source: str) -> EngineError:
    """An engine is named over SSH, which needs a package more."""
    title, place = "the Docker engine is reached over SSH, which is not installed", host.removeprefix("ssh://")
    way_round = f"ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {place}\nexport DOCKER_HOST=unix:///tmp/docker.sock"
    fix = f"pip install paramiko where ppmlctl is installed, or lead its socket here:\n{way_round}"
    return EngineError(Diagnostic("docker-ssh-missing", title, found=f"{host} (from {source})", fix=fix))


def unsupported(host: str, engine: str) -> EngineError:
    """An engine answers that speaks Docker's API, but not enough of it."""
    return EngineError(
        Diagnostic(
            "docker-engine-unsupported",
            "this engine does not do all that is needed of a Docker engine",
            found=f"{engine} at {host}",
            why="it reads no files out of a container that was never started, so no enclave could be measured",
            fix="name a Docker engine by docker.host or DOCKER_HOST, or say `builder: oci` in images",
        )
    )


def interrupted(operation: str, reason: str, way: Way | None = None) -> TransientError:
    """The connection broke while a request was on its way."""
    through = f", through the proxy {way.proxy}" if way and way.proxy else ""
    title = "the connection to the Docker engine broke"
    fix = "see that the engine runs, and apply again: what it has made by then is found again"
    return TransientError(Diagnostic("docker-interrupted", title, found=f"{operation}{through}: {reason}", fix=fix))


def silent(operation: str, minutes: float, way: Way) -> EngineError:
    """A build, pull, push or archive of which nothing comes any more. Another try would wait as long again."""
    through = f", through the proxy {way.proxy}" if way.proxy else ""
    title = "the Docker engine has stopped talking"
    found = f"{operation}{through}: nothing came for {minutes:g} minutes"
    why = "it hangs, or what it runs or fetches does"
    fix = "look at the engine's log; a step that works longer in silence should print something meanwhile"
    return EngineError(Diagnostic("docker-silent", title, found, why, fix))


def refused(operation: str, reason: str) -> EngineError:
    """The engine answered with an error."""
    kind = TransientError if _passes(reason) else EngineError
    title = "the Docker engine refused a request"
    return kind(Diagnostic("docker-refused", title, found=f"{operation}: {reason}"))


def file_too_large(reference: str, path: str, size: int) -> EngineError:
    """A file of the image has more bytes than anything that is looked for there."""
    title, fix = "a file of an image is too large to be read", "use an image whose maker you trust"
    found = f"{path} of {reference} has {size} bytes"
    return EngineError(Diagnostic("docker-file-too-large", title, found=found, fix=fix))


def pull_failed(reference: str, reason: str, *, given: bool = False, missing: str = "") -> EngineError:
    """The image cannot be had from its registry. `given`: with credentials that ppml.yaml names."""
    kind = TransientError if _passes(reason) else EngineError
    fix = _login(reference, reason, given=given, missing=missing) or f"docker pull {reference}"
    title = "an image could not be pulled"
    return kind(Diagnostic("docker-pull-failed", title, found=f"{reference}: {reason}", fix=fix))


def push_failed(reference: str, reason: str, *, given: bool = False, missing: str = "") -> EngineError:
    """The registry does not take the image, or does not tell of it. `given` as in `pull_failed`."""
    kind = TransientError if _passes(reason) else EngineError
    title = "an image could not be pushed, or asked for at its registry"
    fix = _login(reference, reason, given=given, missing=missing) or f"docker push {reference}"
    return kind(Diagnostic("docker-push-failed", title, found=f"{reference}: {reason}", fix=fix))


def build_failed(
    reference: str, step: str, reason: str, last_lines: Sequence[str], at: Location | None = None
) -> EngineError:
    """A step of the Dockerfile failed, or the engine could not begin. `at` is the instruction's place."""
    kind = TransientError if _passes(reason) else EngineError
    place = f"{reference}: {step or 'before the first step'}"
    found = "\n".join([place, reason, *(f"| {line}" for line in last_lines)])
    return kind(Diagnostic("docker-build-failed", "an image could not be built", found=found, at=at))


def context_invalid(place: Path | str, reason: str) -> EngineError:
    """No build context can be made of what is there."""
    title = "a build context is not usable"
    return EngineError(Diagnostic("docker-context-invalid", title, found=f"{place}: {reason}"))


def image_missing(reference: str) -> EngineError:
    """The engine has no such image."""
    title = "the Docker engine does not have an image"
    return EngineError(
        Diagnostic("docker-image-missing", title, found=reference, fix=f"pull or build it:\ndocker pull {reference}")
    )


def _passes(reason: str) -> bool:
    return any(words in reason.lower() for words in _PASSING)


def _login(reference: str, reason: str, *, given: bool, missing: str) -> str:
    if not any(word in reason.lower() for word in _REFUSING):
        return ""
    registry = _registry(reference)
    if given:
        return f"correct docker.registries in ppml.yaml, or the secret that it names, for {registry or 'docker.io'}"
    if missing:
        return f"mend this, or say docker.registries in ppml.yaml: {missing}"
    return f"log in to the registry, or correct the name:\ndocker login {registry}".rstrip()


def _registry(reference: str) -> str:
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first) else ""

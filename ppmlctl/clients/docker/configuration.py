"""Docker's own config.json, as docker reads it: what has another shape than it should is left out, and said.

Source: docker/cli, `cli/config/configfile`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ppmlctl.clients.docker import faults
from ppmlctl.files import read_bytes
from ppmlctl.foreign_json import parse_foreign


@dataclass(frozen=True)
class Configuration:
    """What could be read. `fault` says what could not, without quoting it."""

    folder: Path
    """Of the file; Docker's contexts lie beside it."""
    content: dict[str, Any] = field(default_factory=dict, repr=False)
    """As docker-py takes it: auths, credsStore, credHelpers, proxies."""
    current_context: str = ""
    fault: str = ""


def load(environment: Mapping[str, str]) -> Configuration:
    """The configuration of who runs this; an empty one, perhaps with a fault, where there is none that can be read.

    Raises EngineError for a pipe or device in the file's place: docker-py would wait for it.
    """
    home = environment.get("HOME") or str(Path.home())
    folder = Path(environment.get("DOCKER_CONFIG") or Path(home, ".docker"))
    file = folder / "config.json"
    if file.exists() and not file.is_file() and not file.is_dir():
        raise faults.configuration_invalid(f"{file} is no regular file", f"remove {file}")
    try:
        found = parse_foreign(read_bytes(file))
    except FileNotFoundError:
        return Configuration(folder)
    except OSError as error:
        return Configuration(folder, fault=f"{file} cannot be read: {error.strerror}")
    except ValueError as error:
        return Configuration(folder, fault=f"{file} cannot be read: {error}")
    if not isinstance(found, dict):
        return Configuration(folder, fault=f"{file} cannot be read: it is no JSON object")
    reader = _Reader(found)
    content = reader.content()
    context = reader.text("currentContext")
    fault = f"{file} has {', '.join(reader.wrong)} of another shape" if reader.wrong else ""
    return Configuration(folder, content, context, fault)


class _Reader:
    """Takes members of the shape that is wanted, and notes the others by name."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found
        self.wrong: list[str] = []

    def content(self) -> dict[str, Any]:
        auths = {
            registry: entry
            for registry, given in self._members("auths")
            if (entry := self._checked(f"auths.{registry}", _entry(given))) is not None
        }
        helpers = {
            registry: helper
            for registry, given in self._members("credHelpers")
            if (helper := self._checked(f"credHelpers.{registry}", given if isinstance(given, str) else None))
        }
        proxies = {
            host: given
            for host, given in self._members("proxies")
            if self._checked(f"proxies.{host}", given if _is_texts(given) else None) is not None
        }
        return {"auths": auths, "credHelpers": helpers, "proxies": proxies, "credsStore": self.text("credsStore")}

    def text(self, name: str) -> str:
        given = self._found.get(name)
        if given is not None and not isinstance(given, str):
            self.wrong.append(name)
        return given if isinstance(given, str) else ""

    def _members(self, name: str) -> list[tuple[str, Any]]:
        given = self._found.get(name)
        if given is not None and not isinstance(given, dict):
            self.wrong.append(name)
        return list(given.items()) if isinstance(given, dict) else []

    def _checked(self, path: str, value: Any) -> Any:
        if value is None:
            self.wrong.append(path)
        return value


def _entry(given: Any) -> dict[str, str] | None:
    """One of `auths` as docker-py reads it: a token, or user and password packed together; None for another shape."""
    if not _is_texts(given):
        return None
    if token := given.get("identitytoken"):
        return {"identitytoken": token}
    packed = given.get("auth") or _packed(given.get("username", ""), given.get("password", ""))
    if not packed:
        return {}
    try:
        user, colon, _ = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return {"auth": packed} if user and colon else None


def _packed(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""


def _is_texts(given: Any) -> bool:
    return isinstance(given, dict) and all(isinstance(value, str) for value in given.values())

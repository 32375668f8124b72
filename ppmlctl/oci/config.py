"""An image's configuration: how its containers start (image-spec v1.1, config.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ppmlctl.oci.digest import canonical_json

CREATED = "1980-01-01T00:00:00Z"
"""The same instant as every file's, so that the clock of the building machine does not matter."""


@dataclass(frozen=True)
class ImageConfig:
    """What the image sets. None keeps what the base has; variables and labels are added to the base's."""

    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    entrypoint: Sequence[str] | None = None
    command: Sequence[str] | None = None
    working_directory: str | None = None
    user: str | None = None


def config_bytes(config: ImageConfig, base: Mapping[str, Any] | None, new_layers: Sequence[str]) -> bytes:
    """The canonical text of the base's configuration with `config` over it and the digests of `new_layers` added.

    `base` is a parsed configuration or None. Layers are uncompressed, so a layer's digest is its diff id as well.
    """
    document = dict(base or {"architecture": "amd64", "os": "linux"})
    document["created"] = CREATED
    document["config"] = _container(config, document.get("config") or {})
    diff_ids = [*_member(document, "rootfs", "diff_ids"), *new_layers]
    document["rootfs"] = {"type": "layers", "diff_ids": diff_ids}
    added = [{"created": CREATED, "created_by": "ppmlctl"} for _ in new_layers]
    if base is None or "history" in base:
        document["history"] = [*document.get("history", ()), *added]
    return canonical_json(document)


def _container(config: ImageConfig, base: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        "Entrypoint": config.entrypoint and list(config.entrypoint),
        "Cmd": config.command and list(config.command),
        "WorkingDir": config.working_directory,
        "User": config.user,
        "Env": _environment(base.get("Env") or (), config.environment),
        "Labels": {**(base.get("Labels") or {}), **config.labels},
    }
    kept = {name: value for name, value in base.items() if name not in ("Env", "Labels")}
    return {**kept, **{name: value for name, value in given.items() if value}}


def environment_of(config: Mapping[str, Any]) -> dict[str, str]:
    """The variables that an image's configuration sets. Docker writes its configurations in the same way."""
    container = config.get("config") or config.get("Config") or {}
    return _variables(container.get("Env") or ())


def _environment(base: Sequence[str], own: Mapping[str, str]) -> list[str]:
    values = _variables(base)
    values.update(sorted(own.items()))
    return [f"{name}={value}" for name, value in values.items()]


def _variables(lines: Sequence[str]) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in lines)


def _member(document: Mapping[str, Any], *names: str) -> Sequence[str]:
    value: Any = document
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, list) else ()

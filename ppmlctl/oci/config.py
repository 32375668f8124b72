"""An image's configuration: how its containers start (image-spec v1.1, config.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ppmlctl.oci.digest import canonical_json
from ppmlctl.oci.faults import bad_layout

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
        document["history"] = [*(document.get("history") or ()), *added]
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


def _variables(lines: object) -> dict[str, str]:
    texts = [line for line in lines if isinstance(line, str)] if isinstance(lines, list | tuple) else []
    return dict(line.partition("=")[::2] for line in texts)


_TEXT_LISTS = ("Env", "Entrypoint", "Cmd")
_TEXTS = ("WorkingDir", "User")


def refuse_odd_config(document: Mapping[str, Any], place: str) -> None:
    """Raises ImageError, naming `place`, for members of another shape than the specification's."""
    container = document.get("config") or {}
    if not isinstance(container, dict):
        raise bad_layout(place, "its `config` is no object")
    for name in _TEXT_LISTS:
        if container.get(name) is not None and not _are_texts(container[name]):
            raise bad_layout(place, f"its `config.{name}` is no list of texts")
    for name in _TEXTS:
        if not isinstance(container.get(name, ""), str | None):
            raise bad_layout(place, f"its `config.{name}` is no text")
    labels = container.get("Labels") or {}
    if not isinstance(labels, dict) or not _are_texts(list(labels.values())):
        raise bad_layout(place, "its `config.Labels` is no object of texts")
    if not isinstance(document.get("history") or [], list):
        raise bad_layout(place, "its `history` is no list")
    if not _are_texts(list(_member(document, "rootfs", "diff_ids"))):
        raise bad_layout(place, "its `rootfs.diff_ids` is no list of texts")


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _member(document: Mapping[str, Any], *names: str) -> Sequence[str]:
    value: Any = document
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, list) else ()

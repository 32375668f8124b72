"""Files that come with ppmlctl: playbooks and schemas, in the wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def playbook_path(name: str) -> Path:
    """A shipped playbook."""
    return _folder("playbooks") / name


def schema_path(name: str) -> Path:
    """A shipped JSON Schema."""
    return _folder("schemas") / name


def _folder(name: str) -> Path:
    in_wheel = _PACKAGE / "shipped" / name
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / name

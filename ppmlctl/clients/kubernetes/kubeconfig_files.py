"""The files of a kubeconfig, merged as kubectl does: of entries with one name the first counts, and keeps its place.

An entry's fields are asked for by name and type. Whatever is wrong is an error at its line, without a value in it.
Source: Kubernetes, client-go, tools/clientcmd (loader.go); the types are tools/clientcmd/api/v1/types.go.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppmlctl.diagnostics import Diagnostic, EngineError, InputError, Location
from ppmlctl.files import read_bytes
from ppmlctl.spec import Document, read_yaml
from ppmlctl.spec.finding import did_you_mean
from ppmlctl.spec.key_path import KeyPath

_LARGEST = 16 << 20
"""Bytes; some thousand clusters with their certificates."""
_LARGEST_FILE = 1 << 20
"""Bytes of a certificate, a key or a token."""
_FIX = "kubectl config view shows what kubectl makes of it"


def invalid(found: str, at: Location | None, fix: str = _FIX, *, code: str = "k8s-kubeconfig-invalid") -> EngineError:
    """The error for a kubeconfig that says what cannot be used."""
    return EngineError(Diagnostic(code, "the kubeconfig cannot be used", found=found, fix=fix, at=at))


@dataclass(frozen=True)
class Entry:
    """One named cluster, context or user, and where it stands."""

    kind: str
    name: str
    document: Document
    path: KeyPath

    @property
    def fields(self) -> Mapping[str, Any]:
        """What it says; a field that is null or empty text is left out, as if it was not there."""
        node = self.document.find(self.path)
        value = node.value if node is not None and isinstance(node.value, dict) else {}
        return {name: member for name, member in value.items() if member not in (None, "")}

    @property
    def folder(self) -> Path:
        """Where the paths in it count from."""
        return Path(os.path.abspath(self.document.shown_as)).parent  # noqa: PTH100 - links stay: as kubectl does

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def at(self, *steps: str | int) -> Location:
        """Where a field is written, or else the entry."""
        return self.document.locate_key((*self.path, *steps))

    def wrong(self, found: str, *steps: str | int, fix: str = _FIX) -> EngineError:
        """The error for one of its fields."""
        return invalid(f"{self}: {found}", self.at(*steps), fix)

    def allow_only(self, known: Collection[str]) -> None:
        """Raises EngineError for any other field: passed over, it could have changed who one is, or whom one asks."""
        for name in self.fields:
            if name not in known:
                fix = did_you_mean(name, sorted(known)) or f"take it out; what is known: {', '.join(sorted(known))}"
                raise self.wrong(f"`{name}` is no field that ppmlctl knows", name, fix=fix)

    def text(self, name: str) -> str:
        """A text; empty where there is none."""
        value = self.fields.get(name, "")
        if not isinstance(value, str):
            raise self.wrong(f"`{name}` is no text; quote it", name)
        return value

    def flag(self, name: str) -> bool:
        """A switch; off where it is not there."""
        value = self.fields.get(name, False)
        if not isinstance(value, bool):
            raise self.wrong(f"`{name}` is neither true nor false", name)
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self.fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.wrong(f"`{name}` is no list of texts", name)
        return value

    def lists(self, name: str) -> dict[str, list[str]]:
        """Lists of texts by key."""
        value = self.fields.get(name, {})
        if not isinstance(value, dict) or not all(
            isinstance(one, list) and all(isinstance(text, str) for text in one) for one in value.values()
        ):
            raise self.wrong(f"`{name}` is no mapping of lists of texts", name)
        return value

    def content(self, name: str) -> bytes:
        """What `NAME-data` holds in base64, else the file that `NAME` names; empty where there is neither."""
        data = f"{name}-data"
        if name in self.fields and data in self.fields:
            raise self.wrong(f"both `{name}` and `{data}` are given", data, fix="keep one of them")
        try:
            if data in self.fields:
                return base64.b64decode("".join(self.text(data).split()), validate=True)
        except (binascii.Error, ValueError):
            raise self.wrong(f"`{data}` is no base64", data) from None
        return self.file(name) if name in self.fields else b""

    def file(self, name: str) -> bytes:
        """The content of the file that a field names, by a path that counts from the kubeconfig it stands in."""
        path = self.folder / self.text(name)
        try:
            if not path.is_file():
                raise self.wrong(f"`{name}`: {path} is no file that is there", name, fix="correct the path")
            return read_bytes(path, _LARGEST_FILE)
        except OSError as error:
            raise self.wrong(
                f"`{name}`: {path}: {error.strerror}", name, fix="make it a file that you may read"
            ) from None


@dataclass(frozen=True)
class Kubeconfig:
    """All files together. `files` is how they were named."""

    files: str
    clusters: Mapping[str, Entry]
    contexts: Mapping[str, Entry]
    users: Mapping[str, Entry]
    current_context: str


def read_kubeconfig(files: str) -> Kubeconfig:
    """The files of a list as KUBECONFIG has it, those that are there. Raises EngineError: k8s-kubeconfig-invalid."""
    documents = [document for file in dict.fromkeys(files.split(os.pathsep)) if file and (document := _read(file))]
    merged: dict[str, dict[str, Entry]] = {"cluster": {}, "context": {}, "user": {}}
    current = ""
    for document in documents:
        current = current or _current(document)
        for kind, known in merged.items():
            for name, entry in _entries(document, kind).items():
                known.setdefault(name, entry)
    return Kubeconfig(files, merged["cluster"], merged["context"], merged["user"], current)


def _read(file: str) -> Document | None:
    """None for a file that is not there, or empty."""
    if not Path(file).exists():
        return None
    try:
        document = read_yaml(Path(file), shown_as=file, limit=_LARGEST)
    except InputError as error:
        first = error.diagnostics[0]
        if first.code == "yaml-empty":
            return None
        # What a parser quotes may be a token: only its own words and the place are told.
        raise invalid(f"{file}: {first.title}", first.at) from None
    for name, expected in (("kind", "Config"), ("apiVersion", "v1")):
        if document.value.get(name) not in (None, "", expected):
            raise invalid(f"{file}: its {name} is not {expected}", document.locate((name,)))
    return document


def _current(document: Document) -> str:
    name = document.value.get("current-context")
    if name is not None and not isinstance(name, str):
        raise invalid("`current-context` is no text; quote it", document.locate(("current-context",)))
    return name or ""


def _entries(document: Document, kind: str) -> dict[str, Entry]:
    section, found = f"{kind}s", dict[str, Entry]()
    entries = document.value.get(section) or []
    if not isinstance(entries, list):
        raise invalid(f"`{section}` is no list", document.locate((section,)))
    for index, one in enumerate(entries):
        at = document.locate((section, index))
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise invalid(f"an entry of `{section}` has no name", at)
        name = one["name"]
        if not isinstance(one.get(kind) or {}, dict):
            raise invalid(f"{kind} {name}: `{kind}` is no mapping", at)
        if name in found:
            raise invalid(f"`{section}` has {name} twice", at, "keep one of them")
        found[name] = Entry(kind, name, document, (section, index, kind))
    return found

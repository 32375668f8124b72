"""What differs between two manifests, with the lines: keys, entries of arrays, trusted files; else the bare text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from ppmlctl.sgx.manifest import read_manifest
from ppmlctl.sgx.toml_places import Places

_TRUSTED = ("sgx", "trusted_files")
_Key = tuple[str, ...]


@dataclass(frozen=True)
class ManifestDifference:
    """One. `name` is the dotted key, a trusted file's URI, or `text`; lines count from 1."""

    name: str
    before: str | None
    after: str | None
    lines: tuple[int | None, int | None]
    trusted_file: bool = False


def manifest_differences(before: bytes, after: bytes) -> Iterator[ManifestDifference]:
    """All differences of two `.manifest.sgx` files. Raises ManifestError.

    Where both mean the same and only blanks, comments or order differ, that is one difference of the `text`: every
    byte is measured.
    """
    if before == after:
        return
    tables, texts = (read_manifest(before), read_manifest(after)), (before.decode(), after.decode())
    places = Places(texts[0]), Places(texts[1])
    found = [*_of_files(tables, places), *_of_keys(tables, places)]
    yield from found or [_of_texts(texts)]


def _of_files(tables: tuple[dict[str, object], ...], places: tuple[Places, Places]) -> Iterator[ManifestDifference]:
    one, other = (_trusted(table) for table in tables)
    for uri in dict.fromkeys([*one, *other]):
        before, after = one.get(uri), other.get(uri)
        if before != after:
            lines = (_line(places[0], _TRUSTED, uri), _line(places[1], _TRUSTED, uri))
            yield ManifestDifference(uri, before, after, lines, trusted_file=True)


def _of_keys(tables: tuple[dict[str, object], ...], places: tuple[Places, Places]) -> Iterator[ManifestDifference]:
    one, other = (dict(_flat(table, ())) for table in tables)
    for key in dict.fromkeys([*one, *other]):
        before, after = one.get(key), other.get(key)
        if before == after or key == _TRUSTED:
            continue
        if isinstance(before, list) and isinstance(after, list):
            yield from _of_entries(key, (before, after), places)
            continue
        lines = tuple(_line(one, key) for one in places)
        yield ManifestDifference(".".join(key), _shown(before), _shown(after), (lines[0], lines[1]))


def _of_entries(
    key: _Key, arrays: tuple[list[object], list[object]], places: tuple[Places, Places]
) -> Iterator[ManifestDifference]:
    """What one array has and the other has not; the order alone is one difference."""
    name, (one, other) = ".".join(key), (Counter(map(_text, array)) for array in arrays)
    for entry in one - other:
        yield ManifestDifference(name, entry, None, (_line(places[0], key, entry.strip('"')), None))
    for entry in other - one:
        yield ManifestDifference(name, None, entry, (None, _line(places[1], key, entry.strip('"'))))
    if one == other:
        lines = (_line(places[0], key), _line(places[1], key))
        yield ManifestDifference(name, "the same entries", "in another order", lines)


def _of_texts(texts: tuple[str, str]) -> ManifestDifference:
    pairs = enumerate(zip_longest(*(text.split("\n") for text in texts)), 1)
    line, (before, after) = next((number, pair) for number, pair in pairs if pair[0] != pair[1])
    return ManifestDifference("text", before, after, (line if before is not None else None, line))


def _trusted(manifest: Mapping[str, object]) -> dict[str, str]:
    """URI to digest; where one is listed with several digests, all of them."""
    sgx = manifest.get("sgx")
    entries = sgx.get("trusted_files") if isinstance(sgx, Mapping) else None
    found: dict[str, list[str]] = {}
    for entry in entries if isinstance(entries, list) else ():
        given = entry if isinstance(entry, Mapping) else {"uri": entry}
        found.setdefault(str(given.get("uri")), []).append(str(given.get("sha256", "not hashed")))
    return {uri: ", ".join(dict.fromkeys(digests)) for uri, digests in found.items()}


def _flat(value: Mapping[str, object], prefix: _Key) -> Iterator[tuple[_Key, object]]:
    for key, member in value.items():
        if isinstance(member, Mapping) and member:
            yield from _flat(member, (*prefix, key))
        else:
            yield (*prefix, key), member


def _line(places: Places, key: _Key, value: str | None = None) -> int | None:
    place = places.of(key, value) or (places.of(key) if value is not None else None)
    return place.line if place else None


def _shown(value: object) -> str | None:
    return None if value is None else _text(value)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)

"""Manifests as Gramine's tools write them, byte for byte: `toml` 0.10 up to v1.3, `tomli-w` from v1.4 on.

What the older library would write so that another manifest is read from it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import TypeGuard

from ppmlctl.sgx.errors import ManifestError
from ppmlctl.sgx.gramine import TomlStyle

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_KEY_READ_AGAIN = re.compile(r"[^\"'\\.=\x00-\x20\x7f]+(?:[ .][^\"'\\.=\x00-\x20\x7f]+)*")
"""Quoted keys that toml 0.10 reads as it wrote them: the tools read and write each manifest twice."""
_MARKS = '",[]'
"""What texts within arrays may not hold for the same reason: the first two, in arrays of arrays all of them."""
_WIDEST_INLINE = 100
"""tomli-w writes an array of tables inline only if each line of it, with indent and comma, is at most this long."""
_INDENT = "    "

Table = Mapping[str, object]


def write_toml(manifest: Table, style: TomlStyle) -> str:
    """The text of the manifest in one library's style. Raises ManifestError for values that manifests do not hold."""
    try:
        if style is TomlStyle.TOML_0_10:
            return _in_sections(manifest)
        return "".join(_in_tables(manifest, name="", in_array=False))
    except RecursionError:
        raise ManifestError("the manifest is nested too deeply") from None


def _in_sections(manifest: Table) -> str:
    """As toml 0.10 does it: level by level, so `[loader.env]` comes after every table of the first level."""
    text, sections = _section(manifest, "")
    while sections:
        deeper: dict[str, Table] = {}
        for name, table in sections.items():
            body, inner = _section(table, f"{name}.")
            if body or not inner:
                text += ("\n" if text and not text.endswith("\n\n") else "") + f"[{name}]\n" + body
            deeper |= {f"{name}.{key}": value for key, value in inner.items()}
        sections = deeper
    return text


def _section(table: Table, prefix: str) -> tuple[str, dict[str, Table]]:
    """Plain values, then arrays of tables; and the tables in `table`, which are not written yet."""
    plain, arrays, inner = "", "", {}
    for key, value in table.items():
        name = _key_0_10(key)
        if isinstance(value, Mapping):
            inner[name] = value
        elif _is_array_of_tables(value):
            arrays += "".join(_array_element(element, f"{prefix}{name}") for element in value)
        else:
            plain += f"{name} = {_value_0_10(value)}\n"
    return plain + arrays, inner


def _array_element(element: Table, name: str) -> str:
    """An element that has nothing but arrays of tables is set off by a line, and so are its tables, level by level."""
    body, sections = _section(element, f"{name}.")
    text = f"[[{name}]]\n" + (f"\n{body}" if body.startswith("[") else f"{body}\n")
    while sections:
        deeper: dict[str, Table] = {}
        for key, table in sections.items():
            below, inner = _section(table, f"{name}.{key}.")
            if not below and not inner:
                raise ManifestError(f"{name}.{key} is an empty table in an array, which Gramine v1.3 would leave out")
            text += f"[{name}.{key}]\n{below}" if below else ""
            deeper |= {f"{key}.{inside}": value for inside, value in inner.items()}
        sections = deeper
    return text


def _key_0_10(key: str) -> str:
    if _BARE_KEY.fullmatch(key):
        return key
    written = _text_0_10(key)
    if not _KEY_READ_AGAIN.fullmatch(key) or "\\" in written:
        raise ManifestError(f"the key {key[:80]!r} is one that Gramine v1.3 reads otherwise than it writes")
    return written


def _value_0_10(value: object, *, depth: int = 0) -> str:
    if isinstance(value, list):
        if len({type(element) for element in value}) > 1:
            raise ManifestError("an array mixes texts, numbers or tables, which this version of Gramine cannot read")
        elements = "".join(f"{_value_0_10(element, depth=depth + 1)}, " for element in value)
        return f"[ {elements[:-1]}]" if value else "[]"
    if isinstance(value, str) and (value.startswith('"') or any(mark in value for mark in _MARKS[: 2 * depth])):
        raise ManifestError(f"the text {value[:80]!r} is one that Gramine v1.3 reads otherwise than it writes")
    if isinstance(value, float):
        return str(value + 0.0).replace("e+0", "e+").replace("e-0", "e-")  # it reads -0.0 as 0.0
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    return _text_0_10(value) if isinstance(value, str) else _number(value)


def _text_0_10(text: str) -> str:
    """Python's own notation in double quotes: printable characters stay, beyond ASCII too.

    What Python writes with a backslash and x, the library garbles, and a backslash before an x as well.
    """
    inner = re.sub(r"[^ !#-\[\]-~]", lambda match: _escaped_0_10(match[0]), text)
    if "\\x" in inner:
        raise ManifestError(
            f"{inner[:80]!r} has a control character or backslash that Gramine v1.3 would write wrongly"
        )
    return f'"{inner}"'


def _escaped_0_10(character: str) -> str:
    return '\\"' if character == '"' else repr(character)[1:-1]


def _in_tables(table: Table, *, name: str, in_array: bool) -> Iterator[str]:
    """As tomli-w does it: of each table first the plain values, then its tables, depth first."""
    plain, tables = [], []
    for key, value in table.items():
        if isinstance(value, Mapping):
            tables.append((key, value, False))
        elif _is_array_of_tables(value) and not all(_fits_inline(element) for element in value):
            tables += [(key, element, True) for element in value]
        else:
            plain.append(f"{_key(key)} = {_value(value, depth=0)}\n")
    has_header = in_array or bool(name and (plain or not tables))
    if has_header:
        yield f"[[{name}]]\n" if in_array else f"[{name}]\n"
    yield from plain
    written = has_header or bool(plain)
    for key, value, element in tables:
        if written:
            yield "\n"
        written = True
        yield from _in_tables(value, name=f"{name}.{_key(key)}" if name else _key(key), in_array=element)


def _value(value: object, *, depth: int) -> str:
    if isinstance(value, Mapping):
        return _inline_table(value)
    if isinstance(value, list):
        lines = "".join(f"{_INDENT * (depth + 1)}{_value(element, depth=depth + 1)},\n" for element in value)
        return f"[\n{lines}{_INDENT * depth}]" if value else "[]"
    if isinstance(value, float | datetime | date | time):
        return str(value)
    return _text(value) if isinstance(value, str) else _number(value)


def _inline_table(table: Table) -> str:
    members = ", ".join(f"{_key(key)} = {_value(value, depth=0)}" for key, value in table.items())
    return f"{{ {members} }}" if members else "{}"


def _fits_inline(table: Table) -> bool:
    line = f"{_INDENT}{_inline_table(table)},"
    return len(line) <= _WIDEST_INLINE and "\n" not in line


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


_SHORT = {"\b": "\\b", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _text(text: str) -> str:
    return '"' + re.sub(r'[\x00-\x08\x0a-\x1f"\\\x7f]', lambda m: _SHORT.get(m[0], f"\\u{ord(m[0]):04x}"), text) + '"'


def _number(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise ManifestError("the manifest holds a value that is neither text nor whole number, switch, array or table")


def _is_array_of_tables(value: object) -> TypeGuard[list[Table]]:
    return isinstance(value, list) and bool(value) and all(isinstance(element, Mapping) for element in value)

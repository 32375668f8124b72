"""What is wrong with a YAML document beyond its syntax, in words; the builder adds the place."""

from __future__ import annotations

from ppmlctl.diagnostics import Diagnostic
from ppmlctl.spec.yaml_document import Place
from ppmlctl.spec.yaml_scalar import kind_of


def too_deep(deepest: int) -> Diagnostic:
    return Diagnostic(
        "yaml-too-deep",
        "the file nests too deep",
        f"more than {deepest} mappings or lists inside one another",
        fix="nest less; nothing that ppmlctl reads needs more than a dozen levels",
    )


def alias_bomb(most: int) -> Diagnostic:
    return Diagnostic(
        "yaml-alias-bomb",
        "aliases stand for too many values",
        f"more than {most:,} values behind aliases",
        "a few lines of aliases of aliases could fill the memory",
        "write the values out, or share them through `vars`",
    )


def bad_alias(name: str, *, inside: bool) -> Diagnostic:
    if inside:
        found, fix = f"*{name} stands inside the value &{name} itself", "remove the alias"
    else:
        found, fix = f"*{name} names no anchor above it", f"put &{name} before the value it should stand for"
    return Diagnostic("yaml-alias", "an alias has no value", found, fix=fix)


def many_documents() -> Diagnostic:
    return Diagnostic(
        "yaml-many-documents",
        "the file holds more than one document",
        "a second `---`",
        fix="keep one document in one file",
    )


def ambiguous_number(text: str) -> Diagnostic:
    return Diagnostic(
        "yaml-number",
        "a number begins with a zero",
        text,
        "some readers take it as octal, others as decimal",
        f'write "{text}" for text, or 0o{text.lstrip("+-0") or "0"} for an octal number',
    )


def half_character() -> Diagnostic:
    return Diagnostic(
        "yaml-half-character",
        "an escape writes half of a character",
        "\\uD800 to \\uDFFF name halves of characters in UTF-16",
        "no file, no variable and no server can hold one",
        "write the character itself, or its number: \\U0001F511",
    )


def nul_character() -> Diagnostic:
    return Diagnostic(
        "yaml-nul",
        "an escape writes the NUL character",
        "\\0 or \\x00",
        "no path, no name and no variable can hold one",
        "remove it",
    )


def foreign_tag() -> Diagnostic:
    return Diagnostic(
        "yaml-tag",
        "a value has a tag",
        "a tag (!name) that is not offered",
        "tags can make a reader run code; plain values are enough here",
        "remove the tag",
    )


def expression_key() -> Diagnostic:
    return Diagnostic(
        "yaml-key",
        "an expression stands without quotes",
        "{{ without quotes opens a YAML mapping",
        fix='quote it: "{{ name }}"',
    )


def key_no_text(value: object, spelling: str | None) -> Diagnostic:
    fix = f'quote the key: "{spelling}"' if spelling else "use plain text as the key"
    return Diagnostic("yaml-key", "a key is not text", kind_of(value), fix=fix)


def merge_key() -> Diagnostic:
    return Diagnostic(
        "yaml-merge-key",
        "merge keys are not offered",
        "<<",
        "YAML 1.2 has no merge key",
        "write the keys out, or share values through `vars`",
    )


def duplicate_key(name: str, first: Place, second: Place) -> Diagnostic:
    return Diagnostic(
        "yaml-duplicate-key",
        "a key stands twice in one mapping",
        f"`{name}` in line {first[0] + 1} and again in line {second[0] + 1}",
        "only one of them could count",
        "remove one, or join them",
    )

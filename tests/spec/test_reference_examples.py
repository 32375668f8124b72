from pathlib import Path

import pytest

from ppmlctl.flows.registry import language, load

REFERENCE = Path(__file__).parents[2] / "examples" / "reference"
EXAMPLES = sorted(REFERENCE.glob("*.yaml"))

WARNINGS = {
    "dangerous": [
        "literal-allowed",
        "moving-tag",
        "insecure-log-level",
        "insecure-measure",
        "insecure-debug",
        "insecure-finding",
        "insecure-kms-tls",
        "insecure-kms-attest",
        "insecure-tcb",
        "insecure-attestation",
        "heap-above-half",
        "insecure-spark",
    ],
    "image-catalogue": ["demo-image"],
    "kms-private-root": ["private-root"],
    "kms-tls-insecure": ["insecure-kms-tls", "insecure-kms-attest"],
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_alternative_loads_with_the_warnings_it_deserves(path: Path) -> None:
    loaded = load(path)
    assert [warning.code for warning in loaded.warnings] == WARNINGS.get(path.stem, [])
    assert loaded.environment.name == path.stem


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_says_what_it_shows_and_names_its_schema(path: Path) -> None:
    schema, about, *_ = path.read_text().splitlines()
    assert schema == "# yaml-language-server: $schema=../../schemas/ppml.schema.json"
    assert about.startswith("# ")
    assert (REFERENCE / schema.partition("=")[2]).resolve().is_file()


def test_every_key_of_the_language_stands_in_some_example() -> None:
    used = "\n".join(path.read_text() for path in EXAMPLES)
    missing = sorted(key for key in _keys() if f"{key}:" not in used)
    assert missing == ["host", "key_file"], "the two that depend on the machine"


def _keys() -> set[str]:
    from ppmlctl.spec.schema import json_schema

    schema = json_schema(language().environment)
    sections = [schema, *schema["$defs"].values()]
    return {key for section in sections for key in section.get("properties", {})}

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ppmlctl.flows.registry import language
from ppmlctl.spec.schema import json_schema
from ppmlctl.spec.section import Section

COMMITTED = Path(__file__).parents[2] / "schemas" / "ppml.schema.json"


def written() -> dict[str, Any]:
    return json_schema(language().environment)


def test_the_committed_schema_is_the_generated_one() -> None:
    assert json.loads(COMMITTED.read_text()) == written()


def test_the_schema_is_written_the_same_way_each_time() -> None:
    assert json.dumps(written()) == json.dumps(written())


def _properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    definitions = {"Environment": schema, **schema["$defs"]}
    members = ((name, definition.get("properties", {})) for name, definition in definitions.items())
    return {f"{name}.{key}": value for name, properties in members for key, value in properties.items()}


def test_every_key_is_described() -> None:
    undescribed = [key for key, value in _properties(written()).items() if not value.get("description")]
    assert undescribed == []


def test_every_section_is_described() -> None:
    undescribed = [name for name, section in written()["$defs"].items() if not section.get("description")]
    assert undescribed == []


def test_a_scalar_may_be_an_expression() -> None:
    size = written()["$defs"]["Custom"]["properties"]["enclave_size"]
    assert {"$ref": "#/$defs/Expression"} in size["anyOf"]


def test_a_text_may_be_spelt_as_a_number_where_a_number_can_fit() -> None:
    definitions = written()["$defs"]
    assert {"enum": [1.5, 1.7, 1.9]} in definitions["Enclave"]["properties"]["gramine"]["anyOf"]
    assert {"type": ["number", "boolean"]} in definitions["Custom"]["properties"]["tag"]["anyOf"]
    assert {"type": ["number", "boolean"]} not in definitions["Custom"]["properties"]["enclave_size"]["anyOf"]


def test_attributes_are_named_as_their_keys_but_for_the_one_that_pydantic_takes() -> None:
    aliases = {field.alias for section in _sections(Section) for field in section.model_fields.values() if field.alias}
    assert aliases == {"register"}


def _sections(root: type[Section]) -> Iterator[type[Section]]:
    for section in root.__subclasses__():
        yield section
        yield from _sections(section)

"""What fields mean, marked beside their types: `env: Annotated[dict[VariableName, str], Trait.VARIABLES]`.

Rules and defaults go by these marks and not by names of fields, so a section that is added later is seen by all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, TypeVar

from pydantic import BaseModel

from ppmlctl.spec.key_path import KeyPath


class Trait(Enum):
    """Values are for people."""

    VARIABLES = "environment variables, by their names"
    SETTINGS = "settings, by their names"
    WORDS = "words of a command line, options among them"
    PROGRAM = "which program is started, and where what it works on is: a class, a file, an address"
    VALUES = "values for expressions"
    BUILD_ARGUMENTS = "arguments of an image's build"
    TEE = "what protects it: sgx or tdx"
    MEMORY = "a JVM's memory"
    HEAP = "a JVM's heap inside an enclave"
    ENCLAVE_PAGES = "enclave page cache that a pod asks for"
    ENCRYPTED_FOLDER = "a folder that is opened by a data key"


S = TypeVar("S", bound=BaseModel)


def marked(section: BaseModel, trait: Trait, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Each field so marked, in the section and below, that has a value: its place and the value."""
    for name, field in type(section).model_fields.items():
        value, place = getattr(section, name), (*path, field.alias or name)
        if trait in field.metadata and value is not None:
            yield place, value
        members = enumerate(value) if isinstance(value, tuple) else ()
        for below, member in ((place, value), *(((*place, index), one) for index, one in members)):
            if isinstance(member, BaseModel):
                yield from marked(member, trait, below)


def filled(section: S, values: Mapping[Trait, Any]) -> S:
    """The section, and those below, with the value of its trait for each marked field that has none."""
    update: dict[str, Any] = {}
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            update[name] = filled(value, values)
        for trait in (one for one in field.metadata if value is None and isinstance(one, Trait) and one in values):
            update[name] = values[trait]
    return section.model_copy(update=update)

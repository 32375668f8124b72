"""What all sections of ppml.yaml have in common: frozen, strict about keys, and their own words for what is wrong."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import PydanticCustomError


def refusal(code: str, title: str, *, found: str = "", why: str = "", fix: str = "") -> PydanticCustomError:
    """An error for validators to raise; the loader turns it into a diagnostic at the value's position."""
    return PydanticCustomError(
        "refusal", "{title}", {"code": code, "title": title, "found": found, "why": why, "fix": fix}
    )


class Section(BaseModel):
    """A mapping in ppml.yaml. Attributes, and what `model_dump` gives, have the names of the keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        serialize_by_alias=True,
        protected_namespaces=(),
        defer_build=True,  # one validator, of the whole file, instead of one for each section within it
    )


class Choice(Section):
    """A mapping in which one of several keys is named, and only one (`reference`, `build` or `rootfs`)."""

    alternatives: ClassVar[tuple[str, ...]]
    may_be_empty: ClassVar[bool] = False

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core))
        named = [{"required": [key], "properties": {key: {"not": {"enum": [None, False]}}}} for key in cls.alternatives]
        return {**schema, "oneOf": [*named, {"not": {"anyOf": named}}] if cls.may_be_empty else named}

    @model_validator(mode="before")
    @classmethod
    def _refuse_two(cls, data: Any) -> Any:
        named = [key for key in cls.alternatives if isinstance(data, dict) and _is_named(data.get(key))]
        if len(named) > 1:
            raise PydanticCustomError("two-alternatives", "two alternatives", {"named": named})
        return data

    @model_validator(mode="after")
    def _refuse_none(self) -> Self:
        if not self.may_be_empty and not any(_is_named(getattr(self, key)) for key in self.alternatives):
            raise PydanticCustomError("no-alternative", "no alternative", {"alternatives": list(self.alternatives)})
        return self


def _is_named(value: object) -> bool:
    return value is not None and value is not False

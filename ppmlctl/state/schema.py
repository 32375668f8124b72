"""The JSON Schema of lockfiles, for editors and for programs that read them."""

from __future__ import annotations

from typing import Any

from ppmlctl.evidence import Evidence
from ppmlctl.planning.diff import SECRET
from ppmlctl.state.lockfile import BEGUN, HANDLE, MADE, VERSION

_HANDLE_PATTERN = "^(vault|file|kubernetes):"


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of the version that this program writes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ppml.lock",
        "type": "object",
        "properties": {
            "version": {"const": VERSION, "description": "Version of this format."},
            "environment": {"type": "string", "format": "uuid", "description": "Identity of the environment."},
            "name": {"type": "string", "description": "The environment's name."},
            "target": {"type": "string", "description": "cluster or sandbox; empty before the first apply."},
            "serial": {"type": "integer", "minimum": 0, "description": "How many records were ever made."},
            "engines": _texts("What tells each engine from all others, such as the UID of kube-system."),
            "intents": _intents(),
            "rotations": {
                "type": "object",
                "additionalProperties": {"enum": [BEGUN, MADE]},
                "description": "Things made anew on request, until an apply has ended well with all that follows.",
            },
            "tasks": {
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/Entry"},
                "description": "What was made, by the task's address.",
            },
        },
        "required": ["version", "environment", "name", "target", "serial", "tasks"],
        "additionalProperties": False,
        "$defs": {"Entry": _entry(), "Digest": _digest(), "Handle": _handle()},
    }


def _entry() -> dict[str, Any]:
    needs = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
    return {
        "type": "object",
        "properties": {
            "module": {"type": "string", "description": "The kind of thing."},
            "inputs": _values("The arguments; secrets as keyed digests.", "Digest"),
            "result": _values("The outcome; secrets by where they are kept.", "Handle"),
            "stored_otherwise": _texts(
                "Fields that the engine fills in, drops or spells otherwise: keyed digests of what is there, by path."
            ),
            "needs": {**needs, "description": "Addresses of the tasks that came before; removal goes the other way."},
            "evidence": {
                "enum": [evidence.value for evidence in Evidence],
                "description": "How well the result is supported; absent where it claims nothing.",
            },
            "protect": {"const": True, "description": "Removal is refused."},
        },
        "required": ["module", "inputs", "result"],
        "additionalProperties": False,
    }


def _values(description: str, secret: str) -> dict[str, Any]:
    member = {"anyOf": [{"$ref": f"#/$defs/{secret}"}, {"not": {"type": "object", "required": [_key_of(secret)]}}]}
    return {"type": "object", "additionalProperties": member, "description": description}


def _key_of(secret: str) -> str:
    return {"Digest": SECRET, "Handle": HANDLE}[secret]


def _digest() -> dict[str, Any]:
    digest = {"type": ["string", "null"], "description": "HMAC with a key that lives in the vault; null: not known."}
    return _only(SECRET, digest, "A secret argument.")


def _handle() -> dict[str, Any]:
    handle = {"type": "string", "pattern": _HANDLE_PATTERN, "description": "Where the value is kept."}
    return _only(HANDLE, handle, "A secret in a result.")


def _only(key: str, member: dict[str, Any], description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key: member},
        "required": [key],
        "additionalProperties": False,
        "description": description,
    }


def _intents() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": {"type": "object"},
        "description": "Calls that were begun, cannot be observed afterwards, and whose outcome is not recorded.",
    }


def _texts(description: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": {"type": "string"}, "description": description}

"""Request bodies: JSON, or YAML where the API takes it."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from ppmlctl.sandbox.kubernetes import status

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
YAML = "application/yaml"
JSON = "application/json"
LARGEST = 3 * 1024 * 1024
"""Bytes; the API server's own limit."""


def media_type(request: Request) -> str:
    """The body's type without parameters; JSON where none is given."""
    return request.headers.get("content-type", JSON).partition(";")[0].strip().lower()


async def read(request: Request, *accepted: str) -> Any:
    """The decoded body. Raises ApiError: UnsupportedMediaType, BadRequest, RequestEntityTooLarge."""
    found = media_type(request)
    if found not in accepted:
        raise status.unsupported_media_type(found, accepted)
    body = await request.body()
    if len(body) > LARGEST:
        raise status.ApiError(413, "RequestEntityTooLarge", f"limit is {LARGEST}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        if found in (APPLY, YAML):
            return _yaml(body)
        raise status.bad_request(f"json parse error: {_where(error)}") from None


def _where(error: Exception) -> str:
    """The place of the fault, without the text around it, which may be a secret."""
    return str(error) if isinstance(error, json.JSONDecodeError) else type(error).__name__


def _yaml(body: bytes) -> Any:
    from ruamel import yaml  # noqa: PLC0415 - clients send JSON; only hand-made requests need it

    try:
        return yaml.YAML(typ="safe", pure=True).load(body)
    except (yaml.error.YAMLError, RecursionError, UnicodeDecodeError, ValueError):
        raise status.bad_request("error decoding YAML: the document is not valid YAML") from None

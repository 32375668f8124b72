"""Request bodies: JSON, or YAML where the API takes it."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from ppmlctl.diagnostics import PpmlError
from ppmlctl.foreign_json import parse_foreign
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
    return _decoded(found, await _content(request))


async def read_if_any(request: Request, *accepted: str) -> Any:
    """The same; None where there is no body, whatever its type. Raises ApiError."""
    found, content = media_type(request), await _content(request)
    if content and found not in accepted:
        raise status.unsupported_media_type(found, accepted)
    return _decoded(found, content) if content else None


def _decoded(found: str, content: bytes) -> Any:
    try:
        return parse_foreign(content)
    except ValueError as error:
        if found in (APPLY, YAML):
            return _yaml(content)
        raise status.bad_request(f"json parse error: {error}") from None


async def _content(request: Request) -> bytes:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > LARGEST:
            raise status.ApiError(413, "RequestEntityTooLarge", f"limit is {LARGEST}")
    return bytes(content)


def _yaml(content: bytes) -> Any:
    from ppmlctl.spec import parse_yaml  # noqa: PLC0415 - clients send JSON; only hand-made requests need it

    try:
        return parse_foreign(json.dumps(parse_yaml(content.decode(), shown_as="body").value))
    except (PpmlError, ValueError):
        raise status.bad_request("error decoding YAML: the document is not valid YAML") from None

"""Content digests, written as `sha256:` and 64 hex digits (OCI image-spec v1.1, descriptor.md, "Digests")."""

from __future__ import annotations

import hashlib
import io
import json
import re

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


def digest_of(content: bytes) -> str:
    """The digest of bytes at hand."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_of_stream(stream: io.BufferedIOBase) -> str:
    """The digest of what is left in `stream`."""
    return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def is_digest(text: object) -> bool:
    """Whether `text` is a SHA-256 digest; so it is also safe as a file name once split at the colon."""
    return isinstance(text, str) and _SHA256.fullmatch(text) is not None


def canonical_json(value: object) -> bytes:
    """JSON that is the same bytes for the same value: sorted keys, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def canonical_digest(value: object) -> str:
    """The digest of `value` as canonical JSON."""
    return digest_of(canonical_json(value))

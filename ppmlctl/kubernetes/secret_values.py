"""Which texts of a Kubernetes Secret are secret, so that logs are masked by them, and by nothing else.

Pure. A namespace, a certificate, a word such as `true` and the frame of a YAML file are none, though they lie in one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SHORTEST, _SHORTEST_LINE = 4, 16
"""Characters: of a whole value, and of a line whose key does not say that it is secret."""
_PUBLIC = frozenset({"namespace", "ca.crt", "tls.crt", "ca.pem"})
"""Keys whose values are meant to be seen."""
_WORDS = frozenset({"true", "false", "null", "none", "default", "config"})
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_NAMED = re.compile(r"""^[\s"'-]*([\w.-]+)["']?\s*[:=]\s*["']?(.*?)["',]*\s*$""")
_SAYS_SECRET = re.compile(
    r"pass|pwd|secret|token|credential|(?:api|private|access|client|account)[._-]?key|key-data", re.IGNORECASE
)
_RANDOM = re.compile(r"[A-Za-z0-9+/=_.-]{16,}")


def secret_values(secret: Mapping[str, Any]) -> Iterator[str]:
    """Values as they stand and in base64; of those with several lines, the lines and members that are secret."""
    for key, encoded in (secret.get("data") or {}).items():
        raw = base64.b64decode(encoded)
        try:
            text = _CERTIFICATE.sub("", raw.decode()).strip()
        except UnicodeDecodeError:
            continue  # no log holds a keystore as it is
        if key in _PUBLIC or len(text) < _SHORTEST or text.lower() in _WORDS:
            continue
        yield text
        yield base64.b64encode(raw).decode()
        if "\n" in text:
            yield from filter(None, map(_in_line, text.splitlines()))


def _in_line(line: str) -> str:
    """What of a line is secret: the value of a key that says so, or a long word that no sentence has."""
    named = _NAMED.match(line)
    if named and _SAYS_SECRET.search(named[1]):
        return named[2] if len(named[2]) >= _SHORTEST else ""
    alone = line.strip()
    return alone if len(alone) >= _SHORTEST_LINE and _RANDOM.fullmatch(alone) and re.search(r"[0-9A-Z]", alone) else ""

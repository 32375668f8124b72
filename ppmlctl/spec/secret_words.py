"""What looks like a secret: names of the big connectors' settings, and shapes of values. The one place that says so.

Source: Spark's spark.redaction.regex, Hadoop's hadoop.security.sensitive-config-keys (core-default.xml), and the
pages of the connectors (hadoop-azure, hadoop-aws, GCS, JDBC, Kafka, Redis, Elasticsearch, Snowflake, BigDL PPML).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ppmlctl.spec.key_path import KeyPath

_NAME = re.compile(
    r"secret(?!ary)|passw(?!ordless)|passphrase|(?<!com)(?<!by)(pass|pwd)$|(^|[._-]|user|admin|root|db)pw$|token(?!i[sz])|credential"
    r"|(access|api|app|(?<!meta)data|account|private|session|master|encryption|signing)[._-]?key(?!provider|gen|s\b)"
    r"|\.sas\.|(^|[._-])sas$|(^|[._-])pem$|connection[._-]?string|sasl\.jaas\.config|redis[._-]auth$|bearer"
    r"|docker[._-]auth[._-]config$|server-side-encryption\.key|encryption\.key\.list|keystore\.key$|plain[._-]?text$"
    r"|bigdl\.kms\.(ehs|simple|azure|bigdl)\.(key|apikey|secret)$",
    re.IGNORECASE,
)
_NAMES_NO_VALUE = re.compile(
    r"^spark\.kubernetes\.(driver|executor)\.secret(s|KeyRef)\."
    r"|provider(\.|$)|tokenSecret\.itemKey$|^spark\.bigdl\.kms\.key\.|\.material$"
    r"|(file|path|folder|dir|location|class|enabled?|endpoint|type|name|alias|algorithm|format|regex|version"
    r"|size|sizeBits|length|bits|timeout|ttl|interval|renewal|ratio|count|limit|max|min|mode)$"
    r"|private\.key\.id$|(client|tenant|user)[._-]?id$|accesskeyid$"
    r"|[._-](header|manager|policy|column|field|project|ref|url|uri)$|retryWait$|renewal\.credentials$"
    r"|pull[._-]?secrets?$",
    re.IGNORECASE,
)
_NAMES_OF_KEYS = re.compile(r"^spark\.kubernetes\.(driver|executor)\.secret(s|KeyRef)\.|itemKey$|regex$", re.IGNORECASE)
"""Of settings whose values may be `password:key`, and of patterns that find secrets."""
_PATHS = re.compile(r"(^|[._-])(old)?pwd$|token$|credentials?$|data[._-]?key$", re.IGNORECASE)
_PATH = re.compile(r"(/[\w.@~-]+)+/?")
_NUMBERED = re.compile(r"tokens?$", re.IGNORECASE)
_REFERS = re.compile(r"\$[{(].*[)}]|\{\{.*\}\}|true|false|", re.IGNORECASE | re.DOTALL)
"""A value that is put in elsewhere, or none."""

_ASSIGNMENTS = (
    re.compile(r"(?<![\w.-])([\w.-]+)[=:]([^\s&;,]+)"),
    re.compile(r'"([\w.-]+)"\s*:\s*"([^"]+)"'),
    re.compile(r"""^[ \t]*([\w.-]+)[ \t]*[=:][ \t]+["']?([^\s"']+)["']?[ \t]*$""", re.MULTILINE),
)
"""`-Dname=value`, `--name=value`, parameters of a URL, and of JAAS; members of JSON; lines of YAML and properties."""
_NO_SECRET = re.compile(
    r"[0-9.]+|v?[0-9]+([.][0-9]+)+[\w.-]*|latest|true|false|/.*|\$[{(].*|\{\{.*|\"\"|''", re.IGNORECASE
)
"""`--max-tokens=512`, versions of images and packages, the paths of files, and what is put in elsewhere."""

_SHAPES = {
    "a password in a URL": re.compile(r"://[^/@\s:]*:(?!\$[{(])[^/@\s]+@|jdbc:oracle:\w+:[^/@\s]+/[^@\s$]+@"),
    "an account key": re.compile(r"\b(Account|SharedAccess)Key=(?!\$[{(])[^;\s]+", re.IGNORECASE),
    "a signature of a shared access": re.compile(r"(^|[?&;\s])sig=(?!\$[{(])[^&\s]+"),
    "a private key": re.compile(r"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY"),
    "a signed token (JWT)": re.compile(r"\beyJ[\w-]{6,}\.eyJ[\w-]{6,}\.[\w-]*"),
    "a token of GitHub": re.compile(r"\b(gh[oprsu]_\w{20,}|github_pat_\w{20,})"),
    "a token of GitLab": re.compile(r"\bglpat-[\w-]{16,}"),
    "a token of Slack": re.compile(r"\bxox[abeprs]-[\w-]{10,}"),
    "an access key of AWS": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "an API key of Google": re.compile(r"\bAIza[\w-]{35}"),
    "a key of Stripe": re.compile(r"\b[rs]k_live_\w{16,}"),
    "a token of Hugging Face": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "an authorization": re.compile(r"\b(Bearer|Basic) (?!\$[{(])[A-Za-z0-9+/=_.-]{16,}"),
}


def named_secret(name: str, value: str = "x") -> bool:
    """Whether a setting, variable or option of that name holds a secret with this value."""
    if not _NAME.search(name) or _NAMES_NO_VALUE.search(name) or _REFERS.fullmatch(value):
        return False
    if _PATH.fullmatch(value) and _PATHS.search(name):
        return False  # the shell's folder, and a file that holds a token
    return not (_NUMBERED.search(name) and value.isdecimal())


def secret_in(text: str) -> str:
    """What a text holds: the name of a secret that it assigns, or the kind of one by its shape; empty where none."""
    for assigned in _ASSIGNMENTS:
        for name, value in assigned.findall(text):
            if named_secret(name) and not _NO_SECRET.fullmatch(value):
                return str(name)
    return next((kind for kind, shape in _SHAPES.items() if shape.search(text)), "")


def secret_of(name: str, value: str) -> str:
    """The same for a setting with its name; where a value names a Secret's key or is a pattern, only shapes count."""
    if named_secret(name, value):
        return name
    if _NAMES_OF_KEYS.search(name):
        return next((kind for kind, shape in _SHAPES.items() if shape.search(value)), "")
    return secret_in(value)


def secrets_of(values: Mapping[str, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Each text in nested values that looks like a secret: where it stands, and what it looks like."""
    for name, value in values.items():
        yield from _secrets_of(str(name), value, (*path, str(name)))


def _secrets_of(name: str, value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, Mapping):
        yield from secrets_of(value, path)
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            yield from _secrets_of(name, member, (*path, index))
    elif isinstance(value, str) and (found := secret_of(name, value)):
        yield path, found

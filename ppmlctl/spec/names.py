"""Texts with a form: names that Kubernetes, registries and URLs accept. Each refuses with the rule it follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Strict, WithJsonSchema

from ppmlctl.spec.section import refusal

Integer = Annotated[int, Strict()]
Boolean = Annotated[bool, Strict()]


def _of_form(pattern: str, *, longest: int, what: str, rule: str) -> tuple[Callable[[str], str], WithJsonSchema]:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if len(text) > longest:
            found = f"{text} has {len(text)} characters"
            raise refusal("name-too-long", f"{what} is too long", found=found, fix=f"use at most {longest}")
        if not compiled.fullmatch(text):
            raise refusal("wrong-name", f"{what} has a wrong form", found=text, fix=f"use {rule}")
        return text

    return check, WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "maxLength": longest})


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_RULE = "small letters, digits and -, a letter or digit at both ends"

_label, _label_schema = _of_form(_LABEL, longest=63, what="a name", rule=_LABEL_RULE)
Label = Annotated[str, AfterValidator(_label), _label_schema]
"""RFC 1123 label: environment, namespace, service account."""

_object, _object_schema = _of_form(
    rf"{_LABEL}(\.{_LABEL})*", longest=253, what="an object's name", rule=f"{_LABEL_RULE}; dots between such parts"
)
ObjectName = Annotated[str, AfterValidator(_object), _object_schema]
"""RFC 1123 subdomain: secrets, claims."""

LONGEST_WORKLOAD = 63 - len("-driver-svc") - len("-12345678") - len("-99")
"""The driver's Service is named after its pod: workload, eight digits of a digest, attempt, and Spark's suffix."""

_workload, _workload_schema = _of_form(
    r"[a-z]([-a-z0-9]*[a-z0-9])?",
    longest=LONGEST_WORKLOAD,
    what="a workload's name",
    rule="small letters, digits and -, a letter first, a letter or digit last",
)
WorkloadName = Annotated[str, AfterValidator(_workload), _workload_schema]
"""RFC 1035 label, as a Service demands, with room for what is added to it."""

_REPOSITORY = r"([a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"

_repository, _repository_schema = _of_form(
    _REPOSITORY, longest=255, what="an image's name", rule="registry/path in small letters; the tag has its own key"
)
Repository = Annotated[str, AfterValidator(_repository), _repository_schema]
"""An image's name without tag and digest (OCI distribution specification)."""

_tag, _tag_schema = _of_form(_TAG, longest=128, what="a tag", rule="letters, digits, _, . and -")
Tag = Annotated[str, AfterValidator(_tag), _tag_schema]
"""An image's tag."""

_reference, _reference_schema = _of_form(
    rf"{_REPOSITORY}(:{_TAG})?(@sha256:[0-9a-f]{{64}})?",
    longest=512,
    what="an image reference",
    rule="name:tag, name@sha256:… or name:tag@sha256:…",
)
ImageReference = Annotated[str, AfterValidator(_reference), _reference_schema]

_registry, _registry_schema = _of_form(
    r"[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]+)?", longest=255, what="a registry's name", rule="its host, and :port if any"
)
RegistryName = Annotated[str, AfterValidator(_registry), _registry_schema]
"""A registry as references name it, without a scheme."""

_platform, _platform_schema = _of_form(
    r"[a-z0-9_-]+/[a-z0-9_-]+(/[a-z0-9_.-]+)?", longest=64, what="a platform", rule="system/architecture: linux/amd64"
)
Platform = Annotated[str, AfterValidator(_platform), _platform_schema]
"""What an image runs on (OCI image-index, `platform`)."""

_java_class, _java_class_schema = _of_form(
    r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", longest=512, what="a class name", rule="a Java class with its package"
)
JavaClass = Annotated[str, AfterValidator(_java_class), _java_class_schema]

_variable, _variable_schema = _of_form(
    r"[A-Za-z_][A-Za-z0-9_]*", longest=128, what="a variable's name", rule="letters, digits and _, no digit first"
)
VariableName = Annotated[str, AfterValidator(_variable), _variable_schema]
"""Of a variable, in ppml.yaml or in a process's environment."""

_measurement, _measurement_schema = _of_form(r"[0-9a-fA-F]{64}", longest=64, what="a measurement", rule="64 hex digits")
Measurement = Annotated[str, AfterValidator(_measurement), AfterValidator(str.lower), _measurement_schema]
"""MRENCLAVE or MRSIGNER: SHA-256 in hex, kept in small letters."""

_domain, _domain_schema = _of_form(r"[0-9a-fA-F]{96}", longest=96, what="a domain's measurement", rule="96 hex digits")
DomainMeasurement = Annotated[str, AfterValidator(_domain), AfterValidator(str.lower), _domain_schema]
"""MRTD or an RTMR: SHA-384 in hex, kept in small letters."""


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        title, fix = "an address has a wrong form", "use an IPv4 address, such as 192.0.2.10"
        raise refusal("wrong-address", title, found=text, fix=fix) from None


Ipv4 = Annotated[str, AfterValidator(_ipv4), WithJsonSchema({"type": "string", "format": "ipv4"})]

_host_name, _host_name_schema = _of_form(
    r"(\*\.)?[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?",
    longest=253,
    what="a host's name",
    rule="letters, digits, - and dots, or an IPv4 address",
)
HostName = Annotated[str, AfterValidator(_host_name), _host_name_schema]
"""As it stands in certificates."""

_fingerprint, _fingerprint_schema = _of_form(
    r"([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}",
    longest=95,
    what="a fingerprint",
    rule="the SHA-256 of the certificate in hex",
)
Fingerprint = Annotated[
    str, AfterValidator(_fingerprint), AfterValidator(lambda text: text.replace(":", "").lower()), _fingerprint_schema
]
"""SHA-256 of a DER certificate, with or without colons; kept as 64 small hex digits."""


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for a port that is no number
    except ValueError:
        return None
    return parts


def _url(*schemes: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        parts = _split(text)
        if parts and (parts.username is not None or parts.password is not None):
            why, fix = "ppml.yaml is committed; a secret in it is not secret", "remove user and password from the URL"
            raise refusal(
                "secret-in-url", "a URL holds a user or a password", found="user information before @", why=why, fix=fix
            )
        if parts is None or parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
            fix = f"write {' or '.join(f'{scheme}://host:port' for scheme in schemes)}"
            raise refusal("wrong-url", "a URL has a wrong form", found=text, fix=fix)
        return text

    return check


HttpsUrl = Annotated[str, AfterValidator(_url("https")), WithJsonSchema({"type": "string", "pattern": "^https://"})]
HttpUrl = Annotated[
    str, AfterValidator(_url("http", "https")), WithJsonSchema({"type": "string", "pattern": "^https?://"})
]


def _path(text: str) -> str:
    if not text or "\0" in text:
        raise refusal("wrong-path", "a path is empty", fix="name a file or folder, relative to the folder of ppml.yaml")
    return text


FilePath = Annotated[str, AfterValidator(_path), WithJsonSchema({"type": "string", "minLength": 1})]
"""Relative to the folder of ppml.yaml, or absolute. Kept as written: the lockfile holds no path of one machine."""


def _argument(text: str) -> str:
    if "\0" in text:
        raise refusal("wrong-argument", "an argument holds a zero byte", fix="remove it: no program can be given it")
    return text


Argument = Annotated[str, AfterValidator(_argument), WithJsonSchema({"type": "string"})]
"""One word of a command line, passed on as it is."""


def _absolute(text: str) -> str:
    if not text.startswith("/"):
        raise refusal("wrong-path", "a path is not absolute", found=text, fix="begin it with /")
    return text


AbsolutePath = Annotated[str, AfterValidator(_absolute), WithJsonSchema({"type": "string", "pattern": "^/"})]
"""On the machine or node where it is used."""

"""Rules that an object must keep to be stored, and what an update may not change. Pure.

Source: kubernetes, pkg/apis/*/validation, and apimachinery, pkg/util/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ppmlctl.sandbox.kubernetes.kinds import Json, Kind
from ppmlctl.sandbox.kubernetes.status import Cause

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    f"with an alphanumeric character (e.g. 'my-name', regex used for validation is '{_LABEL}')"
)
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_MAX_DATA = 1 << 20
LABEL_NAMED = frozenset({"Namespace", "Service"})
PATH_NAMED = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})


def causes(kind: Kind, obj: Json) -> Iterator[Cause]:
    """Everything that forbids storing this object."""
    yield from _name_causes(kind, obj["metadata"]["name"])
    yield from _label_causes(obj["metadata"].get("labels", {}), "metadata.labels")
    if rule := RULES.get(kind.kind):
        yield from rule(obj)


def changes(kind: Kind, live: Json, new: Json) -> Iterator[Cause]:
    """Everything in the step from `live` to `new` that an update may not do."""
    for path in kind.immutable:
        before, after = found_at(live, path), found_at(new, path)
        if before is not None and before != after:
            yield _invalid(path, "(changed)", "field is immutable")
    if live.get("immutable") and any(
        live.get(field) != new.get(field) for field in ("data", "binaryData", "immutable")
    ):
        yield Cause("FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set", "data")


def found_at(obj: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path, or None."""
    value: Any = obj
    for field in path.split("."):
        value = value.get(field) if isinstance(value, Mapping) else None
    return value


def _invalid(path: str, value: str, rule: str) -> Cause:
    return Cause("FieldValueInvalid", f'Invalid value: "{value}": {rule}', path)


def _required(path: str, rule: str = "") -> Cause:
    return Cause("FieldValueRequired", f"Required value: {rule}" if rule else "Required value", path)


def _name_causes(kind: Kind, name: str) -> Iterator[Cause]:
    if kind.kind in PATH_NAMED:
        if "/" in name or "%" in name or name in (".", ".."):
            yield _invalid("metadata.name", name, "may not contain '/' or '%'")
        return
    pattern, rule, limit = (_LABEL, _LABEL_RULE, 63) if kind.kind in LABEL_NAMED else (_SUBDOMAIN, _SUBDOMAIN_RULE, 253)
    if not re.fullmatch(pattern, name):
        yield _invalid("metadata.name", name, rule)
    if len(name) > limit:
        yield _invalid("metadata.name", name, f"must be no more than {limit} characters")


def _label_causes(labels: Mapping[str, str], path: str) -> Iterator[Cause]:
    for value in labels.values():
        if not _LABEL_VALUE.fullmatch(value):
            yield _invalid(
                path,
                value,
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.'",
            )


def _data(obj: Json) -> Iterator[Cause]:
    members = {**obj.get("data", {}), **obj.get("binaryData", {})}
    for key in members:
        if not _DATA_KEY.fullmatch(key):
            yield _invalid(
                f"data[{key}]", key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
            )
    if sum(len(value) for value in members.values()) > _MAX_DATA * (4 / 3 if obj.get("kind") == "Secret" else 1):
        yield Cause("FieldValueTooLong", f"Too long: must have at most {_MAX_DATA} bytes", "data")


def _secret(obj: Json) -> Iterator[Cause]:
    yield from _data(obj)
    for kind, keys in REQUIRED_DATA.items():
        if obj["type"] == kind:
            yield from (_required(f"data[{key}]") for key in keys if key not in obj.get("data", {}))
    if obj["type"] == SERVICE_ACCOUNT_TOKEN and not obj["metadata"].get("annotations", {}).get(SERVICE_ACCOUNT_NAME):
        yield _required(f"metadata.annotations[{SERVICE_ACCOUNT_NAME}]")


SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type, no token
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"
REQUIRED_DATA: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
}


def _pod_spec(spec: Mapping[str, Any], path: str) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield _required(f"{path}.containers")
    volumes = {volume.get("name") for volume in spec.get("volumes", [])}
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field, [])):
            yield from _container(container, f"{path}.{field}[{index}]", volumes)


def _container(container: Mapping[str, Any], path: str, volumes: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield _required(f"{path}.name")
    elif not re.fullmatch(_LABEL, name):
        yield _invalid(f"{path}.name", name, _LABEL_RULE)
    if not container.get("image"):
        yield _required(f"{path}.image")
    for index, mount in enumerate(container.get("volumeMounts", [])):
        if mount.get("name") not in volumes:
            yield Cause("FieldValueNotFound", f'Not found: "{mount.get("name")}"', f"{path}.volumeMounts[{index}].name")


def _pod(obj: Json) -> Iterator[Cause]:
    yield from _pod_spec(obj["spec"], "spec")


def _job(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]["template"]["spec"]
    yield from _pod_spec(spec, "spec.template.spec")
    if spec["restartPolicy"] not in ("OnFailure", "Never"):
        yield _required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')


def _deployment(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]
    yield from _pod_spec(spec["template"]["spec"], "spec.template.spec")
    wanted = spec.get("selector", {}).get("matchLabels", {})
    labels = spec["template"].get("metadata", {}).get("labels", {})
    if not spec.get("selector"):
        yield _required("spec.selector")
    elif any(labels.get(key) != value for key, value in wanted.items()):
        yield _invalid("spec.template.metadata.labels", "(labels)", "`selector` does not match template `labels`")


def _service(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]
    headless = spec.get("clusterIP") == "None"
    if not spec.get("ports") and not headless and spec["type"] != "ExternalName":
        yield _required("spec.ports")


def _binding(obj: Json) -> Iterator[Cause]:
    if not obj.get("roleRef", {}).get("name"):
        yield _required("roleRef.name")


RULES: Mapping[str, Callable[[Json], Iterator[Cause]]] = {
    "ConfigMap": _data,
    "Secret": _secret,
    "Pod": _pod,
    "Job": _job,
    "Deployment": _deployment,
    "Service": _service,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}

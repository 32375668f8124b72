"""Rules that an object must keep to be stored, and what an update may not change. Pure.

Source: kubernetes, pkg/apis/*/validation, and apimachinery, pkg/util/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ppmlctl.sandbox.kubernetes.kinds import VOLUME_SOURCES, Json, Kind
from ppmlctl.sandbox.kubernetes.quantity import amount
from ppmlctl.sandbox.kubernetes.status import Cause

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_RULE = f"not a lowercase RFC 1123 label ({_LABEL})"
_SUBDOMAIN_RULE = f"not a lowercase RFC 1123 subdomain ({_SUBDOMAIN})"
_DNS_1035_RULE = f"not a DNS-1035 label ({_DNS_1035})"
_LABEL_VALUE_RULE = "a label holds letters, digits, '-', '_' and '.', and begins and ends with a letter or digit"
_DATA_KEY_RULE = "a key holds letters, digits, '-', '_' and '.', at most 253 of them"
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_MAX_DATA = 1 << 20
_LONGEST_LABEL = 63
NAME_RULES: Mapping[str, tuple[str, str, int]] = {
    "Namespace": (_LABEL, _LABEL_RULE, 63),
    "Service": (_DNS_1035, _DNS_1035_RULE, 63),
}
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
            yield _invalid(path, after if isinstance(after, str) else "(changed)", "field is immutable")
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
    pattern, rule, limit = NAME_RULES.get(kind.kind, (_SUBDOMAIN, _SUBDOMAIN_RULE, 253))
    if not re.fullmatch(pattern, name):
        yield _invalid("metadata.name", name, rule)
    if len(name) > limit:
        yield _invalid("metadata.name", name, f"must be no more than {limit} characters")


def _label_causes(labels: Mapping[str, str], path: str) -> Iterator[Cause]:
    for value in labels.values():
        if len(value) > _LONGEST_LABEL:
            yield _invalid(path, value, f"must be no more than {_LONGEST_LABEL} characters")
        elif not _LABEL_VALUE.fullmatch(value):
            yield _invalid(path, value, _LABEL_VALUE_RULE)


def _data(obj: Json) -> Iterator[Cause]:
    members = {**obj.get("data", {}), **obj.get("binaryData", {})}
    for key in members:
        if not _DATA_KEY.fullmatch(key):
            yield _invalid(f"data[{key}]", key, _DATA_KEY_RULE)
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
    yield from _resources(container.get("resources", {}), f"{path}.resources.requests")
    for index, mount in enumerate(container.get("volumeMounts", [])):
        if mount.get("name") not in volumes:
            yield Cause("FieldValueNotFound", f'Not found: "{mount.get("name")}"', f"{path}.volumeMounts[{index}].name")


def _resources(resources: Mapping[str, Any], path: str) -> Iterator[Cause]:
    limits = resources.get("limits", {})
    for name, asked in resources.get("requests", {}).items():
        if name in limits and amount(asked) > amount(limits[name]):
            yield _invalid(path, asked, f"must be less than or equal to {name} limit")


def _pod(obj: Json) -> Iterator[Cause]:
    yield from _pod_spec(obj["spec"], "spec")


def _job(obj: Json) -> Iterator[Cause]:
    template = obj["spec"]["template"]
    spec = template["spec"]
    yield from _label_causes(template["metadata"]["labels"], "spec.template.labels")
    yield from _pod_spec(spec, "spec.template.spec")
    if spec["restartPolicy"] not in ("OnFailure", "Never"):
        yield _required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')


def _deployment(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]
    if (policy := spec["template"]["spec"]["restartPolicy"]) != "Always":
        unsupported = f'Unsupported value: "{policy}": supported values: "Always"'
        yield Cause("FieldValueNotSupported", unsupported, "spec.template.spec.restartPolicy")
    wanted = spec.get("selector", {}).get("matchLabels", {})
    labels = spec["template"].get("metadata", {}).get("labels", {})
    if not spec.get("selector"):
        yield _required("spec.selector")
    elif any(labels.get(key) != value for key, value in wanted.items()):
        yield _invalid("spec.template.metadata.labels", "(labels)", "`selector` does not match template `labels`")
    yield from _pod_spec(spec["template"]["spec"], "spec.template.spec")


def _claim(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield _required("spec.accessModes", "at least 1 access mode is required")
    if "storage" not in spec.get("resources", {}).get("requests", {}):
        yield _required("spec.resources[storage]")


def _persistent_volume(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield _required("spec.accessModes")
    if not spec.get("capacity"):
        yield _required("spec.capacity")
    if not any(spec.get(source) for source in VOLUME_SOURCES):
        yield _required("spec", "must specify a volume type")


def _service(obj: Json) -> Iterator[Cause]:
    spec = obj["spec"]
    headless = spec.get("clusterIP") == "None"
    if not spec.get("ports") and not headless and spec["type"] != "ExternalName":
        yield _required("spec.ports")


def _lease(obj: Json) -> Iterator[Cause]:
    duration = obj.get("spec", {}).get("leaseDurationSeconds")
    if duration is not None and duration <= 0:
        yield Cause(
            "FieldValueInvalid", f"Invalid value: {duration}: must be greater than 0", "spec.leaseDurationSeconds"
        )


def _binding(obj: Json) -> Iterator[Cause]:
    reference = obj.get("roleRef", {})
    if (kind := reference.get("kind", "")) not in ("Role", "ClusterRole"):
        unsupported = f'Unsupported value: "{kind}": supported values: "Role", "ClusterRole"'
        yield Cause("FieldValueNotSupported", unsupported, "roleRef.kind")
    if not reference.get("name"):
        yield _required("roleRef.name")


RULES: Mapping[str, Callable[[Json], Iterator[Cause]]] = {
    "ConfigMap": _data,
    "Secret": _secret,
    "Pod": _pod,
    "Job": _job,
    "Deployment": _deployment,
    "StatefulSet": _deployment,
    "PersistentVolume": _persistent_volume,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
    "Lease": _lease,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}

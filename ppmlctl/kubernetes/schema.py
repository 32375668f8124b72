"""What the Kubernetes API says of its fields, as far as comparing needs it.

Source: the Go types under kubernetes/api (core/v1, apps/v1, batch/v1, rbac/v1): struct tags `patchMergeKey`,
`listMapKey`, `omitempty`, and the types resource.Quantity and intstr.IntOrString. Fields are known by their names,
which have one meaning over all these types; a list whose elements lack the key is compared by position.
"""

from __future__ import annotations

from collections.abc import Mapping

Path = tuple[str, ...]
"""Names of fields from the top of the manifest; elements of lists are left out."""

_MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "claims": ("name",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
_CONTAINERS = frozenset({"containers", "ephemeralContainers", "initContainers"})

SETS = frozenset({"finalizers"})
"""Lists of plain values that several managers may fill together."""

KEY_DEFAULTS: Mapping[str, str] = {"protocol": "TCP"}
"""Key fields that may be left out, and what they mean then."""

_TEXT_MAPS = frozenset({"annotations", "binaryData", "data", "labels", "matchLabels", "nodeSelector", "parameters"})
"""Maps whose keys are anybody's, and whose values are text that is kept as it is."""

_QUANTITY_MAPS = frozenset({"capacity", "hard", "limits", "overhead", "requests"})
_LIMIT_RANGE_MAPS = frozenset({"default", "defaultRequest", "max", "maxLimitRequestRatio", "min"})
_QUANTITIES = frozenset({"averageValue", "divisor", "sizeLimit"})
_INT_OR_STRING = frozenset({"maxSurge", "maxUnavailable", "minAvailable", "port", "targetPort"})
_NOT_STORED_WHEN_ZERO = frozenset(
    {
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostPort",
        "initialDelaySeconds",
        "minReadySeconds",
        "nodePort",
        "paused",
        "publishNotReadyAddresses",
        "readOnly",
        "stdin",
        "stdinOnce",
        "tty",
        "unschedulable",
    }
)


def merge_keys(path: Path) -> tuple[str, ...]:
    """The fields that tell the elements of a list apart, where several managers may fill it together; else none."""
    if path == ("spec", "ports"):
        return ("port", "protocol")
    if path[-1] == "ports" and len(path) > 1 and path[-2] in _CONTAINERS:
        return ("containerPort", "protocol")
    return _MERGE_KEYS.get(path[-1], ())


def is_text(path: Path) -> bool:
    """Whether the field is an entry of a map of free keys, where no spelling means another."""
    return len(path) > 1 and path[-2] in _TEXT_MAPS


def is_quantity(path: Path) -> bool:
    """Whether the field holds an amount, so that several spellings mean the same."""
    if is_text(path) or len(path) == 1:
        return False
    name, parent = path[-1], path[-2]
    in_limit_range = path[:2] == ("spec", "limits") and parent in _LIMIT_RANGE_MAPS
    return name in _QUANTITIES or parent in _QUANTITY_MAPS or in_limit_range


def is_int_or_string(path: Path) -> bool:
    """Whether the field takes a number and its text alike."""
    return path[-1] in _INT_OR_STRING and not is_text(path)


def is_absent_when_zero(path: Path, value: object) -> bool:
    """Whether the server drops this value, so that declaring it and finding nothing is no difference.

    Empty text, lists and maps are dropped nearly everywhere. `false` and `0` only where the field is no pointer: a
    missing `automountServiceAccountToken: false` means true.
    """
    if value is None:
        return True
    if value in ("", [], {}):
        return not is_text(path)
    return value in (False, 0) and path[-1] in _NOT_STORED_WHEN_ZERO

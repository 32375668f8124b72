"""Fields that the API server refuses to change on an existing object, so that a change of them replaces it.

Source: kubernetes, pkg/apis/*/validation/validation.go (`apimachineryvalidation.ValidateImmutableField` and the update
validations); each was refused by a real server of version 1.20.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ppmlctl.kubernetes.differences import FieldDifference

_IMMUTABLE: Mapping[str, str] = {
    "ClusterRoleBinding": r"roleRef\b.*",
    "ConfigMap": r"immutable",
    "DaemonSet": r"spec\.selector\b.*",
    "Deployment": r"spec\.selector\b.*",
    "Job": r"spec\.(template|selector|completions)\b.*",
    "PersistentVolume": r"spec\.(?!accessModes|capacity|claimRef|mountOptions|persistentVolumeReclaimPolicy).*",
    "PersistentVolumeClaim": r"spec\.(?!resources\b).*",
    "Pod": r"spec\.(?!(initContainers|containers)\[[^]]*\]\.image$|activeDeadlineSeconds|tolerations).*",
    "RoleBinding": r"roleRef\b.*",
    "Secret": r"type|immutable|metadata\.annotations\[\"kubernetes\.io/service-account\.name\"\]",
    "Service": r"spec\.clusterIPs?\b.*",
    "StatefulSet": r"spec\.(?!replicas|template\b|updateStrategy\b).*",
    "StorageClass": r"provisioner|parameters\b.*|reclaimPolicy|volumeBindingMode",
}


def unchangeable(live: Mapping[str, Any], found: Iterable[FieldDifference]) -> list[FieldDifference]:
    """The differences that only a new object can mend. A ConfigMap or Secret with `immutable: true` has no others."""
    kind = live["kind"]
    if live.get("immutable") is True:
        return [difference for difference in found if not difference.path.startswith("metadata")]
    pattern = _IMMUTABLE.get(kind)
    return [difference for difference in found if pattern and re.fullmatch(pattern, difference.path)]


def is_released(live: Mapping[str, Any]) -> bool:
    """Whether a volume keeps its data for a claim that is gone, so that as an object it serves nobody any more."""
    retains = (live.get("spec") or {}).get("persistentVolumeReclaimPolicy") == "Retain"
    return live["kind"] == "PersistentVolume" and retains and (live.get("status") or {}).get("phase") == "Released"

"""What the API server fills in where a manifest says nothing.

Each function completes one kind in place, on a copy that the caller made.
Source: kubernetes, pkg/apis/*/v1/defaults.go.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from ppmlctl.sandbox.kubernetes.kinds import Json, Kind

NODE_PORTS = range(30000, 32768)
SERVICE_NETWORK = ipaddress.IPv4Network("10.96.0.0/12")


def complete(kind: Kind, obj: Json) -> None:
    """Fills in the defaults of this kind."""
    if rule := RULES.get(kind.kind):
        rule(obj)


def _setdefaults(target: Json, values: Mapping[str, Any]) -> None:
    for field, value in values.items():
        if target.get(field) is None:
            target[field] = value


def _namespace(obj: Json) -> None:
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]
    _setdefaults(obj, {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}})


def _secret(obj: Json) -> None:
    _setdefaults(obj, {"type": "Opaque"})
    written = obj.pop("stringData", None) or {}
    if written:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in written.items()}
        obj["data"] = {**obj.get("data", {}), **encoded}


def _service(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _setdefaults(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    _setdefaults(obj, {"status": {"loadBalancer": {}}})
    for port in spec.get("ports", []):
        _setdefaults(port, {"protocol": "TCP"})
        _setdefaults(port, {"targetPort": port.get("port")})
    if spec["type"] == "ExternalName":
        return
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _setdefaults(spec, {"externalTrafficPolicy": "Cluster"})
        for index, port in enumerate(spec.get("ports", [])):
            _setdefaults(port, {"nodePort": _node_port(obj["metadata"]["uid"], index)})
    _setdefaults(spec, {"clusterIP": _service_address(obj["metadata"]["uid"]), "internalTrafficPolicy": "Cluster"})
    _setdefaults(spec, {"clusterIPs": [spec["clusterIP"]], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"})


def _node_port(uid: str, index: int) -> int:
    return NODE_PORTS[(int(uid.replace("-", "")[:6], 16) + index) % len(NODE_PORTS)]


def _service_address(uid: str) -> str:
    offset = int(uid.replace("-", "")[:6], 16) % (SERVICE_NETWORK.num_addresses - 2) + 1
    return str(SERVICE_NETWORK[offset])


def _pod(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        resources = container.setdefault("resources", {})
        if limits := resources.get("limits"):
            resources["requests"] = {**limits, **resources.get("requests", {})}
    pod_spec(spec)
    account = spec.get("serviceAccountName") or "default"
    _setdefaults(spec, {"serviceAccountName": account, "serviceAccount": account, "enableServiceLinks": True})
    _setdefaults(spec, {"preemptionPolicy": "PreemptLowerPriority", "priority": 0})
    _setdefaults(obj, {"status": {"phase": "Pending", "qosClass": _quality(spec)}})


def _quality(spec: Json) -> str:
    """The pod's quality of service class (pkg/apis/core/v1/helper/qos)."""
    asked = [
        container.get("resources", {}) for container in (*spec.get("containers", []), *spec.get("initContainers", []))
    ]
    if not any(resources.get("limits") or resources.get("requests") for resources in asked):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= resources.get("limits", {}).keys() and resources["limits"] == resources["requests"]
        for resources in asked
    )
    return "Guaranteed" if guaranteed else "Burstable"


def pod_spec(spec: Json) -> None:
    """Defaults of a pod's specification, alone or inside a template."""
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        _container(container)
    for volume in spec.get("volumes", []):
        _volume(volume)
    _setdefaults(
        spec,
        {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
    )
    if account := spec.get("serviceAccountName"):
        _setdefaults(spec, {"serviceAccount": account})


def _container(container: Json) -> None:
    tag = container.get("image", "").rpartition("/")[2].partition("@")[0].partition(":")[2]
    policy = "IfNotPresent" if "@" in container.get("image", "") or tag not in ("", "latest") else "Always"
    _setdefaults(
        container,
        {
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": policy,
        },
    )
    for port in container.get("ports", []):
        _setdefaults(port, {"protocol": "TCP"})
    for variable in container.get("env", []):
        if field := variable.get("valueFrom", {}).get("fieldRef"):
            _setdefaults(field, {"apiVersion": "v1"})
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            _probe(container[probe])


def _probe(probe: Json) -> None:
    _setdefaults(probe, {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3})
    if "httpGet" in probe:
        _setdefaults(probe["httpGet"], {"path": "/", "scheme": "HTTP"})


def _volume(volume: Json) -> None:
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        if source in volume:
            _setdefaults(volume[source], {"defaultMode": 0o644})
    if "hostPath" in volume:
        _setdefaults(volume["hostPath"], {"type": ""})
    if len(volume) == 1:
        volume["emptyDir"] = {}


def _template(obj: Json) -> Json:
    template: Json = obj.setdefault("spec", {}).setdefault("template", {})
    _setdefaults(template.setdefault("metadata", {}), {})
    pod_spec(template.setdefault("spec", {}))
    return template


def _job(obj: Json) -> None:
    template, uid, name = _template(obj), obj["metadata"]["uid"], obj["metadata"]["name"]
    _setdefaults(
        obj["spec"],
        {
            "parallelism": 1,
            "completions": 1,
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "suspend": False,
            "podReplacementPolicy": "TerminatingOrFailed",
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}},
        },
    )
    marks = {"controller-uid": uid, "job-name": name}
    labels = template["metadata"].setdefault("labels", {})
    labels.update(marks | {f"batch.kubernetes.io/{key}": value for key, value in marks.items()})
    _setdefaults(obj, {"status": {}})


def _deployment(obj: Json) -> None:
    _template(obj)
    spec = obj["spec"]
    _setdefaults(spec, {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": {}})
    _setdefaults(spec["strategy"], {"type": "RollingUpdate"})
    if spec["strategy"]["type"] == "RollingUpdate":
        rolling = spec["strategy"].setdefault("rollingUpdate", {})
        _setdefaults(rolling, {"maxUnavailable": "25%", "maxSurge": "25%"})
    _setdefaults(obj, {"status": {}})


def _stateful_set(obj: Json) -> None:
    _template(obj)
    spec = obj["spec"]
    _setdefaults(spec, {"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady"})
    _setdefaults(spec.setdefault("updateStrategy", {}), {"type": "RollingUpdate"})
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _setdefaults(spec["updateStrategy"].setdefault("rollingUpdate", {}), {"partition": 0})
    for claim in spec.get("volumeClaimTemplates", []):
        _setdefaults(claim, {"apiVersion": "v1", "kind": "PersistentVolumeClaim"})
        _claim(claim)
    _setdefaults(obj, {"status": {"replicas": 0}})


def _claim(obj: Json) -> None:
    _setdefaults(obj.setdefault("spec", {}), {"volumeMode": "Filesystem"})
    _setdefaults(obj, {"status": {"phase": "Pending"}})


def _persistent_volume(obj: Json) -> None:
    _setdefaults(obj.setdefault("spec", {}), {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"})
    if "hostPath" in obj["spec"]:
        _setdefaults(obj["spec"]["hostPath"], {"type": ""})
    _setdefaults(obj, {"status": {"phase": "Pending"}})


def _binding(obj: Json) -> None:
    _setdefaults(obj.get("roleRef", {}), {"apiGroup": "rbac.authorization.k8s.io"})
    for subject in obj.get("subjects", []):
        if subject.get("kind") in ("User", "Group"):
            _setdefaults(subject, {"apiGroup": "rbac.authorization.k8s.io"})


def _network_policy(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _setdefaults(spec, {"policyTypes": ["Ingress", *(["Egress"] if spec.get("egress") else [])]})
    for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
        for port in rule.get("ports", []):
            _setdefaults(port, {"protocol": "TCP"})


RULES: Mapping[str, Callable[[Json], None]] = {
    "Namespace": _namespace,
    "Secret": _secret,
    "Service": _service,
    "Pod": _pod,
    "Job": _job,
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "PersistentVolume": _persistent_volume,
    "PersistentVolumeClaim": _claim,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "NetworkPolicy": _network_policy,
}

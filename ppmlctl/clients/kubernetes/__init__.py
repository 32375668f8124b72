"""A cluster's objects as plain manifests, with kubectl's reading of the kubeconfig."""

from ppmlctl.clients.kubernetes.client import KubernetesClient, Propagation
from ppmlctl.clients.kubernetes.events import Event
from ppmlctl.clients.kubernetes.faults import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MadeAnewError,
    ObjectExistsError,
    ObjectGoneError,
    UnknownKindError,
)
from ppmlctl.clients.kubernetes.resources import Resource
from ppmlctl.clients.kubernetes.waiting import Condition, WaitStoppedError
from ppmlctl.kubernetes.objects import Manifest, ObjectKey, key_of

__all__ = [
    "Condition",
    "ConflictError",
    "Event",
    "ForbiddenError",
    "InvalidError",
    "KubernetesClient",
    "MadeAnewError",
    "Manifest",
    "ObjectExistsError",
    "ObjectGoneError",
    "ObjectKey",
    "Propagation",
    "Resource",
    "UnknownKindError",
    "WaitStoppedError",
    "key_of",
]

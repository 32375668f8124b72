"""Every namespace has a service account `default` and a ConfigMap with the cluster's certificate authority."""

from __future__ import annotations

from collections.abc import Callable

from ppmlctl.sandbox.kubernetes.kinds import Json, kind_named
from ppmlctl.sandbox.kubernetes.objects import Objects


def follow(authority: bytes) -> Callable[[Objects, Json], None]:
    """The controller for clusters with this certificate authority (PEM)."""

    def reconcile(objects: Objects, namespace: Json) -> None:
        certificate: Json = {"data": {"ca.crt": authority.decode()}}
        for plural, name, content in (
            ("serviceaccounts", "default", {}),
            ("configmaps", "kube-root-ca.crt", certificate),
        ):
            kind, within = kind_named(plural), namespace["metadata"]["name"]
            if objects.store.get(kind, within, name) is None:
                objects.seed(kind, {"metadata": {"name": name, "namespace": within}, **content})

    return reconcile

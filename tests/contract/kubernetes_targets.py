"""What a contract test gets: a cluster, and a namespace of its own in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ppmlctl.clients.kubernetes import KubernetesClient, Manifest, ObjectKey, key_of
from ppmlctl.effects import Effects

JOB_IMAGE = "ppml/contract-job:1"
JOB_LINE = "the job ran"


@dataclass(frozen=True)
class KubernetesTarget:
    """One cluster to hold to the contract. The sandbox runs no containers, so some expectations name it."""

    name: str
    kubeconfig: Path

    @property
    def is_real(self) -> bool:
        return self.name == "real"

    def client(self, *, writes_allowed: bool = True) -> KubernetesClient:
        """A client of its own, with its own effects."""
        effects = Effects("kubernetes", writes_allowed=writes_allowed)
        return KubernetesClient(effects, kubeconfig=self.kubeconfig)

    def kubeconfig_content(self) -> dict[str, Any]:
        """The kubeconfig's content, for a test that changes it."""
        content: dict[str, Any] = YAML(typ="safe", pure=True).load(self.kubeconfig)
        return content


@dataclass(frozen=True)
class Namespace:
    """A fresh namespace, its client, and the manifests and keys that lie in it."""

    target: KubernetesTarget
    client: KubernetesClient
    name: str
    effects: Effects = field(repr=False)

    def key(self, kind: str, name: str, api_version: str = "v1") -> ObjectKey:
        return ObjectKey(api_version, kind, self.name, name)

    def manifest(self, kind: str, name: str, api_version: str = "v1", **fields: Any) -> Manifest:
        return {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": name, "namespace": self.name, **fields.pop("metadata", {})},
            **fields,
        }

    def foreseen(self, manifest: Manifest, live: Manifest) -> tuple[Manifest, Manifest]:
        """The live object, and what an apply would make of that very version: controllers note things on theirs."""
        foreseen = self.client.apply(manifest, force=True, dry_run=True)
        while foreseen["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"]:
            live = self.client.get(key_of(manifest)) or live
            foreseen = self.client.apply(manifest, force=True, dry_run=True)
        return live, foreseen

    def apply_as_other(self, manifest: Manifest) -> None:
        """Another manager takes what it declares, as a colleague with kubectl does."""
        kubectl = shutil.which("kubectl")
        if kubectl is None:
            pytest.skip("kubectl is not on PATH")
        words = ["apply", "--server-side", "--force-conflicts", "--field-manager=colleague", "-f", "-"]
        environment = {**os.environ, "KUBECONFIG": str(self.target.kubeconfig)}
        subprocess.run(
            [kubectl, *words], input=json.dumps(manifest), text=True, check=True, capture_output=True, env=environment
        )

"""One environment of a few cluster objects, applied from several checkouts, as from several machines."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flows.place import PPMLCTL, Place
from ruamel.yaml import YAML

from ppmlctl.clients.kubernetes import Condition, KubernetesClient, Manifest, ObjectKey
from ppmlctl.effects import Effects

ENVIRONMENT = """\
version: 1
name: shared
target: cluster
cluster: {{namespace: {namespace}, lease_seconds: {seconds}}}
playbooks: [objects.yaml]
"""
OBJECTS = """\
- name: space
  k8s_object:
    manifest: {{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}
- name: first
  k8s_object:
    manifest: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: first, namespace: {namespace}}}}}
  needs: [space]
"""
GATED = """\
- name: gate
  k8s_object:
    manifest: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: gate, namespace: {namespace}}}}}
    wait: {{field: data.open, seconds: 60}}
  needs: [first]
- name: behind
  k8s_object:
    manifest:
      apiVersion: v1
      kind: ConfigMap
      metadata: {{name: behind, namespace: {namespace}}}
      data: {{by: {who}}}
  needs: [gate]
"""
"""What keeps an apply in its middle until the gate is opened."""
SECONDS = 180.0


@dataclass
class Checkout(Place):
    """A folder with the environment, and the cluster that it is applied to."""

    namespace: str = ""
    begun: list[subprocess.Popen[str]] = field(default_factory=list)
    """Applies that were started; whoever made the checkout ends them."""

    def grow(self, who: str) -> None:
        """Asks for the gate and for what lies behind it."""
        with (self.folder / "objects.yaml").open("a") as file:
            file.write(GATED.format(namespace=self.namespace, who=who))

    def clone(self, name: str) -> Checkout:
        """The same commit on another machine: everything but what git does not see."""
        folder = self.folder.parent / name
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(".ppml"))
        return Checkout(folder, self.variables, self.namespace, self.begun)

    def pull(self, other: Checkout) -> None:
        """Takes over what another checkout has committed."""
        for name in ("ppml.lock", "ppml.vault", "objects.yaml"):
            shutil.copy(other.folder / name, self.folder / name)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Starts an apply; what it says can be read at its end."""
        running = subprocess.Popen(
            [*PPMLCTL, "apply", "--yes", *words],
            cwd=self.folder,
            env={**os.environ, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.begun.append(running)
        return running

    def until(self, kind: str, name: str, text: str, holds: Any) -> Manifest | None:
        """Waits for an object."""
        api_version = "coordination.k8s.io/v1" if kind == "Lease" else "v1"
        return self.client.wait(ObjectKey(api_version, kind, self.namespace, name), Condition(text, holds), SECONDS)

    def until_at_the_gate(self) -> None:
        self.until("ConfigMap", "gate", "the gate is there", lambda live: live is not None)

    def object(self, name: str) -> Manifest | None:
        return self.client.get(ObjectKey("v1", "ConfigMap", self.namespace, name))

    def lease(self) -> Manifest | None:
        return self.client.get(ObjectKey("coordination.k8s.io/v1", "Lease", self.namespace, "ppmlctl-shared"))

    @property
    def client(self) -> KubernetesClient:
        effects = Effects("kubernetes", writes_allowed=False)
        return KubernetesClient(effects, kubeconfig=Path(self.variables["KUBECONFIG"]))

    def open_the_gate(self) -> None:
        self.as_colleague("patch", "configmap", "gate", "--type=merge", "-p", json.dumps({"data": {"open": "yes"}}))

    def make_namespace(self) -> None:
        """As an administrator does for somebody who may work in it, and takes it out of the playbook."""
        self.as_colleague("create", "namespace", self.namespace)
        objects = self.folder / "objects.yaml"
        first = objects.read_text().partition("- name: first")[2].replace("  needs: [space]\n", "")
        objects.write_text("- name: first" + first)

    def allow(self, verbs: str, resource: str) -> None:
        """Lets the namespace's default account do that there."""
        admin = replace(self, variables={**self.variables, "KUBECONFIG": os.environ["KUBECONFIG"]})
        name = f"{resource}-role"
        account = f"--serviceaccount={self.namespace}:default"
        admin.as_colleague("create", "role", name, f"--verb={verbs}", f"--resource={resource}")
        admin.as_colleague("create", "rolebinding", name, f"--role={name}", account)

    def restricted(self, file: Path) -> Path:
        """The kubeconfig of the namespace's default account."""
        secret = {"metadata": {"name": "token", "namespace": self.namespace}, "apiVersion": "v1", "kind": "Secret"}
        secret["metadata"]["annotations"] = {"kubernetes.io/service-account.name": "default"}
        (file.parent / "token.json").write_text(json.dumps({**secret, "type": "kubernetes.io/service-account-token"}))
        self.as_colleague("apply", "-f", str(file.parent / "token.json"))
        made = self.until("Secret", "token", "it is filled", lambda live: bool(live and live.get("data")))
        assert made
        content = YAML(typ="safe", pure=True).load(Path(self.variables["KUBECONFIG"]))
        context = {"cluster": content["clusters"][0]["name"], "user": "restricted", "namespace": self.namespace}
        user = {"name": "restricted", "user": {"token": base64.b64decode(made["data"]["token"]).decode()}}
        content |= {"users": [user], "contexts": [{"name": "here", "context": context}], "current-context": "here"}
        file.write_text(json.dumps(content))
        return file

    def as_colleague(self, *words: str) -> None:
        """Somebody with kubectl."""
        command = ["kubectl", "--kubeconfig", self.variables["KUBECONFIG"], "-n", self.namespace, *words]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)


Make = Callable[..., Checkout]
"""Makes a checkout by its name, in the test's own namespace."""


def make_checkout(folder: Path, kubeconfig: Path, namespace: str, *, seconds: int) -> Checkout:
    """A fresh one that nobody has applied yet."""
    folder.mkdir(parents=True)
    (folder / "ppml.yaml").write_text(ENVIRONMENT.format(namespace=namespace, seconds=seconds))
    (folder / "objects.yaml").write_text(OBJECTS.format(namespace=namespace))
    variables = {"KUBECONFIG": str(kubeconfig), "PPML_VAULT_PASSWORD": "of this test", "NO_COLOR": "1"}
    return Checkout(folder, variables, namespace)

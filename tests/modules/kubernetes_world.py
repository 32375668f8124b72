"""A cluster with a namespace of its own for each test, and tasks taken through their life there."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ppmlctl.clients.kubernetes import KubernetesClient, Manifest, ObjectKey
from ppmlctl.diagnostics import EngineError
from ppmlctl.effects import Effects
from ppmlctl.modules._kubernetes import manager_of
from ppmlctl.modules.base import BESIDE_THE_RESULT, Module, ModuleResult, ObjectResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ABSENT, Change, Observed, Recorded, Wanted
from ppmlctl.sandbox import process

CLUSTERS = [pytest.param("sandbox"), pytest.param("real", marks=pytest.mark.cluster)]
"""The clusters that tests of modules run on; the real one where KUBECONFIG names it."""


@contextmanager
def cluster(name: str, folder: Path) -> Iterator[Path]:
    """The kubeconfig of one of CLUSTERS."""
    if name == "real":
        kubeconfig = os.environ.get("KUBECONFIG")
        if not kubeconfig:
            pytest.skip("KUBECONFIG names no cluster")
        yield Path(kubeconfig)
        return
    running = process.up(folder, only=process.KUBERNETES)
    assert running.kubeconfig is not None
    try:
        yield running.kubeconfig
    finally:
        process.down(folder)


@dataclass
class World:
    """One environment on one cluster: what is recorded, what was told."""

    client: KubernetesClient
    effects: Effects
    namespace: str
    context: Context
    warnings: list[str]
    recorded: dict[str, Recorded] = field(default_factory=dict)
    locked: bool = False

    def task(self, module: Module[Any, Any], address: str = "task", **arguments: Any) -> Task:
        return Task(self, module, address, arguments)

    def manifest(self, kind: str, name: str, api_version: str = "v1", **fields: Any) -> Manifest:
        metadata = {"name": name, "namespace": self.namespace, **fields.pop("metadata", {})}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}

    def live(self, kind: str, name: str, api_version: str = "v1") -> Manifest | None:
        return self.client.get(ObjectKey(api_version, kind, self.namespace, name))

    def apply_as_other(self, manifest: Manifest) -> None:
        """Another field manager takes what it declares."""
        self.client.apply(manifest, manager="colleague", force=True)

    def apply_as_ours(self, manifest: Manifest) -> None:
        """Our own environment's manager changes what it declares, behind its back."""
        self.client.apply(manifest, manager=manager_of(self.context.environment), force=True)

    def other_environment(self) -> World:
        """The same cluster, seen by another environment."""
        context = replace(self.context, environment="99999999-2222-3333-4444-555555555555")
        return replace(self, context=context, recorded={})


@dataclass
class Task:
    """One task as the engine drives it; `apply` records into the world unless a crash comes before."""

    world: World
    module: Module[Any, Any]
    address: str
    arguments: dict[str, Any]

    @property
    def context(self) -> Context:
        return replace(self.world.context, address=self.address, recorded=dict(self.world.recorded))

    @property
    def recorded(self) -> Recorded | None:
        return self.world.recorded.get(self.address)

    def wanted(self) -> Wanted:
        args = self.module.Args.model_validate(self.arguments)
        digest = None if self.world.locked else "digest"
        return Wanted(self.address, args, self.module.fingerprint(args, lambda _: digest))

    def observe(self) -> Observed:
        return self.module.observe(self.context, [self.wanted()]).get(self.address, ABSENT)

    def plan(self) -> Change:
        return self.module.diff(self.wanted(), self.observe(), self.recorded)

    def apply(self, *, crash_before_record: bool = False) -> Any:
        wanted, observed = self.wanted(), self.observe()
        self.module.diff(wanted, observed, self.recorded)
        result: ModuleResult = self.module.apply(self.context, wanted.args, observed)
        if not crash_before_record:
            self.world.context.intents.kept.pop(self.address, None)  # type: ignore[attr-defined]  # see conftest.py
            fields = {
                name: getattr(result, name) for name in type(result).model_fields if name not in BESIDE_THE_RESULT
            }
            otherwise = result.stored_otherwise if isinstance(result, ObjectResult) else {}
            self.world.recorded[self.address] = Recorded(
                self.module.kind, wanted.inputs, fields, evidence=result.evidence, stored_otherwise=otherwise
            )
        return result

    def remove(self) -> None:
        recorded = self.world.recorded[self.address]
        self.module.remove(self.context, recorded)
        del self.world.recorded[self.address]


def _await_account(client: KubernetesClient, namespace: str) -> None:
    """Until the default account of a fresh namespace is made, with its token on old servers, pods are refused."""
    over = time.monotonic() + 60
    metadata = {"name": "probe", "namespace": namespace}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    while True:
        try:
            client.apply({**pod, "spec": {"containers": [{"name": "c", "image": "i"}]}}, dry_run=True)
        except EngineError:
            if time.monotonic() > over:
                raise
            time.sleep(0.1)
        else:
            return


@contextmanager
def world_of(kubeconfig: Path, make_context: Any, *, target: str = "cluster") -> Iterator[World]:
    """A world in a fresh namespace, which is deleted afterwards and not waited for."""
    effects, warnings = Effects("kubernetes", writes_allowed=True), list[str]()
    client = KubernetesClient(effects, kubeconfig=kubeconfig)
    name = f"k8s-module-{secrets.token_hex(4)}"
    client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    _await_account(client, name)
    context = make_context(target=target, engines=SimpleNamespace(kubernetes=client), warnings=warnings)
    try:
        yield World(client, effects, name, context, warnings)
    finally:
        client.delete(ObjectKey("v1", "Namespace", "", name))

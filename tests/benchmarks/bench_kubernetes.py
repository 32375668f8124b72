"""Many ConfigMaps, Secrets and Services from one appended playbook, beside `kubectl apply -f` of the same objects.

Needs a real API server (KUBECONFIG) and kubectl. Both make the objects in namespaces of their own, in turns.
Targets, as whole processes: the first apply takes at most 0.75 of kubectl's time, the second at most 0.35; beyond
Python's imports, which are what a process costs that only imports the same modules, the second takes at most half.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUN_AND_LIST_MODULES = """
import sys
from ppmlctl.cli import main
sys.argv = ["ppmlctl", *sys.argv[2:]]
try:
    main()
except SystemExit as end:
    if end.code:
        raise
finally:
    open("modules.txt", "w").write("\\n".join(sys.modules))
"""
IMPORT_MODULES = """
import contextlib, importlib
for name in open("modules.txt").read().split():
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
"""
ENVIRONMENT = "version: 1\nname: many\ntarget: cluster\ncluster: {{namespace: {0}}}\nplaybooks: [many.yaml]\n"


@dataclass(frozen=True)
class Bench:
    """One namespace with its folder, and one way to fill it."""

    namespace: str
    folder: Path

    def seconds(self, *command: str) -> float:
        """How long a command takes that must succeed, as a whole process."""
        started = time.perf_counter()
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        taken = time.perf_counter() - started
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return taken


def manifests(namespace: str, count: int) -> Iterator[dict[str, Any]]:
    """The objects as kubectl takes them; kinds in turn."""
    for number in range(count):
        metadata = {"name": f"object-{number}", "namespace": namespace, "labels": {"part": str(number % 7)}}
        settings = {"first.conf": f"value {number}\n" * 4, "second.conf": "same"}
        body: dict[str, Any] = {"kind": "ConfigMap", "data": settings}
        if number % 3 == 1:
            body = {"kind": "Secret", "type": "Opaque", "stringData": settings}
        elif number % 3 == 2:
            ports = [{"name": "web", "port": 80, "targetPort": 8080}, {"name": "other", "port": 90}]
            body = {"kind": "Service", "spec": {"selector": {"app": f"app-{number}"}, "ports": ports}}
        yield {"apiVersion": "v1", **body, "metadata": metadata}


def tasks(namespace: str, count: int) -> Iterator[dict[str, Any]]:
    """The same objects as the tasks of a playbook."""
    for manifest in manifests(namespace, count):
        name, kind = manifest["metadata"]["name"], manifest["kind"]
        task: dict[str, Any] = {"k8s_object": {"manifest": manifest}}
        if kind == "Secret":
            task = {"k8s_secret": {"name": name, "namespace": namespace, "data": manifest["stringData"]}}
        yield {"name": name, **task}


def kubectl_of(bench: Bench, count: int) -> list[str]:
    listing = {"apiVersion": "v1", "kind": "List", "items": list(manifests(bench.namespace, count))}
    (bench.folder / "many.json").write_text(json.dumps(listing))
    return ["kubectl", "apply", "-f", "many.json"]


def ppmlctl_of(bench: Bench, count: int) -> list[str]:
    (bench.folder / "ppml.yaml").write_text(ENVIRONMENT.format(bench.namespace))
    (bench.folder / "many.yaml").write_text(json.dumps(list(tasks(bench.namespace, count)), indent=1))
    return [sys.executable, "-c", RUN_AND_LIST_MODULES, "ppmlctl", "apply", "--yes"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints both and the ratios; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=500)
    parser.add_argument("--turns", type=int, default=3, help="the medians of so many are compared")
    asked = parser.parse_args(arguments)
    if not os.environ.get("KUBECONFIG"):
        print("skipped: KUBECONFIG names no cluster")
        return 0
    os.environ["PPML_VAULT_PASSWORD"] = secrets.token_hex(8)
    with tempfile.TemporaryDirectory() as parent:
        turns = [_turn(Path(parent), asked.objects) for _ in range(asked.turns)]
    return _compare(asked.objects, *(statistics.median(column) for column in zip(*turns, strict=True)))


def _turn(parent: Path, count: int) -> tuple[float, ...]:
    """First apply, second apply and imports: kubectl's and ours each, in namespaces of their own."""
    peer, ours = (Bench(name := f"bench-{secrets.token_hex(4)}", parent / name) for _ in range(2))
    try:
        for bench in (peer, ours):
            bench.folder.mkdir()
            bench.seconds("kubectl", "create", "namespace", bench.namespace)
        theirs, command = kubectl_of(peer, count), ppmlctl_of(ours, count)
        first = peer.seconds(*theirs), ours.seconds(*command)
        return *first, peer.seconds(*theirs), ours.seconds(*command), _imports(ours)
    finally:
        words = ["delete", "namespace", "--wait=false", peer.namespace, ours.namespace]
        subprocess.run(["kubectl", *words], capture_output=True, check=False)


def _compare(count: int, *seconds: float) -> int:
    their_first, our_first, their_second, our_second, imports = seconds
    print(f"{count} objects                    kubectl s   ppmlctl s   ratio   target")
    rows = [
        ("first apply", their_first, our_first, 0.75),
        ("second apply", their_second, our_second, 0.35),
        ("second apply beyond imports", their_second, our_second - imports, 0.5),
    ]
    for name, their, our, target in rows:
        print(f"{name:<30} {their:>9.2f} {our:>11.2f} {our / their:>7.2f} {target:>8.2f}")
    print(f"importing the same modules     {'':>9} {imports:>11.2f}")
    return int(any(our / their > target for _, their, our, target in rows))


def _imports(bench: Bench) -> float:
    return bench.seconds(sys.executable, "-c", IMPORT_MODULES)


if __name__ == "__main__":
    sys.exit(main())

"""From an environment to its tasks: the site's playbook and the environment's own, expanded over its data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ppmlctl.engine.derived_edges import with_secret_edges
from ppmlctl.engine.workload_runs import with_reruns
from ppmlctl.flows.registry import folders
from ppmlctl.modules.base import Module
from ppmlctl.planning.graph import in_order
from ppmlctl.playbook import Expanded, check_literals, expand, parse
from ppmlctl.shipped import playbook_path
from ppmlctl.spec import Environment
from ppmlctl.spec.yaml_document import Document


def expand_environment(
    environment: Environment,
    root: Path,
    modules: Mapping[str, Module[Any, Any]],
    rerun: Collection[str],
    document: Document,
) -> Expanded:
    """The tasks and outputs; workloads in `rerun` run whatever has changed. Raises InputError with all faults found."""
    data = with_reruns(environment.model_dump(mode="json"), rerun)
    site = environment.site
    files = {root / site if site else playbook_path("site.yaml"): site or "site.yaml"}
    files |= {root / shown: shown for shown in environment.playbooks}
    scope = {**data["vars"], "env": data, "target": environment.target}
    playbook = parse(files, tuple(modules), lambda kind: modules[kind].in_files, folders())
    check_literals(playbook, environment.not_secrets)
    expanded = expand(playbook, scope, modules, lambda name: document.locate_key(("vars", name)))
    tasks = with_secret_edges(expanded.tasks, modules)
    in_order(tasks)  # a circle is a fault of the files, whatever is planned
    return replace(expanded, tasks=tasks)

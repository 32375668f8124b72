"""Directions of imports: down only, in no circles, and heavy libraries where they belong."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

from ppmlctl.flows.registry import FLOWS

ROOT = Path(__file__).parents[1]
PYPROJECT = ROOT / "pyproject.toml"


@cache
def imports() -> dict[str, set[str]]:
    """What each module imports at run time, libraries as their top-level names; late imports count."""
    graph = grimp.build_graph("ppmlctl", include_external_packages=True, exclude_type_checking_imports=True)
    ours = sorted(name for name in graph.modules if name.split(".")[0] == "ppmlctl")
    return {name: set(graph.find_modules_directly_imported_by(name)) for name in ours}


def libraries_of(*packages: str) -> set[str]:
    """Everything outside ppmlctl that these packages import themselves."""
    own = (imported for name, imported in imports().items() if name.startswith(packages))
    return {name.split(".")[0] for imported in own for name in imported} - {"ppmlctl"}


def test_imports_point_down_only(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(str(PYPROJECT), no_cache=True, no_logo=True)
    assert status == 0, capsys.readouterr().out


def test_every_package_has_its_layer() -> None:
    (contract,) = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    layered = {name.strip() for layer in contract["layers"] for name in layer.replace("|", ":").split(":")}
    children = {".".join(name.split(".")[:2]) for name in imports()} - {"ppmlctl"}
    assert layered - children == set()
    assert children - layered == {"ppmlctl.__main__"}


def test_there_are_no_circles() -> None:
    edges = {name: {other for other in imported if other in imports()} for name, imported in imports().items()}
    try:
        list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


HOMES = {
    "docker": ("ppmlctl.clients.docker",),
    "kubernetes": ("ppmlctl.clients.kubernetes", "ppmlctl.sandbox.kubernetes.schema"),
    "httpx": tuple(f"ppmlctl.clients.{name}" for name in ("attestation", "ehsm", "exchange", "https", "pccs")),
    "starlette": ("ppmlctl.sandbox",),
    "uvicorn": ("ppmlctl.sandbox",),
    "jinja2": ("ppmlctl.expressions", "ppmlctl.sgx.template"),
    "typer": ("ppmlctl.cli",),
}


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_used_behind_its_own_door(library: str) -> None:
    users = {name for name, imported in imports().items() if library in {one.split(".")[0] for one in imported}}
    assert users
    assert {name for name in users if not name.startswith(HOMES[library])} == set()


EFFECTS = {"asyncio", "http", "os", "pathlib", "random", "secrets", "shutil", "socket", "subprocess", "tempfile"}
EFFECTS |= {"threading", "time", "urllib", "uuid", "datetime"}


PURE = [f"ppmlctl.{name}" for name in ("planning", "kubernetes", "protection", "expressions", "unknown", "evidence")]
TAKES_ADDRESSES_APART = {"ppmlctl.protection": {"urllib"}}


@pytest.mark.parametrize("package", PURE)
def test_what_decides_has_no_way_to_the_world(package: str) -> None:
    assert libraries_of(package) & EFFECTS <= TAKES_ADDRESSES_APART.get(package, set())
    assert libraries_of(package) - sys.stdlib_module_names <= {"jinja2"}


def test_what_carries_out_a_run_knows_no_kind_of_workload() -> None:
    for path in sorted((ROOT / "ppmlctl/runs").rglob("*.py")):
        assert "spark" not in path.read_text().lower(), path.name
        assert "spark" not in path.name


READERS = frozenset({"read_text", "read_bytes"})
OPENING = {
    "ppmlctl/files.py": "is the reader",
    "ppmlctl/failpoint.py": "appends to a log of tests",
    "ppmlctl/key_client/program.py": "runs inside of images, where nothing of ours is",
    "ppmlctl/state/vault_password.py": "looks at the mode of what it has open, and reads as little",
    "ppmlctl/sandbox/ehsm/access_log.py": "appends",
    "ppmlctl/sandbox/ehsm/database.py": "makes its file",
    "ppmlctl/sandbox/kubernetes/store.py": "makes its file; `open` of its seal",
    "ppmlctl/sandbox/request_log.py": "appends",
    "ppmlctl/cli/main.py": "opens /dev/null to write",
    "ppmlctl/clients/kubernetes/cluster.py": "makes files for TLS",
    "ppmlctl/clients/oci/blobs.py": "makes blobs",
    "ppmlctl/clients/docker/archive.py": "an archive in a stream",
    "ppmlctl/clients/docker/context.py": "`open` of an entry",
    "ppmlctl/oci/layer.py": "`open` of an entry; an archive in a stream",
    "ppmlctl/oci/layer_reading.py": "an archive in a stream",
    "ppmlctl/oci/recipe.py": "`open` of an entry",
    "ppmlctl/clients/ehsm/client.py": "`open` calls of EHSM",
    "ppmlctl/engine/session.py": "`open` of the lockfile's store",
    "ppmlctl/engine/vault_access.py": "`open` of the vault",
}
"""Files that call something named `open`, and what that is."""


def test_files_are_read_by_the_one_reader() -> None:
    for path in sorted((ROOT / "ppmlctl").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        called = {_called(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
        assert name == "ppmlctl/files.py" or not called & {f".{reader}" for reader in READERS}, name
        assert name in OPENING or not called & {"open", ".open", ".fdopen"}, name


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return f".{node.func.attr}" if isinstance(node.func, ast.Attribute) else ""


NOT_THE_FLOW = {
    "ppmlctl/spec/key_path.py": "an example in a docstring",
    "ppmlctl/spec/cluster.py": "the default name of a service account",
}


def test_nothing_outside_of_flows_names_one() -> None:
    """But the registry: a rule or a view that asks for one by name would forget the next."""
    words = "|".join(rf"flows\.{one.key}\b|\b(?<!apache)\.{one.key}\b|\"{one.key}\"" for one in FLOWS)
    naming = {
        str(path.relative_to(ROOT)): found
        for path in sorted((ROOT / "ppmlctl").rglob("*.py"))
        if not path.is_relative_to(ROOT / "ppmlctl/flows") and (found := re.findall(words, path.read_text()))
    }
    assert naming.keys() == NOT_THE_FLOW.keys(), naming


STANDS_ON = {"thrift_server": {"spark"}}
"""Flows that are another one with something more: a Thrift server is a driver of Spark's."""


def test_flows_do_not_know_each_other() -> None:
    for module, imported in imports().items():
        of = module.split(".")[2:3] if module.startswith("ppmlctl.flows.") else []
        if of and of[0] in {one.key for one in FLOWS}:
            others = {name for name in imported if name.startswith("ppmlctl.flows.") and name.count(".") > 2}
            assert {name.split(".")[2] for name in others} <= {*of, *STANDS_ON.get(of[0], ())}, module

"""What a command loads before it does anything. No figures here; `tests/benchmarks/bench_startup.py` has them."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ppmlctl.cli.version import VERSION

ROOT = Path(__file__).parents[2]
HEAVY = {"cryptography", "dcap_qvl", "docker", "elftools", "httpx", "jinja2", "kubernetes", "pydantic", "rich"}
HEAVY |= {"ruamel", "starlette", "uvicorn"}

LOADED = """
import json, sys
from ppmlctl.cli import main
sys.argv = ["ppmlctl", *sys.argv[1:]]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
finally:
    print(json.dumps(sorted(sys.modules)))
"""


def _loaded_by(*arguments: str, folder: Path | None = None) -> set[str]:
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "plan"]])
def test_a_command_that_reads_no_environment_loads_no_heavy_library(arguments: list[str]) -> None:
    loaded = _loaded_by(*arguments)
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()
    assert not [name for name in loaded if name.startswith(("ppmlctl.spec", "ppmlctl.engine", "ppmlctl.modules"))]


def test_a_lone_version_loads_not_even_the_commands() -> None:
    assert {name for name in _loaded_by("--version") if name.startswith(("ppmlctl", "typer"))} == {
        "ppmlctl",
        "ppmlctl.cli",
        "ppmlctl.cli.version",
    }


def test_an_apply_loads_the_modules_that_its_tasks_name_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_text("version: 1\nname: small\nsite: ./site.yaml\nvault: {key_file: key}\n")
    (tmp_path / "site.yaml").write_text("- name: image\n  oci_image: {name: a, files: {/a: ppml.yaml}}\n")
    (tmp_path / "key").write_text("x" * 40)
    (tmp_path / "key").chmod(0o600)
    for _ in ("made", "as recorded"):
        loaded = _loaded_by("apply", "--yes", folder=tmp_path)
        modules = {name.removeprefix("ppmlctl.modules.") for name in loaded if name.startswith("ppmlctl.modules.")}
        assert {name for name in modules if not name.startswith("_")} == {"base", "context", "registry", "oci_image"}
        assert {name.partition(".")[0] for name in loaded} & {"docker", "kubernetes", "elftools", "httpx"} == set()


def test_what_reads_files_alone_loads_no_engine_and_no_cryptography(tmp_path: Path) -> None:
    """The shipped playbooks name many modules; what these need is loaded where a task of theirs is there."""
    (tmp_path / "ppml.yaml").write_text("version: 1\nname: small\nplaybooks: [./own.yaml]\n")
    (tmp_path / "own.yaml").write_text("- name: image\n  oci_image: {name: a, files: {/a: ppml.yaml}}\n")
    loaded = _loaded_by("validate", folder=tmp_path)
    engines = {"cryptography", "dcap_qvl", "docker", "elftools", "httpx", "kubernetes", "starlette"}
    assert {name.partition(".")[0] for name in loaded} & engines == set()
    assert not {"ppmlctl.modules.enclave_signature", "ppmlctl.modules.ehsm_enroll"} & loaded


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "plan"]])
def test_the_version_is_the_packages(arguments: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    command = [sys.executable, "-c", "from ppmlctl.cli import main; main()", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == f"ppmlctl {project['version']}\n"
    assert project["version"] == VERSION

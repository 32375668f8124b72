"""A flow is a folder and one line: one that ppmlctl does not have goes the whole way, and no rule forgets it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flows.place import Place, changed, make_place

from ppmlctl.sandbox import process

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
FLOW = Path(__file__).with_name("one_more_flow")
IMPORT = "from ppmlctl.flows.announcement.flow import ANNOUNCEMENT\n"
OURS = "FLOWS: tuple[Flow, ...] = (SPARK,"
THEIRS = "FLOWS: tuple[Flow, ...] = (SPARK, ANNOUNCEMENT,"
ANNOUNCED = """
  - name: hello
    announcement: {words: [hello, world]}
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of ppmlctl with one folder and one line more."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("ppmlctl", "playbooks", "schemas"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(FLOW, folder / "ppmlctl/flows/announcement", ignore=shutil.ignore_patterns("__pycache__"))
    registry = folder / "ppmlctl/flows/registry.py"
    text = registry.read_text()
    assert OURS in text
    registry.write_text(
        text.replace("from ppmlctl.flows.flow", IMPORT + "from ppmlctl.flows.flow").replace(OURS, THEIRS)
    )
    return folder


@pytest.fixture
def place(copy: Path, tmp_path: Path) -> Place:
    made = make_place(tmp_path)
    made.variables["PYTHONPATH"] = str(copy)
    file = made.folder / "ppml.yaml"
    file.write_text(file.read_text().rstrip() + ANNOUNCED)
    return made


def test_it_is_declared_planned_applied_logged_cancelled_and_removed(place: Place) -> None:
    try:
        assert "is valid" in place.succeed("validate")
        _, planned = place.plan()
        assert changed(planned)["workload.hello"] == "run"
        place.apply()
        assert place.plan()[0] == 0
        told = json.loads(place.succeed("output", "-o", "json"))
        assert told["announcements"]["hello"]["verdict"] == "simulated"
        assert place.run("logs", "hello").returncode == 0
        assert place.succeed("cancel", "hello") == "hello: does not run\n"
        place.edit("world", "all")
        assert changed(place.plan()[1]) == {"workload.hello": "run"}
        place.apply()
        place.edit("\n  - name: hello\n    announcement: {words: [hello, all]}\n", "\n")
        assert changed(place.plan()[1]) == {"workload.hello": "delete"}
        place.apply()
        assert "hello-" not in place.succeed("status")
    finally:
        process.down(place.sandbox)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("words: [damn]", "rude-word"),
        ("words: ['--password=hunter2']", "literal-secret"),
        ("env: {DB_PASSWORD: hunter2}", "literal-secret"),
        ("tee: tdx", "tdx-needs-attestation-service"),
        ("speaker: {heap: 4g}", "heap-exceeds-enclave"),
        ("wordz: []", "did you mean `words`?"),
    ],
)
def test_what_is_wrong_with_it_is_told(place: Place, words: str, told: str) -> None:
    place.edit("words: [hello, world]", words)
    refused = place.run("validate")
    assert refused.returncode == 1
    assert told in refused.stderr


UNSAID = {
    "Annotated[tuple[str, ...], Trait.WORDS]": ("tuple[str, ...]", "free_text_of_it_says_what_it_is"),
    "Annotated[dict[VariableName, str], Trait.VARIABLES]": ("dict[VariableName, str]", "literal_secret_is_refused"),
    "Annotated[Tee, Trait.TEE]": ("Tee", "domain_is_judged"),
    "Annotated[JvmSize | None, Trait.HEAP]": ("JvmSize | None", "sizes_fit"),
}


@pytest.mark.parametrize("marked", UNSAID)
def test_the_suite_of_kinds_catches_what_it_leaves_unsaid(copy: Path, tmp_path: Path, marked: str) -> None:
    shutil.copytree(copy, tmp_path / "copy")
    section = tmp_path / "copy/ppmlctl/flows/announcement/section.py"
    unmarked, test = UNSAID[marked]
    assert marked in section.read_text()
    section.write_text(section.read_text().replace(marked, unmarked))
    failed = suite(tmp_path / "copy")
    assert failed.returncode == 1
    assert test in failed.stdout


def test_the_suite_of_kinds_runs_over_it_by_itself(copy: Path) -> None:
    passed = suite(copy)
    assert passed.returncode == 0, passed.stdout
    assert re.search(r"[1-9]\d* passed", passed.stdout)


def suite(copy: Path) -> subprocess.CompletedProcess[str]:
    """The contracts of kinds and of modules, as they see that copy."""
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "announcement"]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    command += [str(ROOT / "tests" / name) for name in ("spec/test_kinds.py", "contract/test_modules_contract.py")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)


def test_it_is_in_the_schema_and_in_the_docs(copy: Path) -> None:
    code = "from ppmlctl.flows.registry import language; from ppmlctl.spec.schema import json_schema; import json; "
    code += "print(json.dumps(json_schema(language().environment)))"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60, cwd=copy)
    assert '"announcement": {' in told.stdout
    assert "Words that are said once." in told.stdout

"""Documents are compared with the code: reference pages equal what it gives, and links lead somewhere."""

from __future__ import annotations

import fnmatch
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from committed import ROOT, assert_committed
from error_codes import codes, unread
from reference_pages import (
    commands_page,
    errors_page,
    keys_page,
    kubeconfig_page,
    modules_page,
    own_codes,
    playbooks_page,
)

from ppmlctl.explanations import explained
from ppmlctl.modules.registry import kinds, module
from ppmlctl.playbook import parse

PAGES: dict[str, Callable[[], str]] = {
    "docs/modules.md": modules_page,
    "docs/playbooks.md": playbooks_page,
    "docs/ppml-yaml.md": keys_page,
    "docs/commands.md": commands_page,
    "docs/errors.md": errors_page,
    "docs/kubeconfig.md": kubeconfig_page,
    "ppmlctl/explanations/own_codes.json": own_codes,
}
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md")]


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    assert_committed(name, PAGES[name]())


def test_the_examples_of_the_language_can_be_written(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", playbooks_page(), re.DOTALL)
    assert len(examples) > 4
    (tmp_path / "registry.yaml").write_text(examples[0].replace("name: ", "name: other-"))
    for number, text in enumerate(examples):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text)
        parsed = parse({file: file.name}, kinds())
        assert parsed.tasks


def test_every_key_has_a_meaning() -> None:
    assert not re.findall(r"^\| `[^`]+` \|  \|$", keys_page(), re.MULTILINE)


def test_every_code_of_a_finding_is_known_and_says_something() -> None:
    assert unread() == []
    assert [name for name, code in codes().items() if not code.titles] == []


def test_explain_answers_for_every_code() -> None:
    assert [name for name in codes() if [row.name.partition(":")[0] for row in explained(name)] != [name]] == []


@pytest.mark.parametrize("kind", kinds())
def test_the_errors_that_a_module_names_exist(kind: str) -> None:
    text = sys.modules[type(module(kind)).__module__].__doc__ or ""
    errors = re.split(r"[A-Z]\w+:", text.partition("Errors:")[2])[0]
    named = re.findall(r"`([a-z0-9]+(?:-[a-z0-9*]+)+)`", errors)
    assert [name for name in named if not fnmatch.filter(codes(), name)] == []


def test_the_changelog_names_every_module() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert [kind for kind in kinds() if f"`{kind}`" not in text] == []


def test_the_readme_shows_the_quickstart_as_it_is() -> None:
    shown = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown
    file = (ROOT / "examples" / "quickstart" / "ppml.yaml").read_text()
    assert "".join(line for line in file.splitlines(keepends=True) if not line.startswith("#")) == shown[1]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_no_document_or_file_names_a_path_of_one_machine() -> None:
    text = "".join(path.read_text() for path in DOCUMENTS)
    assert not re.search(r"/(root|home/\w+|var/tmp)/", text)

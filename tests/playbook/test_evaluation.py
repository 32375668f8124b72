"""Variables of tasks, and what of a playbook is evaluated when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.modules.base import ModuleArgs
from ppmlctl.playbook import Expanded, expand, parse


class Thing:
    class Args(ModuleArgs):
        path: Any = None


MODULES: dict[str, Any] = {"thing": Thing}
FIRST = "- name: first\n  thing: {}\n  register: first\n"


def expanded(folder: Path, text: str, **scope: Any) -> Expanded:
    (folder / "play.yaml").write_text(FIRST + text)
    return expand(parse({folder / "play.yaml": "play.yaml"}, tuple(MODULES)), scope, MODULES)


def path_of(found: Expanded, **first: Any) -> Any:
    return found.tasks[-1].arguments({"first": first}).path


def test_a_variable_may_read_results_and_variables_before_it(tmp_path: Path) -> None:
    text = "- name: user\n  vars: {a: '{{ first.path }}', b: 'x{{ a }}'}\n  thing: {path: '{{ b }}'}\n"
    found = expanded(tmp_path, text)
    assert found.tasks[-1].sources == {"first"}
    assert path_of(found, path="p") == "xp"


def test_a_variable_that_names_itself_is_undefined_there(tmp_path: Path) -> None:
    text = "- name: user\n  vars: {a: '{{ a }}{{ first.path }}'}\n  thing: {path: '{{ a }}'}\n"
    with pytest.raises(InputError, match="'a' is undefined"):
        expanded(tmp_path, text)


def test_a_variable_may_extend_the_environments_variable_of_its_name(tmp_path: Path) -> None:
    text = "- name: user\n  vars: {a: '{{ a }}-{{ first.path }}'}\n  thing: {path: '{{ a }}'}\n"
    assert path_of(expanded(tmp_path, text, a="outer"), path="p") == "outer-p"


def test_data_that_looks_like_an_expression_stays_as_it_is(tmp_path: Path) -> None:
    found = expanded(tmp_path, "- name: user\n  thing: {path: '{{ env }}'}\n", env={"note": "{{ first.path }}"})
    assert path_of(found, path="p") == {"note": "{{ first.path }}"}


def test_data_that_a_loop_goes_over_is_not_evaluated_either(tmp_path: Path) -> None:
    text = "- name: user\n  loop: '{{ env }}'\n  thing: {path: '{{ item }}-{{ first.path }}'}\n"
    assert path_of(expanded(tmp_path, text, env=["{{ first.path }}"]), path="p") == "{{ first.path }}-p"


def test_a_condition_on_a_variable_that_reads_a_result_is_decided_when_it_is_known(tmp_path: Path) -> None:
    text = "- name: user\n  vars: {ready: '{{ first.path == 1 }}'}\n  when: '{{ ready }}'\n  thing: {}\n"
    condition = expanded(tmp_path, text).tasks[-1].condition
    assert condition is not None
    assert [condition({"first": {"path": path}}) for path in (1, 2)] == [True, False]


def test_a_loop_over_a_variable_that_reads_a_result_is_refused(tmp_path: Path) -> None:
    text = "- name: user\n  vars: {all: '{{ first.path }}'}\n  loop: '{{ all }}'\n  thing: {}\n"
    with pytest.raises(InputError, match="its length depends on what another task gives"):
        expanded(tmp_path, text)


def test_a_name_that_several_tasks_register_means_the_last_of_those_before(tmp_path: Path) -> None:
    text = "".join(
        f"- name: {name}\n  vars: {{a: '{{{{ first.path }}}}'}}\n  thing: {{path: '{{{{ a }}}}'}}\n  register: first\n"
        for name in ("second", "third")
    )
    found = expanded(
        tmp_path,
        f"{text}- name: user\n  thing: {{path: '{{{{ first.path }}}}'}}\n- outputs: {{o: '{{{{ first.path }}}}'}}\n",
    )
    results = {name: {"path": name} for name in ("first", "second", "third")}
    read = {task.address: (set(task.sources), task.arguments(results).path) for task in found.tasks[1:]}
    assert read == {
        "second": ({"first"}, "first"),
        "third": ({"second"}, "second"),
        "user": ({"third"}, "third"),
    }
    assert found.outputs[0].evaluate(results) == "third"


def test_a_task_before_all_that_register_a_name_means_the_last(tmp_path: Path) -> None:
    text = "- name: user\n  thing: {path: '{{ b.path }}'}\n" + "".join(
        f"- name: {name}\n  thing: {{}}\n  register: b\n" for name in ("one", "two")
    )
    assert expanded(tmp_path, text).tasks[1].sources == {"two"}


def test_a_task_that_is_not_there_hides_nothing(tmp_path: Path) -> None:
    text = "- name: second\n  when: '{{ false }}'\n  thing: {}\n  register: first\n"
    found = expanded(tmp_path, f"{text}- name: user\n  thing: {{path: '{{{{ first.path }}}}'}}\n")
    assert path_of(found, path="p") == "p"


@pytest.mark.parametrize("wide", ["[0, {before}, {before}]", "{{a: {before}, b: {before}}}"])
def test_variables_that_hold_each_other_twice_are_refused(tmp_path: Path, wide: str) -> None:
    steps = [f"v{n}: " + wide.format(before=f"'{{{{ v{n - 1} }}}}'") for n in range(1, 60)]
    text = "- name: user\n  vars:\n    v0: x\n    " + "\n    ".join(steps) + "\n  thing: {path: '{{ v59 }}'}\n"
    with pytest.raises(InputError) as refused:
        expanded(tmp_path, text)
    assert refused.value.diagnostics[0].found == "a value is longer than 2000000"

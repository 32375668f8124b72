"""Playbooks: what they may say, and what is said of them where they are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ppmlctl.diagnostics import InputError, Location
from ppmlctl.modules.base import Known, ModuleArgs
from ppmlctl.playbook import Expanded, expand, parse
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown


class Thing:
    class Args(ModuleArgs):
        path: str = "x"
        size: int = 1
        data: dict[str, Known[Secret]] = {}  # noqa: RUF012 - pydantic copies defaults


MODULES: dict[str, Any] = {"thing": Thing, "enclave_key": Thing}


def expanded(tmp_path: Path, text: str, **scope: Any) -> Expanded:
    (tmp_path / "play.yaml").write_text(text)
    return expand(parse({tmp_path / "play.yaml": "play.yaml"}, tuple(MODULES)), scope, MODULES)


def faults(tmp_path: Path, text: str, **scope: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        expanded(tmp_path, text, **scope)
    return ["\n".join(d.lines()) for d in caught.value.diagnostics]


def test_a_reference_becomes_an_edge(tmp_path: Path) -> None:
    found = expanded(
        tmp_path,
        "- name: key\n  thing: {path: a}\n  register: key\n- name: user\n  thing: {path: '{{ key.path }}'}\n",
    )
    user = found.tasks[1]
    assert (user.sources, user.needs) == ({"key"}, {"key"})
    assert user.arguments({"key": {"path": "found"}}).path == "found"
    assert user.arguments({"key": {"path": Unknown("key")}}).path == Unknown("key")


def test_a_text_around_a_secret_is_a_secret(tmp_path: Path) -> None:
    found = expanded(
        tmp_path,
        "- name: key\n  thing: {}\n  register: key\n- name: user\n  thing: {data: {config: 'token={{ key.token }}'}}\n",
    )
    data = found.tasks[1].arguments({"key": {"token": Secret("hidden")}}).data
    assert repr(data["config"]) == "Secret()"
    assert data["config"].reveal() == "token=hidden"


def test_a_task_whose_condition_does_not_hold_is_not_there(tmp_path: Path) -> None:
    found = expanded(tmp_path, "- name: key\n  when: '{{ wanted }}'\n  thing: {}\n", wanted=False)
    assert found.tasks == ()


def test_a_condition_on_a_result_is_decided_when_it_is_known(tmp_path: Path) -> None:
    found = expanded(
        tmp_path,
        "- name: a\n  thing: {}\n  register: a\n- name: b\n  when: '{{ a.path == \"y\" }}'\n  thing: {}\n",
    )
    condition = found.tasks[1].condition
    assert condition is not None
    assert condition({"a": {"path": Unknown("a")}}) == Unknown("a")
    assert condition({"a": {"path": "y"}}) is True
    assert found.tasks[1].needs == {"a"}


def test_a_loop_makes_one_task_for_each_member(tmp_path: Path) -> None:
    found = expanded(
        tmp_path,
        "- name: w\n  loop: '{{ jobs }}'\n  thing: {path: '{{ item.name }}'}\n  register: w\n"
        "- name: after\n  thing: {path: '{{ w.pi.path }}'}\n  needs: [w]\n",
        jobs=[{"name": "pi"}, {"name": "wordcount"}],
    )
    assert [t.address for t in found.tasks] == ["w.pi", "w.wordcount", "after"]
    assert found.tasks[2].needs == {"w.pi", "w.wordcount"}
    results = {"w.pi": {"path": "p"}, "w.wordcount": {"path": "q"}}
    assert found.tasks[2].arguments(results).path == "p"


def test_an_imported_playbook_stands_where_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("- name: b\n  thing: {}\n")
    found = expanded(tmp_path, "- name: a\n  thing: {}\n- import: more.yaml\n- name: c\n  thing: {}\n")
    assert [t.address for t in found.tasks] == ["a", "b", "c"]


def test_outputs_wait_for_the_results_they_read(tmp_path: Path) -> None:
    found = expanded(tmp_path, "- name: a\n  thing: {}\n  register: a\n- outputs: {where: '{{ a.path }}'}\n")
    assert found.outputs[0].evaluate_if_known({}) is None
    assert found.outputs[0].evaluate_if_known({"a": {"path": "there"}}) == "there"


WRONG = {
    "an unknown module": (
        "- name: a\n  enclave_kee: {}\n",
        (
            "error[task-key-unknown]: a task has a key that is neither a module nor a task's own\n"
            "  at   play.yaml:2:3  [0].enclave_kee\n  is   `enclave_kee`\n  fix  did you mean `enclave_key`?"
        ),
    ),
    "no name": (
        "- thing: {}\n",
        (
            "error[task-name]: a task needs a name of lower-case letters, digits and hyphens\n"
            "  at   play.yaml:1:3  [0]\n  is   no name\n"
            "  why  the name is the task's identity in the lockfile and on what it makes"
        ),
    ),
    "an unknown argument": (
        "- name: a\n  thing: {pat: b}\n",
        (
            "error[argument-unknown]: a module has no such argument\n"
            "  at   play.yaml:2:11  [0].thing.pat\n  is   thing.pat\n  fix  did you mean `path`?"
        ),
    ),
    "a wrong argument": (
        "- name: a\n  thing:\n    size: big\n",
        (
            "error[argument-wrong]: a module's argument does not fit\n  at   play.yaml:3:11  [0].thing.size\n"
            "  is   thing.size: input should be a valid integer, unable to parse string as an integer"
        ),
    ),
    "an undefined variable": (
        "- name: a\n  thing: {path: '{{ nobody }}'}\n",
        (
            "error[expression]: an expression cannot be evaluated\n  at   play.yaml:2:17  [0].thing.path\n"
            "  is   {{ nobody }}\n       'nobody' is undefined\n"
            "  fix  see the task that should give this value, and its `register` and `when`"
        ),
    ),
    "an unknown need": (
        "- name: alpha\n  thing: {}\n- name: b\n  thing: {}\n  needs: [alpa]\n",
        (
            "error[task-need-unknown]: a task needs a task that does not exist\n"
            "  at   play.yaml:5:11  [1].needs[0]\n  is   `alpa`\n  fix  did you mean `alpha`?"
        ),
    ),
    "a loop over a result": (
        "- name: a\n  thing: {}\n  register: a\n- name: b\n  loop: '{{ a.path }}'\n  thing: {}\n",
        (
            "error[task-loop]: `loop` takes a list or mapping that is known before apply\n"
            "  at   play.yaml:5:9  [1].loop\n  is   its length depends on what another task gives\n"
            "  why  a plan shows every task before anything is touched"
        ),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_playbook_is_told_where_and_how_to_mend_it(tmp_path: Path, case: str) -> None:
    text, message = WRONG[case]
    assert faults(tmp_path, text) == [message]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    assert len(faults(tmp_path, "- name: A!\n  thing: {}\n- name: b\n  nothing: {}\n- name: c\n  thing: {x: 1}\n")) >= 2


def test_two_members_of_a_loop_need_keys_of_their_own(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, "- name: w\n  loop: [a, a]\n  thing: {}\n")
    assert "error[task-loop-key]" in message


@pytest.mark.parametrize("key", [r"a\nok: b", r"a\e[31m", r"\u202e", ""])
def test_the_key_of_a_member_can_be_printed(tmp_path: Path, key: str) -> None:
    (message,) = faults(tmp_path, f'- name: w\n  loop: ["{key}"]\n  thing: {{}}\n')
    assert message.startswith(
        "error[task-loop-key]: the key of a loop's member cannot be printed\n  at   play.yaml:2:9"
    )
    assert message.isascii()


def test_a_variable_must_not_hide_a_result(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, "- name: a\n  thing: {}\n  register: key\n", key="x")
    assert "error[variable-hides-result]" in message
    assert "play.yaml:3:13" in message


def test_a_variable_that_hides_the_result_of_several_tasks_is_told_once_where_it_is_declared(tmp_path: Path) -> None:
    text = "- name: a\n  thing: {}\n  register: key\n- name: b\n  thing: {}\n  register: key\n"
    declared_at = Location("ppml.yaml", 3, 8, "vars.key")
    (tmp_path / "play.yaml").write_text(text)
    playbook = parse({tmp_path / "play.yaml": "play.yaml"}, tuple(MODULES))
    with pytest.raises(InputError) as caught:
        expand(playbook, {"key": "x"}, MODULES, lambda _name: declared_at)
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.at) == ("variable-hides-result", declared_at)


def test_two_tasks_of_one_name_are_refused(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, "- name: a\n  thing: {}\n- name: a\n  thing: {}\n")
    assert "play.yaml:3:9" in message
    assert "play.yaml:1:9" in message

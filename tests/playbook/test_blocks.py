"""Blocks, imports and whole files that speak for all that is inside them, and `omit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.modules.base import ModuleArgs
from ppmlctl.playbook import Expanded, check_literals, expand, parse
from ppmlctl.unknown import Unknown


class Thing:
    class Args(ModuleArgs):
        path: Any = None
        size: int | None = None


class Object:
    class Args(ModuleArgs):
        manifest: dict[str, Any]
        wait: bool = False


MODULES: dict[str, Any] = {"thing": Thing, "object": Object}
FIRST = "- name: first\n  thing: {}\n  register: first\n"


def expanded(folder: Path, text: str, **scope: Any) -> Expanded:
    (folder / "play.yaml").write_text(text)
    playbook = parse({folder / "play.yaml": "play.yaml"}, tuple(MODULES), lambda _kind: {"manifest"})
    check_literals(playbook, ())
    return expand(playbook, scope, MODULES)


def told(folder: Path, text: str, **scope: Any) -> list[str]:
    with pytest.raises(InputError) as refused:
        expanded(folder, text, **scope)
    return [f"{one.code} {str(one.at).split('  ')[0]}" for one in refused.value.diagnostics]


def path_of(found: Expanded, **first: Any) -> Any:
    return found.tasks[-1].arguments({"first": first}).path


def test_a_block_shares_condition_variables_needs_and_tags(tmp_path: Path) -> None:
    text = (
        f"{FIRST}- name: second\n  thing: {{}}\n"
        "- block:\n    - {name: a, thing: {path: '{{ p }}'}, needs: [second], tags: [y]}\n"
        "    - {name: b, thing: {path: '{{ p }}'}, vars: {p: 2}}\n"
        "  when: wanted\n  vars: {p: 1}\n  needs: [first]\n  tags: [x]\n"
    )
    found = expanded(tmp_path, text, wanted=True).tasks[2:]
    assert [(one.address, one.arguments({}).path, set(one.needs), set(one.tags)) for one in found] == [
        ("a", 1, {"first", "second"}, {"x", "y"}),
        ("b", 2, {"first"}, {"x"}),
    ]
    assert len(expanded(tmp_path, text, wanted=False).tasks) == 2


def test_a_block_needs_what_its_own_variables_say(tmp_path: Path) -> None:
    text = f"{FIRST}- name: second\n  thing: {{}}\n- block: [{{name: a, thing: {{}}, vars: {{p: second}}}}]\n"
    found = expanded(tmp_path, f"{text}  vars: {{p: first}}\n  needs: ['{{{{ p }}}}']\n")
    assert found.tasks[2].needs == {"first"}


def test_what_stands_around_is_asked_first(tmp_path: Path) -> None:
    text = (
        "- block:\n    - block:\n        - {name: a, thing: {path: '{{ inner }}'}, loop: '{{ env.jobs }}'}\n"
        "      when: env.jobs\n      vars: {inner: '{{ env.path }}'}\n  when: env is not none\n"
    )
    assert expanded(tmp_path, text, env=None).tasks == ()
    assert [one.address for one in expanded(tmp_path, text, env={"jobs": ["x"], "path": 1}).tasks] == ["a.x"]


def test_a_condition_of_a_block_on_a_result_is_decided_when_it_is_known(tmp_path: Path) -> None:
    text = f"{FIRST}- block:\n    - name: a\n      when: first.size == 1\n      thing: {{}}\n  when: first.path\n"
    task = expanded(tmp_path, text).tasks[1]
    assert task.condition is not None
    results = ((0, 1), (1, 1), (1, 0), (Unknown("first"), 1))
    assert [task.condition({"first": {"path": path, "size": size}}) for path, size in results] == [
        False,
        True,
        False,
        Unknown("first"),
    ]
    assert task.needs == {"first"}


def test_a_file_speaks_for_all_its_tasks_and_an_import_for_all_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(
        "when: service is not none\nvars: {deploy: '{{ service.deploy }}'}\ntags: [more]\n"
        "tasks:\n  - {name: a, thing: {path: '{{ deploy }}'}}\n  - outputs: {o: '{{ deploy }}'}\n"
    )
    text = "- import: more.yaml\n  when: wanted\n  tags: [imported]\n"
    found = expanded(tmp_path, text, wanted=True, service={"deploy": "d"})
    assert (path_of(found), found.tasks[0].tags) == ("d", {"more", "imported"})
    assert [one.evaluate({}) for one in found.outputs] == ["d"]
    for scope in ({"wanted": False}, {"wanted": True, "service": None}):
        left = expanded(tmp_path, text, **scope)
        assert (left.tasks, left.outputs) == ((), ())


def test_only_variables_that_are_used_make_edges(tmp_path: Path) -> None:
    text = f"- block:\n    - {{name: a, thing: {{path: 1}}}}\n  vars: {{p: '{{{{ first.path }}}}'}}\n{FIRST}"
    assert expanded(tmp_path, text).tasks[0].needs == frozenset()


def test_a_variable_hides_a_result_where_it_is_and_nowhere_else(tmp_path: Path) -> None:
    text = f"{FIRST}- block:\n    - {{name: a, thing: {{path: '{{{{ first }}}}'}}}}\n  vars: {{first: 1}}\n"
    found = expanded(tmp_path, f"{text}- {{name: b, thing: {{path: '{{{{ first.path }}}}'}}}}\n").tasks[1:]
    assert [(set(one.needs), one.arguments({"first": {"path": 2}}).path) for one in found] == [
        (set(), 1),
        ({"first"}, 2),
    ]


def test_a_variable_may_use_the_member_of_the_loop(tmp_path: Path) -> None:
    text = "- {name: a, loop: [1, 2], vars: {p: 'x{{ item }}'}, thing: {path: '{{ p }}'}}\n"
    assert [one.arguments({}).path for one in expanded(tmp_path, text).tasks] == ["x1", "x2"]


def test_a_variable_that_cannot_be_evaluated_is_told_once_where_it_stands(tmp_path: Path) -> None:
    text = "- block:\n    - {name: a, thing: {path: '{{ p }}'}}\n    - {name: b, thing: {path: '{{ p }}'}}\n"
    assert told(tmp_path, f"{text}  vars: {{p: '{{{{ nobody }}}}'}}\n") == ["expression play.yaml:4:13"]
    assert len(expanded(tmp_path, f"{text}  when: false\n  vars: {{p: '{{{{ nobody }}}}'}}\n").tasks) == 0


@pytest.mark.parametrize("written", [" {{ false }}", "{{ false }} "])
def test_spaces_around_a_condition_make_no_text_of_it(tmp_path: Path, written: str) -> None:
    assert not expanded(tmp_path, f"- name: a\n  thing: {{}}\n  when: '{written}'\n").tasks


def test_a_list_of_conditions_holds_where_all_do(tmp_path: Path) -> None:
    text = "- {name: a, when: [a is not none, a.b], thing: {}}\n"
    assert [len(expanded(tmp_path, text, a=a).tasks) for a in (None, {"b": 0}, {"b": 1})] == [0, 0, 1]


OMITTED = {
    "{{ omit }}": None,
    "{{ nobody | default(omit) }}": None,
    "{{ 1 if yes else omit }}": 1,
    "{{ 1 if no else omit }}": None,
    "{{ no or omit }}": None,
    "{{ {'a': omit, 'b': [omit, 2]} }}": {"b": [2]},
    "{{ [1, omit, 3] | length }}": 2,
    "{{ gone }}": None,
    "{{ kept }}": {"b": [1]},
}


@pytest.mark.parametrize("written", OMITTED)
def test_what_is_omitted_is_not_there(tmp_path: Path, written: str) -> None:
    variables = "{gone: '{{ omit }}', kept: {a: '{{ omit }}', b: [1, '{{ omit }}']}}"
    text = f'- {{name: a, vars: {variables}, thing: {{path: "{written}"}}}}\n'
    found = expanded(tmp_path, text, yes=True, no=False).tasks[0].arguments({})
    assert found.path == OMITTED[written]
    assert ("path" in found.model_fields_set) is (OMITTED[written] is not None)


def test_a_needed_task_and_an_output_can_be_omitted(tmp_path: Path) -> None:
    text = f"{FIRST}- {{name: a, thing: {{}}, needs: ['{{{{ omit }}}}', first]}}\n- outputs: {{o: '{{{{ omit }}}}'}}\n"
    found = expanded(tmp_path, text)
    assert (found.tasks[1].needs, found.outputs[0].evaluate({})) == ({"first"}, None)


def test_a_manifest_may_stand_in_a_file_beside_the_playbook(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "map.yaml").write_text("kind: ConfigMap\ncount: '{{ n }}'\ndata: '{{ first.path }}'\n")
    found = expanded(tmp_path, f"{FIRST}- {{name: a, object: {{manifest: objects/map.yaml}}}}\n", n=3).tasks[1]
    assert found.arguments({"first": {"path": {"a": 1}}}).manifest == {
        "kind": "ConfigMap",
        "count": 3,
        "data": {"a": 1},
    }
    assert found.needs == {"first"}


def test_a_fault_in_a_manifest_is_told_in_its_file(tmp_path: Path) -> None:
    file = tmp_path / "map.yaml"
    task = "- {name: a, object: {manifest: map.yaml}}\n"
    file.write_text("kind: ConfigMap\ndata:\n  a: '{{ nobody }}'\n")
    assert told(tmp_path, task) == ["expression map.yaml:3:6"]
    file.write_text("kind: ConfigMap\ndata:\n  password: hunter2\n")
    assert told(tmp_path, task) == ["literal-secret map.yaml:3:13"]
    file.write_text("- kind: ConfigMap\n")
    assert told(tmp_path, task) == ["yaml-top-level map.yaml:1:1"]


@pytest.mark.parametrize("name", ["../map.yaml", "/etc/hostname", "link.yaml"])
def test_a_manifest_lies_in_the_playbooks_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "map.yaml").write_text("kind: ConfigMap\n")
    (folder / "link.yaml").symlink_to("../map.yaml")
    assert told(folder, f"- name: a\n  object:\n    manifest: {name}\n") == ["playbook-file-outside play.yaml:3:15"]


A = "- name: a\n  thing: {}\n"
MISUSES = {
    "a block with a loop": (
        "- block:\n    - {name: a, thing: {}}\n  loop: [1]\n",
        ["playbook-key-unknown play.yaml:3:3"],
    ),
    "a block with a name": (
        "- block:\n    - {name: a, thing: {}}\n  name: b\n",
        ["playbook-key-unknown play.yaml:3:3"],
    ),
    "a block without tasks": ("- when: true\n  block: []\n", ["block-empty play.yaml:2:3"]),
    "a block of nothing": ("- when: true\n  block:\n", ["block-empty play.yaml:2:3"]),
    "a block that is no list": ("- block: {name: a, thing: {}}\n", ["block-tasks play.yaml:1:10"]),
    "a block of words": ("- block: [a]\n", ["playbook-entry play.yaml:1:11"]),
    "a file without tasks": ("when: true\n", ["block-empty play.yaml:1:1"]),
    "a file with a name": ("name: a\ntasks: [{name: a, thing: {}}]\n", ["playbook-key-unknown play.yaml:1:1"]),
    "an import with a title": ("- import: x.yaml\n  title: x\n", ["playbook-key-unknown play.yaml:2:3"]),
    "an import that is not there": ("- import: x.yaml\n", ["playbook-file-missing play.yaml:1:11"]),
    "a manifest that is not there": (
        "- name: a\n  object:\n    manifest: x.yaml\n",
        ["playbook-file-missing play.yaml:3:15"],
    ),
    "tags that are a word": (f"{A}  tags: a\n", ["task-list play.yaml:3:9"]),
    "tags that are a number": (f"{A}  tags: [a, 1]\n", ["task-list play.yaml:3:13"]),
    "tags that are a mapping": (f"{A}  tags: {{a: b}}\n", ["task-list play.yaml:3:9"]),
    "a tag with a comma": (f"{A}  tags: ['a,b']\n", ["task-tag play.yaml:3:10"]),
    "a tag that means all": (f"{A}  tags: [all]\n", ["task-tag play.yaml:3:10"]),
    "a condition that is a mapping": (f"{A}  when: {{a: b}}\n", ["task-when play.yaml:3:9"]),
    "a condition that is a number": (f"{A}  when: [true, 3]\n", ["task-when play.yaml:3:16"]),
    "a condition that is no expression": (f"{A}  when: is it there\n", ["expression play.yaml:3:9"]),
    "a condition with text around": (f"{A}  when: '{{{{ 1 }}}} == 2'\n", ["task-when play.yaml:3:9"]),
    "a condition of two expressions": (f"{A}  when: [true, '{{{{ 1 }}}}{{{{ 2 }}}}']\n", ["task-when play.yaml:3:16"]),
    "a comment beside a condition": (f"{A}  when: '{{# no #}} false'\n", ["task-when play.yaml:3:9"]),
    "an omitted condition": (f"{A}  when: '{{{{ omit }}}}'\n", ["value-omitted play.yaml:3:9"]),
    "an omitted loop": (f"{A}  loop: '{{{{ omit }}}}'\n", ["value-omitted play.yaml:3:9"]),
    "a text around omit": ("- name: a\n  thing:\n    path: 'x{{ omit }}'\n", ["expression play.yaml:3:11"]),
    "a text put together with omit": (
        "- name: a\n  thing:\n    path: \"{{ 'x' ~ omit }}\"\n",
        ["expression play.yaml:3:11"],
    ),
    "a sum with omit": ("- name: a\n  thing:\n    path: '{{ [1] + omit }}'\n", ["expression play.yaml:3:11"]),
    "omit as a question": ("- name: a\n  thing:\n    path: '{{ 1 if omit else 2 }}'\n", ["expression play.yaml:3:11"]),
    "omit compared": ("- name: a\n  thing:\n    path: '{{ omit == 1 }}'\n", ["expression play.yaml:3:11"]),
    "a required argument": ("- name: a\n  object:\n    manifest: '{{ omit }}'\n", ["argument-missing play.yaml:3:15"]),
    "a variable named omit": (f"{A}  vars: {{omit: 1}}\n", ["variable-reserved play.yaml:3:10"]),
    "a result named omit": (f"{A}  register: omit\n", ["variable-reserved play.yaml:3:13"]),
    "a secret among the variables of a block": (
        "- block:\n    - {name: a, thing: {}}\n  vars: {password: hunter2}\n",
        ["literal-secret play.yaml:3:20"],
    ),
    "outputs that are a list": ("- outputs: [a]\n", ["playbook-outputs play.yaml:1:12"]),
    "a need that is a mapping": (f"{A}  needs: ['{{{{ {{}} }}}}']\n", ["task-need-unknown play.yaml:3:11"]),
    "a need that is a list of lists": (f"{A}  needs: ['{{{{ [[1]] }}}}']\n", ["task-need-unknown play.yaml:3:11"]),
    "a need of a block": ("- block:\n    - {name: a, thing: {}}\n  needs: [b]\n", ["task-need-unknown play.yaml:3:11"]),
}


def test_links_that_lead_round_are_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "round.yaml").symlink_to("round.yaml")
    assert told(tmp_path, "- name: a\n  object: {manifest: round.yaml}\n") == ["playbook-file-missing play.yaml:2:22"]


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misuse_is_told_at_its_place(tmp_path: Path, misuse: str) -> None:
    text, message = MISUSES[misuse]
    assert told(tmp_path, text) == message


def test_a_variable_of_the_environment_cannot_be_named_omit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`omit` cannot be the name of a variable"):
        expanded(tmp_path, A, omit=1)


def test_variables_that_hold_each_other_without_end_are_refused_in_words(tmp_path: Path) -> None:
    chain = "".join(f"    v{n}: '{{{{ v{n - 1} }}}}'\n" for n in range(1, 2000))
    text = f"{FIRST}- name: a\n  vars:\n    v0: '{{{{ first.path }}}}'\n{chain}  thing: {{path: '{{{{ v1999 }}}}'}}\n"
    assert [one.partition(" ")[0] for one in told(tmp_path, text)] == ["expression"]

"""Plans that are kept in a file: who may carry them out, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from flows.checkouts import Checkout, Make
from flows.place import Place

pytestmark = pytest.mark.long

VALUE = """\
- name: value
  k8s_object:
    manifest:
      apiVersion: v1
      kind: ConfigMap
      metadata: {{name: value, namespace: {namespace}}}
      data: {{a: shown, "b.c": kept}}
  needs: [space]
- name: role
  k8s_object:
    manifest:
      apiVersion: rbac.authorization.k8s.io/v1
      kind: Role
      metadata: {{name: reader, namespace: {namespace}}}
      rules: [{{apiGroups: [""], resources: [pods], verbs: [get]}}]
  needs: [space]
- name: behind
  k8s_object:
    manifest:
      apiVersion: v1
      kind: ConfigMap
      metadata: {{name: behind, namespace: {namespace}}}
      data: {{a: "{{{{ made.name }}}} shown"}}
  needs: [value]
"""


@pytest.fixture
def fresh(make: Make) -> Checkout:
    """A checkout that nobody has applied, with a plan that was saved."""
    checkout = make()
    text = VALUE.format(namespace=checkout.namespace).replace("- name: value\n", "- name: value\n  register: made\n")
    with (checkout.folder / "objects.yaml").open("a") as file:
        file.write(text)
    saved = checkout.run("plan", "--save", "next.plan")
    assert saved.returncode == 2, saved.stderr
    return checkout


def edit(checkout: Checkout, old: str, new: str) -> None:
    objects = checkout.folder / "objects.yaml"
    assert old in objects.read_text()
    objects.write_text(objects.read_text().replace(old, new))


def refused(checkout: Checkout, *words: str) -> str:
    """What is said where the plan is refused, after a look whether anything was left behind."""
    done = checkout.run("apply", *(words or ("next.plan",)))
    assert done.returncode == 1, done.stdout
    assert checkout.object("value") is None
    assert not (checkout.folder / "ppml.lock").exists()
    assert not (checkout.folder / "ppml.vault").exists()
    assert checkout.lease() is None
    return done.stdout + done.stderr


def test_the_first_plan_of_an_environment_is_carried_out_by_another_checkout_of_the_commit(fresh: Checkout) -> None:
    saved = (fresh.folder / "next.plan").read_text()
    assert str(fresh.folder) not in saved
    assert "shown" not in saved
    runner = fresh.clone("runner")
    done = runner.run("apply", "next.plan")
    assert done.returncode == 0, done.stdout + done.stderr
    live = runner.object("value")
    assert live is not None
    assert live["data"] == {"a": "shown", "b.c": "kept"}
    again = runner.run("apply", "next.plan")
    assert again.returncode == 1
    assert "is   the lockfile: none → serial 5\n" in again.stderr


def test_what_was_not_shown_is_refused_with_the_fresh_difference(fresh: Checkout) -> None:
    edit(fresh, "}} shown", "}} other")
    said = refused(fresh)
    assert "is   ppml.yaml or a playbook declares something else\n" in said
    edit(fresh, 'a: shown, "b.c": kept', 'a: other, "b.c": other')
    edit(fresh, "verbs: [get]", "verbs: [get, delete]")
    edit(fresh, "  needs: [value]", "  needs: [role]")
    said = refused(fresh)
    assert "Plan: 5 to create" in said
    assert said.endswith(
        "error[plan-outdated]: the world has moved since the plan was made\n"
        '  is   value: manifest.data.a is "other" now\n'
        '       value: manifest.data."b.c" is "other" now\n'
        '       role: manifest.rules[0].verbs[1] is "delete" now\n'
        "       behind: what it waits for has changed\n"
        "  why  only what was shown is applied\n"
        "  fix  look at the plan again:\n"
        "       ppmlctl plan -f ppml.yaml\n"
    )


def test_a_saved_plan_is_not_carried_out_for_another_file(fresh: Checkout) -> None:
    other = fresh.clone("other")
    text = (other.folder / "ppml.yaml").read_text()
    (other.folder / "ppml.yaml").write_text(text.replace("name: shared", "name: another"))
    said = refused(fresh, "next.plan", "-f", str(other.folder / "ppml.yaml"))
    assert not (other.folder / "ppml.lock").exists()
    assert said.endswith(
        "error[plan-of-another-environment]: the saved plan is another environment's\n"
        "  is   it is for shared (cluster), and here is another (cluster)\n"
        "  why  only what was shown is applied\n"
        "  fix  name the file that the plan was made from: -f FILE\n"
    )


def test_an_object_that_was_changed_since_is_not_overwritten(fresh: Checkout) -> None:
    assert fresh.run("apply", "next.plan").returncode == 0
    edit(fresh, "a: shown,", "a: other,")
    assert fresh.run("plan", "--save", "next.plan").returncode == 2
    fresh.as_colleague("label", "configmap", "value", "seen=yes")
    done = fresh.run("apply", "next.plan")
    assert done.returncode == 1
    assert "is   value: what is there has changed\n" in done.stderr


def test_more_cannot_be_asked_of_a_saved_plan(fresh: Checkout) -> None:
    assert refused(fresh, "next.plan", "--rotate", "value") == (
        "error[saved-plan-options]: a saved plan is applied as it was shown\n"
        "  is   --rotate\n"
        "  why  what is asked for now was not in it\n"
        "  fix  save a plan that has it, or apply without a saved one\n"
    )


def with_a_secret(checkout: Checkout) -> Path:
    """The file of a secret that a Secret of the environment holds."""
    secret = checkout.folder / "token"
    secret.write_text("of the user")
    secret.chmod(0o600)
    with (checkout.folder / "objects.yaml").open("a") as file:
        file.write(
            "- name: given\n  vault_secret: {name: given, file: token}\n  register: given\n"
            "- name: token\n  k8s_secret:\n    name: token\n"
            f'    namespace: {checkout.namespace}\n    data: {{token: "{{{{ given.value }}}}"}}\n  needs: [space]\n'
        )
    return secret


def test_a_first_plan_with_a_secret_is_saved_where_the_password_of_the_vault_to_come_is_given(make: Make) -> None:
    checkout = make()
    secret = with_a_secret(checkout)
    assert checkout.run("plan", "--save", "next.plan", PPML_VAULT_PASSWORD="").returncode == 1
    assert checkout.run("plan", "--save", "next.plan").returncode == 2
    secret.write_text("another")
    done = checkout.run("apply", "next.plan")
    assert done.returncode == 1
    assert "given: given value is (secret) now\n" in done.stderr
    assert not (checkout.folder / "ppml.lock").exists()
    secret.write_text("of the user")
    assert checkout.run("apply", "next.plan").returncode == 0
    assert checkout.run("plan").returncode == 0


def test_a_plan_with_a_secret_that_has_no_digest_is_not_saved(make: Make) -> None:
    checkout = make()
    secret = with_a_secret(checkout)
    assert checkout.run("apply", "--yes").returncode == 0
    secret.write_text("another")
    locked = checkout.run("plan", "--save", "next.plan", PPML_VAULT_PASSWORD="")
    assert locked.returncode == 1
    assert not (checkout.folder / "next.plan").exists()
    assert locked.stderr == (
        "error[plan-without-secrets]: this plan cannot be saved for apply\n"
        "  is   secrets of token have no digest: the vault is locked, or not made yet\n"
        "  why  another value of them would be applied unnoticed\n"
        "  fix  set PPML_VAULT_PASSWORD or name a key file (vault.key_file); the first apply, or `ppmlctl vault set`, "
        "makes the vault\n"
    )
    assert checkout.run("plan", "--save", "next.plan").returncode == 2
    assert "another" not in (checkout.folder / "next.plan").read_text()
    secret.write_text("a third")
    done = checkout.run("apply", "next.plan")
    assert done.returncode == 1
    assert "given: given value is (secret) now\n" in done.stderr
    assert "third" not in done.stdout + done.stderr
    secret.write_text("another")
    assert checkout.run("apply", "next.plan").returncode == 0


def test_an_object_of_another_owner_is_found_in_the_plan_whether_its_values_are_known_or_not(make: Make) -> None:
    checkout = make()
    assert checkout.run("apply", "--yes").returncode == 0
    theirs = {"keys": ("Secret", {"token": "dGhlaXJz"}), "words": ("ConfigMap", {"a": "theirs"})}
    for name, (kind, data) in theirs.items():
        file = checkout.folder / f"{name}.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data}))
        checkout.as_colleague("create", "-f", str(file))
    with (checkout.folder / "objects.yaml").open("a") as file:
        file.write(
            "- name: made\n  vault_secret: {name: made}\n  register: made\n"
            f"- name: keys\n  k8s_secret: {{name: keys, namespace: {checkout.namespace}, "
            'data: {token: "{{ made.value }}", more: "{{ made.value }}"}}\n'
            "- name: words\n  k8s_object:\n    manifest: {apiVersion: v1, kind: ConfigMap, "
            f"metadata: {{name: words, namespace: {checkout.namespace}}}, data: {{a: ours, b: ours}}}}\n"
        )
    said = checkout.run("plan").stdout
    refused = "is there already, and kubectl-create holds data.%s: apply is refused, unless told --force-conflicts\n"
    assert f"note: keys: Secret {checkout.namespace}/keys {refused % 'token'}" in said
    assert f"note: words: ConfigMap {checkout.namespace}/words {refused % 'a'}" in said
    assert said.count("# adopts what is there already") == 2
    assert checkout.run("apply", "--yes").stderr.count("error[k8s-conflict]") == 2
    forced = checkout.run("apply", "--yes", "--force-conflicts")
    assert forced.returncode == 0, forced.stderr
    assert forced.stdout.count("kubectl-create holds data.") == 2
    assert forced.stdout.count("they are taken over (--force-conflicts)") == 2


def test_the_first_plan_in_the_sandbox_is_carried_out(place: Place, tmp_path: Path) -> None:
    assert place.run("plan", "--save", "next.plan").returncode == 2
    runner = Place(tmp_path / "runner", place.variables)
    shutil.copytree(place.folder, runner.folder, ignore=shutil.ignore_patterns(".ppml"))
    try:
        runner.succeed("apply", "next.plan")
        assert runner.plan()[0] == 0
    finally:
        runner.succeed("sandbox", "down")

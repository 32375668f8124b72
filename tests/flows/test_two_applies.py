"""Applies from two machines exclude each other by a lease in the cluster; held against the sandbox's and a real one."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import pytest
from flows.checkouts import SECONDS, Make

pytestmark = pytest.mark.long


def ended(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and what it said."""
    _, said = running.communicate(timeout=SECONDS)
    return running.returncode, said


def steady(text: str) -> str:
    """Without times and process numbers."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", "TIME", text)
    text = re.sub(r"process \d+ of \S+ on \S+", "process N of USER on HOST", text)
    return re.sub(r"\b\d+ s\b", "n s", text)


def test_of_two_applies_one_runs_and_the_other_says_who_and_since_when(make: Make) -> None:
    one = make()
    one.succeed("apply", "--yes")
    two = one.clone("two")
    one.grow("one")
    shown = two.clone("shown")
    shown.grow("shown")
    shown.run("plan", "--save", "next.plan")
    running = one.begin()
    one.until_at_the_gate()

    assert two.run("apply", "--yes").returncode == 0, "there is nothing to do here"
    two.grow("two")
    for refused in (one.run("apply", "--yes"), shown.run("apply", "next.plan"), two.run("apply", "--yes")):
        assert refused.returncode == 1
        assert refused.stderr.startswith("error[environment-locked]")
        assert f"process {running.pid} " in refused.stderr
    assert steady(refused.stderr) == (
        "error[environment-locked]: another apply runs on this environment\n"
        "  is   process N of USER on HOST holds it since TIME, renewed n s ago\n"
        "  why  two at once could make things twice\n"
        "  fix  wait for it to end, or say how many seconds to wait: --lock-timeout 600\n"
    )
    planned = two.run("plan")
    assert planned.returncode == 2
    assert "another apply runs right now" in planned.stdout + planned.stderr

    waiting, outdated = two.begin("--lock-timeout", "60"), shown.begin("next.plan", "--lock-timeout", "60")
    one.open_the_gate()
    assert ended(running)[0] == 0
    code, said = ended(waiting)
    assert code == 1
    assert "error[lockfile-older]" in said
    assert ended(outdated)[0] == 1
    behind = one.object("behind")
    assert behind is not None
    assert behind["data"] == {"by": "one"}
    for words in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        assert two.run(*words).stderr.startswith("error[lockfile-older]")

    two.pull(one)
    before = one.lease()
    two.succeed("apply", "--yes")
    assert one.lease() == before, "a second apply with nothing to do leaves the lease alone"
    assert two.lockfile == one.lockfile


def test_an_apply_killed_on_this_machine_keeps_nobody_out(make: Make) -> None:
    one = make(seconds=3600)
    one.grow("one")
    running = one.begin()
    one.until_at_the_gate()
    running.kill()
    running.communicate()
    two = one.clone("two")
    two.open_the_gate()
    done = two.run("apply", "--yes")
    assert done.returncode == 0, done.stderr
    assert "takes over from process" in done.stderr
    lease = two.lease()
    assert lease is not None
    assert "holderIdentity" not in lease["spec"]
    assert lease["spec"]["leaseTransitions"] == 1


def test_a_holder_that_cannot_be_judged_from_here_keeps_others_out_for_the_lease_only(make: Make) -> None:
    one = make(seconds=3)
    one.grow("one")
    running = one.begin()
    one.until_at_the_gate()
    running.kill()
    running.communicate()
    one.as_colleague("annotate", "lease", "ppmlctl-shared", "ppmlctl/process-")
    two = one.clone("two")
    two.open_the_gate()
    done = two.run("apply", "--yes", "--lock-timeout", "30")
    assert done.returncode == 0, done.stderr
    assert re.search(r"waits for the lease of process \d+ of \S+ on \S+, not renewed for \d+ s", done.stderr)
    assert "takes over from process" in done.stderr


def test_a_stalled_holder_that_wakes_up_begins_and_records_nothing(make: Make) -> None:
    one = make(seconds=3)
    one.succeed("apply", "--yes")
    two = one.clone("two")
    one.grow("one")
    two.grow("two")
    running = one.begin()
    one.until_at_the_gate()
    running.send_signal(signal.SIGSTOP)
    recorded = one.lockfile
    taking_over = two.begin("--lock-timeout", "30")
    two.until("Lease", "ppmlctl-shared", "it is taken over", lambda live: f"/{taking_over.pid}/" in str(live))
    two.open_the_gate()
    assert ended(taking_over)[0] == 0
    made = two.object("behind")

    running.send_signal(signal.SIGCONT)
    code, said = ended(running)
    assert code == 1
    assert said.count("error[") == 1
    assert "error[lease-lost]: another apply has taken over this environment" in said
    assert "another apply has held it since, and ended" in said
    assert one.object("behind") == made
    assert one.lockfile == recorded


def test_of_two_first_applies_one_makes_everything(make: Make) -> None:
    one, two = make("one"), make("two")
    for checkout, who in ((one, "one"), (two, "two")):
        checkout.grow(who)
    running = one.begin()
    one.until_at_the_gate()
    refused = two.run("apply", "--yes")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[environment-locked]")
    one.open_the_gate()
    assert ended(running)[0] == 0
    assert "existed_before: false" in one.lockfile.decode()
    assert "existed_before: true" not in one.lockfile.decode()

    refused = two.run("apply", "--yes")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[lockfile-lost]")
    assert sorted(path.name for path in two.folder.iterdir()) == [".ppml", "objects.yaml", "ppml.yaml"]
    before = one.object("behind")
    two.succeed("apply", "--yes", "--accept-lockfile")
    after = two.object("behind")
    assert before is not None
    assert after is not None
    assert after["data"] == {"by": "two"}
    assert after["metadata"]["labels"] == before["metadata"]["labels"], "the environment's identity stays"
    assert one.run("plan").stderr.startswith("error[lockfile-older]")


def test_what_waited_plans_again_when_the_other_has_ended(make: Make) -> None:
    one = make()
    one.succeed("apply", "--yes")
    one.grow("one")
    running = one.begin()
    one.until_at_the_gate()
    two = one.clone("two")
    waiting = two.begin("--lock-timeout", "60", "-o", "json")
    first = waiting.stdout.readline() if waiting.stdout else ""
    assert json.loads(first)["text"].startswith("waits for the lease of process ")
    running.kill()
    running.communicate()
    two.open_the_gate()
    code, _ = ended(waiting)
    assert code == 0
    assert two.plan()[0] == 0


def test_what_is_destroyed_leaves_no_lease_that_keeps_others_out(make: Make) -> None:
    one = make()
    one.succeed("apply", "--yes")
    assert one.lease() is not None
    one.as_colleague("delete", "namespace", one.namespace, "--wait=false")
    one.succeed("apply", "--yes")
    assert one.lease() is not None
    one.succeed("destroy", "--yes")
    assert one.lease() is None
    for name in ("ppml.lock", "ppml.vault"):
        (one.folder / name).unlink()
    one.succeed("apply", "--yes")
    assert one.plan()[0] == 0


@pytest.mark.real
def test_rights_in_one_namespace_are_enough_and_a_missing_one_is_named(
    make: Make, kubeconfig: Path, tmp_path: Path
) -> None:
    one = make()
    one.make_namespace()
    one.allow("get,list,create,patch,delete", "configmaps")
    one.allow("get", "namespaces")
    one.variables["KUBECONFIG"] = str(one.restricted(tmp_path / "restricted"))
    refused = one.run("plan")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[k8s-forbidden]: the cluster does not allow this\n")
    assert f"get Lease {one.namespace}/ppmlctl-shared" in refused.stderr
    assert 'cannot get resource "leases" in API group "coordination.k8s.io"' in refused.stderr

    one.allow("get,create,update,delete", "leases.coordination.k8s.io")
    one.succeed("apply", "--yes")
    assert one.plan()[0] == 0
    assert f"namespace {one.namespace}" in one.lockfile.decode()
    one.succeed("destroy", "--yes")
    assert one.lease() is None

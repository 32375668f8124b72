"""The quickstart, from nothing to a recap, and what follows."""

from __future__ import annotations

import json
import shlex
import shutil
from typing import Any

import pytest
from flows.place import Place, changed

from ppmlctl.sandbox import process

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on this machine")


def test_the_quickstart_ends_with_recap_and_lockfile(place: Place) -> None:
    told = place.run("apply", "--yes")
    assert told.returncode == 0, told.stderr
    for heading in ("Recap", "Real here", "Simulated here", "Outputs", "Next"):
        assert heading in told.stdout
    assert told.stdout.index("Real here") < told.stdout.index("Simulated here") < told.stdout.index("Next")
    assert "recompute" in told.stdout
    text = place.lockfile.decode()
    for word in ("mr_enclave", "mr_signer", "policy_id", "workload.spark-pi"):
        assert word in text


def test_a_plan_before_the_first_apply_starts_nothing(place: Place) -> None:
    code, plan = place.plan()
    assert code == 2
    assert plan["summary"]["create"] > 10
    assert plan["summary"]["run"] == 1
    assert process.status(place.sandbox) is None
    assert not (place.folder / "ppml.lock").exists()
    assert not (place.folder / "ppml.vault").exists()
    assert not (place.folder / "keys").exists()


@pytest.mark.long
def test_a_plan_after_apply_has_nothing_to_do(applied: Place) -> None:
    done = applied.run("plan")
    assert (done.returncode, done.stderr) == (0, "")
    assert "No changes." in done.stdout


@pytest.mark.long
def test_a_second_apply_writes_nothing_anywhere(applied: Place) -> None:
    before, asked = applied.lockfile, len(applied.requests())
    recap = applied.apply()["recap"]
    assert recap["changed"] == recap["failed"] == recap["skipped"] == 0
    assert sum(counts["write"] for counts in recap["requests"].values()) == 0
    assert applied.lockfile == before
    later = applied.requests()[asked:]
    assert later, "the sandbox was not even looked at"
    assert [one for one in later if is_write(one)] == []


def is_write(request: dict[str, Any]) -> bool:
    """By the servers' own logs: Kubernetes verbs that change, EHSM actions that make."""
    if request["service"] == "ehsm":
        return request.get("action") in {"Enroll", "UploadQuotePolicy", "CreateKey"}
    return request["method"] not in {"GET", "HEAD"} and not request.get("dry_run")


@pytest.mark.long
@needs_kubectl
def test_a_deleted_secret_is_all_that_is_repaired(applied: Place) -> None:
    applied.kubectl("delete", "secret", "kms-secret")
    code, plan = applied.plan()
    assert code == 2
    assert changed(plan) == {"kms-secret": "create"}
    recap = applied.apply()["recap"]
    assert recap["changed"] == 1
    assert applied.plan()[0] == 0
    assert sum(one.get("action") == "Enroll" for one in applied.requests()) == 1


@pytest.mark.long
def test_a_plan_with_the_sandbox_stopped_says_how_to_start_it(applied: Place) -> None:
    process.down(applied.sandbox)
    done = applied.run("plan")
    assert done.returncode == 1
    assert "error[sandbox-stopped]" in done.stderr
    assert "ppmlctl sandbox up -f ppml.yaml" in done.stderr
    assert process.status(applied.sandbox) is None


@pytest.mark.long
def test_another_log_level_shows_what_follows_from_it(applied: Place) -> None:
    applied.edit("log_level: error", "log_level: debug")
    done = applied.run("plan")
    assert done.returncode == 2
    assert "log_level: error → debug" in done.stdout
    (chain,) = [line for line in done.stdout.splitlines() if line.startswith("MRENCLAVE")]
    assert "ehsm-policy anew" in chain
    assert "workload.spark-pi runs again" in chain
    promised = next(a for a in applied.plan()[1]["actions"] if a["address"] == "enclave")["outcome"]
    told = applied.apply()
    assert told["outputs"]["mr_enclave"] == next(f["after"] for f in promised if f["path"] == "mr_enclave")
    assert applied.plan()[0] == 0


@pytest.mark.long
@needs_kubectl
def test_destroy_leaves_the_cluster_as_it_was(place: Place) -> None:
    process.up(place.sandbox)
    before = dump(place)
    place.apply()
    assert dump(place) != before
    told = json.loads(place.succeed("destroy", "--yes", "-o", "json").splitlines()[-1])
    assert dump(place) == before
    left = told["recap"]["left_behind"]
    assert {"enclave-key", "tls-keystore", "ehsm-account", "ehsm-policy"} <= left.keys()
    assert (place.folder / "keys" / "enclave-key.pem").exists()
    assert place.plan()[1]["summary"]["keep"] == 0
    place.apply()
    assert sum(one.get("action") == "Enroll" for one in place.requests()) == 1


@pytest.mark.long
def test_destroy_says_what_it_took_away_and_what_it_left(applied: Place) -> None:
    done = applied.run("destroy", "--yes")
    assert done.returncode == 0
    for said in ("kms-secret: deleted", "enclave-key: kept, only its record went", "ehsm-account: left behind"):
        assert f"✓ {said} " in done.stderr
    assert done.stdout.endswith(
        "Next\n  Stop the sandbox (what is in it stays):\n    ppmlctl sandbox down -f ppml.yaml\n"
    )


def dump(place: Place) -> list[str]:
    """Every listable object of the cluster by kind and name."""
    kinds = place.kubectl("api-resources", "--verbs=list", "-o", "name").split()
    names = [place.kubectl("get", kind, "-A", "-o", "name").split() for kind in sorted(kinds)]
    return sorted(name for group in names for name in group)


@pytest.mark.long
def test_a_saved_plan_is_applied_as_shown(applied: Place) -> None:
    applied.edit("log_level: error", "log_level: all")
    assert applied.run("plan", "--save", "next.plan").returncode == 2
    assert (applied.folder / "next.plan").stat().st_mode & 0o777 == 0o600
    applied.succeed("apply", "next.plan")
    assert applied.plan()[0] == 0


@pytest.mark.long
def test_a_saved_plan_is_refused_where_the_world_has_moved(applied: Place) -> None:
    applied.edit("log_level: error", "log_level: all")
    applied.run("plan", "--save", "next.plan")
    applied.edit("log_level: all", "log_level: debug")
    before = applied.lockfile
    done = applied.run("apply", "next.plan")
    assert done.returncode == 1
    assert "error[plan-outdated]" in done.stderr
    assert "\n       ppmlctl plan -f ppml.yaml\n" in done.stderr
    assert applied.lockfile == before


@pytest.mark.long
def test_removing_a_section_deletes_what_it_made(applied: Place) -> None:
    text = (applied.folder / "ppml.yaml").read_text()
    (applied.folder / "ppml.yaml").write_text(text[: text.index("workloads:")])
    code, plan = applied.plan()
    gone = changed(plan)
    assert code == 2
    assert set(gone.values()) == {"delete"}
    assert "workload.spark-pi" in gone
    assert "kms-secret" not in gone
    applied.apply()
    assert applied.plan()[0] == 0


@pytest.mark.long
def test_outputs_and_status_talk_to_nobody(applied: Place) -> None:
    process.down(applied.sandbox)
    outputs = json.loads(applied.succeed("output", "-o", "json"))
    assert len(outputs["mr_enclave"]) == 64
    assert applied.succeed("output", "mr_enclave").strip() == outputs["mr_enclave"]
    assert "simulated" in applied.succeed("status")


@pytest.mark.long
def test_the_recompute_command_gives_the_measurement(applied: Place) -> None:
    outputs = json.loads(applied.succeed("output", "-o", "json"))
    words = shlex.split(outputs["recompute"])
    assert words[:3] == ["ppmlctl", "enclave", "measure"]
    assert json.loads(applied.succeed(*words[1:], "-o", "json"))["mr_enclave"] == outputs["mr_enclave"]

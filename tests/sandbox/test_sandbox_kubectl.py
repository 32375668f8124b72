"""The kubectl of this machine against the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH")

MANIFESTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: "1"}
---
apiVersion: batch/v1
kind: Job
metadata: {name: pi}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: "none:1"}]
"""


@pytest.fixture
def kubectl(sandbox, api, tmp_path):
    environment = {**os.environ, "KUBECONFIG": str(sandbox.kubeconfig), "HOME": str(tmp_path)}

    def run(*arguments, stdin=None, expect=0):
        command = ["kubectl", "--namespace", api.namespace, *arguments]
        done = subprocess.run(
            command, check=False, input=stdin, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == expect, done.stderr
        return done.stdout + done.stderr

    return run


def test_apply_wait_logs_and_delete(kubectl):
    applied = kubectl("apply", "--server-side", "-f", "-", stdin=MANIFESTS)
    assert applied == "configmap/settings serverside-applied\njob.batch/pi serverside-applied\n"
    assert kubectl("wait", "--for=condition=complete", "job/pi", "--timeout=20s") == "job.batch/pi condition met\n"
    assert kubectl("logs", "job/pi") == "simulated: the sandbox ran no container\n"
    assert kubectl("delete", "job/pi", "configmap/settings").count("deleted") == 2
    assert kubectl("get", "pods", "-o", "name") == ""


def test_get_prints_tables_and_yaml(kubectl):
    kubectl("apply", "--server-side", "-f", "-", stdin=MANIFESTS)
    kubectl("wait", "--for=condition=complete", "job/pi", "--timeout=20s")
    header, row = kubectl("get", "jobs").splitlines()
    assert header.split() == ["NAME", "STATUS", "COMPLETIONS", "AGE"]
    assert row.split()[:3] == ["pi", "Complete", "1/1"]
    assert "Simulated" in kubectl("get", "all")
    assert json.loads(kubectl("get", "configmap", "settings", "-o", "json"))["data"] == {"a": "1"}


def test_get_watches(kubectl, sandbox, api):
    environment = {**os.environ, "KUBECONFIG": str(sandbox.kubeconfig)}
    command = ["kubectl", "-n", api.namespace, "get", "configmaps", "-w", "--no-headers", "-o", "name"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        try:
            assert watching.stdout is not None
            assert watching.stdout.readline() == "configmap/kube-root-ca.crt\n"
            kubectl("apply", "--server-side", "-f", "-", stdin=MANIFESTS)
            assert watching.stdout.readline() == "configmap/settings\n"
        finally:
            watching.terminate()


def test_a_conflict_is_shown_with_the_other_manager(kubectl):
    manifest = MANIFESTS.partition("---")[0]
    kubectl("apply", "--server-side", "--field-manager=first", "-f", "-", stdin=manifest)
    changed = manifest.replace('"1"', '"2"')
    told = kubectl("apply", "--server-side", "--field-manager=second", "-f", "-", stdin=changed, expect=1)
    assert 'conflict with "first": .data.a' in told
    kubectl("apply", "--server-side", "--field-manager=second", "--force-conflicts", "-f", "-", stdin=changed)


def test_a_dry_run_of_the_server_stores_nothing(kubectl):
    kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=MANIFESTS)
    assert "NotFound" in kubectl("get", "job/pi", expect=1)


def test_an_unknown_field_is_refused(kubectl):
    told = kubectl("apply", "--server-side", "-f", "-", stdin=MANIFESTS.replace("\ndata:", "\ndato:"), expect=1)
    assert ".dato: field not declared in schema" in told


def test_labels_can_be_set_and_selected(kubectl):
    kubectl("create", "-f", "-", stdin=MANIFESTS)
    kubectl("label", "configmap", "settings", "which=this")
    assert kubectl("get", "configmaps", "-l", "which=this", "-o", "name") == "configmap/settings\n"


def test_the_versions_are_told(kubectl):
    assert "ppmlctl-sandbox" in kubectl("version")

"""Why a pod failed, in lines, with the meaning of the numbers that its log holds. On the sandbox's cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_world import World, cluster, world_of

from ppmlctl.modules._pod_reasons import reasons
from ppmlctl.runs.pod_cause import cause_lines

SECRET = "s3cret-0xe019"
ENDED = {"name": "spark-driver", "state": {"terminated": {"reason": "Error", "exitCode": 1}}}
UNSCHEDULED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient sgx.intel.com/epc.",
}


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cluster("sandbox", tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def world(kubeconfig: Path, make_context: Any) -> Iterator[World]:
    with world_of(kubeconfig, make_context) as made:
        made.client.apply(made.manifest("Secret", "api", stringData={"key": SECRET}))
        yield made


def failed_pod(world: World) -> dict[str, Any]:
    reference = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "api", "key": "key"}}}
    spec = {"containers": [{"name": "spark-driver", "image": "i", "env": [reference]}]}
    return world.manifest("Pod", "p", spec=spec) | {"status": {"phase": "Failed", "containerStatuses": [ENDED]}}


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("0xe011", "SGX_QL_NO_PLATFORM_CERT_DATA"),
        ("0xe019", "SGX_QL_NETWORK_ERROR"),
        ("0xe065", "SGX_QL_ROOT_CA_UNTRUSTED"),
        ("0x4004", "SGX_ERROR_SERVICE_INVALID_PRIVILEGE"),
    ],
)
def test_a_number_in_the_log_of_a_failed_pod_comes_with_cause_and_remedy(world: World, number: str, name: str) -> None:
    log = "\n".join([f"[get_quote] Error {number}", *["starting"] * 100, "Attestation Fail! Application killed!"])
    lines = cause_lines(world.client, failed_pod(world), log=log)
    assert lines[0] == "pod p: Error, exit code 1"
    assert f"  [get_quote] Error {number}" in lines
    assert lines[-2].startswith(f"  means {number} {name}: ")
    assert lines[-1].startswith("  means Attestation Fail! Application killed!: ")


def test_what_a_secret_holds_is_neither_shown_nor_explained(world: World) -> None:
    lines = cause_lines(world.client, failed_pod(world), log=f"quote failed with key {SECRET}")
    assert lines == ["pod p: Error, exit code 1", "  quote failed with key (secret)"]


def test_a_pod_that_waits_comes_with_the_meaning_of_the_schedulers_words(world: World) -> None:
    waiting = failed_pod(world) | {"status": {"phase": "Pending", "conditions": [UNSCHEDULED]}}
    expected = "  means Insufficient sgx.intel.com/…: no node has this much of the SGX resource; "
    assert cause_lines(world.client, waiting)[-1].startswith(expected)
    assert reasons(world.client, waiting, [waiting])[-1].startswith(expected)


def test_the_end_of_a_pod_has_a_meaning_too(world: World) -> None:
    pod = failed_pod(world)
    pod["status"]["containerStatuses"][0] = {"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    lines = cause_lines(world.client, pod, log="starting")
    assert lines[0] == "pod p: OOMKilled, exit code 137"
    assert lines[-1].startswith("  means OOMKilled: the container used more memory than its limit")

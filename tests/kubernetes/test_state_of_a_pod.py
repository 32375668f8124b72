"""What one pod says of itself."""

from __future__ import annotations

from typing import Any

from ppmlctl.kubernetes.pod_state import end_of, failed_mounts, patience, waiting_reason

EPC = "0/1 nodes are available: 1 Insufficient sgx.intel.com/epc."


def pod(name: str, phase: str = "Running", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"phase": phase, **status}}


def unschedulable(message: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return pod("p", "Pending", conditions=[condition])


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return pod("p", "Pending", containerStatuses=[{"state": {"waiting": {"reason": reason, "message": message}}}])


def test_a_node_without_enough_epc_is_told_in_the_schedulers_words() -> None:
    assert waiting_reason(unschedulable(EPC)) == f"Unschedulable: {EPC}"
    assert patience(unschedulable(EPC)) == 15


def test_a_crowded_node_is_waited_for_much_longer() -> None:
    assert patience(unschedulable("0/1 nodes are available: 1 Insufficient cpu.")) == 300


def test_an_image_that_cannot_be_pulled_and_a_key_that_is_not_there_are_hopeless() -> None:
    assert patience(waiting("ImagePullBackOff", "Back-off pulling image")) == 15
    assert patience(waiting("CreateContainerConfigError", "couldn't find key app_key in Secret")) == 15


def test_a_container_that_is_being_created_waits_for_nothing_worth_telling() -> None:
    assert waiting_reason(waiting("ContainerCreating")) == ""
    assert patience(waiting("ContainerCreating")) is None


def test_an_end_is_told_by_the_pods_reason_or_its_containers() -> None:
    assert end_of(pod("p", "Failed", reason="DeadlineExceeded", message="too long")) == "DeadlineExceeded: too long"
    ended = {"state": {"terminated": {"reason": "Error", "exitCode": 101}}}
    assert end_of(pod("p", "Failed", containerStatuses=[ended])) == "Error, exit code 101"
    assert end_of(pod("p", "Failed")) == "Failed"


def test_only_what_others_have_to_make_is_a_failed_mount() -> None:
    admission = 'FailedMount: MountVolume.SetUp failed for volume "admission" : configmap "r-admission" not found'
    secret = 'FailedMount: MountVolume.SetUp failed for volume "keys" : secret "ssl-keys" not found'
    slow = "FailedMount: Unable to attach or mount volumes: timed out waiting for the condition"
    assert failed_mounts([admission, secret, slow, secret], "r-admission") == [secret]

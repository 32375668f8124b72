"""The pods of a workload are given what the table says, each in its role; what runs outside is given nothing."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest

from ppmlctl.flows.spark.job import job_pod
from ppmlctl.flows.spark.pod_template import pod_template
from ppmlctl.flows.spark.submission import Mode, Submission
from ppmlctl.kubernetes.pod_parts import sources
from ppmlctl.protection import Attestation, DevicePlugin, Role, Tee, access_of, container_fields, host_volumes

OF_HOST = ("aesm-socket", "sgx-enclave", "sgx-provision", "tdx-device")


def submission(mode: Mode, tee: Tee, plugin: DevicePlugin, *, attests: bool = True) -> Submission:
    attestation = Attestation("judge:1", "service", "secret") if attests else None
    return Submission(
        name="pi-1",
        workload="pi",
        namespace="ppml",
        image="i:1",
        application="local:///x.jar",
        service_account="spark",
        mode=mode,
        tee=tee,
        device_plugin=plugin,
        attestation=attestation,
    )


def given(pod: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    (container,) = pod["spec"]["containers"]
    fields = {name: container[name] for name in ("resources", "securityContext") if name in container}
    mounted = {one["name"] for one in container["volumeMounts"]}
    volumes = [one for one in pod["spec"]["volumes"] if one["name"] in OF_HOST]
    assert {one["name"] for one in volumes} == mounted.intersection(OF_HOST)
    return fields, volumes


def row(tee: Tee, plugin: DevicePlugin, role: Role) -> tuple[dict[str, Any], list[Any]]:
    access = access_of(tee, plugin, role)
    return container_fields(access), sources(host_volumes(access))


ROWS = list(itertools.product(get_args(Tee), get_args(DevicePlugin)))
NOTHING: tuple[dict[str, Any], list[Any]] = ({}, [])


@pytest.mark.parametrize(("tee", "plugin"), ROWS)
def test_each_pod_has_its_row(tee: Tee, plugin: DevicePlugin) -> None:
    cluster, client, local = (submission(mode, tee, plugin) for mode in ("cluster", "client", "local"))
    assert given(pod_template(cluster, "driver")) == row(tee, plugin, "driver")
    assert given(pod_template(cluster, "executor")) == row(tee, plugin, "executor")
    assert given({"spec": job_pod(client)}) == row(tee, plugin, "submitter")
    assert given({"spec": job_pod(cluster)}) == NOTHING
    assert given({"spec": job_pod(local)}) == NOTHING


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_only_quotes_need_the_device_of_a_domain(role: Any) -> None:
    assert given(pod_template(submission("cluster", "tdx", "host", attests=False), role)) == NOTHING

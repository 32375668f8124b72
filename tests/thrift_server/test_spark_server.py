"""The server's module: what it refuses before anything is made, what it exposes, and what a change would drop."""

from __future__ import annotations

from typing import Any

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.flows.thrift_server.modules.spark_server import SparkServer, SparkServerArgs
from ppmlctl.planning import ABSENT, ActionKind, Recorded, Wanted
from ppmlctl.planning.protections import dropped
from ppmlctl.unknown import Unknown

MANIFEST = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "sql", "namespace": "ppml"}}
ATTESTATION = {"url": "kms:9000", "service": "EHSMAttestationService", "secret": "kms-secret"}


def args(**values: Any) -> SparkServerArgs:
    return SparkServerArgs(name="sql", image="a:1", manifest=MANIFEST, **values)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"data_key_folders": ()}, "encrypted-folder-plain"),
        ({"data_key_folders": ("/ppml/encrypted-fsd",), "key_client": False}, "key-client-missing"),
    ],
)
def test_a_folder_that_would_be_plain_is_refused(values: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as refused:
        SparkServer().diff(Wanted("workload.sql", args(encrypted=True, **values), {}), ABSENT, None)
    assert refused.value.diagnostics[0].code == code
    assert SparkServer().diff(Wanted("workload.sql", args(**values), {}), ABSENT, None).action is ActionKind.CREATE


def test_what_its_pods_expose_is_said() -> None:
    said = SparkServer().notes(args(attestation=ATTESTATION, encrypted=True))
    assert [one.startswith("sql: EHSM's app id and api key are variables") for one in said] == [True, True]
    assert SparkServer().notes(args()) == ()
    assert SparkServer().notes(args(attestation=Unknown("later"), encrypted=Unknown("later"))) == ()


@pytest.mark.parametrize("protection", ["attestation", "encrypted", "tls", "authentication"])
def test_a_protection_that_goes_is_a_warning_of_its_own(protection: str) -> None:
    on = {"attestation": ATTESTATION, "encrypted": True, "tls": True, "authentication": True}
    off = {**on, protection: None if protection == "attestation" else False}
    recorded = Recorded("spark_server", on, {})
    assert dropped("workload.sql", SparkServer(), recorded, on) == []
    assert len(dropped("workload.sql", SparkServer(), recorded, off)) == 1

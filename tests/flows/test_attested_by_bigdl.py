"""Attestation by BigDL's Remote Attestation Service: whole commands on the sandbox, which has one of its own."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.place import QUICKSTART, Place

from ppmlctl.sandbox import process
from ppmlctl.sandbox.ehsm.made_up import DOMAIN
from ppmlctl.sandbox.ehsm.quoting import Quoting

pytestmark = pytest.mark.long

PPML = f"""
version: 1
name: domains
target: sandbox
cluster: {{image_pull: {{secrets: [registry]}}}}
images:
  base: {{rootfs: ./base}}
  custom: {{name: ppml/domains, tag: "1", enclave_size: 2G}}
attestation:
  enabled: true
  type: BigDLRemoteAttestationService
  service:
    deploy:
      image: example/attestation:1
      external_ip: 203.0.113.7
      devices: tdx
      node: a
      data: /var/lib/attestation
    policy: {{mr_td: {DOMAIN.mr_td.hex()}}}
workloads:
  - name: spark-pi
    spark:
      tee: tdx
      main_class: org.apache.spark.examples.SparkPi
      application: local:///opt/examples.jar
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "env"
    shutil.copytree(QUICKSTART, folder, ignore=shutil.ignore_patterns(".ppml", "ppml.*"))
    (folder / "ppml.yaml").write_text(PPML)
    found = Place(folder, {"XDG_STATE_HOME": str(tmp_path / "state"), "NO_COLOR": "1"})
    try:
        yield found
    finally:
        process.down(found.sandbox)


def secret(place: Place, name: str) -> dict[str, str]:
    data = json.loads(place.kubectl("get", "secret", name, "-o", "json"))["data"]
    return {key: base64.b64decode(value).decode("latin-1") for key, value in data.items()}


def actions(place: Place) -> dict[str, Any]:
    return {action["address"]: action["action"] for action in place.plan()[1]["actions"]}


def asked(place: Place) -> list[str]:
    services = ("/", "/enroll", "/registerPolicy", "/verifyQuote")
    return [entry["path"] for entry in place.requests() if entry["service"] == "ehsm" and entry["path"] in services]


def test_a_domain_is_deployed_for_registered_and_shown_to_pass(place: Place) -> None:
    place.apply()
    assert place.plan()[0] == 0
    account = secret(place, "attestation-secret")
    assert account.keys() == {"app_id", "api_key", "policy_id"}
    assert asked(place).count("/enroll") == 1
    (pods,) = json.loads(place.kubectl("get", "statefulsets", "-o", "json"))["items"]
    (container,) = pods["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "example/attestation:1"
    assert pods["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    kept = secret(place, "remote-attestation-service")
    for text in (place.lockfile, json.dumps(pods).encode(), place.run("plan").stdout.encode()):
        for value in (account["api_key"], kept["store_password"], kept["data_password"]):
            assert value.encode() not in text

    quote = Quoting(place.sandbox / "ehsm", time.time).quote_of_domain()
    (place.folder / "td.quote").write_bytes(base64.b64encode(quote))
    place.edit("    policy: {", "    control: td.quote\n    policy: {")
    assert actions(place)["attestation-policy"] == "update"
    place.apply()
    assert place.plan()[0] == 0
    assert asked(place).count("/enroll") == 1

    place.edit(DOMAIN.mr_td.hex(), "ab" * 48)
    refused = place.run("apply", "--yes")
    assert refused.returncode == 1
    assert "td.quote: it shows another mrTD than the policy says" in refused.stderr


def test_another_policy_runs_the_workload_again_and_destroy_leaves_what_the_service_keeps(place: Place) -> None:
    place.apply()
    first = secret(place, "attestation-secret")["policy_id"]
    place.edit(DOMAIN.mr_td.hex(), "ab" * 48)
    planned = actions(place)
    assert (planned["attestation-policy"], planned["workload.spark-pi"]) == ("replace", "run")
    place.apply()
    assert secret(place, "attestation-secret")["policy_id"] != first
    told = place.succeed("destroy", "--yes")
    assert "attestation service account" in told
    assert "attestation service policy" in told
    assert place.kubectl("get", "statefulsets,services", "-o", "name").split() == []


def test_an_account_of_ones_own_is_taken_from_where_it_is(place: Place) -> None:
    """Enrolled by somebody else; its key is a variable here, and no account is made."""
    place.apply()
    own = secret(place, "attestation-secret")
    given = f"account: {{app_id: {own['app_id']}, api_key: {{env: OWN_KEY}}}}"
    place.edit("    policy: {", f"    {given}\n    policy: {{")
    place.variables["OWN_KEY"] = own["api_key"]
    place.apply()
    assert place.plan()[0] == 0
    assert secret(place, "attestation-secret")["app_id"] == own["app_id"]
    assert asked(place).count("/enroll") == 1
    place.variables["OWN_KEY"] = "another"
    refused = place.run("apply", "--yes")
    assert refused.returncode == 1
    assert "attestation-account-unknown" in refused.stderr
    assert "another" not in refused.stderr.replace("another one", "")


def test_a_file_with_real_addresses_is_tried_without_asking_them(place: Place) -> None:
    """Names that do not resolve, and that no certificate of the sandbox has."""
    file = place.folder / "ppml.yaml"
    text = file.read_text()
    before, after = text.split("    deploy:")
    policy = after[after.index("    policy:") :]
    kms = "kms: {ehsm: {url: 'https://kms.invalid:9000'}}\n"
    file.write_text(f"{before}    url: https://attestation.invalid:9875\n{policy}{kms}")
    applied = place.run("apply", "--yes")
    assert applied.returncode == 0, applied.stderr
    assert applied.stdout.count("warning[sandbox-brings-its-own]") == 2
    assert "with `target: cluster` and `kms.ehsm.url` and `attestation.service.url`" in applied.stdout
    assert place.plan()[0] == 0

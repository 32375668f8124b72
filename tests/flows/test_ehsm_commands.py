"""`ppmlctl ehsm`: what people see of the account, change there, and never see by accident."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.keys_place import copied, keys_place
from flows.place import Place

from ppmlctl.dcap import parse_sgx_report
from ppmlctl.sandbox import process
from ppmlctl.sandbox.ehsm import ehsm_identity

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def keys(keys_applied: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The example with keys and secrets, applied and running; the tests leave it as they found it, but the last."""
    place = copied(keys_applied, tmp_path_factory.mktemp("commands") / "copy")
    yield place
    process.down(place.sandbox)


def told(place: Place, *words: str) -> Any:
    return json.loads(place.succeed("ehsm", *words, "-o", "json"))


def test_the_status_tells_of_server_verdict_and_account(keys: Place) -> None:
    status = told(keys, "status")
    assert status.pop("account").count("-") == 4
    assert status == {
        "url": "https://ehsm.sandbox:9000",
        "version": "sandbox",
        "verdict": "simulated: genuine quote of this identity shown; not bound to this server",
        "root": "sandbox",
        "tcb_status": "UpToDate",
        "advisories": [],
        "mr_enclave": ehsm_identity().mr_enclave,
        "mr_signer": ehsm_identity().mr_signer,
        "collateral_until": "",
        "keys": 2,
        "secrets": 2,
    }
    assert keys.succeed("ehsm", "policy") == "no policy was registered\n"


def test_the_servers_quote_is_fetched_as_it_comes(keys: Place) -> None:
    assert keys.succeed("ehsm", "quote", "--to", "ehsm.quote").endswith(" is in ehsm.quote\n")
    quote = parse_sgx_report((keys.folder / "ehsm.quote").read_bytes())
    assert quote.mr_enclave.hex() == ehsm_identity().mr_enclave


def test_keys_are_listed_with_their_tasks_and_switched(keys: Place) -> None:
    listed = {key["spec"]: key for key in told(keys, "keys", "list")}
    assert {spec: key["tasks"] for spec, key in listed.items()} == {
        "EH_AES_GCM_256": ["ehsm-data-key.warehouse", "ehsm-key.files"],
        "EH_EC_P256": ["ehsm-key.reports"],
    }
    keyid = listed["EH_EC_P256"]["keyid"]
    assert keys.succeed("ehsm", "keys", "disable", keyid) == f"{keyid} is disabled\n"
    assert keys.plan()[0] == 2
    assert keys.succeed("ehsm", "keys", "enable", keyid) == f"{keyid} is enabled\n"
    assert keys.plan()[0] == 0
    done = keys.run("ehsm", "keys", "disable", "unknown")
    assert (done.returncode, "error[ehsm-no-key]: the account has no such key" in done.stderr) == (1, True)


def test_a_key_that_tasks_have_is_not_deleted(keys: Place) -> None:
    keyid = next(key["keyid"] for key in told(keys, "keys", "list") if key["spec"] == "EH_EC_P256")
    done = keys.run("ehsm", "keys", "delete", keyid, "--yes")
    assert done.returncode == 1
    assert done.stderr == (
        "error[ehsm-key-used]: tasks have this key\n"
        f"  is   {keyid}: ehsm-key.reports\n"
        "  why  what they encrypted with it would be lost\n"
        "  fix  take them out of ppml.yaml, apply, then delete the key\n"
    )


def test_a_secrets_value_is_shown_on_request_only(keys: Place) -> None:
    listed = {secret["name"]: secret["description"] for secret in told(keys, "secrets", "list")}
    assert listed == {"database": "Password of the reports' database", "session": ""}
    value = keys.succeed("vault", "show", "ehsm-secret.session")
    done = keys.run("ehsm", "secrets", "get", "session")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[secret-not-shown]: where the value shall go is not said" in done.stderr
    assert keys.succeed("ehsm", "secrets", "get", "session", "--reveal") == value
    written = keys.folder / "value"
    assert value not in keys.succeed("ehsm", "secrets", "get", "session", "--to", str(written))
    assert (written.read_text(), written.stat().st_mode & 0o777) == (value, 0o600)
    unknown = keys.run("ehsm", "secrets", "get", "nothing", "--reveal")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == (
        "error[ehsm-no-secret]: the account has no such secret\n  is   nothing\n  fix  name one of: database, session\n"
    )
    missing = keys.run("ehsm", "secrets", "get", "session", "--version", "7", "--reveal")
    assert (missing.returncode, "error[ehsm-no-version]: the secret has no such version" in missing.stderr) == (1, True)


def test_an_account_is_not_used_before_the_server_was_attested(tmp_path: Path) -> None:
    done = keys_place(tmp_path).run("ehsm", "keys", "list")
    assert done.returncode == 1
    assert done.stderr == (
        "error[ehsm-not-attested]: no EHSM was attested yet\n"
        "  why  its account is not used before its quote was accepted\n"
        "  fix  ppmlctl apply\n"
    )


def test_the_quickstarts_policy_is_shown_as_ehsm_has_it(applied: Place) -> None:
    (policy,) = told(applied, "policy")
    assert (policy["task"], policy["found"], len(policy["mr_enclave"])) == ("ehsm-policy", True, 64)


def test_a_key_whose_task_is_gone_is_deleted_after_a_yes(keys: Place) -> None:
    keys.edit("      - {name: reports, spec: EH_EC_P256, usage: sign}\n", "")
    keys.apply()
    keyid = next(key["keyid"] for key in told(keys, "keys", "list") if key["spec"] == "EH_EC_P256")
    done = keys.run("ehsm", "keys", "delete", keyid)
    assert (done.returncode, "error[not-confirmed]" in done.stderr) == (1, True)
    assert keys.succeed("ehsm", "keys", "delete", keyid, "--yes") == f"{keyid} is gone\n"
    assert [key["spec"] for key in told(keys, "keys", "list")] == ["EH_AES_GCM_256"]

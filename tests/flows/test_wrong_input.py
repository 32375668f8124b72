"""Wrong files and faulty worlds: one message each, exit code 1, no traceback, nothing half-done."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from flows.place import Place

from ppmlctl.sandbox import process

pytestmark = pytest.mark.long

VALID = (Path(__file__).parents[2] / "examples" / "quickstart" / "ppml.yaml").read_text()


def refused(place: Place, *words: str, **variables: str) -> str:
    """What is said by a command that must end with 1 and say something clear."""
    done = place.run(*words, **variables)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("error["), done.stderr
    for ugly in ("Traceback", "internal-error", "pydantic", "ruamel"):
        assert ugly not in done.stderr
    return done.stderr


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
)
WRONG_FILES = {
    "a wrong type": (VALID.replace("version: 1", "version: one"), "ppml.yaml:3:10"),
    "an unknown key": (VALID.replace("workloads:", "workload:"), "ppml.yaml:17:1"),
    "a bad size": (VALID.replace("2G", "3G"), "ppml.yaml:9:59"),
    "duplicate names": (VALID + VALID[VALID.index("  - name: spark-pi") :], "ppml.yaml:23:11"),
    "cyclic needs": (VALID + "    needs: [spark-pi]\n", "ppml.yaml:23:12"),
    "an undefined variable": (VALID.replace('tag: "1"', 'tag: "{{ nobody }}"'), "ppml.yaml:9:40"),
    "a missing folder": (VALID.replace("./base", "./bse"), "ppml.yaml:8:18"),
    "invalid YAML": (VALID.replace("keys: {}", "keys: {"), "ppml.yaml:"),
    "tabs": (VALID.replace("  base:", "\tbase:"), "ppml.yaml:8:1"),
    "an empty file": ("", "ppml.yaml:1:1"),
    "10 MB": ("# " + "x" * 10_000_000 + "\n" + VALID, "ppml.yaml"),
    "an alias bomb": (BOMB, "ppml.yaml:"),
    "deep nesting": ("a: " + "[" * 5000 + "]" * 5000, "ppml.yaml:1:"),
    "a foreign tag": (VALID.replace("keys: {}", "keys: !!python/object:os.system {}"), "ppml.yaml:11:7"),
    "a list at the top": ("- version: 1\n", "ppml.yaml:1:1"),
    "not UTF-8": (VALID + "# \udcff\n", "ppml.yaml"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_wrong_file_is_told_where(place: Place, case: str, command: str) -> None:
    text, at = WRONG_FILES[case]
    (place.folder / "ppml.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    said = refused(place, *(("apply", "--yes") if command == "apply" else ("plan",)))
    assert f"  at   {at}" in said
    assert not (place.folder / "ppml.lock").exists()
    assert not (place.folder / "ppml.vault").exists()
    assert process.status(place.sandbox) is None


def test_all_faults_of_a_file_are_told_at_once_and_in_order(place: Place) -> None:
    place.edit("log_level: error", "log_level: loud")
    place.edit("enclave_size: 2G", "enclave_siez: 2G")
    place.edit("version: 1", "version: 7")
    said = refused(place, "validate")
    assert said.count("error[") == 3
    assert said.index("ppml.yaml:3:") < said.index("ppml.yaml:9:")
    assert "did you mean `enclave_size`?" in said


def test_errors_for_machines_are_json(place: Place) -> None:
    place.edit("version: 1", "version: 7")
    done = place.run("plan", "-o", "json")
    (error,) = json.loads(done.stdout)["errors"]
    assert (done.returncode, error["at"]["line"], error["severity"]) == (1, 3, "error")


def test_a_missing_file_is_told(place: Place) -> None:
    said = refused(place, "plan", "-f", "nowhere.yaml")
    assert "nowhere.yaml" in said


def test_apply_without_a_terminal_asks_for_yes(place: Place) -> None:
    assert "error[not-confirmed]" in refused(place, "apply")
    assert not (place.folder / "ppml.lock").exists()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"version: 9\nenvironment: x\n", "lockfile-newer"),
        (b"version: 1\nenvi", "lockfile-corrupt"),
        (b"\x00\x01", "lockfile-corrupt"),
        (b"[]", "lockfile-corrupt"),
    ],
)
def test_a_lockfile_that_cannot_be_used_stays_as_it_is(applied: Place, content: bytes, code: str) -> None:
    (applied.folder / "ppml.lock").write_bytes(content)
    for words in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        said = refused(applied, *words)
        assert f"error[{code}]" in said
    assert applied.lockfile == content


def test_a_wrong_vault_password_is_told(applied: Place) -> None:
    before = applied.lockfile
    said = refused(applied, "apply", "--yes", PPML_VAULT_PASSWORD="wrong")
    assert "error[vault-password-wrong]" in said
    assert applied.lockfile == before


def test_a_plan_works_with_the_vault_locked(applied: Place) -> None:
    for key in Path(applied.variables["XDG_STATE_HOME"]).rglob("*.key"):
        key.unlink()
    done = applied.run("plan")
    assert done.returncode == 0, done.stderr
    assert "secret unknown (vault locked)" in done.stdout
    for words in (("apply", "--yes"), ("destroy", "--yes")):
        assert "error[vault-locked]" in refused(applied, *words)


def test_a_key_that_others_can_read_is_refused(applied: Place) -> None:
    (applied.folder / "keys" / "enclave-key.pem").chmod(0o644)
    said = refused(applied, "plan")
    assert "error[signing-key-readable]" in said
    assert "chmod 600 keys/enclave-key.pem" in said


def test_a_key_of_the_wrong_size_is_refused(place: Place) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (place.folder / "keys").mkdir()
    (place.folder / "keys" / "enclave-key.pem").write_bytes(pem)
    (place.folder / "keys" / "enclave-key.pem").chmod(0o600)
    assert "error[signing-key-wrong]" in refused(place, "plan")
    assert (place.folder / "keys" / "enclave-key.pem").read_bytes() == pem


@pytest.mark.parametrize("path", ["keys/enclave-key.pem", "keys/server.key", "ppml.vault"])
def test_a_key_or_vault_that_the_lockfile_knows_is_never_made_anew(applied: Place, path: str) -> None:
    (applied.folder / path).unlink()
    before = applied.lockfile
    for words in (("plan",), ("apply", "--yes")):
        said = refused(applied, *words)
        assert "missing" in said
    assert not (applied.folder / path).exists()
    assert applied.lockfile == before


def test_another_target_is_refused(applied: Place) -> None:
    applied.edit("target: sandbox", "target: cluster")
    applied.edit("kms: {ehsm: {}}", "kms: {ehsm: {url: 'https://127.0.0.1:9'}}")
    applied.edit("images:\n", "images:\n  builder: oci\n")
    assert "error[another-target]" in refused(applied, "plan")


def test_an_ehsm_that_cannot_be_reached_is_told(place: Place) -> None:
    place.edit("target: sandbox", "target: cluster")
    place.edit("kms: {ehsm: {}}", "kms: {ehsm: {url: 'https://127.0.0.1:9'}}")
    place.edit("images:\n", "images:\n  builder: oci\n")
    (place.folder / "kubeconfig").write_text("{}")
    said = refused(place, "plan", KUBECONFIG=str(place.folder / "kubeconfig"))
    assert "ehsm-unreachable" in said or "k8s" in said


def test_no_docker_engine_is_told(place: Place) -> None:
    place.edit("target: sandbox", "target: cluster")
    place.edit("kms: {ehsm: {}}", "kms: {ehsm: {url: 'https://127.0.0.1:9'}}")
    place.edit("{rootfs: ./base}", "{reference: 'example/base:1'}")
    place.edit("attestation: {enabled: true}", "attestation: {enabled: false}")
    text = (place.folder / "ppml.yaml").read_text()
    text = text[: text.index("keys: {}")]
    (place.folder / "ppml.yaml").write_text(text)
    nowhere = f"unix://{place.folder}/no.sock"
    said = refused(place, "plan", DOCKER_HOST=nowhere)
    assert "error[docker-unreachable]" in said
    assert nowhere in said


def test_a_vault_entry_that_is_in_use_stays(applied: Place) -> None:
    said = refused(applied, "vault", "remove", "ssl_password")
    assert "error[vault-entry-used]" in said
    assert "ssl-password-value" in said
    assert "ssl_password" in applied.succeed("vault", "list")


def test_looking_at_a_vault_that_nobody_made_makes_none(place: Place) -> None:
    assert "error[vault-unmade]" in refused(place, "vault", "show", "x")
    assert place.succeed("destroy", "--yes").strip() == "Nothing is recorded."
    assert not (place.folder / "ppml.vault").exists()
    assert not (place.folder / "ppml.lock").exists()
    assert process.status(place.sandbox) is None


def test_two_applies_at_once_exclude_each_other(applied: Place) -> None:
    from ppmlctl.state import apply_lock

    with apply_lock(applied.folder / ".ppml"):
        said = refused(applied, "apply", "--yes")
    assert "error[environment-locked]" in said
    assert f"process {os.getpid()}" in said


def test_an_unknown_option_is_no_traceback(place: Place) -> None:
    done = place.run("plan", "--nonsense")
    assert done.returncode == 1
    assert "error[usage]" in done.stderr
    assert "--nonsense" in done.stderr

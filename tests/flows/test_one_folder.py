"""Two environment files in one folder: neither gets the other's keys, keystores or vault."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flows.place import Place

from ppmlctl.planning import Recorded
from ppmlctl.state import LockStore

pytestmark = pytest.mark.long

FILE = """\
version: 1
name: {name}
target: cluster
vault: {{path: {name}.vault}}
keys: {{{keys}}}
playbooks: [{name}-tasks.yaml]
site: keys-alone.yaml
"""
KEYS = """\
- name: signing-key
  enclave_key: {path: "{{ env.enclave.signer.key }}"}
"""
ENCLAVE = """\
- name: signing-key
  enclave_key: {path: "{{ env.enclave.signer.key }}"}
  register: signer
- name: enclave
  enclave_signature:
    base: base
    size: 1G
    log_level: error
    key: "{{ env.enclave.signer.key }}"
    mr_signer: "{{ signer.mr_signer }}"
"""


IMAGE = """\
- name: image
  oci_image: {name: ppml/one, tag: "1", base: base}
"""
CLIENT = """\
- name: client
  docker_container:
    name: ppml-production-client
    image: ppml/one:1
    account: spark
    namespace: default
    token: "{{ ssl_password.value }}"
    ca: given
"""


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    """Two environments with keys and no engine; `staging` is applied."""
    made = Place(tmp_path / "env", {"PPML_VAULT_PASSWORD": "of this test", "NO_COLOR": "1"})
    made.folder.mkdir()
    shipped = Path(__file__).parents[2] / "playbooks" / "keys.yaml"
    (made.folder / "keys-alone.yaml").write_text(shipped.read_text())
    for name in ("staging", "production"):
        (made.folder / f"{name}.yaml").write_text(FILE.format(name=name, keys=""))
        (made.folder / f"{name}-tasks.yaml").write_text(KEYS)
    made.succeed("apply", "--yes", "-f", "staging.yaml")
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_second_environment_takes_no_key_of_the_first(folder: Place) -> None:
    assert folder.run("plan", "-f", "staging.yaml").returncode == 0
    before = {name: text for name, text in contents(folder.folder).items() if "ppml/" not in name}
    for words in (["validate"], ["plan"], ["apply", "--yes"]):
        done = folder.run(*words, "-f", "production.yaml")
        assert (done.returncode, done.stderr) == (
            1,
            (
                "error[files-of-another-environment]: "
                "another environment has its files where this one would have them\n"
                "  is   keys/enclave-key.pem, keys/keystore.jks, keys/password/credentials.jceks, "
                "keys/password/key.txt, keys/password/output.bin, keys/server.key: made for staging (staging.lock), "
                "and wanted by production (production.lock)\n"
                "  why  each would overwrite, and hand out, what the other trusts\n"
                "  fix  put its file into another folder; for keys alone, a folder of their own is enough "
                "(keys.folder: keys/production, enclave.signer.key)\n"
            ),
        ), words
    assert {name: text for name, text in contents(folder.folder).items() if "ppml/" not in name} == before
    production = FILE.format(name="production", keys="folder: keys/production")
    (folder.folder / "production.yaml").write_text(production)
    folder.succeed("apply", "--yes", "-f", "production.yaml")
    keys = folder.folder / "keys"
    assert sorted(path.name for path in (keys / "production").iterdir()) == sorted(
        path.name for path in keys.iterdir() if path.name != "production"
    )
    after = contents(folder.folder)
    assert {name for name in before if after[name] != before[name]} == {"production.yaml"}
    for name in ("staging", "production"):
        assert folder.run("plan", "-f", f"{name}.yaml").returncode == 0


def test_the_second_environment_takes_no_vault_of_the_first(folder: Place) -> None:
    text = FILE.format(name="production", keys="folder: keys/production").replace("production.vault", "staging.vault")
    (folder.folder / "production.yaml").write_text(text)
    for words in (["plan"], ["apply", "--yes", "--accept-lockfile"]):
        done = folder.run(*words, "-f", "production.yaml")
        assert (done.returncode, done.stderr) == (
            1,
            (
                "error[vault-of-another-environment]: the vault is another environment's\n"
                "  is   staging.vault belongs to staging (staging.lock); this is production (production.lock)\n"
                "  why  two environments would change each other's secrets\n"
                "  fix  give this one a vault of its own, in its file:\n"
                "       vault: {path: production.vault}\n"
            ),
        )
    assert not (folder.folder / "production.lock").exists()


def test_the_second_environment_takes_no_enclave_of_the_first(folder: Place) -> None:
    shutil.copytree(Path(__file__).parents[2] / "examples/quickstart/base", folder.folder / "base")
    for name in ("staging", "production"):
        (folder.folder / f"{name}-tasks.yaml").write_text(ENCLAVE)
    folder.succeed("apply", "--yes", "-f", "staging.yaml")
    own = FILE.format(name="production", keys="folder: keys/production")
    (folder.folder / "production.yaml").write_text(own)
    for words in (["validate"], ["plan"], ["apply", "--yes"]):
        done = folder.run(*words, "-f", "production.yaml")
        assert done.returncode == 1
        said = ".ppml/enclave: made for staging (staging.lock), and wanted by production (production.lock)\n"
        assert f"  is   {said}" in done.stderr
    assert folder.run("plan", "-f", "staging.yaml").returncode == 0
    elsewhere = folder.folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("production.yaml", "production-tasks.yaml", "keys-alone.yaml", "base"):
        (folder.folder / name).rename(elsewhere / name)
    folder.succeed("apply", "--yes", "-f", "elsewhere/production.yaml")


def test_the_second_environment_takes_no_image_of_the_first(folder: Place) -> None:
    shutil.copytree(Path(__file__).parents[2] / "examples/quickstart/base", folder.folder / "base")
    for name in ("staging", "production"):
        (folder.folder / f"{name}-tasks.yaml").write_text(KEYS + IMAGE)
    folder.succeed("apply", "--yes", "-f", "staging.yaml")
    before = contents(folder.folder / ".ppml/images")
    own = FILE.format(name="production", keys="folder: keys/production")
    (folder.folder / "production.yaml").write_text(own)
    for words in (["validate"], ["plan"], ["apply", "--yes"]):
        done = folder.run(*words, "-f", "production.yaml")
        assert done.returncode == 1
        assert ".ppml/images/ppml~one: made for staging (staging.lock), and wanted by production" in done.stderr
    assert contents(folder.folder / ".ppml/images") == before


def test_the_second_environment_takes_no_client_of_the_first(folder: Place) -> None:
    """Its secrets are files of one folder, and a container reads them there."""
    (folder.folder / "production-tasks.yaml").write_text(KEYS + CLIENT)
    own = FILE.format(name="production", keys="folder: keys/production")
    (folder.folder / "production.yaml").write_text(own)
    store = LockStore.open(folder.folder / "staging.lock")
    inputs = {"name": "ppml-staging-client", "image": "ppml/one:1", "account": "spark", "namespace": "default"}
    result = {"name": "ppml-staging-client", "runs": ".ppml/client/runs", "current": True}
    store.record("client", Recorded("docker_container", inputs, result))
    done = folder.run("validate", "-f", "production.yaml")
    assert done.returncode == 1
    assert ".ppml/client: made for staging (staging.lock), and wanted by production" in done.stderr


def test_environments_that_share_files_since_before_go_on(folder: Place) -> None:
    for suffix in ("yaml", "lock", "vault"):
        text = (folder.folder / f"staging.{suffix}").read_text()
        (folder.folder / f"older.{suffix}").write_text(text)
    text = (folder.folder / "older.lock").read_text()
    (identity,) = [line for line in text.splitlines() if line.startswith("environment: ")]
    (folder.folder / "older.lock").write_text(
        text.replace(identity, "environment: 11111111-2222-3333-4444-555555555555")
    )
    assert folder.run("plan", "-f", "staging.yaml").returncode == 0

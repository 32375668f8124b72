"""A real EHSM whose database was emptied: said so by every plan, and left behind by a rotation of the account."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from flows.place import Place

from ppmlctl.sandbox.ehsm import make_app
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import ensure_certificates

pytestmark = pytest.mark.long

PPML = """\
version: 1
name: lost
site: site.yaml
vars: {ehsm_url: "https://127.0.0.1:PORT"}
"""
SITE = """\
- name: ehsm
  ehsm_service: {url: "{{ ehsm_url }}", ca: ca.pem}
  register: ehsm
- name: ehsm-account
  ehsm_enroll: {server: {url: "{{ ehsm.url }}", ca: "{{ ehsm.ca }}"}}
  register: enrollment
- name: ehsm-key
  ehsm_key:
    server: {url: "{{ ehsm.url }}", ca: "{{ ehsm.ca }}"}
    appid: "{{ enrollment.appid }}"
    apikey: "{{ enrollment.apikey }}"
    spec: EH_AES_GCM_128
"""


@dataclass(frozen=True)
class Served:
    """An environment, and the folder of the EHSM that it asks."""

    place: Place
    ehsm: Path

    def lose_everything(self) -> None:
        with closing(sqlite3.connect(self.ehsm / "ehsm.sqlite")) as database, database:
            for table in ("accounts", "keys"):
                database.execute(f"DELETE FROM {table}")

    def accounts(self) -> int:
        with closing(sqlite3.connect(self.ehsm / "ehsm.sqlite")) as database:
            return int(database.execute("SELECT COUNT(*) FROM accounts").fetchone()[0])


@pytest.fixture
def served_place(tmp_path: Path) -> Iterator[Served]:
    certificates = ensure_certificates(tmp_path / "tls", ["127.0.0.1"])
    folder = tmp_path / "env"
    folder.mkdir()
    shutil.copy(certificates.ca, folder / "ca.pem")
    (folder / "site.yaml").write_text(SITE)
    with served(make_app(tmp_path / "ehsm"), certificates) as port:
        (folder / "ppml.yaml").write_text(PPML.replace("PORT", str(port)))
        variables = {"PPML_VAULT_PASSWORD": "a-test-password", "NO_COLOR": "1", "KUBECONFIG": str(tmp_path / "none")}
        yield Served(Place(folder, variables), tmp_path / "ehsm")


def test_an_account_that_a_real_ehsm_lost_is_an_error_until_its_rotation_is_asked_for(served_place: Served) -> None:
    place = served_place.place
    place.succeed("apply", "--yes")
    served_place.lose_everything()
    done = place.run("plan")
    assert done.returncode == 1
    assert "ListKey: code 400, no message" in done.stderr
    assert served_place.accounts() == 0
    place.succeed("apply", "--yes", "--rotate", "ehsm-account")
    assert served_place.accounts() == 1
    assert place.plan()[0] == 0

"""A Thrift server by whole commands, on the sandbox: it is a thing that is there, not a run that ends."""

from __future__ import annotations

import pytest
from flows.place import Place, changed

pytestmark = pytest.mark.long

SERVER = """
  - name: sql
    thrift_server: {executor: {cores: 2}}
"""


@pytest.fixture
def place(place: Place) -> Place:
    file = place.folder / "ppml.yaml"
    file.write_text(file.read_text().rstrip() + SERVER)
    return place


def test_it_is_made_kept_changed_and_removed(place: Place) -> None:
    _, planned = place.plan()
    assert changed(planned)["workload.sql"] == "create"
    assert changed(planned)["thrift-check.sql"] == "run"
    place.apply()
    assert place.plan()[0] == 0
    assert "hunter2" not in place.succeed("status")
    assert place.succeed("logs", "sql") == "simulated: the sandbox ran no container\n"
    refused = place.run("cancel", "sql")
    assert (refused.returncode, "error[workload-is-a-server]" in refused.stderr) == (1, True)
    again = place.run("apply", "--yes", "--rerun", "sql")
    assert (again.returncode, "Plan: 1 to run," in again.stdout) == (0, True)
    place.edit("cores: 2", "cores: 3")
    assert changed(place.plan()[1]) == {"workload.sql": "update", "thrift-check.sql": "run"}
    place.apply()
    assert place.plan()[0] == 0
    place.edit("\n  - name: sql\n    thrift_server: {executor: {cores: 3}}\n", "\n")
    removed = changed(place.plan()[1])
    assert {removed[one] for one in ("workload.sql", "thrift-service.sql", "thrift-check.sql")} == {"delete"}
    place.apply()
    assert place.plan()[0] == 0


def test_its_certificate_names_it(place: Place) -> None:
    place.apply()
    certificate = (place.folder / "keys/server.crt").read_bytes()
    from cryptography import x509

    names = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert "sql-jdbc.default.svc" in names.value.get_values_for_type(x509.DNSName)

"""The sandbox's certificate authority and server certificate."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from ppmlctl.sandbox.tls import SandboxCertificates, ensure_certificates


def served_name(certificates: SandboxCertificates, name: str) -> str | None:
    """Shakes hands with a server of these certificates, as a client that trusts the authority and expects `name`."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certificates.certificate, certificates.key)
    client_context = ssl.create_default_context(cafile=str(certificates.ca))
    client_side, server_side = socket.socketpair()
    server = threading.Thread(target=_accept, args=(server_context, server_side))
    server.start()
    try:
        with client_side, client_context.wrap_socket(client_side, server_hostname=name) as connection:
            return connection.version()
    finally:
        server.join()
        server_side.close()


def _accept(context: ssl.SSLContext, side: socket.socket) -> None:
    try:
        with context.wrap_socket(side, server_side=True):
            pass
    except OSError:
        side.close()


@pytest.mark.parametrize(
    "name", ["ehsm.sandbox", "kubernetes.sandbox", "localhost", "127.0.0.1", "192.0.2.7", "box.test"]
)
def test_a_client_that_trusts_the_authority_reaches_every_name_asked_for(tmp_path: Path, name: str) -> None:
    assert served_name(ensure_certificates(tmp_path, ["192.0.2.7", "box.test"]), name) == "TLSv1.3"


def test_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        served_name(ensure_certificates(tmp_path, []), "elsewhere.test")


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, [])
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("*.key")} == {
        "ca.key": 0o600,
        "server.key": 0o600,
    }


def test_a_restart_reuses_every_file(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, ["192.0.2.7"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    ensure_certificates(tmp_path, [])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_new_address_changes_the_server_certificate_and_not_the_authority(tmp_path: Path) -> None:
    first = ensure_certificates(tmp_path, [])
    authority, server = first.ca.read_bytes(), first.certificate.read_bytes()
    second = ensure_certificates(tmp_path, ["192.0.2.7"])
    assert second.ca.read_bytes() == authority
    assert second.certificate.read_bytes() != server


def test_a_file_without_its_partner_is_replaced(tmp_path: Path) -> None:
    certificates = ensure_certificates(tmp_path, [])
    (tmp_path / "ca.key").unlink()
    assert served_name(ensure_certificates(tmp_path, []), "ehsm.sandbox")
    certificates.key.unlink()
    assert served_name(ensure_certificates(tmp_path, []), "ehsm.sandbox")

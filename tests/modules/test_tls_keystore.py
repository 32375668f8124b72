import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ppmlctl import keystore
from ppmlctl.diagnostics import InputError, StateError
from ppmlctl.effects import Effect, Effects
from ppmlctl.keystore import CertificateRequest, PrivateKeyEntry
from ppmlctl.modules.tls_keystore import TlsKeystore
from ppmlctl.planning import ActionKind
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown

PASSWORD = Secret("ein-geheimnis")
REQUEST = CertificateRequest("ppml.example.com", "Example", 825)


@pytest.fixture(scope="module")
def key() -> bytes:
    return keystore.new_password_key()


@pytest.fixture(autouse=True)
def quick_key(monkeypatch: pytest.MonkeyPatch, key: bytes) -> None:
    """Making RSA-3072 keys is what takes long here, and tested elsewhere."""
    monkeypatch.setattr(keystore, "new_private_key", lambda: key)


@pytest.fixture
def effects() -> Effects:
    return Effects("files", writes_allowed=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def task(drive: Any, make_context: Any, effects: Effects) -> Any:
    context = make_context(effects=effects)
    return drive(
        TlsKeystore(), context, common_name="ppml.example.com", organization="Example", days=825, password=PASSWORD
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def put(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    (folder / name).chmod(0o600)


def test_all_files_of_the_manual_procedure_are_made(task: Any, folder: Path) -> None:
    assert task.plan().action is ActionKind.CREATE
    result = task.apply()
    assert set(contents(folder)) == set(keystore.SERVER_FILES)
    assert keystore.disagreeing_files(contents(folder), PASSWORD) == []
    facts = keystore.certificate_facts((folder / "server.crt").read_bytes())
    assert (facts.common_name, facts.organization, facts.sha256) == (
        "ppml.example.com",
        "Example",
        result.certificate_sha256,
    )


def test_the_result_names_files_by_handle_and_holds_no_key(task: Any, folder: Path) -> None:
    result = task.apply()
    assert result.path == "keys"
    assert result.keystore_jks.handle == "file:keys/keystore.jks"
    assert result.server_key.reveal_bytes() == (folder / "server.key").read_bytes()
    assert "PRIVATE" not in repr(result)


def test_key_bearing_files_are_private(task: Any, folder: Path) -> None:
    task.apply()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {
        "server.key": 0o600,
        "server.pem": 0o600,
        "keystore.jks": 0o600,
        "keystore.pkcs12": 0o600,
        "server.crt": 0o644,
        "server.csr": 0o644,
    }


def test_a_second_apply_keeps_and_writes_nothing(task: Any, effects: Effects, folder: Path) -> None:
    task.apply()
    before, sent = contents(folder), effects.count(Effect.WRITE)
    assert task.plan().action is ActionKind.KEEP
    task.apply()
    assert contents(folder) == before
    assert effects.count(Effect.WRITE) == sent


def test_a_plan_writes_nothing(drive: Any, make_context: Any, tmp_path: Path) -> None:
    drive(TlsKeystore(), make_context(writes_allowed=False), common_name="a", password=PASSWORD).plan()
    assert list(tmp_path.iterdir()) == []


def test_another_name_makes_another_certificate_for_the_same_key(task: Any, folder: Path) -> None:
    first = task.apply()
    before = contents(folder)
    task.arguments["common_name"] = "other.example.com"
    change = task.plan()
    assert (change.action, change.reasons) == (ActionKind.UPDATE, ("inputs changed",))
    assert "certificate_sha256" not in task.observe().foreseen
    assert task.apply().certificate_sha256 != first.certificate_sha256
    after = contents(folder)
    assert after["server.key"] == before["server.key"]
    assert all(after[name] != before[name] for name in after if name != "server.key")
    assert task.plan().action is ActionKind.KEEP


def test_another_password_makes_the_keystores_anew_and_nothing_else(task: Any, folder: Path) -> None:
    task.apply()
    before = contents(folder)
    task.arguments["password"] = Secret("another-one")
    assert task.plan().action is ActionKind.UPDATE
    task.apply()
    after = contents(folder)
    assert {name for name in after if after[name] != before[name]} == {"keystore.jks", "keystore.pkcs12"}
    assert keystore.disagreeing_files(after, Secret("another-one")) == []


def test_a_certificate_near_its_end_is_renewed_for_the_same_key(task: Any, folder: Path) -> None:
    task.arguments |= {"days": 20, "renew_before": 10}
    first = task.apply()
    assert task.plan().action is ActionKind.KEEP
    key = (folder / "server.key").read_bytes()
    ends_soon = keystore.issue(key, REQUEST, now=datetime.now(UTC) - timedelta(days=816))
    put(folder, "server.crt", ends_soon)
    change = task.plan()
    assert change.action is ActionKind.UPDATE
    assert ("renewal_due", True, False) in [(field.path, field.before, field.after) for field in change.fields]
    assert task.apply().certificate_sha256 != first.certificate_sha256
    assert (folder / "server.key").read_bytes() == key
    assert task.plan().action is ActionKind.KEEP


@pytest.mark.parametrize("name", ["server.csr", "server.pem", "keystore.pkcs12", "keystore.jks"])
def test_a_missing_or_damaged_file_is_drift_and_only_that_is_repaired(task: Any, folder: Path, name: str) -> None:
    first = task.apply()
    before = contents(folder)
    (folder / name).unlink()
    assert task.plan().action is ActionKind.UPDATE
    put(folder, name, b"damaged")
    assert task.plan().action is ActionKind.UPDATE
    assert task.apply().certificate_sha256 == first.certificate_sha256
    after = contents(folder)
    assert {other for other in after if after[other] != before[other]} <= {name}
    assert task.plan().action is ActionKind.KEEP


def test_a_certificate_of_another_issuer_is_kept_and_goes_into_the_keystores(
    task: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task.apply()
    key = (folder / "server.key").read_bytes()
    theirs = keystore.issue(key, CertificateRequest("ppml.example.com", "A CA's choice", 90), now=datetime.now(UTC))
    put(folder, "server.crt", theirs)
    monkeypatch.setattr(keystore.CertificateFacts, "says", lambda facts, request: True)
    assert task.plan().action is ActionKind.UPDATE
    task.apply()
    assert (folder / "server.crt").read_bytes() == theirs
    own = keystore.read_jks((folder / "keystore.jks").read_bytes(), PASSWORD)[0]
    assert isinstance(own, PrivateKeyEntry)
    assert keystore.disagreeing_files(contents(folder), PASSWORD) == []
    assert task.plan().action is ActionKind.KEEP


@pytest.mark.parametrize(
    "survivors",
    [
        ["server.key"],
        ["server.key", "server.crt"],
        ["server.key", "server.crt", "server.csr", "server.pem"],
        list(keystore.SERVER_FILES),
    ],
)
def test_what_a_crash_left_is_adopted_with_its_key(task: Any, folder: Path, survivors: list[str]) -> None:
    task.apply()
    before = contents(folder)
    for path in folder.iterdir():
        if path.name not in survivors:
            path.unlink()
    task.recorded = None
    change = task.plan()
    assert (change.action, change.reasons) == (ActionKind.CREATE, ("adopts what is there already",))
    task.apply()
    after = contents(folder)
    assert [name for name in survivors if after[name] != before[name]] == []
    assert keystore.disagreeing_files(after, PASSWORD) == []


def test_what_is_behind_a_complete_set_sees_it_in_the_plan(task: Any) -> None:
    assert dict(task.observe().foreseen) == {}
    result = task.apply()
    foreseen = task.observe().foreseen
    assert foreseen["certificate_sha256"] == result.certificate_sha256
    assert foreseen.keys() == set(task.module.result_fields())


def test_a_recorded_key_that_is_missing_is_never_made_anew(task: Any, folder: Path) -> None:
    task.apply()
    (folder / "server.key").unlink()
    with pytest.raises(StateError) as error:
        task.plan()
    assert str(error.value) == (
        "error[tls-key-missing]: the server's private key is missing here\n"
        "  is   the lockfile knows a key, but keys/server.key is not there\n"
        "  why  it is never made anew, since running pods and clients hold what was made from it\n"
        "  fix  restore keys/ from where you keep it"
    )
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(StateError, match="tls-key-missing"):
        task.plan()


def test_a_certificate_without_its_key_is_not_overwritten(task: Any, folder: Path, key: bytes) -> None:
    put(folder, "server.crt", keystore.issue(key, REQUEST, now=datetime.now(UTC)))
    with pytest.raises(StateError) as error:
        task.plan()
    assert "keys/server.crt knows a key, but keys/server.key is not there" in str(error.value)


def test_a_key_that_cannot_be_used_is_not_overwritten(task: Any, folder: Path) -> None:
    put(folder, "server.key", b"mine")
    with pytest.raises(InputError) as error:
        task.plan()
    assert str(error.value) == (
        "error[tls-key-unusable]: the server's private key cannot be used\n"
        "  is   keys/server.key: not an unencrypted private key in PEM\n"
        "  why  keystore, certificate and signing request are made from it, and it is not overwritten\n"
        "  fix  put an unencrypted RSA key in PEM there, or move it away to have one made"
    )
    assert (folder / "server.key").read_bytes() == b"mine"


def test_key_files_open_to_others_are_refused_together(task: Any, folder: Path) -> None:
    task.apply()
    (folder / "server.key").chmod(0o644)
    (folder / "keystore.jks").chmod(0o640)
    (folder / "server.crt").chmod(0o644)
    with pytest.raises(InputError) as error:
        task.plan()
    assert str(error.value) == (
        "error[key-readable-by-others]: a key file can be read by others\n"
        "  is   keys/server.key has mode 0644\n"
        "       keys/keystore.jks has mode 0640\n"
        "  why  whoever can read it can pose as this server, and read what is sent to it\n"
        "  fix  chmod 600 keys/server.key keys/keystore.jks"
    )


def test_a_folder_in_place_of_a_key_is_said_so(task: Any, folder: Path) -> None:
    (folder / "server.key").mkdir(parents=True)
    with pytest.raises(InputError) as error:
        task.plan()
    assert str(error.value) == (
        "error[key-unreadable]: a key file cannot be read\n  is   keys/server.key: Is a directory"
    )


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"common_name": "no host"}, "not a host name or address: 'no host'"),
        ({"days": 0, "renew_before": 0}, "a certificate lives between 1 and 36500 days, not 0"),
        ({"days": 30, "renew_before": 30}, "renewed 30 days before its end, it lives 30"),
    ],
)
def test_a_certificate_that_cannot_be_made_is_said_in_the_plan(
    task: Any, arguments: dict[str, Any], found: str
) -> None:
    task.arguments |= arguments
    with pytest.raises(InputError) as error:
        task.plan()
    assert str(error.value) == (
        "error[certificate-unfit]: a certificate cannot be made as asked for\n"
        f"  is   {found}\n"
        "  fix  correct common_name, organization, days or renew_before under `keys.tls`"
    )


def test_a_password_that_one_consumer_refuses_is_said_in_the_plan(task: Any) -> None:
    task.arguments["password"] = Secret("short")
    with pytest.raises(InputError, match="keystore-password-unfit"):
        task.plan()


def test_a_locked_password_is_taken_as_the_right_one(task: Any) -> None:
    task.apply()
    task.context.vault.locked = True
    task.arguments["password"] = Secret(handle="vault:ssl_password")
    assert task.plan().action is ActionKind.KEEP


@pytest.mark.parametrize("name", ["common_name", "organization", "days", "renew_before", "password"])
def test_arguments_that_are_not_known_yet_are_observed_as_far_as_they_go(task: Any, name: str) -> None:
    task.apply()
    task.arguments[name] = Unknown("other")
    assert task.observe().exists
    assert dict(task.observe().foreseen) == {"path": "keys"}


def test_a_folder_that_is_not_known_yet_is_looked_for_nowhere(task: Any) -> None:
    task.arguments["folder"] = Unknown("other")
    assert not task.observe().exists


def test_a_removed_task_leaves_its_files(task: Any, folder: Path) -> None:
    task.apply()
    assert task.module.kept_as(task.recorded) == "keys"
    task.remove()
    assert set(contents(folder)) == set(keystore.SERVER_FILES)


# Rotation


@pytest.fixture(scope="module")
def other_key() -> bytes:
    return keystore.new_password_key()


def test_a_rotation_makes_key_certificate_and_stores_anew(
    task: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, other_key: bytes
) -> None:
    task.apply()
    before = contents(folder)
    monkeypatch.setattr(keystore, "new_private_key", lambda: other_key)
    result = task.rotate()
    after = contents(folder)
    assert after[keystore.KEY] == other_key
    assert [name for name in before if before[name] == after[name]] == []
    assert keystore.belongs_to(after[keystore.CERTIFICATE], other_key)
    assert result.stores_agree
    assert task.plan().action is ActionKind.KEEP


@pytest.mark.parametrize("written", [(keystore.KEY,), (keystore.KEY, keystore.CERTIFICATE)])
def test_a_rotation_that_was_cut_off_is_gone_on_with(
    task: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, other_key: bytes, written: tuple[str, ...]
) -> None:
    task.apply()
    made = {keystore.KEY: other_key, keystore.CERTIFICATE: keystore.issue(other_key, REQUEST, now=datetime.now(UTC))}
    for name in written:
        put(folder, name, made[name])
    monkeypatch.setattr(keystore, "new_private_key", lambda: pytest.fail("made twice"))
    task.rotate()
    assert contents(folder)[keystore.KEY] == other_key
    assert task.plan().action is ActionKind.KEEP

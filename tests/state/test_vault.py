import base64
import hashlib
import json
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ppmlctl.diagnostics import StateError
from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.state import vault_file
from ppmlctl.state.vault import Vault
from ppmlctl.state.vault_cipher import Scrypt

PASSWORD = Secret("correct horse")
ENVIRONMENT = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost is the one thing these tests can do without."""
    cheap = Scrypt(salt=b"s" * 16, n=2)
    monkeypatch.setattr("ppmlctl.state.vault.new_scrypt", lambda: cheap)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.create(tmp_path / "ppml.vault", ENVIRONMENT, PASSWORD)


def code_of(error: pytest.ExceptionInfo[StateError]) -> str:
    (diagnostic,) = error.value.diagnostics
    return diagnostic.code


def edited(vault: Vault, **changes: object) -> None:
    text = json.loads(vault.path.read_bytes())
    vault.path.write_text(json.dumps(text | changes), encoding="utf-8")


def test_what_was_put_comes_back_after_opening_anew(vault: Vault) -> None:
    vault.put("ssl_password", "geheim")
    vault.put("key", b"\x00\xff")
    vault.put("account", Secret("id"))
    opened = Vault.open(vault.path, PASSWORD, environment_id=ENVIRONMENT)
    assert opened.names() == ["account", "key", "ssl_password"]
    assert opened.get("ssl_password").reveal_text() == "geheim"
    assert opened.get("key").reveal_bytes() == b"\x00\xff"
    assert opened.get("account").reveal_text() == "id"


def test_a_secret_names_where_it_is_kept_and_is_masked(vault: Vault) -> None:
    vault.put("ssl_password", "geheim")
    secret = vault.get("ssl_password")
    assert secret.handle == "vault:ssl_password"
    assert str(secret) == "(secret)"


def test_the_file_is_private_and_holds_no_value(vault: Vault) -> None:
    vault.put("ssl_password", "geheim-und-lang")
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    content = vault.path.read_bytes()
    assert b"geheim" not in content
    assert base64.b64encode(b"geheim-und-lang") not in content


def test_the_header_asks_for_the_promised_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    vault = Vault.create(tmp_path / "ppml.vault", ENVIRONMENT, PASSWORD)
    header = json.loads(vault.path.read_bytes())
    assert header["version"] == 1
    assert header["environment"] == ENVIRONMENT
    assert {key: header["kdf"][key] for key in ("name", "n", "r", "p")} == {
        "name": "scrypt",
        "n": 2**15,
        "r": 8,
        "p": 1,
    }
    assert not Vault.open(vault.path, PASSWORD).is_locked()


def test_an_equal_value_leaves_the_file_untouched(vault: Vault) -> None:
    vault.put("a", "1")
    before, inode = vault.path.read_bytes(), vault.path.stat().st_ino
    vault.put("a", b"1")
    vault.remove("not there")
    assert vault.path.read_bytes() == before
    assert vault.path.stat().st_ino == inode


def test_a_changed_value_changes_one_line(vault: Vault) -> None:
    for name in "abc":
        vault.put(name, name)
    before = vault.path.read_text().splitlines()
    vault.put("b", "other")
    after = vault.path.read_text().splitlines()
    (changed,) = (line for line, old in zip(after, before, strict=True) if line != old)
    assert changed.startswith('    "b": ')


def test_entries_are_sorted_whatever_the_order_of_putting(vault: Vault) -> None:
    for name in ("b", "c", "a"):
        vault.put(name, name)
    assert list(json.loads(vault.path.read_bytes())["entries"]) == ["a", "b", "c"]


def test_a_removed_entry_is_gone(vault: Vault) -> None:
    vault.put("a", "1")
    vault.remove("a")
    assert Vault.open(vault.path, PASSWORD).names() == []


def test_a_locked_vault_shows_names_and_no_values(vault: Vault) -> None:
    vault.put("a", "1")
    locked = Vault.open(vault.path, None)
    assert locked.is_locked()
    assert locked.names() == ["a"]
    assert not locked.get("a").is_available()
    for refused in (
        locked.get("a").reveal,
        lambda: locked.put("a", "2"),
        lambda: locked.remove("a"),
        lambda: locked.rekey(Secret("x")),
        lambda: locked.digest(b""),
    ):
        with pytest.raises(SecretLockedError):
            refused()


def test_another_password_is_refused(vault: Vault) -> None:
    with pytest.raises(StateError) as error:
        Vault.open(vault.path, Secret("wrong horse"))
    assert str(error.value) == (
        "error[vault-password-wrong]: the vault does not open with this password\n"
        "  at   ppml.vault:1:1\n"
        "  why  the password is another one, or the header of the file was altered\n"
        "  fix  give the right password in PPML_VAULT_PASSWORD or the key file; if it is right, restore the file"
    )


def test_the_vault_of_another_environment_is_refused(vault: Vault) -> None:
    with pytest.raises(StateError) as error:
        Vault.open(vault.path, PASSWORD, environment_id="other")
    assert code_of(error) == "vault-environment-other"


def test_an_environment_that_was_edited_into_the_header_does_not_open(vault: Vault) -> None:
    edited(vault, environment="other")
    with pytest.raises(StateError) as error:
        Vault.open(vault.path, PASSWORD, environment_id="other")
    assert code_of(error) == "vault-password-wrong"


def test_the_file_of_a_newer_version_is_refused_before_its_shape_matters(vault: Vault) -> None:
    vault.path.write_text('{"version": 2, "more": []}', encoding="utf-8")
    with pytest.raises(StateError) as error:
        Vault.open(vault.path, PASSWORD)
    assert code_of(error) == "vault-version-newer"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"version": 1}',
        b'{"version": "1"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_vault_is_called_corrupt(vault: Vault, content: bytes) -> None:
    vault.path.write_bytes(content)
    with pytest.raises(StateError) as error:
        Vault.open(vault.path, PASSWORD)
    assert code_of(error) == "vault-corrupt"
    assert vault.path.read_bytes() == content


@pytest.mark.parametrize(
    "kdf",
    [
        {"n": 2**30},
        {"n": 3},
        {"n": 0},
        {"n": -2},
        {"r": 2**40},
        {"p": 2**20},
        {"p": 0},
        {"salt": ""},
        {"salt": "???"},
        {"name": "none"},
        {"more": 1},
    ],
)
def test_a_header_that_asks_for_too_much_or_too_little_is_called_corrupt(vault: Vault, kdf: dict[str, object]) -> None:
    edited(vault, kdf=json.loads(vault.path.read_bytes())["kdf"] | kdf)
    with pytest.raises(StateError) as error:
        Vault.open(vault.path, PASSWORD)
    assert code_of(error) == "vault-corrupt"


def test_a_corrupt_vault_is_named_by_place_and_fault(vault: Vault) -> None:
    edited(vault, entries={"a": "no base64!"})
    with pytest.raises(StateError) as error:
        Vault.open(vault.path, PASSWORD)
    assert str(error.value) == (
        "error[vault-corrupt]: the vault file cannot be read\n"
        "  at   ppml.vault:1:1\n"
        "  is   entries.a: Value error, expected base64 text\n"
        "  why  it holds the environment's only copy of made secrets, so it is not written anew\n"
        "  fix  restore it, for example: git checkout -- ppml.vault"
    )


def test_an_entry_moved_to_another_name_is_found_out(vault: Vault) -> None:
    vault.put("a", "1")
    vault.put("b", "2")
    entries = json.loads(vault.path.read_bytes())["entries"]
    edited(vault, entries={"a": entries["b"], "b": entries["a"]})
    opened = Vault.open(vault.path, PASSWORD)
    for name in "ab":
        with pytest.raises(StateError) as error:
            opened.get(name).reveal()
        assert code_of(error) == "vault-entry-tampered"


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(28), bytes(100)])
def test_an_altered_entry_is_found_out_and_not_overwritten(vault: Vault, sealed: bytes) -> None:
    edited(vault, entries={"a": base64.b64encode(sealed).decode()})
    opened = Vault.open(vault.path, PASSWORD)
    with pytest.raises(StateError) as error:
        opened.put("a", "1")
    assert code_of(error) == "vault-entry-tampered"


def test_an_altered_digest_key_is_found_out(vault: Vault) -> None:
    edited(vault, digest_key=base64.b64encode(bytes(60)).decode())
    with pytest.raises(StateError) as error:
        Vault.open(vault.path, PASSWORD).digest(b"")
    assert code_of(error) == "vault-entry-tampered"


def test_an_entry_that_is_not_there_is_an_error_at_once(vault: Vault) -> None:
    with pytest.raises(StateError) as error:
        vault.get("absent")
    assert code_of(error) == "vault-entry-missing"


def test_an_entry_removed_before_it_is_revealed_is_missing(vault: Vault) -> None:
    vault.put("a", "1")
    secret = vault.get("a")
    vault.remove("a")
    with pytest.raises(StateError) as error:
        secret.reveal()
    assert code_of(error) == "vault-entry-missing"


def test_rekey_keeps_values_and_digests_and_shuts_the_old_password_out(vault: Vault) -> None:
    vault.put("a", "1")
    digest = vault.digest(b"value")
    handed_out = vault.get("a")
    vault.rekey(Secret("new"))
    opened = Vault.open(vault.path, Secret("new"))
    assert handed_out.reveal_text() == opened.get("a").reveal_text() == "1"
    assert vault.digest(b"value") == opened.digest(b"value") == digest
    with pytest.raises(StateError):
        Vault.open(vault.path, PASSWORD)


def test_rekey_with_an_altered_entry_changes_nothing(vault: Vault) -> None:
    vault.put("a", "1")
    edited(vault, entries={"a": base64.b64encode(bytes(40)).decode()})
    before = vault.path.read_bytes()
    with pytest.raises(StateError):
        Vault.open(vault.path, PASSWORD).rekey(Secret("new"))
    assert vault.path.read_bytes() == before


def test_digests_are_keyed_by_the_vault(vault: Vault, tmp_path: Path) -> None:
    other = Vault.create(tmp_path / "other.vault", ENVIRONMENT, PASSWORD)
    assert vault.digest(b"value") == Vault.open(vault.path, PASSWORD).digest(b"value")
    assert vault.digest(b"value") not in {other.digest(b"value"), hashlib.sha256(b"value").hexdigest()}


def test_a_vault_is_never_made_over_another(vault: Vault) -> None:
    with pytest.raises(StateError) as error:
        Vault.create(vault.path, ENVIRONMENT, PASSWORD)
    assert code_of(error) == "vault-exists"


def test_an_empty_password_is_refused(vault: Vault, tmp_path: Path) -> None:
    for refused in (
        lambda: Vault.create(tmp_path / "new.vault", ENVIRONMENT, Secret("")),
        lambda: vault.rekey(Secret(b"")),
    ):
        with pytest.raises(StateError) as error:
            refused()
        assert code_of(error) == "vault-password-empty"
    assert not (tmp_path / "new.vault").exists()


def test_a_missing_or_unreadable_file_is_said_so(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "absent", "vault-missing"), (tmp_path, "vault-unreadable")):
        with pytest.raises(StateError) as error:
            Vault.open(path, None)
        assert code_of(error) == code


@pytest.mark.parametrize("name", ["", " a", "a\n", "a\0b", "\ud800", "x" * 254])
def test_a_name_that_could_not_stand_in_the_file_is_refused(vault: Vault, name: str) -> None:
    with pytest.raises(StateError) as error:
        vault.put(name, "1")
    assert code_of(error) == "vault-name-invalid"


def test_a_write_never_undoes_what_another_process_wrote(vault: Vault) -> None:
    other = Vault.open(vault.path, PASSWORD)
    other.put("theirs", "1")
    vault.put("ours", "2")
    assert Vault.open(vault.path, PASSWORD).names() == ["ours", "theirs"]


def test_a_write_into_a_vault_that_got_another_password_is_refused(vault: Vault) -> None:
    Vault.open(vault.path, PASSWORD).rekey(Secret("new"))
    before = vault.path.read_bytes()
    with pytest.raises(StateError) as error:
        vault.put("a", "1")
    assert code_of(error) == "vault-replaced"
    assert vault.path.read_bytes() == before


def test_a_write_that_fails_is_not_remembered(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("ppmlctl.state.vault.write_atomic", full)
    with pytest.raises(OSError, match="disk full"):
        vault.put("a", "1")
    assert vault.names() == []


def test_threads_lose_no_entry(vault: Vault) -> None:
    names = [f"entry-{number:02}" for number in range(16)]
    threads = [threading.Thread(target=vault.put, args=(name, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    opened = Vault.open(vault.path, PASSWORD)
    assert opened.names() == names
    assert [opened.get(name).reveal_text() for name in names] == names


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.text(min_size=1, max_size=30), value=st.binary(max_size=200))
def test_any_accepted_name_and_value_survive(vault: Vault, name: str, value: bytes) -> None:
    try:
        vault.put(name, value)
    except StateError as error:
        assert error.diagnostics[0].code == "vault-name-invalid"  # noqa: PT017 - one of two allowed outcomes
        return
    assert Vault.open(vault.path, PASSWORD).get(name).reveal_bytes() == value


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_a_vault_or_a_clear_error(content: bytes) -> None:
    with pytest.raises(StateError):
        vault_file.parse(content, "ppml.vault")


@given(st.data())
def test_a_mutated_vault_is_a_vault_or_a_clear_error(data: st.DataObject) -> None:
    scrypt = Scrypt(salt=b"s" * 16, n=2)
    valid = vault_file.render(vault_file.VaultFile("e", scrypt, b"c" * 38, b"d" * 60, {"a": b"x" * 30}))
    position = data.draw(st.integers(0, len(valid) - 1))
    mutated = valid[:position] + data.draw(st.binary(max_size=3)) + valid[position + 1 :]
    try:
        vault_file.parse(mutated, "ppml.vault")
    except StateError as error:
        assert error.diagnostics[0].code in {"vault-corrupt", "vault-version-newer"}  # noqa: PT017 - see above


def test_a_proof_that_it_can_be_written_changes_nothing(vault: Vault) -> None:
    vault.put("key", "value")
    before = vault.path.read_bytes()
    vault.prove_writable()
    assert vault.path.read_bytes() == before
    assert [path.name for path in vault.path.parent.iterdir()] == ["ppml.vault"]


def test_a_locked_vault_proves_nothing(vault: Vault) -> None:
    with pytest.raises(SecretLockedError):
        Vault.open(vault.path, None).prove_writable()


def test_a_vault_without_room_for_one_more_entry_proves_nothing_and_stays(vault: Vault) -> None:
    size = vault.path.stat().st_size
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from ppmlctl.secret import Secret\n"
        "from ppmlctl.state.vault import Vault\n"
        "vault = Vault.open(Path(sys.argv[1]), Secret('correct horse'))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))\n"
        "vault.prove_writable()\n"
    )
    command = [sys.executable, "-c", script, str(vault.path), str(size + 100)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "File too large" in done.stderr
    assert [path.name for path in vault.path.parent.iterdir()] == ["ppml.vault"]
    assert vault.path.stat().st_size == size


@pytest.mark.parametrize(
    "scrypt",
    [
        Scrypt(salt=b"s" * 16, n=2**18, r=8, p=8),
        Scrypt(salt=b"s" * 16, n=2**15, r=8, p=16),
        Scrypt(salt=b"s" * 2000, n=2**15),
        Scrypt(salt=b"s" * 16, n=2**21, r=8),
    ],
    ids=["seconds", "rounds", "a long salt", "memory"],
)
def test_a_vault_that_asks_for_seconds_or_for_memory_is_not_tried(scrypt: Scrypt) -> None:
    content = vault_file.render(vault_file.VaultFile("e", scrypt, b"c" * 38, b"d" * 60, {}))
    with pytest.raises(StateError, match="scrypt parameters are invalid or beyond"):
        vault_file.parse(content, "ppml.vault")

import os
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from ppmlctl.diagnostics import StateError
from ppmlctl.state.vault_password import (
    LARGEST_KEY_FILE,
    PasswordSources,
    find_password,
    make_sandbox_key,
    read_key_file,
    sandbox_key_path,
    user_state_folder,
)


def key_file(path: Path, content: bytes = b"from file\n", mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def never() -> NoReturn:
    raise AssertionError("the prompt was asked")


def found(sources: PasswordSources) -> str | None:
    password = find_password(sources)
    return None if password is None else password.reveal_text()


def code_of(error: pytest.ExceptionInfo[StateError]) -> str:
    return error.value.diagnostics[0].code


def test_the_sources_are_asked_in_order(tmp_path: Path) -> None:
    own = key_file(tmp_path / "own.key")
    sandbox = key_file(tmp_path / "sandbox.key", b"from sandbox")
    variable = {"PPML_VAULT_PASSWORD": "from variable"}
    assert found(PasswordSources(variable, own, sandbox, never)) == "from variable"
    assert found(PasswordSources({}, own, sandbox, never)) == "from file"
    assert found(PasswordSources({}, None, sandbox, never)) == "from sandbox"
    assert found(PasswordSources({}, None, None, lambda: "from prompt")) == "from prompt"


def test_without_any_source_the_vault_stays_locked(tmp_path: Path) -> None:
    assert find_password(PasswordSources({})) is None
    assert find_password(PasswordSources({}, sandbox_key=tmp_path / "absent")) is None
    assert find_password(PasswordSources({}, prompt=str)) is None


def test_an_empty_variable_counts_as_unset() -> None:
    assert find_password(PasswordSources({"PPML_VAULT_PASSWORD": ""})) is None


def test_a_variable_that_is_no_utf8_is_taken_as_its_bytes() -> None:
    password = find_password(PasswordSources({"PPML_VAULT_PASSWORD": os.fsdecode(b"\xff\x01")}))
    assert password is not None
    assert password.reveal_bytes() == b"\xff\x01"


def test_the_variables_do_not_show_in_a_repr() -> None:
    assert "geheim" not in repr(PasswordSources({"PPML_VAULT_PASSWORD": "geheim"}))


@pytest.mark.parametrize(
    ("content", "password"), [(b"x", b"x"), (b"x\n", b"x"), (b"x\r\n", b"x"), (b"x\n\n", b"x\n"), (b" x ", b" x ")]
)
def test_one_newline_at_the_end_of_a_key_file_is_not_part_of_the_password(
    tmp_path: Path, content: bytes, password: bytes
) -> None:
    assert read_key_file(key_file(tmp_path / "key", content)).reveal_bytes() == password


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = key_file(tmp_path / "key", mode=mode)
    with pytest.raises(StateError) as error:
        read_key_file(path)
    assert str(error.value) == (
        "error[vault-key-file-readable]: the vault's key file can be read by others\n"
        f"  is   {path} has mode {mode:04o}\n"
        "  why  whoever can read it can read every secret of the environment\n"
        f"  fix  chmod 600 {path}"
    )


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n", b"x" * (LARGEST_KEY_FILE + 1)])
def test_a_key_file_of_the_wrong_size_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StateError) as error:
        read_key_file(key_file(tmp_path / "key", content))
    assert code_of(error) == "vault-key-file-size"


def test_a_key_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StateError) as error:
        find_password(PasswordSources({}, key_file=tmp_path / "absent"))
    assert str(error.value) == (
        "error[vault-key-file-missing]: the vault's key file cannot be opened\n"
        f"  is   {tmp_path / 'absent'}: No such file or directory\n"
        "  fix  name the right file, or give the password in PPML_VAULT_PASSWORD"
    )


def test_neither_a_folder_nor_a_pipe_is_read_as_a_key_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(StateError) as error:
            read_key_file(path)
        assert code_of(error) == "vault-key-file-missing"


def test_the_sandbox_makes_itself_a_private_random_key_once(tmp_path: Path) -> None:
    path = sandbox_key_path("0123-abcd", tmp_path / "state")
    made = make_sandbox_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(made.reveal_bytes()) == 64
    assert make_sandbox_key(path) == made
    assert make_sandbox_key(tmp_path / "other.key") != made
    assert found(PasswordSources({}, sandbox_key=path)) == made.reveal_text()


@pytest.mark.parametrize("environment_id", ["", "../x", "a/b", ".", "-x", "a\n", "x" * 64])
def test_an_environment_id_cannot_name_a_file_elsewhere(tmp_path: Path, environment_id: str) -> None:
    with pytest.raises(StateError) as error:
        sandbox_key_path(environment_id, tmp_path)
    assert code_of(error) == "environment-id-invalid"


def test_the_users_state_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert user_state_folder() == tmp_path / "ppmlctl"

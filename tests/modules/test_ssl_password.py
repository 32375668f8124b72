import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.effects import Effect, Effects
from ppmlctl.modules.ssl_password import SslPassword
from ppmlctl.planning import ActionKind
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown


@pytest.fixture
def effects() -> Effects:
    return Effects("files", writes_allowed=True)


@pytest.fixture
def task(drive: Any, make_context: Any, effects: Effects) -> Any:
    return drive(SslPassword(), make_context(effects=effects), password=Secret("ein-geheimnis"))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_the_images_command_reads_what_was_made(task: Any, tmp_path: Path) -> None:
    result = task.apply()
    assert (result.path, result.key_txt.handle) == ("keys/password", "file:keys/password/key.txt")
    command = "openssl rsautl -inkey keys/password/key.txt -decrypt <keys/password/output.bin"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == b"ein-geheimnis"


def test_both_files_are_private(task: Any, tmp_path: Path) -> None:
    task.apply()
    for name in ("key.txt", "output.bin", "credentials.jceks"):
        assert stat.S_IMODE((tmp_path / "keys" / "password" / name).stat().st_mode) == 0o600


def test_a_second_apply_keeps_and_writes_nothing(task: Any, effects: Effects) -> None:
    task.apply()
    sent = effects.count(Effect.WRITE)
    assert task.plan().action is ActionKind.KEEP
    task.apply()
    assert effects.count(Effect.WRITE) == sent == 3


def test_another_password_keeps_the_key(task: Any, tmp_path: Path) -> None:
    task.apply()
    key = (tmp_path / "keys/password/key.txt").read_bytes()
    task.arguments["password"] = Secret("another-one")
    assert task.plan().action is ActionKind.UPDATE
    task.apply()
    assert (tmp_path / "keys/password/key.txt").read_bytes() == key
    assert task.plan().action is ActionKind.KEEP


def test_a_changed_file_is_drift_and_repaired(task: Any, tmp_path: Path) -> None:
    task.apply()
    (tmp_path / "keys/password/output.bin").write_bytes(b"damaged")
    change = task.plan()
    assert (change.action, change.reasons) == (ActionKind.UPDATE, ("changed outside ppmlctl",))
    assert "output_bin" not in task.observe().foreseen
    task.apply()
    assert task.plan().action is ActionKind.KEEP


def test_what_a_crash_left_is_adopted(task: Any, tmp_path: Path) -> None:
    task.apply()
    key = (tmp_path / "keys/password/key.txt").read_bytes()
    (tmp_path / "keys/password/output.bin").unlink()
    task.recorded = None
    assert task.plan().reasons == ("adopts what is there already",)
    task.apply()
    assert (tmp_path / "keys/password/key.txt").read_bytes() == key


def test_a_locked_password_is_taken_as_the_right_one(task: Any) -> None:
    task.apply()
    task.context.vault.locked = True
    task.arguments["password"] = Secret(handle="vault:ssl_password")
    assert task.plan().action is ActionKind.KEEP


def test_arguments_that_are_not_known_yet_are_observed_as_far_as_they_go(task: Any) -> None:
    task.apply()
    task.arguments["password"] = Unknown("ssl-password-value")
    assert dict(task.observe().foreseen) == {"path": "keys/password"}
    task.arguments["folder"] = Unknown("other")
    assert not task.observe().exists


def test_a_key_open_to_others_is_refused(task: Any, tmp_path: Path) -> None:
    task.apply()
    (tmp_path / "keys/password/key.txt").chmod(0o640)
    with pytest.raises(InputError) as error:
        task.plan()
    assert error.value.diagnostics[0].code == "key-readable-by-others"


def test_a_key_that_cannot_be_used_is_not_overwritten(task: Any, tmp_path: Path) -> None:
    (tmp_path / "keys/password").mkdir(parents=True)
    path = tmp_path / "keys/password/key.txt"
    path.write_bytes(b"mine")
    path.chmod(0o600)
    with pytest.raises(InputError) as error:
        task.plan()
    assert str(error.value) == (
        "error[ssl-password-key-unusable]: the key of the encrypted password cannot be used\n"
        "  is   keys/password/key.txt: not an unencrypted private key in PEM\n"
        "  fix  move it away to have one made"
    )
    assert path.read_bytes() == b"mine"


def test_a_password_that_one_consumer_refuses_is_said_before_anything_is_made(task: Any, tmp_path: Path) -> None:
    task.arguments["password"] = Secret("two words")
    with pytest.raises(InputError) as error:
        task.plan()
    assert str(error.value) == (
        "error[keystore-password-unfit]: the keystore password does not suit all who use it\n"
        "  is   it has a blank or a character beyond ASCII; the submit script splits words at blanks\n"
        "  why  keytool, Spark, the submit script and OpenSSL all get this one password\n"
        "  fix  choose one of 6 to 128 visible ASCII characters without blanks, for example: openssl rand -hex 16"
    )
    assert not (tmp_path / "keys").exists()


def test_a_removed_task_leaves_its_files(task: Any, tmp_path: Path) -> None:
    task.apply()
    assert task.module.kept_as(task.recorded) == "keys/password"
    task.remove()
    assert (tmp_path / "keys/password/key.txt").exists()

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.diagnostics import InputError, StateError, WriteRefusedError
from ppmlctl.modules.enclave_key import EnclaveKey
from ppmlctl.planning import ActionKind, FieldChange, Wanted
from ppmlctl.sgx.signing_key import SigningKey
from ppmlctl.unknown import Unknown

_PATH = "keys/enclave-key.pem"


@pytest.fixture(scope="module")
def other_key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(scope="module")
def made_key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(autouse=True)
def _known_key(made_key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made in every test, since finding primes takes a second."""
    monkeypatch.setattr(SigningKey, "generate", lambda: made_key)


def _put(root: Path, content: bytes, mode: int = 0o600) -> Path:
    place = root / _PATH
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    place.chmod(mode)
    return place


@pytest.fixture
def task(make_context: Any, drive: Any) -> Any:
    return drive(EnclaveKey(), make_context(), path=_PATH)


def test_a_key_is_made_once_and_for_its_owner_only(task: Any, tmp_path: Path) -> None:
    assert task.plan().action is ActionKind.CREATE

    result = task.apply()
    file = tmp_path / _PATH
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(result.mr_signer) == 64
    assert task.plan().action is ActionKind.KEEP
    before = file.read_bytes()
    assert task.apply() == result
    assert file.read_bytes() == before


def test_a_key_that_is_there_already_is_adopted(task: Any, tmp_path: Path, other_key: SigningKey) -> None:
    _put(tmp_path, other_key.to_pem().reveal_bytes())

    plan = task.plan()
    assert (plan.action, plan.reasons) == (ActionKind.CREATE, ("adopts what is there already",))
    assert task.observe().foreseen == {"path": _PATH, "mr_signer": other_key.mr_signer}
    assert task.apply().mr_signer == other_key.mr_signer


def test_a_key_that_went_between_plan_and_apply_is_not_made_anew(task: Any, tmp_path: Path) -> None:
    task.apply()
    context = replace(task.context, recorded={task.context.address: task.recorded})
    wanted, observed = task.wanted(), task.observe()
    (tmp_path / _PATH).unlink()
    with pytest.raises(StateError, match="signing-key-missing"):
        EnclaveKey().apply(context, wanted.args, observed)
    assert not (tmp_path / _PATH).exists()


def test_another_key_in_its_place_is_an_update_with_both_signers(
    task: Any, tmp_path: Path, other_key: SigningKey
) -> None:
    first = task.apply().mr_signer
    _put(tmp_path, other_key.to_pem().reveal_bytes())

    plan = task.plan()
    assert (plan.action, plan.reasons) == (ActionKind.UPDATE, ("another key is there",))
    assert plan.fields == (FieldChange("mr_signer", first, other_key.mr_signer),)
    assert task.apply().mr_signer == other_key.mr_signer
    assert task.plan().action is ActionKind.KEEP


def test_a_recorded_key_that_is_missing_is_an_error_and_not_made_anew(task: Any, tmp_path: Path) -> None:
    mr_signer = task.apply().mr_signer
    (tmp_path / _PATH).unlink()

    with pytest.raises(StateError) as refused:
        task.plan()
    assert str(refused.value) == (
        "error[signing-key-missing]: the enclave signing key is missing here\n"
        f"  is   keys/enclave-key.pem does not exist; the lockfile records the key with MRSIGNER {mr_signer}\n"
        "  why  a new key would be another signer: what is deployed and the policies at EHSM know only the old one\n"
        "  fix  bring the key back as keys/enclave-key.pem, or put another one there to sign with that from now on"
    )


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_that_others_can_read_is_refused(task: Any, tmp_path: Path, other_key: SigningKey, mode: int) -> None:
    _put(tmp_path, other_key.to_pem().reveal_bytes(), mode)

    for step in (task.plan, task.apply):
        with pytest.raises(InputError) as refused:
            step()
        assert str(refused.value) == (
            "error[signing-key-readable]: enclave signing key can be read by others\n"
            f"  is   keys/enclave-key.pem has mode {mode:04o}\n"
            "  why  whoever can read it can sign another enclave as you\n"
            "  fix  chmod 600 keys/enclave-key.pem"
        )


def test_what_is_no_signing_key_is_refused(task: Any, tmp_path: Path) -> None:
    _put(tmp_path, b"not a key")

    with pytest.raises(InputError) as refused:
        task.plan()
    assert str(refused.value) == (
        "error[signing-key-wrong]: enclave signing key cannot be used\n"
        "  is   keys/enclave-key.pem: the signing key is no readable private key in PEM, or the passphrase is wrong\n"
        "  why  SGX takes RSA-3072 keys with exponent 3, and this file must be one in PEM without a passphrase\n"
        "  fix  name another file as enclave.signer.key; where none exists, a key is made"
    )


def test_a_folder_is_no_signing_key(task: Any, tmp_path: Path) -> None:
    (tmp_path / _PATH).mkdir(parents=True)
    with pytest.raises(InputError, match=r"keys/enclave-key\.pem: Is a directory"):
        task.plan()


def test_a_removal_keeps_the_key(task: Any, tmp_path: Path) -> None:
    task.apply()
    assert task.module.kept_as(task.recorded) == _PATH
    task.remove()
    assert (tmp_path / _PATH).is_file()


def test_a_plan_writes_nothing(make_context: Any, drive: Any, tmp_path: Path) -> None:
    task = drive(EnclaveKey(), make_context(writes_allowed=False), path=_PATH)
    task.plan()
    with pytest.raises(WriteRefusedError):
        task.apply()
    assert not (tmp_path / _PATH).exists()


def test_a_path_that_is_not_known_yet_is_not_looked_for(make_context: Any) -> None:
    args = EnclaveKey.Args.model_validate({"path": Unknown("other")})
    assert EnclaveKey().observe(make_context(), [Wanted("task", args, {})]) == {}


def test_a_rotation_makes_another_key_and_keeps_the_old_one_beside_it(
    make_context: Any, drive: Any, tmp_path: Path, other_key: SigningKey, made_key: SigningKey
) -> None:
    warnings: list[str] = []
    task = drive(EnclaveKey(), make_context(warnings=warnings), path=_PATH)
    old = _put(tmp_path, other_key.to_pem().reveal_bytes()).read_bytes()
    task.apply()
    assert task.rotate().mr_signer == made_key.mr_signer
    kept = tmp_path / f"{_PATH}.retired-{other_key.mr_signer[:8]}"
    assert (kept.read_bytes(), stat.S_IMODE(kept.stat().st_mode)) == (old, 0o600)
    assert warnings == [f"the old key is kept as {_PATH}.retired-{other_key.mr_signer[:8]}, until you remove it"]
    assert task.plan().action is ActionKind.KEEP


def test_a_rotation_that_was_cut_off_before_its_record_is_not_made_twice(
    make_context: Any, drive: Any, tmp_path: Path, other_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = drive(EnclaveKey(), make_context(), path=_PATH)
    _put(tmp_path, other_key.to_pem().reveal_bytes())
    task.apply()
    first = task.rotate(record=False).mr_signer
    monkeypatch.setattr(SigningKey, "generate", lambda: pytest.fail("made twice"))
    assert task.rotate().mr_signer == first

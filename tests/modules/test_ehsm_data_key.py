"""ehsm_data_key: wrapped by a key at EHSM, known here by its ciphertext, and old ones kept."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ehsm_world import SERVER, URL, Switchboard, Task, World, switchboard, world_of

from ppmlctl.diagnostics import StateError
from ppmlctl.ehsm import Account, KeySpec
from ppmlctl.modules.context import Context, EhsmServer
from ppmlctl.modules.ehsm_data_key import EhsmDataKey
from ppmlctl.modules.ehsm_enroll import EhsmEnroll
from ppmlctl.planning import ActionKind, Removal

MakeContext = Callable[..., Context]
ADDRESS = "ehsm-data-key.warehouse"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    with switchboard(tmp_path_factory.mktemp("tls")) as board:
        yield board


@pytest.fixture
def world(board: Switchboard, tmp_path: Path, make_context: MakeContext) -> Iterator[World]:
    with world_of(board, tmp_path / "ehsm", make_context) as world:
        yield world


def account_of(world: World) -> Account:
    enrolled = world.task(EhsmEnroll(), "ehsm-account", server=SERVER).apply()
    return Account(appid=enrolled.appid, apikey=enrolled.apikey)


@pytest.fixture
def keyid(world: World) -> str:
    return world.ehsm(EhsmServer(URL)).keys.create(account_of(world), KeySpec.AES_GCM_128)


def data_key(world: World, keyid: str, **arguments: Any) -> Task:
    account = account_of(world)
    given = {"server": SERVER, "appid": account.appid, "apikey": account.apikey, "keyid": keyid}
    return world.task(EhsmDataKey(), ADDRESS, **(given | arguments))


def plaintext(world: World, keyid: str, ciphertext: bytes) -> bytes:
    """As upstream's key client gets it: with the text `test` where base64 is expected."""
    keys = world.ehsm(EhsmServer(URL)).keys
    return keys.decrypt(account_of(world), keyid, base64.b64decode(ciphertext), base64.b64decode("test")).reveal_bytes()


def vault(world: World) -> Any:
    return world.context.vault


def test_a_data_key_is_made_once_and_its_plaintext_is_never_sent_here(world: World, keyid: str) -> None:
    task = data_key(world, keyid, length=16)
    assert task.plan().action is ActionKind.CREATE
    result = task.apply()
    assert result.ciphertext.handle == f"vault:{ADDRESS}.{keyid}"
    assert task.plan().action is ActionKind.KEEP
    task.apply()
    assert world.sent().count("GenerateDataKeyWithoutPlaintext") == 1
    assert not {"GenerateDataKey", "Decrypt"} & set(world.sent())
    assert len(plaintext(world, keyid, result.ciphertext.reveal_bytes())) == 16


def test_one_that_was_made_before_a_crash_is_taken(world: World, keyid: str) -> None:
    first = data_key(world, keyid).apply(record=False).ciphertext.reveal_bytes()
    assert data_key(world, keyid).apply().ciphertext.reveal_bytes() == first


@pytest.mark.parametrize("changed", [{"length": 48}, {"aad": "b3RoZXI="}])
def test_another_length_or_additional_data_replace_and_the_old_one_is_kept(
    world: World, keyid: str, changed: dict[str, Any]
) -> None:
    old = data_key(world, keyid).apply().ciphertext.reveal_bytes()
    change = data_key(world, keyid, **changed).plan()
    assert change.action is ActionKind.REPLACE
    assert change.reasons[-1] == "what was encrypted with the old data key needs it; its ciphertext stays in the vault"
    new = data_key(world, keyid, **changed).apply().ciphertext.reveal_bytes()
    assert vault(world).values[f"{ADDRESS}.{keyid}.retired-1"] == old != new
    assert world.warnings == [f"the old value is kept in the vault as {ADDRESS}.{keyid}.retired-1, until you remove it"]
    assert data_key(world, keyid, **changed).plan().action is ActionKind.KEEP


def test_another_wrapping_key_replaces_beside_the_old_entry(world: World, keyid: str) -> None:
    old = data_key(world, keyid).apply().ciphertext.reveal_bytes()
    other = world.ehsm(EhsmServer(URL)).keys.create(account_of(world), KeySpec.AES_GCM_256)
    assert data_key(world, other).plan().action is ActionKind.REPLACE
    result = data_key(world, other).apply()
    assert len(plaintext(world, other, result.ciphertext.reveal_bytes())) == 32
    assert vault(world).values[f"{ADDRESS}.{keyid}"] == old


def test_a_rotation_keeps_the_old_ciphertext(world: World, keyid: str) -> None:
    old = data_key(world, keyid).apply().ciphertext.reveal_bytes()
    new = data_key(world, keyid).apply(rotating=True).ciphertext.reveal_bytes()
    assert new != old
    assert vault(world).values[f"{ADDRESS}.{keyid}.retired-1"] == old


def test_keys_are_told_apart_by_a_public_digest(world: World, keyid: str) -> None:
    first, again = data_key(world, keyid).apply(), data_key(world, keyid).apply()
    rotated = data_key(world, keyid).apply(rotating=True)
    assert first.digest == again.digest == hashlib.sha256(first.ciphertext.reveal_bytes()).hexdigest()
    assert rotated.digest != first.digest


def test_a_recorded_one_that_the_vault_lacks_is_an_error(world: World, keyid: str) -> None:
    data_key(world, keyid).apply()
    vault(world).remove(f"{ADDRESS}.{keyid}")
    with pytest.raises(StateError) as caught:
        data_key(world, keyid).plan()
    assert str(caught.value) == (
        "error[vault-entry-missing]: the vault lacks what the lockfile records\n"
        f"  is   {ADDRESS}: the data key wrapped by {keyid}\n"
        "  why  what it encrypted cannot be read with another one\n"
        "  fix  bring back the ppml.vault that belongs to this lockfile"
    )


def test_a_removal_keeps_it_and_names_its_entry(world: World, keyid: str) -> None:
    data_key(world, keyid).apply()
    assert EhsmDataKey().removal is Removal.KEEP
    assert EhsmDataKey().kept_as(world.recorded[ADDRESS]) == f"data key, vault:{ADDRESS}.{keyid}"

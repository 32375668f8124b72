"""The lockfile: its bytes, its durability, and what is said of one that cannot be used."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.diagnostics import PpmlError
from ppmlctl.evidence import Evidence
from ppmlctl.planning import Recorded
from ppmlctl.secret import Secret
from ppmlctl.spec import parse_yaml
from ppmlctl.state import Lockfile, LockStore
from ppmlctl.state.yaml_text import to_yaml

ENTRY = Recorded(
    "ehsm_enroll",
    {"server": {"url": "https://x:9000"}, "apikey": {"$digest": "ab12"}},
    {"appid": "1-2", "apikey": Secret("hidden", handle="vault:account"), "path": None},
    ("b", "a"),
    Evidence.SIMULATED,
)

json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc-_.:#'\" 1", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abcdefé:-#?!1 ", min_size=1), json_like, min_size=1, max_size=4))
def test_plain_data_comes_back_from_its_text(data: dict[str, Any]) -> None:
    assert parse_yaml(to_yaml(data), shown_as="x").value == data


def test_a_record_comes_back_with_its_secret_behind_a_handle(tmp_path: Path) -> None:
    LockStore(tmp_path / "ppml.lock", Lockfile("env-1")).record("account", ENTRY)
    assert b"hidden" not in (tmp_path / "ppml.lock").read_bytes()
    store = LockStore.open(tmp_path / "ppml.lock")
    entry = store.lockfile.recorded(lambda handle: Secret(f"from {handle}"))["account"]
    assert entry.result["apikey"].reveal() == "from vault:account"
    assert (entry.module, entry.needs, entry.evidence) == ("ehsm_enroll", ("a", "b"), Evidence.SIMULATED)
    assert entry.inputs == ENTRY.inputs


def test_the_order_of_records_does_not_show(tmp_path: Path) -> None:
    for name, order in {"one": "ab", "two": "ba"}.items():
        store = LockStore(tmp_path / name, Lockfile("env"))
        for address in order:
            store.record(address, Recorded("thing"))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_records_from_many_threads_are_all_durable(tmp_path: Path) -> None:
    store = LockStore(tmp_path / "ppml.lock", Lockfile("env"))
    threads = [threading.Thread(target=store.record, args=(f"t{n}", Recorded("thing"))) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = LockStore.open(tmp_path / "ppml.lock").lockfile
    assert (len(read.tasks), read.serial) == (24, 24)


def test_a_withdrawn_intent_leaves_the_lockfile_as_it_was(tmp_path: Path) -> None:
    store = LockStore.open(tmp_path / "ppml.lock")
    store.identify(name="env", target="cluster", engines={})
    before = store.path.read_bytes()
    store.begin("account", {"operation": "Enroll"})
    store.withdraw("account")
    assert store.path.read_bytes() == before


def test_an_intent_stays_until_its_task_is_recorded(tmp_path: Path) -> None:
    store = LockStore(tmp_path / "ppml.lock", Lockfile("env"))
    store.begin("account", {"operation": "Enroll"})
    assert LockStore.open(tmp_path / "ppml.lock").pending("account") == {"operation": "Enroll"}
    store.record("account", ENTRY)
    assert LockStore.open(tmp_path / "ppml.lock").pending("account") is None
    assert b"intents" not in (tmp_path / "ppml.lock").read_bytes()


def test_identifying_the_same_world_again_writes_nothing(tmp_path: Path) -> None:
    store = LockStore(tmp_path / "ppml.lock", Lockfile("env"))
    store.identify(name="n", target="cluster", engines={"kubernetes": "uid"})
    before = (tmp_path / "ppml.lock").stat().st_mtime_ns
    store.identify(name="n", target="cluster", engines={})
    assert (tmp_path / "ppml.lock").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("version: 2\nenvironment: e\n", "lockfile-newer", "ppml.lock:1:10"),
        ("environment: e\n", "lockfile-corrupt", "ppml.lock:1:1"),
        ("version: 1\nenvironment: e\ntasks: []\n", "lockfile-corrupt", "ppml.lock:3:8"),
        ("version: 1\nenvironment: e\ntasks: {a: 1}\n", "lockfile-corrupt", "ppml.lock:3:12"),
    ],
)
def test_a_lockfile_that_cannot_be_used_says_why(tmp_path: Path, text: str, code: str, place: str) -> None:
    (tmp_path / "ppml.lock").write_text(text)
    with pytest.raises(PpmlError) as caught:
        LockStore.open(tmp_path / "ppml.lock")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, str(diagnostic.at).split("  ")[0]) == (code, place)
    assert (tmp_path / "ppml.lock").read_text() == text


def test_a_torn_lockfile_is_an_error_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "ppml.lock").write_text('version: 1\nenvironment: e\ntasks:\n  a: {"')
    with pytest.raises(PpmlError):
        LockStore.open(tmp_path / "ppml.lock")

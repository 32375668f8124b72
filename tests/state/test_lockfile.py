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


FIRST_LINES = "version: 1\nenvironment: e\ntasks:\n  a:\n    module: m\n    inputs: {}\n"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("version: 2\nenvironment: e\n", "lockfile-newer", "ppml.lock:1:10"),
        ("environment: e\n", "lockfile-corrupt", "ppml.lock:1:1"),
        ("version: 1\nenvironment: e\ntasks: []\n", "lockfile-corrupt", "ppml.lock:3:8"),
        ("version: 1\nenvironment: e\ntasks: {a: 1}\n", "lockfile-corrupt", "ppml.lock:3:12"),
        ("version: 1\nenvironment: e\nserial: -1\n", "lockfile-corrupt", "ppml.lock:3:9"),
        ("version: 1\nenvironment: e\nserial: true\n", "lockfile-corrupt", "ppml.lock:3:9"),
        ("version: 1\nenvironment: e\nrotations: {a: soon}\n", "lockfile-corrupt", "ppml.lock:3:12"),
        ("version: 1\nenvironment: e\ntasks: {a: {module: m, inputs: {}}}\n", "lockfile-corrupt", "ppml.lock:3:12"),
        (FIRST_LINES + "    result: gone\n", "lockfile-corrupt", "ppml.lock:7:13"),
        (FIRST_LINES + "    result: {}\n    needs: other\n", "lockfile-corrupt", "ppml.lock:8:12"),
        (FIRST_LINES + "    result: {}\n    evidence: hearsay\n", "lockfile-corrupt", "ppml.lock:8:15"),
        ('version: 1\nenvironment: e\ntasks:\n  a: {"', "lockfile-corrupt", "ppml.lock:4:8"),
        ("", "lockfile-corrupt", "ppml.lock:1:1"),
        (FIRST_LINES + "<<<<<<< HEAD\n    result: {}\n=======\n", "lockfile-conflicted", "ppml.lock:7:1"),
    ],
)
def test_a_lockfile_that_cannot_be_used_says_why(tmp_path: Path, text: str, code: str, place: str) -> None:
    (tmp_path / "ppml.lock").write_text(text)
    with pytest.raises(PpmlError) as caught:
        LockStore.open(tmp_path / "ppml.lock")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, str(diagnostic.at).split("  ")[0]) == (code, place)
    assert (tmp_path / "ppml.lock").read_text() == text


def test_an_unfinished_merge_says_how_to_end_it(tmp_path: Path) -> None:
    text = "version: 1\nenvironment: e\n<<<<<<< HEAD\nserial: 1\n=======\nserial: 2\n>>>>>>> other\ntasks: {}\n"
    (tmp_path / "prod.lock").write_text(text)
    with pytest.raises(PpmlError) as caught:
        LockStore.open(tmp_path / "prod.lock", shown_as="prod.lock")
    assert str(caught.value) == (
        "error[lockfile-conflicted]: the lockfile holds an unfinished merge\n"
        "  at   prod.lock:3:1\n"
        "  is   lines of git that mark a conflict\n"
        "  why  two checkouts have applied; what a cluster was made by is one of the two, never a mixture\n"
        "  fix  take whole the one that was applied last, with its vault: yours (--ours) or the other's (--theirs):\n"
        "       git checkout --theirs -- prod.lock\n"
        "       ppmlctl plan"
    )


def test_a_lockfile_torn_anywhere_is_a_fault_of_the_lockfile_or_still_one(tmp_path: Path) -> None:
    path = tmp_path / "ppml.lock"
    store = LockStore.open(path)
    store.identify(name="n", target="cluster", engines={"kubernetes": "u"})
    store.begin("b", {"is": "begun"})
    store.record("a", ENTRY)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert faults_of(path) <= {"lockfile-corrupt"}, length


def faults_of(path: Path) -> set[str]:
    try:
        LockStore.open(path).lockfile.recorded(Secret)
    except PpmlError as error:
        return {one.code for one in error.diagnostics}
    return set()

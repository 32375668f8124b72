"""Timestamps of requests to EHSM: each later than every one before, in whatever process it was given."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ppmlctl.clients.ehsm import Freshness

NOW = 1_700_000_000.0
APPID = "11111111-2222-3333-4444-555555555555"


def test_each_timestamp_is_later_than_the_last_though_the_clock_stands(tmp_path: Path) -> None:
    freshness = Freshness(lambda: NOW)
    assert [freshness.timestamp(APPID) for _ in range(3)] == ["1700000000000", "1700000000001", "1700000000002"]
    assert freshness.timestamp("another") == "1700000000000"
    assert list(tmp_path.iterdir()) == []


def test_timestamps_are_remembered_over_a_restart_and_a_clock_set_back(tmp_path: Path) -> None:
    file = tmp_path / "timestamps.json"
    assert Freshness(lambda: NOW, file).timestamp(APPID) == "1700000000000"
    assert Freshness(lambda: NOW - 30, file).timestamp(APPID) == "1700000000001"
    assert json.loads(file.read_text()) == {APPID: 1700000000001}


def test_a_remembered_time_far_in_the_future_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "timestamps.json"
    Freshness(lambda: NOW + 3600, file).timestamp(APPID)
    assert Freshness(lambda: NOW, file).timestamp(APPID) == "1700000000000"


@pytest.mark.parametrize("content", ["", "[]", '{"a": "b"}', "\0"])
def test_a_damaged_memory_is_begun_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "timestamps.json"
    file.write_text(content)
    assert Freshness(lambda: NOW, file).timestamp(APPID) == "1700000000000"
    assert json.loads(file.read_text())[APPID] == 1700000000000


def test_nothing_is_written_where_there_is_no_folder_or_it_cannot_be_written(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "timestamps.json"
    assert Freshness(lambda: NOW, missing).timestamp(APPID) == "1700000000000"
    assert not missing.parent.exists()
    (tmp_path / "folder.json").mkdir()
    freshness = Freshness(lambda: NOW, tmp_path / "folder.json")
    first, second = freshness.timestamp(APPID), freshness.timestamp(APPID)
    assert int(first) < int(second)


def test_clients_of_one_account_in_one_instant_never_give_the_same(tmp_path: Path) -> None:
    file = tmp_path / "timestamps.json"
    clients = [Freshness(lambda: NOW, file) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(lambda number: clients[number % 4].timestamp(APPID), range(40)))
    assert len(set(given)) == len(given) == 40

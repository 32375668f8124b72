"""A lockfile belongs to one cluster; and what is said where a cluster does not let us in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flows.place import Place

from ppmlctl.sandbox import process

pytestmark = pytest.mark.long

KEYS_ONLY = "version: 1\nname: keys-only\ntarget: cluster\nkeys: {}\n"


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[list[Path]]:
    """Kubeconfigs of two clusters."""
    states = [tmp_path / "one", tmp_path / "two"]
    kubeconfigs = [process.up(state, only="kubernetes").kubeconfig for state in states]
    yield [path for path in kubeconfigs if path]
    for state in states:
        process.down(state)


@pytest.fixture
def keys_only(tmp_path: Path) -> Place:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "ppml.yaml").write_text(KEYS_ONLY)
    return Place(tmp_path / "env", {"NO_COLOR": "1", "PPML_VAULT_PASSWORD": "of this test"})


def test_another_cluster_is_refused_unless_a_move_is_meant(keys_only: Place, clusters: list[Path]) -> None:
    one, two = (str(path) for path in clusters)
    keys_only.succeed("apply", "--yes", KUBECONFIG=one)
    assert keys_only.run("plan", KUBECONFIG=one).returncode == 0
    before = keys_only.lockfile
    for words in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        refused = keys_only.run(*words, KUBECONFIG=two)
        assert refused.returncode == 1
        assert refused.stderr.startswith("error[another-cluster]")
        assert "--move" in refused.stderr
    assert keys_only.lockfile == before
    keys_only.succeed("apply", "--yes", "--move", KUBECONFIG=two)
    assert keys_only.run("plan", KUBECONFIG=two).returncode == 0


def test_credentials_that_are_not_accepted_are_told(keys_only: Place, clusters: list[Path]) -> None:
    wrong = keys_only.folder / "kubeconfig"
    wrong.write_text(re.sub(r'"token": "[^"]+"', '"token": "expired"', clusters[0].read_text()))
    refused = keys_only.run("plan", KUBECONFIG=str(wrong))
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[k8s-unauthorized]")


def test_a_cluster_that_is_gone_is_told(keys_only: Place, clusters: list[Path]) -> None:
    process.down(clusters[0].parent)
    refused = keys_only.run("plan", KUBECONFIG=str(clusters[0]))
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[k8s-unreachable]")


def test_no_kubeconfig_is_told(keys_only: Place) -> None:
    refused = keys_only.run("plan", KUBECONFIG=str(keys_only.folder / "nowhere"), HOME=str(keys_only.folder))
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[k8s-no-kubeconfig]")


def test_a_sandbox_that_was_lost_is_filled_again(applied: Place) -> None:
    process.down(applied.sandbox)
    shutil.rmtree(applied.folder / ".ppml")
    applied.succeed("sandbox", "up")
    applied.apply()
    assert applied.plan()[0] == 0

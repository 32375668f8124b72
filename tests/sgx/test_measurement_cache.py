from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from gramine_vectors import VECTORS, Vector, elf

from ppmlctl.sgx import Layout, ManifestError, Measurement, MeasurementCache, measure

_VECTOR = VECTORS["v1.3.1/nonpie/hand-odd"]
_OTHER = VECTORS["v1.7/cpu-required/hand-based"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "measurements.json"


def _asked(cache: MeasurementCache, vector: Vector) -> Measurement:
    return cache.measure(vector.manifest.manifest_sgx.encode(), elf(vector.elf), vector.manifest.version)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The measurements that were computed."""
    found = []

    def counting(*arguments: object) -> Measurement:
        measurement = measure(*arguments)  # type: ignore[arg-type]
        found.append(measurement.mr_enclave)
        return measurement

    monkeypatch.setattr("ppmlctl.sgx.measurement_cache.measure", counting)
    return found


def test_what_was_measured_is_known_to_the_next_process(store: Path, computed: list[str]) -> None:
    first = _asked(MeasurementCache(store, worth=0), _VECTOR)
    _asked(MeasurementCache(store, worth=0), _OTHER)

    assert _asked(MeasurementCache(store), _VECTOR) == first
    assert _asked(MeasurementCache(store), _OTHER).attributes.xfrm_mask != first.attributes.xfrm_mask
    assert computed == [_VECTOR.mr_enclave, _OTHER.mr_enclave]


def test_everything_that_counts_is_asked_for(store: Path, computed: list[str]) -> None:
    cache, version = MeasurementCache(store, worth=0), _VECTOR.manifest.version
    manifest, loader = _VECTOR.manifest.manifest_sgx.encode(), elf(_VECTOR.elf)
    for one, other, which in (
        (manifest, loader, version),
        (manifest + b"#\n", loader, version),
        (manifest, loader + b"\0", version),
        (manifest, loader, replace(version, layout=Layout(gpr_size=0xC0))),
        (manifest, loader, _OTHER.manifest.version),
    ):
        cache.measure(one, other, which)
    assert len(computed) == 5


def test_what_is_quick_is_not_kept(store: Path) -> None:
    _asked(MeasurementCache(store, worth=60), _VECTOR)
    assert not store.exists()


def test_what_is_refused_is_not_kept(store: Path) -> None:
    with pytest.raises(ManifestError):
        MeasurementCache(store, worth=0).measure(b"\xff", b"", _VECTOR.manifest.version)
    assert not store.exists()


@pytest.mark.parametrize(
    "damage",
    ["", "[]", "{", '{"version": 2}', '{"version": 1}', '{"version": 1, "measurements": {"a": {}}}'],
)
def test_a_damaged_store_is_an_empty_one(damage: str, store: Path, computed: list[str]) -> None:
    store.parent.mkdir()
    store.write_text(damage)
    _asked(MeasurementCache(store, worth=0), _VECTOR)
    _asked(MeasurementCache(store, worth=0), _VECTOR)
    assert len(computed) == 1


def test_only_the_last_ones_are_kept(store: Path) -> None:
    cache, version = MeasurementCache(store, worth=0), _VECTOR.manifest.version
    for number in range(40):
        cache.measure(b"[sgx]\nenclave_size='4M'\nthread_num=1\n#%d\n" % number, elf("tiny-packed"), version)
    assert len(json.loads(store.read_text())["measurements"]) == 32


def test_a_store_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert _asked(MeasurementCache(tmp_path / "file" / "x.json", worth=0), _VECTOR).mr_enclave == _VECTOR.mr_enclave

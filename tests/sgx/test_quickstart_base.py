from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from elf_writer import quickstart_loader

from ppmlctl.sgx import (
    ContentTree,
    FolderTree,
    Layout,
    detect_gramine,
    find_gramine,
    gramine_version,
    measure,
    places_of_traces,
)
from ppmlctl.sgx.bigdl import (
    LOADER,
    BaseSurroundings,
    EnclaveChoices,
    MeasuredEnclave,
    measured_enclave,
    needed_paths,
    rendered_manifest,
)

_BASE = Path(__file__).parents[2] / "examples/quickstart/base"
_TREE = FolderTree(_BASE)
_CHOICES = EnclaveChoices(size="64M", log_level="error", attested=True)
_ALONE = BaseSurroundings()


def _measured(choices: EnclaveChoices = _CHOICES) -> MeasuredEnclave:
    return measured_enclave(_TREE, choices, _ALONE)


def test_the_committed_loader_is_what_the_writer_writes() -> None:
    loader = _TREE.read(LOADER)
    assert loader == quickstart_loader()
    assert len(loader) <= 16 << 10


def test_the_base_carries_gramine_1_3_1_with_the_known_constants() -> None:
    detected = detect_gramine(_TREE)
    assert detected.version.name == "1.3.1"
    assert detected.version.layout == Layout()
    assert str(find_gramine(_TREE).loader) == LOADER


def test_the_base_is_measured() -> None:
    enclave = _measured()

    measurement = enclave.measurement
    assert (measurement.isv_prod_id, measurement.isv_svn, measurement.debug, measurement.threads) == (1, 3, False, 16)
    assert measure(enclave.manifest_sgx, quickstart_loader(), gramine_version("1.3.1")) == measurement


@pytest.mark.parametrize(
    "choices", [replace(_CHOICES, log_level="all"), replace(_CHOICES, size="128M"), replace(_CHOICES, attested=False)]
)
def test_every_choice_changes_the_measurement(choices: EnclaveChoices) -> None:
    before, after = _measured(), _measured(choices)
    assert before.measurement.mr_enclave != after.measurement.mr_enclave


def test_attestation_that_is_not_wanted_becomes_none() -> None:
    assert b'remote_attestation = "dcap"' in _measured().manifest_sgx
    assert b'remote_attestation = "none"' in _measured(replace(_CHOICES, attested=False)).manifest_sgx


def test_every_trusted_file_of_the_base_is_in_the_manifest() -> None:
    manifest = _measured().manifest_sgx.decode()
    assert [line for line in manifest.splitlines() if line.startswith("uri = ") and "mounts" not in line][6:] == [
        'uri = "file:/usr/local/lib/x86_64-linux-gnu/gramine/libsysdb.so"',
        'uri = "file:/usr/local/lib/x86_64-linux-gnu/gramine/runtime/glibc/ld-linux-x86-64.so.2"',
        'uri = "file:/usr/local/lib/x86_64-linux-gnu/gramine/runtime/glibc/libc.so.6"',
        'uri = "file:/lib/x86_64-linux-gnu/libtinfo.so.6"',
        'uri = "file:/usr/lib/x86_64-linux-gnu/libz.so.1"',
        'uri = "file:/usr/bin/bash"',
        'uri = "file:/ppml/secured_argvs"',
    ]


def test_the_base_shows_the_weaknesses_of_the_real_one() -> None:
    found = _measured().findings
    assert [finding.name for finding in found] == ["file_check_policy", "insecure__use_host_env"]


def test_a_version_named_by_hand_goes_before_what_the_base_says() -> None:
    assert _measured(replace(_CHOICES, gramine="1.5")).gramine.version.name == "1.5"


def test_files_handed_out_by_name_measure_like_the_folder() -> None:
    manifest = rendered_manifest(_TREE, _CHOICES, _ALONE)
    wanted = [_CHOICES.template, LOADER, *places_of_traces(), *needed_paths(manifest)]
    handed_out = {
        f"/{file.relative_to(_BASE)}": file.read_bytes()
        for path in wanted
        for file in [_BASE / path[1:], *(_BASE / path[1:]).rglob("*")]
        if file.is_file()
    }
    assert measured_enclave(ContentTree(handed_out), _CHOICES, _ALONE) == _measured()

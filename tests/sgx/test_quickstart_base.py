from __future__ import annotations

from pathlib import Path

import pytest
from elf_writer import quickstart_loader

from ppmlctl.sgx import (
    FolderTree,
    Layout,
    detect_gramine,
    expand_manifest,
    find_gramine,
    findings,
    measure,
    read_manifest,
)
from ppmlctl.sgx.template import render_template

_BASE = Path(__file__).parents[2] / "examples/quickstart/base"
_TREE = FolderTree(_BASE)


def _manifest_sgx(**changed: object) -> bytes:
    variables = {"log_level": "error", "g_sgx_size": "64M", "g_sgx_thread_num": 4} | changed
    paths, version = find_gramine(_TREE), detect_gramine(_TREE).version
    text = render_template(_TREE.read("/ppml/bash.manifest.template").decode(), variables, paths)
    return expand_manifest(text, _TREE, version, libos=str(paths.libos), working_folder="/ppml")


def _mr_enclave(manifest_sgx: bytes) -> str:
    loader = _TREE.read(str(find_gramine(_TREE).loader))
    return measure(manifest_sgx, loader, detect_gramine(_TREE).version).mr_enclave


def test_the_committed_loader_is_what_the_writer_writes() -> None:
    loader = _TREE.read(str(find_gramine(_TREE).loader))
    assert loader == quickstart_loader()
    assert len(loader) <= 16 << 10


def test_the_base_carries_gramine_1_3_1_with_the_known_constants() -> None:
    version = detect_gramine(_TREE).version
    assert version.name == "1.3.1"
    assert version.layout == Layout()


def test_the_base_is_measured() -> None:
    manifest = _manifest_sgx()
    result = measure(manifest, quickstart_loader(), detect_gramine(_TREE).version)
    assert (result.isv_prod_id, result.isv_svn, result.debug, result.threads) == (1, 3, False, 4)
    assert _mr_enclave(manifest) == result.mr_enclave


@pytest.mark.parametrize(
    "changed", [{"log_level": "all"}, {"g_sgx_size": "128M"}, {"g_sgx_thread_num": 8}, {"remote_attestation": "none"}]
)
def test_every_parameter_changes_the_measurement(changed: dict[str, object]) -> None:
    assert _mr_enclave(_manifest_sgx(**changed)) != _mr_enclave(_manifest_sgx())


def test_every_file_of_the_base_that_the_enclave_trusts_is_in_the_manifest() -> None:
    sgx = read_manifest(_manifest_sgx())["sgx"]
    assert isinstance(sgx, dict)
    assert [file["uri"] for file in sgx["trusted_files"]] == [
        "file:/usr/local/lib/x86_64-linux-gnu/gramine/libsysdb.so",
        "file:/usr/local/lib/x86_64-linux-gnu/gramine/runtime/glibc/ld-linux-x86-64.so.2",
        "file:/usr/local/lib/x86_64-linux-gnu/gramine/runtime/glibc/libc.so.6",
        "file:/lib/x86_64-linux-gnu/libtinfo.so.6",
        "file:/usr/lib/x86_64-linux-gnu/libz.so.1",
        "file:/usr/bin/bash",
        "file:/ppml/secured_argvs",
    ]


def test_the_base_shows_the_weaknesses_of_the_real_one() -> None:
    found = findings(read_manifest(_manifest_sgx()), detect_gramine(_TREE).version)
    assert [finding.name for finding in found] == ["file_check_policy", "insecure__use_host_env"]

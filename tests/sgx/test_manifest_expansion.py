from __future__ import annotations

import pytest
from gramine_vectors import LIBOS, MANIFESTS, VERDICTS, Manifest, Verdict, elf

from ppmlctl.sgx import (
    ContentTree,
    FolderTree,
    ManifestError,
    SgxError,
    TreeError,
    expand_manifest,
    gramine_version,
    measure,
)

_PLAIN = 'libos.entrypoint = "/a"\n'


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_writes_the_manifest_byte_for_byte_as_gramine_does(manifest: Manifest, vector_tree: FolderTree) -> None:
    written = expand_manifest(manifest.text, vector_tree, manifest.version, libos=LIBOS)

    assert written.decode() == manifest.manifest_sgx


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_what_was_written_stays_as_it_is(manifest: Manifest, vector_tree: FolderTree) -> None:
    written = expand_manifest(manifest.manifest_sgx, vector_tree, manifest.version, libos=LIBOS)

    assert written.decode() == manifest.manifest_sgx


@pytest.mark.parametrize("verdict", VERDICTS, ids=[verdict.name for verdict in VERDICTS])
def test_judges_a_manifest_as_gramine_does(verdict: Verdict, vector_tree: FolderTree) -> None:
    try:
        written = expand_manifest(verdict.text, vector_tree, verdict.version, libos=LIBOS)
        mr_enclave = measure(written, elf(verdict.elf), verdict.version).mr_enclave
    except SgxError:
        assert not verdict.accepted
        return
    assert verdict.accepted
    assert written.decode() == verdict.manifest_sgx
    assert mr_enclave == verdict.mr_enclave


def test_the_entrypoint_defaults_to_the_libos_and_is_hashed(vector_tree: FolderTree) -> None:
    written = expand_manifest(_PLAIN, vector_tree, gramine_version("1.9"), libos=LIBOS)

    assert written.decode().endswith(
        f'[loader.entrypoint]\nuri = "file:{LIBOS}"\n'
        'sha256 = "9ab0f0d36f8872a4c1833484950c0c458fa30ced9a8fff068d72cf39657b4edd"\n'
    )


def test_v1_8_turns_an_entrypoint_of_text_into_a_table(vector_tree: FolderTree) -> None:
    text = f'loader.entrypoint = "file:{LIBOS}"'

    written = expand_manifest(text, vector_tree, gramine_version("1.8"), libos="/elsewhere")
    assert f'[loader.entrypoint]\nuri = "file:{LIBOS}"\nsha256 = "9ab0'.encode() in written
    with pytest.raises(ManifestError, match=r"^loader\.entrypoint is not a table"):
        expand_manifest(text, vector_tree, gramine_version("1.9"), libos=LIBOS)


def test_v1_4_has_a_new_name_for_threads_and_keeps_the_switch_for_binaries(vector_tree: FolderTree) -> None:
    written = expand_manifest(_PLAIN, vector_tree, gramine_version("1.4"), libos=LIBOS).decode()

    assert [line.split(" ")[0] for line in written.split("[sgx]\n")[1].splitlines()] == [
        "trusted_files",
        "enclave_size",
        "max_threads",
        "isvprodid",
        "isvsvn",
        "remote_attestation",
        "debug",
        "require_avx",
        "require_avx512",
        "require_mpx",
        "require_pkru",
        "require_amx",
        "require_exinfo",
        "nonpie_binary",
        "enable_stats",
    ]


def test_v1_4_takes_the_old_name_for_threads(vector_tree: FolderTree) -> None:
    written = expand_manifest("sgx.thread_num = 9", vector_tree, gramine_version("1.4"), libos=LIBOS)

    assert measure(written, elf("tiny-separate"), gramine_version("1.4")).threads == 9
    assert b"max_threads" not in written


@pytest.mark.parametrize("version", ["1.3.1", "1.5", "1.9"])
def test_a_missing_trusted_file_is_named(version: str, vector_tree: FolderTree) -> None:
    with pytest.raises(TreeError, match=r"^file:/fx/none of sgx\.trusted_files does not exist$"):
        expand_manifest('sgx.trusted_files = ["file:/fx/none"]', vector_tree, gramine_version(version), libos=LIBOS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('sgx = "on"', "sgx is not a table"),
        ("sgx.cpu_features = 1", "sgx.cpu_features is not a table"),
        ("loader = 1", "loader is not a table"),
        ("loader.entrypoint = [1]", "loader.entrypoint is not a table of uri and sha256"),
    ],
)
def test_refuses_what_manifests_do_not_hold(text: str, message: str, vector_tree: FolderTree) -> None:
    with pytest.raises(ManifestError) as refused:
        expand_manifest(text, vector_tree, gramine_version("1.9"), libos=LIBOS)
    assert str(refused.value) == message


def test_a_file_whose_name_is_not_in_utf_8_is_named() -> None:
    tree = ContentTree({LIBOS: b""}, {"/t/bad\udcffname": "00" * 32})
    text = f'libos.entrypoint = "{LIBOS}"\nsgx.trusted_files = ["file:/t/"]'
    with pytest.raises(ManifestError) as refused:
        expand_manifest(text, tree, gramine_version("1.4"), libos=LIBOS)
    assert "not in UTF-8" in str(refused.value)
    assert "file:/t/bad\\udcffname" in str(refused.value)

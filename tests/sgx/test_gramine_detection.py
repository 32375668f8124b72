from __future__ import annotations

from pathlib import Path

import pytest

from ppmlctl.sgx import FolderTree, GramineVersionError, Layout, detect_gramine, find_gramine
from ppmlctl.sgx.layout import UPSTREAM_NAMES

_PYTHON = "usr/local/lib/python3.8/dist-packages"


def _tree(root: Path, files: dict[str, str]) -> FolderTree:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return FolderTree(root)


def _offsets(**changed: int) -> str:
    values = {name: getattr(Layout(), ours) for name, ours in UPSTREAM_NAMES.items()} | changed
    return "".join(f"{name} = {value:#x}\n" for name, value in values.items())


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        (f"{_PYTHON}/graminelibos/__init__.py", "__version__ = '1.3.1post~UNRELEASED'\n", "1.3.1"),
        ("usr/lib/python3/dist-packages/graminelibos/__init__.py", '__version__ = "1.5"\n', "1.5"),
        ("usr/lib/python3.11/site-packages/graminelibos-1.7.dist-info/METADATA", "Name: g\nVersion: 1.7\n", "1.7"),
        ("var/lib/dpkg/status", "Package: a\nVersion: 9\n\nPackage: gramine\nVersion: 1:1.6.2-1\n", "1.6"),
    ],
)
def test_any_trace_of_the_package_tells_the_version(path: str, text: str, name: str, tmp_path: Path) -> None:
    detected = detect_gramine(_tree(tmp_path, {path: text}))

    assert detected.version.name == name
    assert detected.source == f"/{path}"
    assert detected.version.layout == Layout()


@pytest.mark.parametrize("name", ["graminelibos/_offsets.py", "_graminelibos_offsets.py"])
def test_the_constants_of_the_image_go_before_our_own(name: str, tmp_path: Path) -> None:
    files = {
        f"{_PYTHON}/graminelibos/__init__.py": "__version__ = '1.3.1'\n",
        f"{_PYTHON}/{name}": _offsets(ENCLAVE_STACK_SIZE=0x80000),
    }
    assert detect_gramine(_tree(tmp_path, files)).version.layout == Layout(stack_size=0x80000)


@pytest.mark.parametrize(
    ("manifest", "name"),
    [
        (b"sgx.thread_num = 4\nsgx.support_exinfo = false", "1.3.1"),
        (b"sgx.max_threads = 4\nsgx.nonpie_binary = true", "1.4"),
        (b"sgx.max_threads = 4\nsgx.edmm_enable = false", "1.5"),
        (b"sgx.max_threads = 4\nsgx.edmm_enable = false\nsgx.cpu_features.avx = 'required'", "1.7"),
        (b"loader.entrypoint.uri = 'file:/x'", "1.9"),
    ],
)
def test_the_keys_of_the_manifest_tell_if_nothing_else_does(manifest: bytes, name: str, tmp_path: Path) -> None:
    detected = detect_gramine(_tree(tmp_path, {}), manifest)
    assert (detected.version.name, detected.source) == (name, "the keys of the manifest")


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "nothing in the image tells its version of Gramine"),
        (b"sgx.thread_num = 4", "the keys of the manifest do not tell the version of Gramine"),
        (b"\xff", "the version of Gramine is not known, because the manifest is not UTF-8 text"),
    ],
)
def test_an_image_that_tells_nothing_is_refused(manifest: bytes | None, message: str, tmp_path: Path) -> None:
    with pytest.raises(GramineVersionError) as refused:
        detect_gramine(_tree(tmp_path, {f"{_PYTHON}/graminelibos/__init__.py": "# no version\n"}), manifest)
    assert str(refused.value) == message


def test_the_installed_gramine_is_found_by_its_loader(tmp_path: Path) -> None:
    tree = _tree(tmp_path, {"usr/lib/x86_64-linux-gnu/gramine/sgx/libpal.so": "", "usr/lib/gramine/other": ""})

    paths = find_gramine(tree)
    assert str(paths.loader) == "/usr/lib/x86_64-linux-gnu/gramine/sgx/libpal.so"
    assert str(paths.libos) == "/usr/lib/x86_64-linux-gnu/gramine/libsysdb.so"


def test_an_image_without_gramine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GramineVersionError, match="no Gramine with an SGX loader"):
        find_gramine(FolderTree(tmp_path))

"""BigDL's own manifest templates, which are not part of this project, against what the real signer made of them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ppmlctl.sgx import FolderTree, GramineVersion, gramine_version
from ppmlctl.sgx.bigdl import TEMPLATE, BaseSurroundings, EnclaveChoices, rendered_manifest
from ppmlctl.sgx.manifest_expansion import expand_manifest

pytestmark = pytest.mark.given("PPMLCTL_BIGDL_TEMPLATES")

_GRAMINE: GramineVersion = gramine_version("1.3.1")
_LIBRARY = "usr/local/lib/x86_64-linux-gnu/gramine"
_MAKEFILE = """\
# The variables that BigDL's bases give to their templates, in words of this test.
G_SGX_SIZE ?= "16G"
G_LOG_LEVEL ?= all
G_SGX_THREAD_NUM ?= 1024
THIS_DIR ?= /somewhere
SPARK_USER ?= nobody
PYTHON_HOME ?= /usr/lib/python{python}
SPARK_HOME ?= $(THIS_DIR)/spark-3.1.3

bash.manifest: bash.manifest.template
\tgramine-manifest -Dlog_level=$(G_LOG_LEVEL) -Dpython_home=$(PYTHON_HOME) \\
\t\t-Dexecdir=$(shell dirname $(shell which bash)) \\
\t\t-Darch_libdir=/lib/$(shell $(CC) -dumpmachine) -Djdk_home=/opt/jdk8 \\
\t\t-Dg_sgx_size=$(G_SGX_SIZE) -Dg_sgx_thread_num=$(G_SGX_THREAD_NUM) \\
\t\t-Dspark_home=$(SPARK_HOME) -Dspark_user=$(SPARK_USER) -Dspark_local_ip="127.0.0.1" $< >$@
"""


def _templates(name: str) -> str:
    return (Path(os.environ["PPMLCTL_BIGDL_TEMPLATES"]) / name).read_text()


def _base(root: Path, branch: str) -> FolderTree:
    """A small root file system with the template of that branch."""
    for folder in ("ppml", f"{_LIBRARY}/runtime/glibc", "usr/bin", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"):
        (root / folder).mkdir(parents=True)
    for file in (f"{_LIBRARY}/libsysdb.so", "usr/bin/bash", "usr/bin/x86_64-linux-gnu-gcc-9", "ppml/secured_argvs"):
        (root / file).write_text(f"{file}\n")
    (root / "usr/bin/gcc").symlink_to("x86_64-linux-gnu-gcc-9")
    (root / "usr/bin/cc").symlink_to("/usr/bin/gcc")
    (root / TEMPLATE[1:]).write_text(_templates(f"{branch}.manifest.template"))
    python = "3.9" if branch == "2.4" else "3.8"
    (root / "ppml/Makefile").write_text(_MAKEFILE.replace("{python}", python))
    return FolderTree(root)


def _expanded(root: Path, branch: str, choices: EnclaveChoices) -> list[str]:
    """Lines of the finished manifest without the trusted files, which depend on the root file system."""
    tree = _base(root, branch)
    rendered = rendered_manifest(tree, choices, BaseSurroundings(link_ends=tree.link_ends))
    libos = str(choices.paths.libos)
    written = expand_manifest(rendered, tree, _GRAMINE, libos=libos, working_folder="/ppml").decode()
    before, *entries = written.split("[[sgx.trusted_files]]\n")
    assert len(entries) >= 5
    assert all(entry.startswith("uri = ") for entry in entries)
    return (before + entries[-1].split("\n\n", 1)[1]).splitlines()


@pytest.mark.parametrize(("branch", "size", "level"), [("2.3", "2G", "error"), ("2.4", "8G", "all")])
def test_a_template_becomes_what_the_real_signer_wrote(tmp_path: Path, branch: str, size: str, level: str) -> None:
    choices = EnclaveChoices(size=size, log_level=level, attested=True)
    assert _expanded(tmp_path, branch, choices) == _templates(f"{branch}-{size}-{level}-dcap.signed.toml").splitlines()


@pytest.mark.parametrize(("branch", "file"), [("2.3", "2.3-2G-error"), ("2.4", "2.4-8G-all")])
@pytest.mark.parametrize("size", ["4G", "64G"])
@pytest.mark.parametrize("level", ["error", "debug", "all"])
@pytest.mark.parametrize("attested", [True, False])
def test_other_choices_change_their_lines_alone(
    tmp_path: Path, branch: str, file: str, size: str, level: str, *, attested: bool
) -> None:
    _, size_there, level_there = file.split("-")
    expected = _templates(f"{file}-dcap.signed.toml")
    changes = {f'enclave_size = "{size_there}"': f'enclave_size = "{size}"'}
    changes[f'log_level = "{level_there}"'] = f'log_level = "{level}"'
    changes['remote_attestation = "dcap"'] = f'remote_attestation = "{"dcap" if attested else "none"}"'
    for before, after in changes.items():
        assert expected.count(before) == 1
        expected = expected.replace(before, after)
    choices = EnclaveChoices(size=size, log_level=level, attested=attested)
    assert _expanded(tmp_path, branch, choices) == expected.splitlines()


def test_the_oldest_template_becomes_a_manifest_too(tmp_path: Path) -> None:
    choices = EnclaveChoices(size="16G", log_level="all", attested=True)
    lines = _expanded(tmp_path, "2.2", choices)
    assert 'PYTHONHOME = "/usr/lib/python3.7"' in lines
    assert "[[sgx.ioctl_structs.ifconf.ptr]]" in lines


def test_a_variable_by_hand_holds_against_the_makefile(tmp_path: Path) -> None:
    choices = EnclaveChoices(size="8G", log_level="all", attested=True)
    by_hand = replace(choices, variables={"g_sgx_thread_num": "512", "execdir": "/usr/bin"})
    expected = _templates("2.4-8G-all-dcap.signed.toml").replace("thread_num = 1024", "thread_num = 512")
    assert _expanded(tmp_path, "2.4", by_hand) == expected.splitlines()

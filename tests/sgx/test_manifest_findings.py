from __future__ import annotations

import pytest

from ppmlctl.sgx import Finding, findings, gramine_version, read_manifest
from ppmlctl.sgx.toml_places import Place, Places


def test_a_sound_manifest_has_no_findings() -> None:
    assert findings(read_manifest("sgx.enclave_size = '16G'"), gramine_version("1.3.1")) == ()


@pytest.mark.parametrize(
    ("manifest", "finding"),
    [
        (
            "sgx.enclave_size = '100M'",
            Finding(
                "enclave_size",
                "sgx.enclave_size is 104857600 bytes",
                "the CPU takes only powers of two; Gramine's signing tool does not say so",
            ),
        ),
        (
            "sgx.debug = true",
            Finding("sgx_debug", "sgx.debug is on", "a debugger can read the enclave: it protects nothing"),
        ),
        (
            "sgx.file_check_policy = 'allow_all_but_log'",
            Finding(
                "file_check_policy",
                'sgx.file_check_policy = "allow_all_but_log"',
                "every file of the host may be opened, so MRENCLAVE does not cover what the program reads",
            ),
        ),
        (
            "loader.insecure__use_host_env = true",
            Finding(
                "insecure__use_host_env",
                "loader.insecure__use_host_env is on",
                "the host sets environment variables of the program, and MRENCLAVE does not show it",
            ),
        ),
        (
            "fs.insecure__other = 1",
            Finding("insecure__other", "fs.insecure__other is on", "Gramine itself calls this setting insecure"),
        ),
        (
            "fs.insecure__keys.default = 'ffeeddccbbaa99887766554433221100'",
            Finding(
                "insecure__keys",
                "fs.insecure__keys is on",
                "the key of encrypted files stands in the manifest, where everyone with the image reads it",
            ),
        ),
        (
            "sgx.deep.insecure__rpc_thread_num = 8",
            Finding(
                "insecure__rpc_thread_num",
                "sgx.deep.insecure__rpc_thread_num is on",
                "threads outside of the enclave make its system calls, a way that was never reviewed",
            ),
        ),
        (
            "loader.env.HOME = { passthrough = true }",
            Finding(
                "env_passthrough",
                "loader.env.HOME is passed through from the host",
                "the host sets this variable of the program, and MRENCLAVE does not show its value",
            ),
        ),
    ],
)
def test_a_weakness_is_found_and_explained(manifest: str, finding: Finding) -> None:
    assert findings(read_manifest(manifest), gramine_version("1.3.1")) == (finding,)


@pytest.mark.parametrize(
    "uri",
    [
        "file:/",
        "file:/usr",
        "file:/usr/lib/x.d/",
        "file:/opt/jdk8/",
        "file:plugins/filter.so.1",
        "file:/work/main.py",
        "file:/work",
        "file:/work/data/trusted.csv",
    ],
)
def test_an_allowed_file_that_covers_code_is_found(uri: str) -> None:
    manifest = f"""
sgx.trusted_files = [{{ uri = "file:/work/data/trusted.csv", sha256 = "{"ab" * 32}" }}]
sgx.allowed_files = [
  "file:/data/",
  "{uri}",
]
"""
    (found,) = findings(read_manifest(manifest), gramine_version("1.3.1"))

    assert found == Finding(
        "allowed_files",
        f"sgx.allowed_files has {uri}, which covers code",
        "the host may put any code there: the program runs it, and MRENCLAVE does not show it",
    )
    assert found.place(Places(manifest)) == Place(5, 4)


def test_allowed_files_before_v1_2_were_a_table() -> None:
    manifest = read_manifest("[sgx.allowed_files]\npython = 'file:/usr/bin/python3'\ntmp = 'file:/tmp/'")
    (found,) = findings(manifest, gramine_version("1.3.1"))
    assert found.found == "sgx.allowed_files has file:/usr/bin/python3, which covers code"


@pytest.mark.parametrize("uri", ["file:/etc/hosts", "file:/tmp/", "file:data", "file:/workshop", "file:/libraries"])
def test_an_allowed_file_of_data_is_no_finding(uri: str) -> None:
    trusted = f'{{ uri = "file:/work/trusted.csv", sha256 = "{"ab" * 32}" }}'
    manifest = read_manifest(f'sgx.allowed_files = ["{uri}"]\nsgx.trusted_files = [{trusted}]')
    assert findings(manifest, gramine_version("1.3.1")) == ()


@pytest.mark.parametrize(
    ("manifest", "place"),
    [
        ("\nsgx.enclave_size = '100M'", Place(2, 1)),
        ("[sgx]\n# debug = true\n  debug = true", Place(3, 3)),
        ("[loader.env]\nHOME = 'x'\nPATH = { passthrough = true }", Place(3, 1)),
        ("[loader]\n[loader.env.PATH]\npassthrough = true", Place(2, 1)),
        ("sgx = { file_check_policy = 'allow_all_but_log' }", Place(1, 1)),
        ("\"loader\".'insecure__use_host_env' = true", Place(1, 1)),
    ],
)
def test_a_finding_knows_its_place(manifest: str, place: Place) -> None:
    (found,) = findings(read_manifest(manifest), gramine_version("1.3.1"))
    assert found.place(Places(manifest)) == place


def test_a_finding_knows_its_place_in_a_template() -> None:
    template = '''{% set size = "8G" %}
[sgx]
trusted_files = [
  {% for f in files %}"file:{{ f }}",{% endfor %}
]
text = """
debug = true
"""
enclave_size = "{{ size }}"
debug = {{ "true" if debug else "false" }}
'''
    places = Places(template)
    assert places.of(("sgx", "debug")) == Place(10, 1)
    assert places.of(("sgx", "enclave_size")) == Place(9, 1)
    assert places.of(("sgx", "none")) is None


def test_an_insecure_setting_that_is_off_is_no_finding() -> None:
    assert findings(read_manifest("loader.insecure__use_host_env = false"), gramine_version("1.3.1")) == ()

from __future__ import annotations

import pytest

from ppmlctl.sgx import Finding, findings, gramine_version, read_manifest


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
    ],
)
def test_a_weakness_is_found_and_explained(manifest: str, finding: Finding) -> None:
    assert findings(read_manifest(manifest), gramine_version("1.3.1")) == (finding,)


def test_an_insecure_setting_that_is_off_is_no_finding() -> None:
    assert findings(read_manifest("loader.insecure__use_host_env = false"), gramine_version("1.3.1")) == ()

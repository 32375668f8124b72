"""Which files an enclave opens though its manifest does not trust them."""

from __future__ import annotations

import pytest

from ppmlctl.sgx.allowed_files import opens_unmeasured

CLIENT = "/ppml/kms/client.py"


@pytest.mark.parametrize(
    ("manifest", "opens"),
    [
        ('sgx.file_check_policy = "allow_all_but_log"', True),
        ('sgx.file_check_policy = "strict"', False),
        ("", False),
        ('sgx.allowed_files = ["file:/tmp", "file:/ppml"]', True),
        ('sgx.allowed_files = ["file:/ppml/"]', True),
        ('sgx.allowed_files = ["file:kms"]', True),
        ('sgx.allowed_files = ["file:/ppml/kms/client.py"]', True),
        ('sgx.allowed_files = ["file:/ppml/km"]', False),
        ('sgx.allowed_files = ["dev:/ppml", 5]', False),
        ('sgx.allowed_files = "file:/ppml"', False),
    ],
)
def test_files_are_opened_that_are_allowed_or_where_all_are(manifest: str, *, opens: bool) -> None:
    assert opens_unmeasured(manifest.encode(), CLIENT, "/ppml") is opens

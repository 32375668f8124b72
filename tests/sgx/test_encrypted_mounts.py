"""Which folders a manifest encrypts with a data key."""

from __future__ import annotations

import pytest

from ppmlctl.sgx import ManifestError, data_key_folders

MOUNTS = b"""
fs.mounts = [
  { path = "/ppml", uri = "file:/ppml" },
  { type = "encrypted", path = "/ppml/encrypted-fs", uri = "file:/ppml/encrypted-fs", key_name = "_sgx_mrsigner" },
  { type = "encrypted", path = "/ppml/encrypted-fsd", uri = "file:/ppml/encrypted-fsd", key_name = "sgx_data_key" },
  { type = "encrypted", path = "/default", uri = "file:/default" },
]
"""


def test_folders_that_are_sealed_to_a_signer_or_have_another_key_are_none() -> None:
    assert data_key_folders(MOUNTS) == ("/ppml/encrypted-fsd",)


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b'fs = "text"',
        b'[fs.mount.lib]\npath = "/lib"\n',
        b'fs.mounts = "text"',
        b'fs.mounts = [1, { type = "encrypted", key_name = "sgx_data_key" }]',
    ],
)
def test_a_manifest_without_such_mounts_encrypts_nothing(manifest: bytes) -> None:
    assert data_key_folders(manifest) == ()


def test_what_is_no_manifest_is_said() -> None:
    with pytest.raises(ManifestError):
        data_key_folders(b"fs.mounts = [")

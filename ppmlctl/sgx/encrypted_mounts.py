"""Folders that Gramine encrypts with a key which it is given inside the enclave, after the start.

Source: "Manifest syntax" of Gramine's documentation, `fs.mounts` with `type = "encrypted"` and `key_name`; upstream's
`encrypted-fsd.sh` writes its data key to `/dev/attestation/keys/sgx_data_key`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ppmlctl.sgx.manifest import read_manifest

DATA_KEY_NAME = "sgx_data_key"


def data_key_folders(manifest: bytes) -> tuple[str, ...]:
    """Paths inside the enclave, in the manifest's order. Raises ManifestError."""
    fs = read_manifest(manifest).get("fs")
    mounts = fs.get("mounts") if isinstance(fs, Mapping) else None
    return tuple(
        mount["path"]
        for mount in (mounts if isinstance(mounts, list) else ())
        if isinstance(mount, Mapping)
        and (mount.get("type"), mount.get("key_name")) == ("encrypted", DATA_KEY_NAME)
        and isinstance(mount.get("path"), str)
    )

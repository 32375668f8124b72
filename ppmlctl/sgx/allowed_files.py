"""Whether an enclave opens a file that its manifest does not trust.

Source: "Manifest syntax" of Gramine's documentation, `sgx.allowed_files` and `sgx.file_check_policy`.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from ppmlctl.sgx.manifest import read_manifest, sgx_table

_SCHEME = "file:"


def opens_unmeasured(manifest: bytes, path: str, working_folder: str) -> bool:
    """By an allowed file or folder, or because everything is allowed. Raises ManifestError."""
    sgx = sgx_table(read_manifest(manifest))
    if sgx.get("file_check_policy") == "allow_all_but_log":
        return True
    entries = sgx.get("allowed_files")
    uris = [entry for entry in (entries if isinstance(entries, list) else ()) if isinstance(entry, str)]
    places = (PurePosixPath(working_folder) / uri.removeprefix(_SCHEME) for uri in uris if uri.startswith(_SCHEME))
    return any(PurePosixPath(path).is_relative_to(place) for place in places)

"""What differs between two manifests of the size that real images have."""

from __future__ import annotations

from ppmlctl.sgx.manifest_comparison import ManifestDifference, manifest_differences


def _manifest(files: int, digest: str) -> bytes:
    entries = (f'  {{ uri = "file:/usr/lib/{n}.so", sha256 = "{digest}" }},' for n in range(files))
    return "\n".join(["[sgx]", "trusted_files = [", *entries, "]", ""]).encode()


def test_each_of_thousands_of_changed_files_is_named_with_its_line() -> None:
    """As after an update of the base: the text is read once, not for every file."""
    before, after = "a" * 64, "b" * 64
    found = list(manifest_differences(_manifest(5000, before), _manifest(5000, after)))
    assert found == [
        ManifestDifference(f"file:/usr/lib/{n}.so", before, after, (n + 3, n + 3), trusted_file=True)
        for n in range(5000)
    ]

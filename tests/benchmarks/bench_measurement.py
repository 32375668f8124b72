"""How long a measurement takes, beside hashing as many bytes: `python tests/benchmarks/bench_measurement.py`.

SHA-256 over the same bytes is the floor; the ratio says what the interpreter adds to it, at most twice the floor.
`again` is the time of the same question where manifest and loader are unchanged.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "sgx"))

from elf_writer import quickstart_loader

from ppmlctl.sgx import MeasurementCache, gramine_version, measure

_CASES = (("256M", 4), ("16G", 16), ("16G", 1024))
_THREAD_PAGES, _PAGE_RECORDS, _RECORD = 90, 64 + 16 * 320, 64
_PAGE, _BLOCK, _REPEATS = 4096, 1 << 18, 3


def _manifest(size: str, threads: int) -> bytes:
    return f"[sgx]\nenclave_size = '{size}'\nthread_num = {threads}\nnonpie_binary = true\n".encode()


def _seconds(work: Callable[[], object]) -> float:
    """The best of a few, since other work on the machine only ever adds."""
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _hash(count: int) -> None:
    digest, block = hashlib.sha256(), bytes(_BLOCK)
    for _ in range(count // _BLOCK):
        digest.update(block)


def _hashed_bytes(enclave_size: int, threads: int) -> int:
    measured = threads * _THREAD_PAGES
    return measured * _PAGE_RECORDS + (enclave_size // _PAGE - measured) * _RECORD


def main() -> None:
    loader, version = quickstart_loader(), gramine_version("1.3.1")
    print(f"{'enclave':>8} {'threads':>8} {'MB':>6} {'measure':>9} {'hashlib':>9} {'ratio':>6} {'again':>8}")
    with TemporaryDirectory() as folder:
        cache = MeasurementCache(Path(folder) / "measurements.json", worth=0)
        for size, threads in _CASES:
            manifest = _manifest(size, threads)
            count = _hashed_bytes(measure(manifest, loader, version).enclave_size, threads)
            measured = _seconds(partial(measure, manifest, loader, version))
            hashed = _seconds(partial(_hash, count))
            cache.measure(manifest, loader, version)
            again = _seconds(partial(cache.measure, manifest, loader, version))
            figures = f"{measured:>8.3f}s {hashed:>8.3f}s {measured / hashed:>6.2f} {again * 1e3:>6.1f}ms"
            print(f"{size:>8} {threads:>8} {count / 1e6:>6.0f} {figures}")


if __name__ == "__main__":
    main()

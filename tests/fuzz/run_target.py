"""Fuzzes one parser, guided by coverage: `python tests/fuzz/run_target.py NAME SECONDS FOLDER`.

Ends with 0 when the time is over and nothing was found; else the traceback is shown, and the input that led to it
lies in FOLDER. A single input may take ten seconds and a gigabyte at most.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["ppmlctl.sgx", "ppmlctl.dcap", "tomllib"]):
    from fuzz.targets import TARGETS, write_seeds

_LONGEST_INPUT = 1 << 15


def main(name: str, seconds: int, folder: Path) -> None:
    """Does not return: the fuzzer ends the process."""
    seeds = folder / f"{name}-seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    write_seeds(name, seeds)
    limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024", f"-max_len={_LONGEST_INPUT}"]
    options = [*limits, f"-artifact_prefix={folder}/{name}-", "-verbosity=0", "-print_final_stats=1", str(seeds)]
    atheris.Setup([sys.argv[0], *options], TARGETS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

"""How long `ppmlctl --version` takes beside `import typer`, in turns. The target is a ratio of at most 1.3."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

OURS = ("-c", "import sys; from ppmlctl.cli import main; sys.argv = ['ppmlctl', '--version']; main()")
PEER = ("-c", "import typer")
TARGET = 1.3


def main() -> None:
    """Prints the medians in milliseconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=41)
    runs = parser.parse_args().runs
    measured: dict[tuple[str, ...], list[float]] = {OURS: [], PEER: []}
    for command in measured:
        _seconds(command)
    for _ in range(runs):
        for command, seconds in measured.items():
            seconds.append(_seconds(command))
    ours, peer = (statistics.median(measured[command]) for command in (OURS, PEER))
    print(f"ppmlctl --version     {ours * 1000:7.1f} ms")
    print(f"import typer          {peer * 1000:7.1f} ms")
    print(f"ratio                 {ours / peer:7.2f}   (target: at most {TARGET})")


def _seconds(command: tuple[str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

"""The command line. Nothing else prints."""

import gc
import sys

from ppmlctl.cli.version import VERSION

_BETWEEN_COLLECTIONS = 500_000
"""Objects. Most of what a command makes are modules, which stay; searching them for garbage as often as Python does by
itself, after every 700 objects, takes a tenth of a short command."""


def main() -> None:
    """What the console script `ppmlctl` runs. A lone `--version` is answered before any command is declared."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"ppmlctl {VERSION}\n")
        return
    gc.set_threshold(_BETWEEN_COLLECTIONS)
    from ppmlctl.cli.main import main as run

    try:
        run()
    finally:
        gc.freeze()  # the process ends: a last search would take a sixth of a short command


__all__ = ["main"]

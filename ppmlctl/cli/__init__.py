"""The command line. Nothing else prints."""

import sys

from ppmlctl.cli.version import VERSION


def main() -> None:
    """What the console script `ppmlctl` runs. A lone `--version` is answered before any command is declared."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"ppmlctl {VERSION}\n")
        return
    from ppmlctl.cli.main import main as run

    run()


__all__ = ["main"]

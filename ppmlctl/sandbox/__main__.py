"""`python -m ppmlctl.sandbox --state DIR [--only SERVICE] [--listen ADDRESS]`: the sandbox in the foreground.

`ppmlctl sandbox up` starts it in the background; see `process`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ppmlctl.diagnostics import PpmlError
from ppmlctl.sandbox.address import LOOPBACK, parse_address
from ppmlctl.sandbox.process import SERVICES


def main(arguments: list[str]) -> int:
    """Serves until it is told to end. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ppmlctl.sandbox")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--only", choices=SERVICES)
    parser.add_argument("--listen", default=LOOPBACK)
    parser.add_argument("--ready-descriptor", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    try:
        listen = parse_address(given.listen)
    except PpmlError as error:
        parser.error(str(error))
    from ppmlctl.sandbox.serve import Order, serve  # noqa: PLC0415 - a wrong argument is told without loading servers

    services = (given.only,) if given.only else SERVICES
    return serve(Order(given.state.absolute(), services, listen, given.ready_descriptor))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

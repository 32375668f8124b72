"""The entry point: runs a command and turns every way of ending into an exit code and a message.

0 done (for `plan`: nothing to do), 1 an error, 2 `plan` found changes, 130 interrupted.
"""

from __future__ import annotations

import sys

import click

from ppmlctl.cli.app import app
from ppmlctl.diagnostics import PpmlError

ERROR = 1
CHANGES = 2
INTERRUPTED = 130


def main() -> None:
    """What the console script `ppmlctl` runs."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line; the exit code."""
    as_json = _wants_json(arguments)
    try:
        code = app(args=arguments, prog_name="ppmlctl", standalone_mode=False)
    except PpmlError as error:
        from ppmlctl.cli.errors import show_errors

        show_errors(error.diagnostics, as_json=as_json)
        return ERROR
    except click.exceptions.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return ERROR
    except BrokenPipeError:
        return ERROR
    except Exception as error:  # noqa: BLE001 - a surprise is told without its text, which may quote a secret
        from ppmlctl.cli.errors import show_errors
        from ppmlctl.engine.surprise import surprise

        show_errors((surprise(error, " ".join(arguments[:1])),), as_json=as_json)
        return ERROR
    return code if isinstance(code, int) else 0


def _wants_json(arguments: list[str]) -> bool:
    joined = " ".join(arguments)
    return any(option in joined for option in ("-o json", "-ojson", "--output json", "--output=json"))

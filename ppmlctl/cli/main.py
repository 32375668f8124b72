"""The entry point: runs a command and turns every way of ending into an exit code and a message.

0 done (for `plan`: nothing to do), 1 an error, 2 `plan` found changes, 130 interrupted by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from typer.exceptions import Abort, Exit, TyperException

from ppmlctl.cli.app import app
from ppmlctl.cli.terminal_text import escaped_streams
from ppmlctl.cli.termination import Termination
from ppmlctl.diagnostics import Diagnostic, PpmlError

ERROR = 1
CHANGES = 2
INTERRUPTED = 130
_WRITABLE_BY_OTHERS = 0o022


def main() -> None:
    """What the console script `ppmlctl` runs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no arrows gets question marks, not a fault
    termination = Termination()
    code = run(sys.argv[1:])
    if code == INTERRUPTED:
        code = termination.exit_code(code)
        print("interrupted", file=sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has gone (`ppmlctl plan | head`); Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Runs one command line; the exit code."""
    with escaped_streams():
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    as_json = _wants_json(arguments)
    os.umask(os.umask(_WRITABLE_BY_OTHERS) | _WRITABLE_BY_OTHERS)  # what is made here, others may not change
    try:
        code = app(args=arguments, prog_name="ppmlctl", standalone_mode=False)
    except PpmlError as error:
        from ppmlctl.cli.errors import show_errors

        show_errors(error.diagnostics, as_json=as_json)
        return ERROR
    except (Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exit as exit_:
        return exit_.exit_code
    except TyperException as error:
        return _misused(error, as_json=as_json)
    except BrokenPipeError:
        return ERROR
    except OSError as error:
        from ppmlctl.cli.errors import show_errors
        from ppmlctl.engine.surprise import file_fault

        show_errors((file_fault(error),), as_json=as_json)
        return ERROR
    except Exception as error:  # noqa: BLE001 - a surprise is told without its text, which may quote a secret
        from ppmlctl.cli.errors import show_errors
        from ppmlctl.engine.surprise import surprise

        show_errors((surprise(error, " ".join(arguments[:1])),), as_json=as_json)
        return ERROR
    return code if isinstance(code, int) else 0


def _misused(error: TyperException, *, as_json: bool) -> int:
    """A command line that cannot be understood. Where Typer has shown the help instead, nothing is left to say."""
    from ppmlctl.cli.errors import show_errors

    found = error.format_message()
    if type(error).__name__ != "NoArgsIsHelpError":
        context = getattr(error, "ctx", None)
        fix = f"{context.command_path if context else 'ppmlctl'} --help"
        show_errors((Diagnostic("usage", "the command line cannot be understood", found, fix=fix),), as_json=as_json)
    return ERROR


def _wants_json(arguments: list[str]) -> bool:
    joined = " ".join(arguments)
    return any(
        option in joined
        for option in ("-o json", "-ojson", "--output json", "--output=json", "--format json", "--format=json")
    )

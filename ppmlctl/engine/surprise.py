"""Faults of the machine in words, and faults nobody expected as a report fit to paste, without any value or message."""

from __future__ import annotations

import traceback

from ppmlctl.diagnostics import Diagnostic


def surprise(error: BaseException, doing: str) -> Diagnostic:
    """The place and kind of an unexpected exception. Its text is left out, because it may quote a secret."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "ppmlctl" in frame.filename]
    where = [f"{frame.filename.rpartition('ppmlctl/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    return Diagnostic(
        "internal-error",
        "ppmlctl met a fault of its own",
        found=f"{type(error).__name__} while doing {doing}\n" + "\n".join(where),
        why="this is a defect; what was finished before is recorded",
        fix="run the same command again; if it happens again, report the lines above",
    )


def file_fault(error: OSError) -> Diagnostic:
    """A file or folder that cannot be used as it must be: read-only, full, not ours."""
    return Diagnostic(
        "file-unusable",
        "a file or folder cannot be used",
        found=f"{error.filename or 'the file system'}: {error.strerror or type(error).__name__}",
        why="what was finished before is recorded",
        fix="mend its permissions or make room, then run the same command again",
    )

"""A file that a playbook names: it lies in the playbook's own folder or below, wherever links lead."""

from __future__ import annotations

from pathlib import Path

from ppmlctl.diagnostics import Diagnostic, InputError, Location


def beside(folder: Path, name: str, shown_as: str, at: Location) -> Path:
    """Its path. Raises InputError at the place where it is named: it is outside of the folder, or not there."""
    path = folder / name
    try:
        leads_to = path.resolve()
    except RuntimeError:  # links that lead round
        raise InputError(missing(shown_as, at)) from None
    if not leads_to.is_relative_to(folder.resolve()):
        raise InputError(
            Diagnostic(
                "playbook-file-outside",
                "a playbook names a file outside of its folder",
                found=name,
                why="whoever looks at the playbook's folder sees all that it says",
                fix="put the file beside the playbook, or into a folder there",
                at=at,
            )
        )
    if not path.exists():
        raise InputError(missing(shown_as, at))
    return path


def missing(shown_as: str, at: Location) -> Diagnostic:
    """Says that the file is not there."""
    title, fix = "a playbook names a file that is not there", "make it, or name another"
    return Diagnostic("playbook-file-missing", title, found=shown_as, fix=fix, at=at)

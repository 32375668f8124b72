"""`ppmlctl enclave diff`"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from ppmlctl.cli.commands.enclave.measured import not_measurable
from ppmlctl.cli.commands.enclave.places import enclave_at
from ppmlctl.cli.style import Style
from ppmlctl.diagnostics import InputError
from ppmlctl.sgx import Difference, Enclave, SgxError, differences


@dataclass(frozen=True)
class Side:
    """One of the two: a place, with what it does not hold itself."""

    place: str
    gramine: str
    loader: Path | None


def diff(before: Side, after: Side, *, as_json: bool) -> None:
    """What makes two enclaves measure differently. Ends with 1 where their MRENCLAVEs are not known to be equal."""
    sides = [(side, enclave_at(side.place, side.gramine, side.loader)) for side in (before, after)]
    try:
        measured = [enclave.measured() for _, enclave in sides]
        found = differences(sides[0][1], sides[1][1])
    except SgxError as error:
        raise InputError(not_measurable(error)) from None
    values = [measured[number] or enclave.signed for number, (_, enclave) in enumerate(sides)]
    same = values[0] is not None and values[0] == values[1]
    if as_json:
        print(json.dumps({"same": same, "sides": _told(sides, measured), "differences": _listed(found)}))
    else:
        print("\n".join(_lines(sides, measured, found, Style.of(sys.stdout))))
    if not same:
        raise typer.Exit(1)


_Sides = Sequence[tuple[Side, Enclave]]


def _told(sides: _Sides, measured: Sequence[str | None]) -> list[dict[str, str | None]]:
    return [
        {"place": side.place, "measured": measured[number], "signed": enclave.signed}
        for number, (side, enclave) in enumerate(sides)
    ]


def _listed(found: Sequence[Difference]) -> list[dict[str, object]]:
    return [{**asdict(one), "part": one.part.value, "lines": list(one.lines)} for one in found]


def _lines(sides: _Sides, measured: Sequence[str | None], found: Sequence[Difference], style: Style) -> Iterator[str]:
    for number, (side, enclave) in enumerate(sides):
        value, signed = measured[number], enclave.signed
        yield f"{'ab'[number]}  {value or signed or 'MRENCLAVE not known'}  {style.dim(side.place)}"
        if value is not None and signed is not None and value != signed:
            yield f"   {style.red('signed is another measurement')}: {signed}"
    for one in found:
        lines = "".join(f" {side}:{line}" for side, line in zip("ab", one.lines, strict=True) if line)
        remark = "" if one.measured else style.dim("  (not measured)")
        yield f"{style.bold(one.part.value)} {one.name}{style.dim(lines)}{remark}"
        yield from (
            f"  {mark} {colour(text)}"
            for mark, text, colour in (("-", one.before, style.red), ("+", one.after, style.green))
            if text is not None
        )
    if not any(one.measured for one in found) and not _all_known(sides):
        yield "name manifests with their loaders, or images: a SIGSTRUCT says that a measurement differs, not why"


def _all_known(sides: _Sides) -> bool:
    return all(enclave.manifest_sgx is not None and enclave.loader is not None for _, enclave in sides)

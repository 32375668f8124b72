"""`omit`: a value that drops the key or the list entry whose value it is."""

from __future__ import annotations

from typing import Final

from ppmlctl.expressions.errors import ExpressionError


class Omit:
    """The type of OMIT, the only one. It is chosen, handed on and dropped, and used for nothing else."""

    def __bool__(self) -> bool:
        raise ExpressionError("`omit` drops what it is given to, and is neither true nor false")

    def __repr__(self) -> str:
        return "omit"


OMIT: Final = Omit()


def refuse_omit(value: object) -> None:
    """Raises ExpressionError for OMIT, where a value is needed."""
    if value is OMIT:
        raise ExpressionError("`omit` drops a key or a list entry; here a value is needed")

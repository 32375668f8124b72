"""A parsed text with `{{ }}` in it, and how it gets its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError, TemplateRuntimeError, UndefinedError

from ppmlctl.expressions.errors import ExpressionError
from ppmlctl.expressions.limits import Budget, limited, refuse_larger, weighed
from ppmlctl.expressions.seeing import UnknownSeenError, as_data, as_text, see, watching_secrets
from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.unknown import Unknown

Path = tuple[str, ...]
"""A plain reference such as `a.b["c"]`; it is looked up, since compiling takes half a millisecond."""

Part = str | Path | TemplateExpression
"""Text as it stands, a reference, or anything else."""


@dataclass(frozen=True)
class Expression:
    """A parsed text. `references` are the names it reads, each with its attribute path."""

    text: str
    references: frozenset[Path]
    _parts: tuple[Part, ...]

    @cached_property
    def roots(self) -> frozenset[str]:
        """The names it starts from; nothing else of a scope is looked at."""
        return frozenset(path[0] for path in self.references)

    @property
    def is_alone(self) -> bool:
        """Whether there is one expression and no text around it, so that its value has a type of its own."""
        return len(self._parts) == 1 and not isinstance(self._parts[0], str)

    @cached_property
    def _computes(self) -> bool:
        """Whether anything but looking up and putting together is done."""
        return any(not isinstance(part, str | tuple) for part in self._parts)

    def evaluate(self, scope: Mapping[str, object], budget: Budget | None = None) -> object:
        """The native value: plain data, a Secret, or an Unknown. Raises ExpressionError, which quotes no value.

        `budget` is for all expressions of a file; one alone is limited anyway.
        """
        if len(self._parts) == 1 and isinstance(self._parts[0], tuple):
            return _look_up(self._parts[0], scope)
        with watching_secrets() as secrets:
            try:
                if not self._computes:
                    return self._computed(scope, secrets)
                with limited(budget):
                    return self._computed(scope, secrets)
            except UnknownSeenError as seen:
                return seen.unknown
            except SecretLockedError as locked:
                return _locked(locked)
            except (UndefinedError, SecurityError, TemplateRuntimeError) as error:
                raise self._fault(error, scope, secrets) from None
            except ExpressionError:
                raise
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                # The text of these errors may quote values, so only their kind is told.
                raise ExpressionError(f"cannot be evaluated ({type(error).__name__})") from None
            except (MemoryError, RecursionError):
                raise ExpressionError("it needs too much memory") from None

    def _computed(self, scope: Mapping[str, object], secrets: list[Secret]) -> object:
        visible = {name: scope[name] for name in self.roots if name in scope}
        values = [_value(part, visible) for part in self._parts]
        result = _data(values[0]) if len(values) == 1 else _joined(values)
        if not secrets:
            return result
        if not isinstance(result, str | bytes):
            raise ExpressionError("an expression over a secret must give text")
        return Secret(result)

    def _fault(self, error: Exception, scope: Mapping[str, object], secrets: list[Secret]) -> ExpressionError:
        """Jinja2's words; those of a lookup alone where they could quote a secret."""
        if not secrets:
            return ExpressionError(_without_type(str(error)))
        for path in sorted(self.references):
            try:
                _look_up(path, scope)
            except ExpressionError as missing:
                return missing
        return ExpressionError("cannot be evaluated over a secret")


def _value(part: Part, scope: Mapping[str, object]) -> object:
    if isinstance(part, str):
        return part
    return _look_up(part, scope) if isinstance(part, tuple) else part(scope)


def _data(value: object) -> object:
    weighed(value, "{{ }}")
    return as_data(value)


def _joined(values: list[object]) -> str:
    texts = [as_text(see(value)) for value in values]
    refuse_larger(sum(map(len, texts)), "{{ }}")
    return "".join(texts)


def _locked(error: SecretLockedError) -> Secret:
    def load() -> str:
        raise SecretLockedError(*error.args)

    return Secret(load=load)


def _without_type(message: str) -> str:
    """Jinja2 names the object that lacks an attribute by its type, which does not help the reader."""
    subject, separator, rest = message.partition(" has no attribute ")
    return f"there is no {rest}" if separator and subject else message


def _look_up(path: Path, scope: Mapping[str, object]) -> object:
    """A lone reference: the value itself, a secret with its handle kept."""
    value: object = scope
    for depth, name in enumerate(path):
        if isinstance(value, Unknown):
            return value
        if not isinstance(value, Mapping) or name not in value:
            raise ExpressionError(f"{'.'.join(path[: depth + 1])!r} is undefined")
        value = value[name]
    return value

"""`{{ }}` expressions: sandboxed Jinja2, evaluated natively, over data only.

A text that is one lone `{{ … }}` gives the value itself; text around or between expressions gives text. What is
computed from a secret is a secret; what touches an unknown is that unknown. Neither becomes text. Expressions read
mappings and sequences and call filters, nothing else: no statements, no methods, no attributes of Python objects.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError, TemplateRuntimeError, UndefinedError
from jinja2.filters import FILTERS
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range

from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.unknown import Unknown

LONGEST_PRODUCT = 1_000_000
"""Characters or members that a `*` may give."""


class ExpressionError(ValueError):
    """An expression that cannot be parsed or evaluated. `offset` points into its text, in characters."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class _UnknownTouchedError(Exception):
    def __init__(self, unknown: Unknown) -> None:
        super().__init__(str(unknown))
        self.unknown = unknown


_secret_touched: ContextVar[list[Secret] | None] = ContextVar("_secret_touched", default=None)


def _touch(value: Any) -> Any:
    """What an expression gets to see of a value: an unknown ends the evaluation, a secret marks its result."""
    if isinstance(value, Unknown):
        raise _UnknownTouchedError(value)
    if isinstance(value, Secret):
        touched = _secret_touched.get()
        if touched is not None:
            touched.append(value)
        return value.reveal()
    return value


def _touch_all(value: Any) -> Any:
    """The same for everything inside nested mappings and sequences, as filters see them."""
    if isinstance(value, Mapping):
        return {key: _touch_all(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_touch_all(member) for member in value]
    return _touch(value)


class _DataContext(Context):
    def resolve_or_missing(self, key: str) -> Any:
        return _touch(super().resolve_or_missing(key))


class _DataEnvironment(ImmutableSandboxedEnvironment):
    """Names, members of mappings and items of sequences; `*` is bounded and `**` is refused."""

    context_class = _DataContext
    intercepted_binops = frozenset({"*", "**"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        obj = _touch(obj)
        if isinstance(obj, Mapping) or (isinstance(obj, Sequence) and isinstance(argument, int | slice)):
            try:
                return _touch(obj[argument])
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("`**` is not offered")
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Sequence) and isinstance(other, int) and len(one) * other > LONGEST_PRODUCT:
                raise SecurityError(f"the result of `*` is longer than {LONGEST_PRODUCT}")
        return super().call_binop(context, operator, left, right)


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _b64encode(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _prefixed(values: Sequence[str], prefix: str) -> list[str]:
    return [f"{prefix}{value}" for value in values]


_OFFERED_FILTERS = (
    *("abs", "d", "default", "first", "float", "int", "join", "last", "length", "list", "lower", "max", "min"),
    *("replace", "round", "sort", "string", "trim", "unique", "upper"),
)
_OWN_FILTERS: dict[str, Callable[..., Any]] = {"to_json": _to_json, "b64encode": _b64encode, "prefixed": _prefixed}


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that sees through secrets and stops at unknowns, wherever in its arguments they are."""
    leading = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def guarded(*arguments: Any, **options: Any) -> Any:
        seen = [*arguments[:leading], *(_touch_all(a) for a in arguments[leading:])]
        return function(*seen, **{name: _touch_all(option) for name, option in options.items()})

    return guarded


def _make_environment() -> _DataEnvironment:
    environment = _DataEnvironment(undefined=StrictUndefined, autoescape=False)
    offered = {name: FILTERS[name] for name in _OFFERED_FILTERS} | _OWN_FILTERS
    environment.filters = {name: _guarded(function) for name, function in offered.items()}
    environment.globals = {"range": safe_range}
    return environment


_environment = _make_environment()


@dataclass(frozen=True)
class Expression:
    """A parsed text with at least one `{{ }}`. `references` are the names it reads, each with its attribute path."""

    text: str
    references: frozenset[tuple[str, ...]]
    _parts: tuple[str | TemplateExpression, ...]
    _is_reference: bool

    @cached_property
    def roots(self) -> frozenset[str]:
        """The names it starts from; nothing else of a scope is looked at."""
        return frozenset(path[0] for path in self.references)

    def evaluate(self, scope: Mapping[str, object]) -> object:
        """The native value: plain data, a Secret, or an Unknown. Raises ExpressionError."""
        try:
            return self._evaluate(scope)
        except _UnknownTouchedError as touched:
            return touched.unknown
        except SecretLockedError as locked:
            return _locked(locked)
        except ExpressionError:
            raise
        except UndefinedError as error:
            raise ExpressionError(_without_repr(error.message or "undefined")) from None
        except (SecurityError, TemplateRuntimeError) as error:
            raise ExpressionError(str(error)) from None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # The text of these errors may quote values, so only their kind is told.
            raise ExpressionError(f"cannot be evaluated ({type(error).__name__})") from None

    def _evaluate(self, scope: Mapping[str, object]) -> object:
        if self._is_reference:
            return _look_up(next(iter(self.references)), scope)
        seen = {name: scope[name] for name in self.roots if name in scope}
        touched: list[Secret] = []
        token = _secret_touched.set(touched)
        try:
            results = [part if isinstance(part, str) else part(seen) for part in self._parts]
        finally:
            _secret_touched.reset(token)
        for undefined in (r for r in results if isinstance(r, Undefined)):
            undefined._fail_with_undefined_error()  # noqa: SLF001 - Jinja2's own way to say what is undefined
        result = results[0] if len(results) == 1 else "".join(_as_text(r) for r in results)
        if not touched:
            return result
        if not isinstance(result, str | bytes):
            raise ExpressionError("an expression over a secret must give text")
        return Secret(result)


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, str | int | float):
        return "" if value is None else str(value)
    raise ExpressionError(f"a {type(value).__name__} cannot stand inside a text")


def _locked(error: SecretLockedError) -> Secret:
    def load() -> str:
        raise SecretLockedError(*error.args)

    return Secret(load=load)


def _without_repr(message: str) -> str:
    """Jinja2 names the object that lacks an attribute by its repr or type; neither helps the reader."""
    subject, separator, rest = message.partition(" has no attribute ")
    return f"there is no {rest}" if separator and subject else message


def _look_up(path: tuple[str, ...], scope: Mapping[str, object]) -> object:
    """A lone reference: the value itself, a secret with its handle kept."""
    value: object = scope
    for depth, name in enumerate(path):
        if isinstance(value, Unknown):
            return value
        if not isinstance(value, Mapping) or name not in value:
            raise ExpressionError(f"{'.'.join(path[: depth + 1])!r} is undefined")
        value = value[name]
    return value


def is_expression(text: str) -> bool:
    """Whether a scalar is to be evaluated at all."""
    return "{{" in text or "{%" in text or "{#" in text


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Parses a text with `{{ }}` in it. Raises ExpressionError with the place of the first fault."""
    try:
        template = _environment.parse(text)
    except TemplateSyntaxError as error:
        raise ExpressionError(error.message or "not an expression", _start_of(text)) from None
    if any(not isinstance(node, nodes.Output) for node in template.body):
        raise ExpressionError("only {{ }} expressions are offered, no {% %} statements", _start_of(text))
    members = [node for output in template.body if isinstance(output, nodes.Output) for node in output.nodes]
    parts = tuple(node.data if isinstance(node, nodes.TemplateData) else _compile(node) for node in members)
    references = frozenset(path for node in members for path in _references(node))
    lone = len(members) == 1 and _chain(members[0]) is not None
    return Expression(text, references, parts, lone)


def _start_of(text: str) -> int:
    return max(0, min((i for i in (text.find("{{"), text.find("{%")) if i >= 0), default=0))


def _compile(node: nodes.Expr) -> TemplateExpression:
    body = [nodes.Assign(nodes.Name("result", "store"), node, lineno=1)]
    try:
        code = _environment.compile(nodes.Template(body, lineno=1))
    except TemplateSyntaxError as error:
        raise ExpressionError(error.message or "not an expression") from None
    template = _environment.template_class.from_code(_environment, code, dict(_environment.globals))
    return TemplateExpression(template, undefined_to_none=False)


def _chain(node: nodes.Node) -> tuple[str, ...] | None:
    """`a.b["c"]` as ("a", "b", "c"); None for anything that is no plain reference."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        head, member = _chain(node.node), node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        head, member = _chain(node.node), node.arg.value
    else:
        return None
    return None if head is None else (*head, member)


def _references(node: nodes.Node) -> Iterator[tuple[str, ...]]:
    chain = _chain(node)
    if chain is not None:
        yield chain
        return
    for child in node.iter_child_nodes():
        yield from _references(child)

"""Texts with `{{ }}` -> expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.environment import TemplateExpression

from ppmlctl.expressions.errors import ExpressionError
from ppmlctl.expressions.expression import Expression, Part
from ppmlctl.expressions.filters import guarded_filters
from ppmlctl.expressions.limits import LONGEST_TEXT
from ppmlctl.expressions.sandbox import OperandsSeen, make_environment

_environment = make_environment()
_TOO_MUCH = (RecursionError, MemoryError, SyntaxError, ValueError)
"""What Jinja2's and Python's compilers raise for deep nesting and for numbers of thousands of digits."""


def offer(filters: Mapping[str, Callable[..., Any]]) -> None:
    """Offers more filters, pure functions of data, to all expressions."""
    _environment.filters.update(guarded_filters(filters))


def is_expression(text: str) -> bool:
    """Whether a scalar is to be evaluated at all."""
    return "{{" in text or "{%" in text or "{#" in text


@lru_cache(maxsize=65536)
def parse(text: str) -> Expression:
    """Parses a text with `{{ }}` in it. Raises ExpressionError with the place of the first fault."""
    if len(text) > LONGEST_TEXT:
        raise ExpressionError(f"a text with expressions has more than {LONGEST_TEXT} characters", _start_of(text))
    try:
        return _parsed(text)
    except TemplateSyntaxError as error:
        raise ExpressionError(error.message or "not an expression", _start_of(text)) from None
    except ExpressionError:
        raise
    except _TOO_MUCH:
        raise ExpressionError("nested too deeply, or with too long a number", _start_of(text)) from None


def _parsed(text: str) -> Expression:
    body = _environment.parse(text).body
    if any(not isinstance(node, nodes.Output) for node in body):
        raise ExpressionError("only {{ }} expressions are offered, no {% %} statements", _start_of(text))
    members = _without_last_newline([node for part in body if isinstance(part, nodes.Output) for node in part.nodes])
    references = frozenset(path for node in members for path in _references(node))
    return Expression(text, references, tuple(_part(node) for node in members))


def _part(node: nodes.Expr) -> Part:
    if isinstance(node, nodes.TemplateData):
        return node.data
    return _chain(node) or _compile(node)


def _without_last_newline(members: list[nodes.Expr]) -> list[nodes.Expr]:
    """A lone expression in a YAML block (`|`) is still a lone one."""
    match members:
        case [expression, nodes.TemplateData(data="\n")] if not isinstance(expression, nodes.TemplateData):
            return [expression]
    return members


def _start_of(text: str) -> int:
    return max(0, min((i for i in (text.find("{{"), text.find("{%")) if i >= 0), default=0))


def _compile(node: nodes.Expr) -> TemplateExpression:
    seen = OperandsSeen().visit(node)
    body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), seen, lineno=1)]
    code = _environment.compile(nodes.Template(body, lineno=1))
    template = _environment.template_class.from_code(_environment, code, dict(_environment.globals))
    return TemplateExpression(template, undefined_to_none=False)


def _chain(node: nodes.Node) -> tuple[str, ...] | None:
    """`a.b["c"]` as ("a", "b", "c"); None for anything that is no plain reference."""
    names: list[str] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            names.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            names.append(node.arg.value)
        else:
            return None
        node = node.node
    return (node.name, *reversed(names))


def _references(node: nodes.Node) -> Iterator[tuple[str, ...]]:
    chain = _chain(node)
    if chain is not None:
        yield chain
        return
    for child in node.iter_child_nodes():
        yield from _references(child)

"""The Jinja2 environment of expressions: names, members of mappings, items of sequences, bounded arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.visitor import NodeTransformer

from ppmlctl.expressions.filters import CONCATENATED, KNOWN, offered_filters, offered_tests
from ppmlctl.expressions.limits import refuse_larger, weighed
from ppmlctl.expressions.omit import refuse_omit
from ppmlctl.expressions.seeing import see


class _DataContext(Context):
    def resolve_or_missing(self, key: str) -> Any:
        return see(super().resolve_or_missing(key))


class DataEnvironment(ImmutableSandboxedEnvironment):
    """Reads data and nothing else. Operators are bounded; `**`, and `%` on text, are refused."""

    context_class = _DataContext
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        obj = see(obj)
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, Mapping) or (isinstance(obj, Sequence) and isinstance(argument, int | slice)):
            try:
                found = see(obj[argument])
                if isinstance(argument, slice):
                    weighed(found, "[:]")
                return found  # noqa: TRY300 - an `else` would hide the way out
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("`**` is not offered")
        if operator == "%" and isinstance(left, str | bytes):
            raise SecurityError("`%` does not format texts here; write them around {{ }}")
        refuse_omit(left)
        refuse_omit(right)
        size = weighed(left, operator) + weighed(right, operator)
        if operator == "+" and isinstance(left, Sequence):
            refuse_larger(size, operator)
        for one, other in ((left, right), (right, left)):
            if operator == "*" and isinstance(one, Sequence) and isinstance(other, int):
                refuse_larger(weighed(one, operator) * other, operator)
        result = super().call_binop(context, operator, left, right)
        weighed(result, operator)
        return result


class OperandsSeen(NodeTransformer):
    """Lets comparisons see what is inside their operands, and `~` make the same texts as text around `{{ }}`."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - Jinja2's name for it
        self.generic_visit(node)
        node.expr = _through(KNOWN, node.expr)
        for operand in node.ops:
            operand.expr = _through(KNOWN, operand.expr)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja2's name for it
        self.generic_visit(node)
        return _through(CONCATENATED, nodes.List(node.nodes, lineno=node.lineno))

    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802 - Jinja2's name for it
        weighed(node.value, "number")
        return node


def _through(name: str, node: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def make_environment() -> DataEnvironment:
    """One environment for all expressions; it holds no data. Nothing is computed while it compiles (`optimized`)."""
    environment = DataEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, optimized=False
    )
    environment.filters = offered_filters()
    environment.tests = offered_tests()
    environment.globals = {"range": safe_range}
    return environment

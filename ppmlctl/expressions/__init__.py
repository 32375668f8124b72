"""`{{ }}` expressions: sandboxed Jinja2, evaluated natively, over data only.

A text that is one lone `{{ … }}` gives the value itself; text around or between expressions gives text. What is
computed from a secret is a secret; what touches an unknown is that unknown. Neither becomes text. Expressions read
mappings and sequences and call filters, nothing else: no statements, no methods, no attributes of Python objects.
"""

from ppmlctl.expressions.errors import ExpressionError
from ppmlctl.expressions.expansion import Expansion, ExpansionError
from ppmlctl.expressions.expression import Expression
from ppmlctl.expressions.limits import Budget, refuse_heavy
from ppmlctl.expressions.omit import OMIT
from ppmlctl.expressions.parsing import is_expression, offer, parse

__all__ = [
    "OMIT",
    "Budget",
    "Expansion",
    "ExpansionError",
    "Expression",
    "ExpressionError",
    "is_expression",
    "offer",
    "parse",
    "refuse_heavy",
]

"""Gramine's manifest templates: Jinja2, as `gramine-manifest` renders them.

Offered beside the caller's variables: `gramine.libos`, `gramine.pkglibdir`, `gramine.runtimedir()` and `env`. What
upstream offers to look at the building machine (`ldd`, `python`) is not: an image's manifest must not depend on it.
A template is as trusted as the image that it is from: one that could need more time or memory than its own length says
is rendered in a process of its own, which has little of both (`template_process`).
Not part of the package's `__init__`: it loads Jinja2. Source: `python/graminelibos/gen_jinja_env.py` of Gramine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from types import MappingProxyType

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2.sandbox import SandboxedEnvironment

from ppmlctl.sgx.errors import ManifestError, UndefinedVariableError
from ppmlctl.sgx.gramine_paths import GraminePaths
from ppmlctl.sgx.template_process import LIMITS, Limits, Request, render_apart

_NOTHING: Mapping[str, str] = MappingProxyType({})


_LONGEST = 1 << 22
"""Characters of a template; real ones have a few thousand."""
_SHORT = 1 << 16
"""Characters of a template that is looked into here: to read one takes over a thousand bytes a character."""
_PLAIN = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.If)


_OFFERED = frozenset({"gramine", "env"})
_UNDEFINED = re.compile("'([^']+)' is undefined")
_COMPILED = "<template>"
"""What Jinja2 calls the file of a template that is text, in tracebacks with the template's own lines."""


class _RuntimeFolder:
    """`gramine.runtimedir`, which upstream lets templates call, print and extend with `/`."""

    def __init__(self, paths: GraminePaths) -> None:
        self._paths = paths

    def __call__(self, libc: str = "glibc") -> PurePosixPath:
        return self._paths.runtime(libc)

    def __str__(self) -> str:
        return str(self())

    def __truediv__(self, other: str) -> PurePosixPath:
        return self() / other


def render_template(
    template: str,
    variables: Mapping[str, str | int],
    paths: GraminePaths,
    env: Mapping[str, str] = _NOTHING,
    limits: Limits = LIMITS,
) -> str:
    """The manifest in TOML. `env` is what templates see as environment: never this process's own by itself.

    Raises ManifestError, with the line where Jinja2 names one, for bad syntax, for a variable that is not given, for
    whatever the template runs into, and where it needs more than the limits.
    """
    if len(template) > _LONGEST:
        raise ManifestError(f"the manifest template has {len(template)} characters, more than {_LONGEST}")
    request = Request(template, dict(variables), str(paths.pkglibdir), dict(env))
    is_plain = len(template) <= _SHORT and _is_plain(template)
    return render(request) if is_plain else render_apart(request, limits)


def variables_of(template: str) -> frozenset[str] | None:
    """The caller's variables that the template may ask for; None where it is too long to be looked into here.

    Raises ManifestError for bad syntax.
    """
    if len(template) > _SHORT:
        return None
    with _refusing():
        return frozenset(meta.find_undeclared_variables(_jinja().parse(template))) - _OFFERED


def render(request: Request) -> str:
    """The same in this process, without limits. Raises ManifestError."""
    paths = GraminePaths(PurePosixPath(request.pkglibdir))
    jinja = _jinja()
    jinja.globals |= {
        "gramine": {"libos": paths.libos, "pkglibdir": paths.pkglibdir, "runtimedir": _RuntimeFolder(paths)},
        "env": request.env,
    }
    with _refusing():
        return jinja.from_string(request.template).render(request.variables)


def _is_plain(template: str) -> bool:
    """Whether rendering takes no more than the template's length says: values filled in, no loops, no arithmetic.

    Raises ManifestError for bad syntax.
    """
    with _refusing():
        tree = _jinja().parse(template)
        return all(isinstance(node, _PLAIN) or _is_call_of_gramine(node) for node in tree.find_all(nodes.Node))


def _is_call_of_gramine(node: nodes.Node) -> bool:
    """`gramine.runtimedir()`. What else can be called is of Python's own mapping, which can grow by it."""
    match node:
        case nodes.Call(node=nodes.Getattr(node=nodes.Name(name="gramine"), attr="runtimedir")):
            return True
        case _:
            return False


def _jinja() -> SandboxedEnvironment:
    return SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)


@contextmanager
def _refusing() -> Iterator[None]:
    """What Jinja2 and templates raise, as ManifestError."""
    try:
        yield
    except TemplateSyntaxError as error:
        raise ManifestError(
            f"the manifest template has a syntax error in line {error.lineno}: {error.message}"
        ) from None
    except UndefinedError as error:
        name, line = _UNDEFINED.fullmatch(error.message or ""), _line_of(error)
        if name is None:
            raise ManifestError(f"the manifest template cannot be rendered in line {line}: {error.message}") from None
        text = f"the manifest template asks for {name[1]} in line {line}, and nothing gives it"
        raise UndefinedVariableError(text, line, name[1]) from None
    except TemplateError as error:
        raise ManifestError(f"the manifest template cannot be rendered: {error.message}") from None
    except SyntaxError as error:  # of the program that Jinja2 makes of it: Python nests less deeply
        raise ManifestError(f"the manifest template cannot be rendered: {error.msg}") from None
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ManifestError(f"the manifest template cannot be rendered: {error}") from None


def _line_of(error: BaseException) -> int:
    """The template's line that raised it, which Jinja2 writes into the traceback."""
    trace, line = error.__traceback__, 1
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _COMPILED:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line

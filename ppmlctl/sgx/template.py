"""Gramine's manifest templates: Jinja2, as `gramine-manifest` renders them.

Offered beside the caller's variables: `gramine.libos`, `gramine.pkglibdir`, `gramine.runtimedir()` and `env`. What
upstream offers to look at the building machine (`ldd`, `python`) is not: an image's manifest must not depend on it.
Not part of the package's `__init__`: it loads Jinja2. Source: `python/graminelibos/gen_jinja_env.py` of Gramine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from ppmlctl.sgx.errors import ManifestError
from ppmlctl.sgx.gramine_paths import GraminePaths

_NOTHING: Mapping[str, str] = MappingProxyType({})


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
    template: str, variables: Mapping[str, object], paths: GraminePaths, env: Mapping[str, str] = _NOTHING
) -> str:
    """The manifest in TOML. `env` is what templates see as environment: never this process's own by itself.

    Raises ManifestError, with the line where Jinja2 names one, for bad syntax, for a variable that is not given and
    for whatever the template runs into.
    """
    jinja = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    jinja.globals |= {
        "gramine": {"libos": paths.libos, "pkglibdir": paths.pkglibdir, "runtimedir": _RuntimeFolder(paths)},
        "env": dict(env),
    }
    try:
        return jinja.from_string(template).render(variables)
    except TemplateSyntaxError as error:
        raise ManifestError(
            f"the manifest template has a syntax error in line {error.lineno}: {error.message}"
        ) from None
    except TemplateError as error:
        raise ManifestError(f"the manifest template cannot be rendered: {error.message}") from None
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ManifestError(f"the manifest template cannot be rendered: {error}") from None

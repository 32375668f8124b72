"""The process in which a template is rendered; see `template_process`."""

from __future__ import annotations

import json
import resource
import sys

from ppmlctl.sgx.errors import ManifestError, UndefinedVariableError
from ppmlctl.sgx.template import render
from ppmlctl.sgx.template_process import Limits, Request, too_much


def _answer(request: Request, limits: Limits) -> dict[str, str | int | None]:
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    try:
        text = render(request)
    except UndefinedVariableError as error:
        return {"error": str(error), "line": error.line, "variable": error.variable}
    except ManifestError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": str(too_much(f"{limits.memory >> 20} MiB of memory"))}
    if len(text) > limits.answer:
        return {"error": f"the manifest template renders to {len(text)} characters, more than {limits.answer}"}
    return {"text": text}


def _main() -> None:
    given = json.load(sys.stdin)
    limits = Limits(**given.pop("limits"))
    json.dump(_answer(Request(**given), limits), sys.stdout)


if __name__ == "__main__":
    _main()

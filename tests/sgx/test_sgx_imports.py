from __future__ import annotations

import subprocess
import sys

import ppmlctl.sgx


def test_measuring_loads_neither_cryptography_nor_jinja() -> None:
    code = "import sys, ppmlctl.sgx; print({'cryptography', 'jinja2', 'pydantic'} & sys.modules.keys())"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "set()"


def test_everything_exported_is_there_and_sorted() -> None:
    assert all(hasattr(ppmlctl.sgx, name) for name in ppmlctl.sgx.__all__)
    constants, others = (
        [n for n in ppmlctl.sgx.__all__ if n.isupper()],
        [n for n in ppmlctl.sgx.__all__ if not n.isupper()],
    )
    types, functions = [n for n in others if n[0].isupper()], [n for n in others if n[0].islower()]
    assert ppmlctl.sgx.__all__ == sorted(constants) + sorted(types) + sorted(functions)

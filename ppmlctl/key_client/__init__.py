"""The key client as bytes, for images that have none."""

from __future__ import annotations

from pathlib import Path

from ppmlctl.files import read_bytes


def key_client_program() -> bytes:
    """The program that goes into them."""
    return read_bytes(Path(__file__).with_name("program.py"))

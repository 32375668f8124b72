"""The command line. Nothing else prints."""

from ppmlctl.cli.main import main

__all__ = ["main"]

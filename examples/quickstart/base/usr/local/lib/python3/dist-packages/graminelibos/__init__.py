"""Stand-in for Gramine's Python package: it only tells the version."""

__version__ = "1.3.1"

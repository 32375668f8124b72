"""Addresses, as BigDL's scripts read them."""

from __future__ import annotations

from urllib.parse import urlsplit


def host_and_port(url: str) -> tuple[str, str]:
    """Of an https URL, or of what follows its scheme: the images take both apart, and assume other ports."""
    parts = urlsplit(url if "://" in url else f"//{url}")
    return parts.hostname or "", str(parts.port or 443)


def without_path(url: str) -> str:
    """Scheme, host and port alone: the images add a path themselves."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

"""Empty texts that a server or a controller has filled for good: `clusterIP: ""` , a claim's `volumeName`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppmlctl.kubernetes.objects import Manifest


def filled_in(desired: Manifest, live: Manifest) -> Manifest:
    """The manifest with what stands in the live object where it declares an empty text, or null for one.

    Empty means to Kubernetes "not set". Only for fields that the server refuses to empty: of those that it would, the
    declared value counts. Lists stay as they are: who is who in them is the server's to say.
    """
    return {name: _filled(value, live.get(name)) for name, value in desired.items()}


def _filled(desired: Any, live: Any) -> Any:
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        return {name: _filled(value, live.get(name)) for name, value in desired.items()}
    return live if (desired is None or desired == "") and isinstance(live, str) else desired

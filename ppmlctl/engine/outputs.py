"""An environment's outputs, from the results of its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppmlctl.playbook import Expanded


def evaluate_outputs(expanded: Expanded, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Each output whose results are there."""
    known = ((output.name, output.evaluate_if_known(results)) for output in expanded.outputs)
    return {name: value for name, value in known if value is not None}

"""Where an environment lives, as plans and questions name it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Whereabouts:
    """`context` is the kubeconfig's; empty where none plays a part."""

    name: str
    target: str
    context: str
    namespace: str

    def parts(self) -> Iterator[str]:
        """Everything but the name, in words."""
        yield f"target {self.target}"
        if self.context:
            yield f"context {self.context}"
        yield f"namespace {self.namespace}"

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.parts())})"

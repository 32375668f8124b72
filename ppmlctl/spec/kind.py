"""What a workload can be: one section for each kind, which rules see by its traits and by the answers below."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ppmlctl.protection import Tee
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.section import Section
from ppmlctl.spec.traits import Trait, marked

if TYPE_CHECKING:
    from ppmlctl.spec.environment import Environment


@dataclass(frozen=True)
class InTheOpen:
    """The key by whose value a workload runs in no enclave and no domain, and what to say instead."""

    key: str
    fix: str


class Kind(Section):
    """A key of `workloads[]`. Which traits its fields have is what most rules ask."""

    keeps_secrets: ClassVar[str]
    """How a secret gets to its processes instead of through ppml.yaml."""
    own_words: ClassVar[tuple[str, ...]] = ()
    """What its command holds besides `command_words`."""

    @property
    def protected_by(self) -> Tee:
        """What protects it, by the field so marked."""
        (found,) = (tee for _, tee in marked(self, Trait.TEE))
        return found  # type: ignore[no-any-return]  # values of marked fields have no type

    @property
    def in_the_open(self) -> InTheOpen | None:
        """Why it is protected by nothing, where it says so itself."""
        raise NotImplementedError

    @property
    def enclosed(self) -> tuple[str, ...]:
        """Fields with the processes that run in enclaves, where there are devices."""
        raise NotImplementedError

    @property
    def started_by_entrypoint(self) -> tuple[str, ...]:
        """Those of `enclosed` that are pods of their own, and so begin with the image's entrypoint."""
        raise NotImplementedError

    @property
    def expected_log(self) -> str | None:
        """What the log of a successful run of this very program says; None where nobody knows."""
        return None

    def with_defaults(self, environment: Environment) -> Self:  # noqa: ARG002 - here nothing follows from it
        """With what follows from other sections, besides what its marks say."""
        return self

    def host_names(self, name: str, namespace: str) -> tuple[str, ...]:  # noqa: ARG002 - here it serves nobody
        """The names by which others reach a workload that is called so, for the certificate."""
        return ()

    def command_words(self, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        """What is given to its command, each word with its place; shells of the image take them in their hands."""
        raise NotImplementedError

    def variables(self, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        """Variables of its processes by their names, each with its place."""
        for place, values in marked(self, Trait.VARIABLES, path):
            yield from (((*place, name), name) for name in values)

"""One apply at a time on one cluster's environment, and only with the lockfile that the cluster was made by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import Diagnostic, EngineError, Severity
from ppmlctl.engine.cluster_lease import Acquisition, ClusterLease, holder_is_gone, holder_of, lease_name
from ppmlctl.engine.engines import OpenEngines
from ppmlctl.engine.events import Listener, TaskProgress, Warned
from ppmlctl.engine.held_lease import HeldLease, Taken
from ppmlctl.engine.lockfile_fit import check_fit
from ppmlctl.modules._kubernetes import labelled
from ppmlctl.modules.context import Context
from ppmlctl.planning import ABSENT, ActionKind, Plan, Recorded
from ppmlctl.spec import Environment
from ppmlctl.state import LockStore, locked
from ppmlctl.state.lease import Fit, Lease, Standing, Watched, fit, standing

if TYPE_CHECKING:
    from ppmlctl.clients.kubernetes import Manifest


@dataclass
class Exclusion:
    """The lease of one environment, as one session deals with it. `accept`: this lockfile counts, whatever it knows."""

    environment: Environment
    engines: OpenEngines
    store: LockStore
    accept: bool = False
    seen: Lease | None = None
    """The lease as it was when the plan was made."""
    busy: bool = False
    """Whether a process that may be alive held it then."""
    held: HeldLease | None = None
    notes: list[Diagnostic] = field(default_factory=list)

    def refuse_beside_another(self) -> None:
        """Raises StateError (environment-locked) where another apply was under way when the lease was looked at."""
        if self.held is None and self.seen and self.seen.holder and _is_live(self.seen):
            raise locked(str(self.seen))

    def look(self) -> None:
        """Reads the lease, unless it is held here. Raises StateError for a lockfile that lags behind, unless another
        apply is under way.
        """
        if self.held is not None:
            return
        self.seen = self._lease_of(self.engines.kubernetes).read()
        self.busy = holder_of(self.seen) is not None and not holder_is_gone(self.seen)
        self.notes = []
        if self.seen and self.seen.holder and _is_live(self.seen):
            title, why = "another apply runs right now", "what it is about to make is shown as missing"
            self.notes = [Diagnostic("apply-running", title, str(self.seen), why, severity=Severity.WARNING)]
        elif not self.accept:
            check_fit(self.store.revision(), self.seen.revision if self.seen else None)

    def check_revision(self) -> None:
        """Refuses a lockfile that the cluster was not made by, whoever holds the lease. Raises StateError."""
        check_fit(self.store.revision(), self.seen.revision if self.seen else None)

    def is_settled(self) -> bool:
        """Whether the lease can stay as it is: no killed apply left it, and the lockfile fits without being told to."""
        return (
            not holder_is_gone(self.seen)
            and fit(self.store.revision(), self.seen.revision if self.seen else None) is Fit.FITS
        )

    def begin_anew(self) -> None:
        """Before a lockfile is made: refuses where the cluster was made by one, or goes on under its identity."""
        self.look()
        if self.notes:
            raise locked(str(self.seen))  # waiting for it would end in a refusal
        if self.seen is not None and self.accept:
            self.store.follow(self.seen.revision)

    @contextmanager
    def hold(self, plan: Plan, context: Context, listener: Listener, *, patience: float) -> Iterator[bool]:
        """Holds the lease; gives whether another apply ran since the plan was made.

        Raises StateError where a living process holds it or the lockfile lags behind.
        """
        namespace = self.environment.cluster.namespace
        taken = self._taken(_namespace_made_by(plan, namespace, context), listener, patience)
        vanishes = _takes_away(plan, context.recorded, namespace)
        lease = self._lease_of(self.engines.lease)
        held = HeldLease(lease, taken, self.store.revision, context.stopping.set, may_vanish=vanishes)
        self.held, self.notes = held, []
        self._fence(held.admit)
        try:
            yield self.busy or _transitions(taken.before) != _transitions(self.seen)
        finally:
            self._leave(held, listener)

    def _taken(self, home: Manifest | None, listener: Listener, patience: float) -> Taken:
        return Acquisition(
            self._lease_of(self.engines.lease, home),
            self.environment.cluster.lease_seconds,
            patience,
            self.seen,
            self.store.revision,
            self._check,
            lambda text: listener(TaskProgress("lease", text)),
            lambda text: listener(Warned("lease", text)),
        ).run()

    def _check(self, found: Lease | None) -> None:
        here, known = self.store.revision(), found.revision if found else None
        if not self.accept:
            check_fit(here, known)
        elif known is not None and fit(here, known) is not Fit.FITS:
            self.store.follow(known)

    def _fence(self, admit: Callable[[], None]) -> None:
        self.store.fence = admit
        for effects in self.engines.effects_on_the_world():
            effects.fence = admit

    def _leave(self, held: HeldLease, listener: Listener) -> None:
        try:
            held.release()
        except EngineError as error:
            seconds = self.environment.cluster.lease_seconds
            listener(Warned("lease", f"could not be given back, it ends in {seconds} s: {error.diagnostics[0].found}"))

    def _lease_of(self, client: Any, home: Manifest | None = None) -> ClusterLease:
        return ClusterLease(client, self.environment.cluster.namespace, lease_name(self.environment.name), home)


def _is_live(lease: Lease) -> bool:
    gone = holder_is_gone(lease)
    return standing(lease, watched=Watched(), now=datetime.now(UTC), holder_is_gone=gone) is Standing.LIVE


def _transitions(lease: Lease | None) -> int | None:
    return None if lease is None else lease.transitions


def _namespace_made_by(plan: Plan, namespace: str, context: Context) -> Manifest | None:
    """The namespace with the labels of the task that makes it, so that this task finds it as its own."""
    for action in plan.actions:
        is_there = plan.observed.get(action.address, ABSENT).exists
        if (
            action.action not in {ActionKind.CREATE, ActionKind.REPLACE}
            or action.address not in plan.wanted
            or is_there
        ):
            continue
        manifest = getattr(plan.wanted[action.address].args, "manifest", None)
        if isinstance(manifest, Mapping) and _is_namespace(manifest, namespace):
            bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            return labelled(context, action.address, bare)
    return None


def _is_namespace(manifest: Mapping[str, Any], name: str) -> bool:
    return manifest.get("kind") == "Namespace" and (manifest.get("metadata") or {}).get("name") == name


def _takes_away(plan: Plan, recorded: Mapping[str, Recorded], namespace: str) -> bool:
    """Whether the plan deletes the namespace, and the lease with it."""
    going = [action.address for action in plan.actions if action.action is ActionKind.DELETE]
    results = [recorded[address].result for address in going if address in recorded]
    return any((one.get("kind"), one.get("name")) == ("Namespace", namespace) for one in results)

"""Carries a plan out: order, parallelism, retries, records. Observe, then act, then record, task by task."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

from ppmlctl.diagnostics import Diagnostic, PpmlError, TransientError
from ppmlctl.engine.events import Listener, Recap, Status, TaskFinished, TaskProgress, TaskStarted, Warned
from ppmlctl.engine.held_lease import HeldLease
from ppmlctl.engine.surprise import file_fault, surprise
from ppmlctl.modules.base import BESIDE_THE_RESULT, Module, ModuleResult, ObjectResult
from ppmlctl.modules.context import Context
from ppmlctl.planning import ABSENT, ActionKind, Observed, Plan, PlannedAction, Recorded, Removal, Task, Wanted
from ppmlctl.state import LockStore

PARALLEL = 8
RETRY_AFTER = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds to wait before each further try after a transient fault, where the engine does not ask for more."""
LONGEST_PAUSE = 60.0
"""Seconds; an engine that asks for more is asked again all the same."""
SHARED_SECONDS = 0.05
"""Seconds that a finished task waits for others to share its durable write, while there are tasks that need not."""

AnyModule = Module[Any, Any]


@dataclass
class Run:
    """One execution of one plan."""

    plan: Plan
    tasks: Mapping[str, Task]
    modules: Mapping[str, AnyModule]
    context: Context
    store: LockStore
    recorded: Mapping[str, Recorded]
    digest: Callable[[bytes], str | None]
    listener: Listener
    parallel: int = PARALLEL
    lease: HeldLease | None = None
    """Without one nothing stands before the tasks."""
    results: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    recap: Recap = field(default_factory=Recap)
    removed: set[str] = field(default_factory=set)
    """Modules of which this run has taken something away."""
    unavailable: dict[str, str] = field(default_factory=dict)
    """Tasks that failed or were skipped, with the one that failed first."""

    def execute(self) -> Recap:
        """Removals first, then everything else. A failed task stops only those that need it."""
        removals = [action for action in self.plan.actions if action.action is ActionKind.DELETE]
        others = [action for action in self.plan.actions if action.action is not ActionKind.DELETE]
        try:
            with ThreadPoolExecutor(self.parallel, thread_name_prefix="task") as pool:
                self._execute(removals, pool, self._remove)
                self._execute(others, pool, self._make)
        except KeyboardInterrupt:
            self.store.flush()  # one more while another was dealt with: what ran has ended by now, and is recorded
            raise
        return self.recap

    def _execute(
        self,
        actions: list[PlannedAction],
        pool: ThreadPoolExecutor,
        perform: Callable[[PlannedAction], TaskFinished],
    ) -> None:
        waiting = _Waiting(actions)
        running: dict[Future[TaskFinished], PlannedAction] = {}
        ended: list[TaskFinished] = []
        settled = time.monotonic()
        while waiting.ready or running or ended:
            try:
                self._start(waiting, running, pool, perform)
                if running:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        running.pop(future)
                        ended.append(future.result())
                alone = self.parallel == 1  # one after the other: whoever asks for that can tell the order
                if alone or not waiting.ready or time.monotonic() > settled + SHARED_SECONDS:
                    if not alone:
                        self._start(waiting, running, pool, perform)  # these work while the others are recorded
                    self._settle(waiting, ended)
                    settled = time.monotonic()
            except KeyboardInterrupt:
                self.recap.interrupted = True
                self.context.stopping.set()
                self.listener(Warned("", "stopping: what runs is finished and recorded"))

    def _start(
        self,
        waiting: _Waiting,
        running: dict[Future[TaskFinished], PlannedAction],
        pool: ThreadPoolExecutor,
        perform: Callable[[PlannedAction], TaskFinished],
    ) -> None:
        while waiting.ready and len(running) < self.parallel:
            action = waiting.ready.pop(0)
            failed = next((self.unavailable[need] for need in action.needs if need in self.unavailable), None)
            if failed or self.context.stopping.is_set():
                because, blame = (f"{failed} failed", failed) if failed else ("stopped", "stopped")
                self._finish(waiting, TaskFinished(action, Status.SKIPPED, because=because, blame=blame))
            elif action.action is ActionKind.KEEP:
                kept = self.plan.wanted[action.address].args
                self._finish(waiting, self._keep(action, kept, *action.reasons[:1]))
            else:
                self.listener(TaskStarted(action))
                running[pool.submit(self._guarded, perform, action)] = action

    def _settle(self, waiting: _Waiting, ended: list[TaskFinished]) -> None:
        """Makes the records of what has ended durable, by one write; only then others may build on it."""
        fault: OSError | None = None
        try:
            if ended:
                self.store.flush()
        except OSError as error:
            fault = error
        while ended:
            finished = ended.pop(0)
            if fault is not None and finished.status is Status.CHANGED:
                finished = replace(finished, status=Status.FAILED, diagnostics=(file_fault(fault),))
            self._finish(waiting, finished)

    def _finish(self, waiting: _Waiting, finished: TaskFinished) -> None:
        address = finished.action.address
        if finished.status is Status.FAILED or finished.blame:
            self.unavailable[address] = finished.blame or address
        self.recap.finished.append(finished)
        self.listener(finished)
        waiting.finish(address)

    def _guarded(self, perform: Callable[[PlannedAction], TaskFinished], action: PlannedAction) -> TaskFinished:
        """Every fault of one task becomes its outcome; the time is measured here."""
        started = time.monotonic()
        diagnostics: tuple[Diagnostic, ...]
        try:
            if self.lease is not None:
                self.lease.admit()
            finished = self._retried(perform, action)
        except PpmlError as error:
            if self.lease is not None and self.lease.is_lost:
                # Told once, by whoever runs this; what the loss stopped on its way would only repeat it.
                return TaskFinished(action, Status.SKIPPED, because="the lease was lost", blame="stopped")
            diagnostics = error.diagnostics
        except OSError as error:
            diagnostics = (file_fault(error),)
        except Exception as error:  # noqa: BLE001 - any other fault of a module must not stop its neighbours
            diagnostics = (surprise(error, action.address),)
        else:
            return _timed(finished, time.monotonic() - started)
        return TaskFinished(action, Status.FAILED, time.monotonic() - started, diagnostics=diagnostics)

    def _retried(self, perform: Callable[[PlannedAction], TaskFinished], action: PlannedAction) -> TaskFinished:
        for pause in RETRY_AFTER:
            try:
                return perform(action)
            except TransientError as error:
                seconds = min(max(pause, error.retry_after), LONGEST_PAUSE)
                self.listener(TaskProgress(action.address, f"{error.diagnostics[0].title}; next try in {seconds:g} s"))
                if self.context.stopping.wait(seconds):
                    raise
        return perform(action)

    def _keep(self, action: PlannedAction, args: Any, because: str = "") -> TaskFinished:
        recorded = self.recorded[action.address]
        result = self.modules[action.module].kept_result(args, recorded)
        self.results[action.address] = result
        task = self.tasks[action.address]
        if not steers_as_recorded(task, recorded):
            # Edges and protection steer later removals, so they are kept true although nothing else changed.
            needs = tuple(sorted(task.needs))
            self.store.record(action.address, replace(recorded, needs=needs, protect=task.protect))
        return TaskFinished(action, Status.OK, 0.0, because, recorded.evidence, result)

    def _make(self, action: PlannedAction) -> TaskFinished:
        task, module = self.tasks[action.address], self.modules[action.module]
        if task.condition is not None and task.condition(self.results) is False:
            return TaskFinished(action, Status.SKIPPED, because="its condition does not hold")
        args = task.arguments(self.results)
        wanted = Wanted(action.address, args, module.fingerprint(args, self.digest))
        recorded = self.recorded.get(action.address)
        context = self._context_of(action)
        observed = self._observed(action, wanted, module, context)
        if action.conditional and module.diff(wanted, observed, recorded).action is ActionKind.KEEP and recorded:
            return self._keep(action, args, "what it depends on gave the same result")
        result: ModuleResult = module.apply(context, args, observed)
        public = {name: getattr(result, name) for name in type(result).model_fields if name not in BESIDE_THE_RESULT}
        entry = Recorded(
            action.module,
            wanted.inputs,
            public,
            tuple(sorted(task.needs)),
            result.evidence,
            protect=task.protect,
            stored_otherwise=result.stored_otherwise if isinstance(result, ObjectResult) else {},
        )
        self.store.note(action.address, entry)
        self.results[action.address] = public
        return TaskFinished(action, Status.CHANGED, 0.0, "", result.evidence, public)

    def _observed(self, action: PlannedAction, wanted: Wanted, module: AnyModule, context: Context) -> Observed:
        """The plan's observation, unless the arguments became others, or things of this kind were taken away since."""
        planned = self.plan.wanted.get(action.address)
        moved = action.module in self.removed
        if planned is not None and planned.inputs == wanted.inputs and not moved:
            return self.plan.observed.get(action.address, ABSENT)
        return module.observe(context, [wanted]).get(action.address, ABSENT)

    def _remove(self, action: PlannedAction) -> TaskFinished:
        recorded = self.recorded[action.address]
        if action.removal is Removal.DELETE:
            self.modules[action.module].remove(self._context_of(action), recorded)
            self.removed.add(action.module)
        self.store.forget(action.address)
        return TaskFinished(action, Status.CHANGED, evidence=recorded.evidence, result=recorded.result)

    def _context_of(self, action: PlannedAction) -> Context:
        address = action.address

        def tell(text: str) -> None:
            self.listener(TaskProgress(address, text))

        def warn(text: str) -> None:
            self.recap.warnings.append(f"{address}: {text}")
            self.listener(Warned(address, text))

        return self.context.for_task(address, tell, warn, rotating=action.rotates, replacing=action.named)


class _Waiting:
    """The actions that wait for others, and those whose needs are all done, in plan order."""

    def __init__(self, actions: list[PlannedAction]) -> None:
        self._rank = {action.address: number for number, action in enumerate(actions)}
        self._actions = {action.address: action for action in actions}
        self._missing = {a.address: {need for need in a.needs if need in self._actions} for a in actions}
        self._dependents: dict[str, list[str]] = {}
        for address, needs in self._missing.items():
            for need in needs:
                self._dependents.setdefault(need, []).append(address)
        self.ready = [action for action in actions if not self._missing[action.address]]

    def finish(self, address: str) -> None:
        """Lets go those that waited for this one only."""
        freed = []
        for dependent in self._dependents.get(address, ()):
            self._missing[dependent].discard(address)
            if not self._missing[dependent]:
                freed.append(self._actions[dependent])
        if freed:
            self.ready.extend(freed)
            self.ready.sort(key=lambda action: self._rank[action.address])


def steers_as_recorded(task: Task, recorded: Recorded) -> bool:
    """Whether a kept task's edges and protection are the recorded ones."""
    return (recorded.needs, recorded.protect) == (tuple(sorted(task.needs)), task.protect)


def _timed(finished: TaskFinished, seconds: float) -> TaskFinished:
    return replace(finished, seconds=seconds)

"""One environment, opened: ppml.yaml, playbooks, lockfile, vault and engines, and the way from them to a plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.engine.believable import Believable
from ppmlctl.engine.engines import OpenEngines
from ppmlctl.engine.events import Listener, Recap
from ppmlctl.engine.exclusion import Exclusion
from ppmlctl.engine.expansion import expand_environment
from ppmlctl.engine.identity import check_identities, check_target, engine_identities
from ppmlctl.engine.observe import as_recorded, settled
from ppmlctl.engine.one_task_each import check_one_task_each
from ppmlctl.engine.options import Options, lockfile_path
from ppmlctl.engine.outputs import evaluate_outputs
from ppmlctl.engine.own_files import check_own_files, neighbours
from ppmlctl.engine.placement import placed
from ppmlctl.engine.replacement import accompanied, check_named
from ppmlctl.engine.rotation import rotating
from ppmlctl.engine.run import Run, steers_as_recorded
from ppmlctl.engine.sandbox_state import running_sandbox, sandbox_not_started, sandbox_stopped, start_sandbox
from ppmlctl.engine.secret_references import check_secret_references
from ppmlctl.engine.secret_sources import secret_of
from ppmlctl.engine.secrets_kept import SecretsKept
from ppmlctl.engine.unasked import asks_of, unasked
from ppmlctl.engine.vault_access import NoVault, follow_vault, open_vault, password_of, vault_locked, vault_needed
from ppmlctl.engine.whereabouts import Whereabouts
from ppmlctl.engine.workload_runs import WorkloadRun, abandoned_runs, last_run
from ppmlctl.flows.registry import load
from ppmlctl.modules.base import Module
from ppmlctl.modules.context import SANDBOX, Context, Engines, Files
from ppmlctl.modules.registry import Registry
from ppmlctl.planning import (
    NOT_LOOKED_AT,
    ActionKind,
    Moves,
    Plan,
    Planner,
    Recorded,
    Selection,
    Task,
    Wanted,
    check_asked,
    check_known,
    followed,
    moves,
    select,
)
from ppmlctl.planning.protections import dropped
from ppmlctl.playbook import Expanded
from ppmlctl.sandbox.process import Sandbox
from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.spec import Loaded
from ppmlctl.state import LockStore, Vault
from ppmlctl.unknown import Unknown

if TYPE_CHECKING:
    from ppmlctl.runs.run import Roles

SANDBOX_ENGINES = {"kubernetes", "ehsm"}


class Session:
    """Everything a command needs of one environment. Opening it reads files and touches nothing."""

    def __init__(self, options: Options, *, begun: Session | None = None) -> None:
        """`begun` is a session of the same files, opened just before: what it has read is not read again."""
        self.options = options
        self.root = options.file.parent
        self._begun = begun
        self.loaded: Loaded = begun.loaded if begun else load(options.file)
        self.environment = self.loaded.environment
        self.modules: Mapping[str, Module[Any, Any]] = Registry()
        lockfile = lockfile_path(options.file)
        self.store = LockStore.open(lockfile, shown_as=lockfile.name)
        self.moved: list[Moves] = []
        self._given_password: Secret | None = None
        self.declared, self.vault = self._expand_and_unlock()
        placed_tasks = (placed(task, self.modules[task.module], self._placing) for task in self.declared.tasks)
        self.expanded = replace(self.declared, tasks=tuple(placed_tasks))

    @property
    def sandboxed(self) -> bool:
        """Whether the engines are embedded ones."""
        return self.environment.target == SANDBOX

    @cached_property
    def engines(self) -> OpenEngines:
        """Opened at the first use, since the sandbox may be started before."""
        return self._open_engines(writes_allowed=self.options.writes_allowed)

    @cached_property
    def sandbox(self) -> Sandbox | None:
        """Where the running sandbox listens; None where it does not run or is not wanted."""
        return running_sandbox(self.root) if self.sandboxed else None

    @property
    def warnings(self) -> list[Diagnostic]:
        """What every plan says: findings in ppml.yaml, and what could not be looked at."""
        vault = [vault_locked()] if self.recorded and self.vault.is_locked() else []
        sandbox = [sandbox_not_started()] if self.sandboxed and self.sandbox is None else []
        return [*self.loaded.warnings, *vault, *sandbox, *self.engines.warnings(), *self.exclusion.notes]

    @property
    def whereabouts(self) -> Whereabouts:
        """What the environment is called, and where its things are."""
        cluster = self.environment.cluster
        context = "" if self.sandboxed else self.engines.context or cluster.context or ""
        return Whereabouts(self.environment.name, self.environment.target, context, cluster.namespace)

    def check_own_files(self) -> None:
        """Refuses keys and keystores of another environment in this folder. Raises StateError; nobody is asked."""
        if not neighbours(self.store):
            return
        wanted = [
            (Wanted(task.address, args, self.modules[task.module].fingerprint(args, lambda _: None)), task.module)
            for task, args in self._arguments_before_results()
        ]
        check_own_files(self.environment.name, self.store, wanted, self.modules)

    def _arguments_before_results(self) -> Iterator[tuple[Task, Any]]:
        """Each task with its arguments, as far as they are known without any result; no engine is asked."""
        results = {
            task.address: {name: Unknown(task.address) for name in self.modules[task.module].result_fields()}
            for task in self.declared.tasks
        }
        return ((task, task.arguments(results)) for task in self.declared.tasks)

    def foreseen_warnings(self) -> tuple[list[Diagnostic], list[str]]:
        """What the tasks themselves have to say without anybody being asked: protections dropped, and notes."""
        self.check_own_files()
        warnings: list[Diagnostic] = []
        notes: dict[str, None] = {}
        for task, args in self._arguments_before_results():
            module = self.modules[task.module]
            notes |= dict.fromkeys(module.notes(args))
            inputs = module.fingerprint(args, lambda _: None)
            warnings += dropped(task.address, module, self.recorded.get(task.address), inputs)
        return warnings, list(notes)

    def start_sandbox(self) -> None:
        """Starts the sandbox where this environment wants one. Must come before anything looks at the engines."""
        if self.sandboxed:
            self.sandbox = start_sandbox(self.root)

    @cached_property
    def recorded(self) -> dict[str, Recorded]:
        """The lockfile's entries as they were when this session began."""
        return self.store.lockfile.recorded(SecretsKept(self.root, self.vault, lambda: self.engines).resolve)

    def digest(self, value: bytes) -> str | None:
        """Keyed digest of a secret; None while the vault is locked."""
        try:
            return self.vault.digest(value)
        except SecretLockedError:
            return None

    def plan(self, *, destroy: bool = False) -> Plan:
        """Looks at the world and decides. Raises StateError where the lockfile belongs to another world."""
        check_target(self.store.lockfile, self.environment.target, move=self.options.move)
        if not destroy:
            self.check_own_files()
        self._check_sandbox()
        self._check_identities()
        if self._has_a_lease():
            self.exclusion.look()
        self.check_records()
        unasked = self._unasked()
        declared: tuple[Task, ...] = () if destroy else self.expanded.tasks
        tasks, selection = self._selected(declared)
        kept = self._as_recorded(declared)
        recorded = {**abandoned_runs(self._intents, self.recorded, {one.address for one in declared}), **self.recorded}
        rotations = self.store.lockfile.rotations
        rotates = frozenset() if destroy else rotating(self.options.rotate, self.recorded, self.modules, rotations)
        unseen = {task.address: NOT_LOOKED_AT for task in tasks if not self._is_reachable(self._engine_of(task))}
        named = check_named(self.options.replace, self.recorded, self.modules)
        self._check_asked(tasks, selection, rotates, named)
        planner = partial(Planner, rotating=rotates, named=named, selection=selection, unasked=unasked)
        planned = {task.address for task in tasks}
        plan = settled(
            [one for one in kept if one[0].address in planned and self._is_reachable(self.modules[one[1]].engine)],
            self.modules,
            self.context,
            lambda found: planner(self.modules, {**unseen, **found}, recorded, self.digest).plan(tasks),
        )
        others = {task.address for task in declared if task.condition is None} - planned
        wanted = {**{one.address: one for one, _ in kept if one.address in others}, **plan.wanted}
        check_one_task_each(declared, replace(plan, wanted=wanted), self.modules)
        check_secret_references(declared, wanted, self.modules)
        return accompanied(plan, self.modules, self.context, self.recorded, destroying=destroy)

    def _selected(self, tasks: tuple[Task, ...]) -> tuple[tuple[Task, ...], Selection]:
        """The tasks to plan. Raises InputError for a tag that no task of the playbooks has."""
        check_known(self.options.tags, self.expanded.tags)
        return select(tasks, self.options.tags)

    def _check_asked(
        self, tasks: Sequence[Task], selection: Selection, rotates: Iterable[str], named: Iterable[str]
    ) -> None:
        """Refuses to leave out what is asked for by its name. Raises InputError."""
        asked = {
            "--rotate": sorted(rotates) if self.options.rotate else [],
            "--replace": sorted(named),
            "--rerun": [f"workload.{name}" for name in sorted(self.options.rerun)],
        }
        if selection.restricts or selection.left_out:
            touched = {task.address for task in tasks} - selection.held
            here = touched if selection.restricts else {*touched, *self.recorded} - set(selection.left_out)
            check_asked(asked, here)

    def check_records(self) -> None:
        """Refuses a lockfile that says what ppmlctl cannot have written. Raises StateError."""
        intents, lockfile = self.store.lockfile.intents, self.store.path.name
        Believable(self.recorded, intents, self.expanded.tasks, self.modules, self.root, lockfile).check()

    def wanted_as_recorded(self) -> list[tuple[Wanted, str]]:
        """What each task wants if all that is recorded is kept, with its module; no engine is asked."""
        return as_recorded(self.expanded.tasks, self.modules, self.recorded, self.digest)

    def _unasked(self) -> Mapping[str, str]:
        if not asks_of(self.recorded, self.modules):
            return {}
        return unasked(self.recorded, self.wanted_as_recorded(), self.modules)

    @cached_property
    def exclusion(self) -> Exclusion:
        """The lease in the environment's cluster."""
        return Exclusion(self.environment, self.engines, self.store, self.options.accept_lockfile)

    def begin(self) -> None:
        """Before anything is made for an environment that has no lockfile here: see `Exclusion.begin_anew`.

        Raises StateError where it would take what belongs to another environment of the folder, and InputError where
        something is asked for by a name that nothing has.
        """
        check_known(self.options.tags, self.expanded.tags)
        rotating(self.options.rotate, self.recorded, self.modules, self.store.lockfile.rotations)
        check_named(self.options.replace, self.recorded, self.modules)
        self.check_own_files()
        if self._has_a_lease() and not self.store.path.exists():
            self.exclusion.begin_anew()

    def needs_lease(self, plan: Plan) -> bool:
        """Whether carrying the plan out writes anything."""
        if not self._has_a_lease():
            return False
        tasks = {task.address: task for task in self.expanded.tasks}
        kept = [action.address for action in plan.actions if action.action is ActionKind.KEEP]
        return (
            not plan.is_empty()
            or bool(self.moved or self.store.lockfile.rotations)
            or not self.exclusion.is_settled()
            or any(not steers_as_recorded(tasks[address], self.recorded[address]) for address in kept)
        )

    def lease(self, plan: Plan, listener: Listener) -> AbstractContextManager[bool]:
        """Holds the cluster's lease; see `Exclusion.hold`."""
        return self.exclusion.hold(plan, self.context, listener, patience=self.options.lock_timeout)

    @contextmanager
    def hold(self, listener: Listener, *, beside_an_apply: bool = False) -> Iterator[None]:
        """Holds the lease for a write that is no plan's action; nothing where the cluster knows nothing of this yet.

        Raises StateError where another process has it, unless that may be, and where the lockfile is not the cluster's.
        """
        if not self._has_a_lease():
            yield
            return
        self.exclusion.look()
        if self.exclusion.seen is None:
            yield
            return
        if self.exclusion.notes and beside_an_apply:
            self.exclusion.check_revision()
            yield
            return
        with self.exclusion.hold(Plan(()), self.context, listener, patience=self.options.lock_timeout):
            yield

    def apply(self, plan: Plan, listener: Listener) -> Recap:
        """Carries the plan out. Whoever calls holds the apply lock, and the lease where the plan needs it.

        Raises LeaseLostError where it was lost on the way.
        """
        identities = self._identities(self._engines_of(plan))
        for found in self.moved:
            self.store.relocate(found)
        self.store.identify(name=self.environment.name, target=self.environment.target, engines=identities)
        self.store.begin_rotations(action.address for action in plan.actions if action.rotates)
        run = Run(
            plan,
            {task.address: task for task in self.expanded.tasks},
            self.modules,
            self.context,
            self.store,
            {**abandoned_runs(self._intents, self.recorded, plan.wanted), **self.recorded},
            self.digest,
            listener,
            self.options.parallel,
            self.exclusion.held,
        )
        recap = run.execute()
        if self.exclusion.held and self.exclusion.held.is_lost:
            self.exclusion.held.admit()
        if recap.succeeded and not plan.selection.left_out:
            self.store.end_rotations()  # what is left out may have to follow yet
        recap.selection = plan.selection
        return recap

    def cluster_identity(self, plan: Plan) -> dict[str, str]:
        """What tells the plan's cluster from all others; nothing where it needs none, or none is there yet."""
        return self._identities(self._engines_of(plan) & {"kubernetes"})

    def outputs(self, results: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
        """The environment's outputs, from the given results or the lockfile; those not known yet are left out."""
        known = results if results is not None else {address: entry.result for address, entry in self.recorded.items()}
        return evaluate_outputs(self.expanded, known)

    def last_run(self, workload: str) -> WorkloadRun:
        """The last run of a workload. Raises InputError where there is no such workload, or it has not run."""
        self.check_records()
        names = [one.name for one in self.environment.workloads]
        known = {one: entry for one, entry in self.recorded.items() if entry.module in self.modules}
        runs = {one: entry for one, entry in known.items() if self.modules[entry.module].roles}
        return last_run(workload, names, runs, self._intents)

    def cancel(self, workload: str) -> str:
        """Ends the last run of a workload; its name, or an empty text where it had ended."""
        from ppmlctl.runs.attempt import end_run  # noqa: PLC0415 - loads what only runs need
        from ppmlctl.runs.container_submitter import ClientContainer  # noqa: PLC0415 - the same

        run = self.last_run(workload)
        if not self.modules[run.module].is_workload:
            title, fix = "a server is not cancelled", "take it out of ppml.yaml, and apply that"
            raise InputError(Diagnostic("workload-is-a-server", title, found=workload, fix=fix))
        client = ClientContainer(run.client, run.runs) if run.client and run.runs else None
        return run.name if end_run(self.context, run.namespace, run.name, self.roles_of(run), client) else ""

    def roles_of(self, run: WorkloadRun) -> Roles:
        """What the pods of a run are."""
        roles = self.modules[run.module].roles
        assert roles is not None  # noqa: S101 - last_run looks at no other
        return roles

    @property
    def _intents(self) -> Mapping[str, Mapping[str, Any]]:
        return self.store.lockfile.intents

    @cached_property
    def context(self) -> Context:
        """The world as modules see it."""
        return Context(
            environment=self.store.lockfile.environment,
            name=self.environment.name,
            target=self.environment.target,
            files=Files(self.root, self.engines.effects["files"]),
            engines=self.engines,
            vault=self.vault,
            intents=self.store,
            recorded=self.recorded,
            force_conflicts=self.options.force_conflicts,
        )

    def _open_engines(self, *, writes_allowed: bool) -> OpenEngines:
        return OpenEngines(
            self.environment,
            self.root,
            sandbox=self.sandbox,
            writes_allowed=writes_allowed,
            secret_of=lambda source: secret_of(source, self.context.files, self.vault),
        )

    def _expand(self) -> Expanded:
        if self._begun is not None:
            return self._begun.declared
        return expand_environment(self.environment, self.root, self.modules, self.options.rerun, self.loaded.document)

    def _placing(self) -> Engines | None:
        """Whom to ask where things live; nobody while the engines cannot be asked."""
        return self.engines if self._is_reachable("kubernetes") else None

    def _expand_and_unlock(self) -> tuple[Expanded, Vault | NoVault]:
        """Both take about as long, and deriving the vault's key leaves a processor free.

        Who has to be asked for the password is asked in this thread, which Ctrl-C reaches. Where the vault may be made,
        the playbooks come first: one that is wrong must leave nothing behind.
        """
        if self.options.writes_allowed and not self._vault_path.exists():
            self._given_password = self._password()
            return self._expand(), self._open_vault(self._given_password)
        follow_vault(self.environment.name, self._vault_path, self.store, accept=self.options.accept_lockfile)
        password = self._password()
        self._given_password = password
        with ThreadPoolExecutor(1, thread_name_prefix="vault") as pool:
            unlocking = pool.submit(self._open_vault, password)
            return self._expand(), unlocking.result()

    @property
    def _vault_path(self) -> Path:
        return self.root / self.environment.vault.path

    def check_vault(self) -> None:
        """Refuses to go on to an apply that could not open or make the vault. Raises StateError (vault-locked)."""
        if self.vault.is_locked() and (self._vault_path.exists() or not (self.sandboxed or self._given_password)):
            raise vault_needed()

    @property
    def has_only_a_password(self) -> bool:
        """Whether the vault's password is there, and the vault is not made yet."""
        return self._given_password is not None and not self._vault_path.exists()

    def password_of_vault(self) -> Secret:
        """The password that was given for the vault. Raises StateError (vault-locked)."""
        if self._given_password is None:
            raise vault_needed()
        return self._given_password

    def _password(self) -> Secret | None:
        key_file = self.environment.vault.key_file
        at = self.root / key_file if key_file else None
        return password_of(self.store, self._vault_path, self.options, at, sandboxed=self.sandboxed)

    def _open_vault(self, password: Secret | None) -> Vault | NoVault:
        return open_vault(self._vault_path, self.store, password, writes_allowed=self.options.writes_allowed)

    def _as_recorded(self, tasks: Sequence[Task]) -> list[tuple[Wanted, str]]:
        """What the tasks want if everything recorded is kept."""
        wanted = as_recorded(tasks, self.modules, self.recorded, self.digest)
        while found := moves(wanted, self.modules, self.recorded):
            self.moved.append(found)
            self.recorded = followed(self.recorded, found)
            wanted = as_recorded(tasks, self.modules, self.recorded, self.digest)
        return wanted

    def _has_a_lease(self) -> bool:
        """Whether anything of this environment lives in a cluster that can be looked at."""
        kinds = {task.module for task in self.expanded.tasks} | {entry.module for entry in self.recorded.values()}
        engines = {self.modules[kind].engine for kind in kinds if kind in self.modules}
        return "kubernetes" in engines and self._is_reachable("kubernetes")

    def _check_sandbox(self) -> None:
        made = [address for address, entry in self.recorded.items() if self._engine_of(entry) in SANDBOX_ENGINES]
        if self.sandboxed and made and self.sandbox is None:
            raise sandbox_stopped(len(made), self.options.file)

    def _check_identities(self) -> None:
        known = {name: uid for name, uid in self.store.lockfile.engines.items() if self._is_reachable(name)}
        now = self._identities(known)
        if not self.options.move:
            check_identities(known, now)

    def _identities(self, wanted: Collection[str]) -> dict[str, str]:
        namespace = self.environment.cluster.namespace
        return engine_identities(self.engines, wanted, namespace=namespace, sandboxed=self.sandboxed)

    def _engine_of(self, entry: Recorded | Task) -> str | None:
        return self.modules[entry.module].engine if entry.module in self.modules else None

    def _engines_of(self, plan: Plan) -> set[str]:
        known = [self.modules[action.module] for action in plan.actions if action.module in self.modules]
        return {module.engine for module in known if module.engine}

    def _is_reachable(self, engine: str | None) -> bool:
        return not (self.sandboxed and engine in SANDBOX_ENGINES and self.sandbox is None)

"""What every module is: a declaration (Args, Result, diff: pure) and its effects (observe, apply, remove).

A module is one file with one class; `registry` finds it by its file name, which is also its key in playbooks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WrapValidator, field_validator

from ppmlctl.evidence import Evidence
from ppmlctl.modules.context import Context, Engines
from ppmlctl.planning import ActionKind, Change, Company, Observed, Recorded, Removal, Wanted, decide
from ppmlctl.planning.diff import SECRET
from ppmlctl.secret import Secret, SecretLockedError
from ppmlctl.unknown import Unknown, unknowns_in

if TYPE_CHECKING:
    from ppmlctl.runs.run import Roles


def _let_unknown_pass(value: Any, validate: Callable[[Any], Any]) -> Any:
    return value if isinstance(value, Unknown) else validate(value)


T = TypeVar("T")
Known = Annotated[T, WrapValidator(_let_unknown_pass)]
"""A value inside a mapping or list of arguments that a plan may not know yet."""


@dataclass(frozen=True, order=True)
class SecretKey:
    """One key of a Kubernetes Secret."""

    namespace: str
    name: str
    key: str


_OF_SERVER = ("url", "ca", "fingerprint", "insecure")


class ModuleArgs(BaseModel):
    """Arguments of a task. In a plan any field may hold an Unknown; `apply` and `diff` get known values only."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _let_unknown_pass(cls, value: Any, validate: Callable[[Any], Any]) -> Any:
        return _let_unknown_pass(value, validate)


class ModuleResult(BaseModel):
    """Outcome of a task, public but for its Secret fields. `evidence` None: a thing made here that claims nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    evidence: Evidence | None = None


class ObjectResult(ModuleResult):
    """Outcome of a task whose engine keeps a declaration in a form of its own."""

    stored_otherwise: Mapping[str, str] = Field(default_factory=dict)
    """Where it stored something else than was sent: keyed digests by path, recorded beside the result."""


BESIDE_THE_RESULT = frozenset({"evidence", "stored_otherwise"})
"""Fields of a ModuleResult that are no outcome which other tasks may read."""

A = TypeVar("A", bound=ModuleArgs)
R = TypeVar("R", bound=ModuleResult)


class Module(Generic[A, R]):
    """One kind of thing. The docstring of each says what it manages, its identity, what replaces it, errors, source."""

    kind: ClassVar[str]
    Args: ClassVar[type[ModuleArgs]]
    Result: ClassVar[type[ModuleResult]]

    engine: ClassVar[str | None] = None
    """What it talks to: `kubernetes`, `ehsm`, `docker`, or None for files on this machine."""
    removal: ClassVar[Removal] = Removal.DELETE
    is_workload: ClassVar[bool] = False
    """True for workloads: what would be created or updated is `run`."""
    roles: ClassVar[Roles | None] = None
    """What the pods of a workload are; None for what has none of its own."""
    replace_on: ClassVar[frozenset[str]] = frozenset()
    """Arguments that cannot be changed in place."""
    shown: ClassVar[tuple[str, ...]] = ("path",)
    """Fields of the result that the recap shows."""
    is_check: ClassVar[bool] = False
    """True for what makes nothing and judges something: without its task nothing is judged."""
    follows_rotation: ClassVar[str | None] = None
    """What follows, in words for people, where its thing is made anew on request; None: it cannot be."""
    may_be_named: ClassVar[bool] = False
    """Whether its thing can be taken away by name (`--replace`) and made anew."""
    in_files: ClassVar[frozenset[str]] = frozenset()
    """Arguments that may stand in a YAML file beside the playbook, which names the file in their place."""
    echoes: ClassVar[frozenset[str]] = frozenset()
    """Fields of the result that are arguments of the same name, handed on: taken from the arguments of today, and never
    from a record.
    """
    found_by: ClassVar[frozenset[str]] = frozenset()
    """Fields of a recorded result by which a removal finds its thing, where the engine itself says whose that is."""
    removal_asks: ClassVar[bool] = False
    """Whether a removal asks the server that the recorded arguments name, and not the environment's own engines."""
    recorded_as_digest: ClassVar[frozenset[str]] = frozenset()
    """Large arguments, recorded as the SHA-256 of their canonical JSON."""

    def observe(self, ctx: Context, wanted: Sequence[Wanted]) -> Mapping[str, Observed]:
        """What is there, by address, for all tasks of this kind at once. What is missing in the answer is not there."""
        raise NotImplementedError

    def placed(self, _engines: Engines, args: A) -> A:
        """The arguments by the names that the engine knows the thing by; it is asked for names alone."""
        return args

    def goes_with(self, _ctx: Context, _recorded: Recorded) -> Company:
        """What goes where the recorded thing is taken away, as its engine tells; asked for what a plan takes away."""
        return Company()

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        """Pure. What would have to be done; the arguments are all known here."""
        return decide(wanted, observed, recorded, replace_on=self.replace_on)

    def rotation(self, wanted: Wanted, recorded: Recorded) -> Change:  # noqa: ARG002 - for those that refuse some
        """Pure. What is done where the thing is to be made anew; asked of modules that say what follows it."""
        return Change(ActionKind.REPLACE, ("its rotation is asked for", self.follows_rotation or ""))

    def apply(self, ctx: Context, args: A, observed: Observed) -> R:
        """Makes it so, or adopts what is half made. Called again after a crash at any instant."""
        raise NotImplementedError

    def remove(self, ctx: Context, recorded: Recorded) -> None:
        """Takes away what the record says was made. What is gone already is no error."""
        raise NotImplementedError

    def identity(self, _args: A) -> str | None:
        """Pure. What tells the thing from all others of its kind; None while a plan does not know it, or at all.

        A record moves to a task that wants the same thing under another name.
        """
        return None

    def recorded_identity(self, _recorded: Recorded) -> str | None:
        """Pure. The identity of what a record is about."""
        return None

    def places(self, _address: str, _inputs: Mapping[str, Any]) -> Mapping[str, str]:
        """Pure. Where the task's thing is kept: fields of its result, a path or a secret's handle, by public arguments.

        A record that says otherwise is not believed. Every Secret of a result that the module keeps itself is here.
        """
        return {}

    def asks(self, inputs: Mapping[str, Any]) -> frozenset[tuple[str, Any]] | None:
        """Pure. The server that these public arguments name, with what its TLS is trusted by; None: they name none."""
        server = inputs.get("server", inputs)
        if not isinstance(server, Mapping) or not isinstance(server.get("url"), str):
            return None
        named = [(name, server[name]) for name in _OF_SERVER if server.get(name)]
        return frozenset(named) if all(isinstance(one, str | bool) for _, one in named) else None

    def kept_result(self, args: A, recorded: Recorded) -> Mapping[str, Any]:
        """Pure. The result of a kept thing: what its record says, but what the arguments hand on as they are now."""
        given = {name: getattr(args, name) for name in self.echoes}
        return {**recorded.result, **{name: one for name, one in given.items() if not isinstance(one, Unknown)}}

    def notes(self, _args: A) -> Sequence[str]:
        """Pure. Warnings that every plan with this task shows (exposures, insecure choices)."""
        return ()

    def protections(self, _inputs: Mapping[str, Any]) -> frozenset[str]:
        """Pure. The protections and checks that these public arguments have in force, in words; a plan says which of
        them it drops. Unknown arguments count as in force.
        """
        return frozenset()

    def own_files(self, _inputs: Mapping[str, Any]) -> Sequence[Any]:
        """Pure. Keys, keystores and folders of signed enclaves that a task with these public arguments makes and owns,
        by their paths.
        """
        return ()

    def makes_secrets(self, _args: A) -> Iterable[SecretKey]:
        """Pure. Keys of Secrets that this task makes."""
        return ()

    def reads_secrets(self, _args: A) -> Iterable[SecretKey]:
        """Pure. Keys of Secrets that pods of this task need; each must be made by some task."""
        return ()

    def removal_of(self, _recorded: Recorded) -> Removal:
        """Pure. What becomes of one thing whose task is gone."""
        return self.removal

    def lives_in(self, _recorded: Recorded) -> str | None:
        """Pure. The identity of the recorded thing that takes this one along where it goes; None: there is none."""
        return None

    def kept_as(self, recorded: Recorded) -> str:
        """What a removal leaves behind, for people: a path, an account."""
        shown = (str(recorded.result[name]) for name in self.shown if recorded.result.get(name))
        return str(recorded.result.get("path") or " ".join(shown))

    def result_fields(self) -> Sequence[str]:
        """The names that a plan treats as unknown while this task acts."""
        return [name for name in self.Result.model_fields if name not in BESIDE_THE_RESULT]

    def fingerprint(self, args: A, digest: Callable[[bytes], str | None]) -> Mapping[str, Any]:
        """The public form of the arguments, as the lockfile records them. Unknown values stay Unknown."""
        inputs = dict(self.whole_inputs(args, digest))
        for name in self.recorded_as_digest & inputs.keys():
            inputs[name] = _digest_of(inputs[name])
        return inputs

    def whole_inputs(self, args: A, digest: Callable[[bytes], str | None]) -> Mapping[str, Any]:
        """All arguments in public form, none left out or folded into one digest: what a plan was made from."""
        inputs = {name: public(getattr(args, name), digest) for name in type(args).model_fields}
        return {name: value for name, value in inputs.items() if value is not None}


def public(value: Any, digest: Callable[[bytes], str | None]) -> Any:
    """The public form of an argument: JSON-like, secrets as `{$digest: …}`, Unknown as it is."""
    if isinstance(value, Secret):
        return {SECRET: _keyed_digest(value, digest)}
    if isinstance(value, Unknown) or value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseModel):
        return {name: public(getattr(value, name), digest) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(name): public(member, digest) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [public(member, digest) for member in value]
    return str(value)


def _keyed_digest(secret: Secret, digest: Callable[[bytes], str | None]) -> str | None:
    try:
        return digest(secret.reveal_bytes())
    except SecretLockedError:
        return None


def _digest_of(value: Any) -> Any:
    if value is None:
        return None
    for unknown in unknowns_in(value):
        return unknown
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

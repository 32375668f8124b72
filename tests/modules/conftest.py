"""A context for one module: real files in a folder of the test, everything else in memory."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.diagnostics import Diagnostic, StateError
from ppmlctl.effects import Effects
from ppmlctl.modules.context import Context, Engines, Files
from ppmlctl.planning import ABSENT, Recorded, Wanted
from ppmlctl.secret import Secret, SecretLockedError

ENVIRONMENT = "11111111-2222-3333-4444-555555555555"


class MemoryVault:
    """Keeps secrets as the vault does; `locked` hides their values."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.locked = False
        self.full = False
        self.writes = 0

    def names(self) -> list[str]:
        return sorted(self.values)

    def get(self, name: str) -> Secret:
        if name not in self.values:
            raise StateError(Diagnostic("vault-entry-missing", "the vault has no such entry", found=name))
        return Secret(handle=f"vault:{name}", load=lambda: self._reveal(name))

    def put(self, name: str, value: bytes | str | Secret) -> None:
        if self.locked:
            raise SecretLockedError(name)
        plain = (value if isinstance(value, Secret) else Secret(value)).reveal_bytes()
        self.writes += plain != self.values.get(name)
        self.values[name] = plain

    def remove(self, name: str) -> None:
        self.values.pop(name, None)

    def digest(self, value: bytes) -> str:
        if self.locked:
            raise SecretLockedError("digest")
        return hmac.new(b"of this test", value, hashlib.sha256).hexdigest()

    def prove_writable(self) -> None:
        if self.locked:
            raise SecretLockedError("write")
        if self.full:
            raise OSError(ENOSPC, "No space left on device")

    def _reveal(self, name: str) -> bytes:
        if self.locked:
            raise SecretLockedError(name)
        return self.values[name]


class MemoryIntents:
    """The journal of intents; a test ends one by removing it from `kept`."""

    def __init__(self) -> None:
        self.kept: dict[str, Mapping[str, Any]] = {}

    def pending(self, address: str) -> Mapping[str, Any] | None:
        return self.kept.get(address)

    def begin(self, address: str, intent: Mapping[str, Any]) -> None:
        self.kept[address] = dict(intent)

    def withdraw(self, address: str) -> None:
        self.kept.pop(address, None)


class NoEngines:
    """Fails a test that reaches for an engine it did not bring."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the module asked for {name}")


MakeContext = Callable[..., Context]


@pytest.fixture
def make_context(tmp_path: Path) -> MakeContext:
    """Makes a context; `warnings` and `progress` get what the module says, `effects` counts file writes."""

    def make(
        root: Path = tmp_path,
        *,
        target: str = "cluster",
        engines: Engines | None = None,
        writes_allowed: bool = True,
        recorded: Mapping[str, Recorded] | None = None,
        address: str = "task",
        effects: Effects | None = None,
        warnings: list[str] | None = None,
        progress: list[str] | None = None,
    ) -> Context:
        unread: list[str] = []
        return Context(
            environment=ENVIRONMENT,
            name="test",
            target=target,
            files=Files(root, effects or Effects("files", writes_allowed=writes_allowed)),
            engines=engines or NoEngines(),
            vault=MemoryVault(),
            intents=MemoryIntents(),
            recorded=recorded or {},
            address=address,
            tell=(progress if progress is not None else unread).append,
            warn=(warnings if warnings is not None else unread).append,
        )

    return make


class Driver:
    """Takes one module through observe, diff and apply as the engine does, remembering its record.

    task = drive(TlsKeystore(), context, common_name="example.com")
    assert task.plan().action is ActionKind.CREATE
    task.apply()
    assert task.plan().action is ActionKind.KEEP
    """

    def __init__(self, module: Any, context: Context, **arguments: Any) -> None:
        self.module = module
        self.context = context
        self.arguments = arguments
        self.recorded: Any = None

    def wanted(self) -> Wanted:
        args = self.module.Args.model_validate(self.arguments)
        return Wanted(self.context.address, args, self.module.fingerprint(args, self._digest))

    def observe(self) -> Any:
        return self.module.observe(self.context, [self.wanted()]).get(self.context.address, ABSENT)

    def plan(self) -> Any:
        return self.module.diff(self.wanted(), self.observe(), self.recorded)

    def apply(self) -> Any:
        """Observes, decides (which may refuse), applies and records; gives the result."""
        wanted, observed = self.wanted(), self.observe()
        self.module.diff(wanted, observed, self.recorded)
        result = self.module.apply(self.context, wanted.args, observed)
        fields = {name: getattr(result, name) for name in type(result).model_fields if name != "evidence"}
        self.recorded = Recorded(self.module.kind, wanted.inputs, fields, evidence=result.evidence)
        return result

    def rotate(self, *, record: bool = True) -> Any:
        """As the engine does where a rotation was asked for; without `record`, as if killed just before."""
        wanted = self.wanted()
        self.module.rotation(wanted, self.recorded)
        context = replace(self.context, rotating=True, recorded={self.context.address: self.recorded})
        result = self.module.apply(context, wanted.args, self.observe())
        fields = {name: getattr(result, name) for name in type(result).model_fields if name != "evidence"}
        if record:
            self.recorded = Recorded(self.module.kind, wanted.inputs, fields, evidence=result.evidence)
        return result

    def remove(self) -> None:
        self.module.remove(self.context, self.recorded)
        self.recorded = None

    def _digest(self, value: bytes) -> str | None:
        if getattr(self.context.vault, "locked", False):
            return None
        return hmac.new(b"test", value, hashlib.sha256).hexdigest()


@pytest.fixture
def drive() -> type[Driver]:
    """See Driver."""
    return Driver

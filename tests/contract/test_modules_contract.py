"""What every module promises, whichever it is: those in the package, and one more folder that a test may name."""

from __future__ import annotations

import ast
import inspect
import os
import sys
import textwrap
from pathlib import Path
from typing import Any, get_args

import pytest

import ppmlctl.modules
from ppmlctl.effects import Effect, Effects
from ppmlctl.engine.vault_access import NoVault
from ppmlctl.modules._ehsm import ServerArgs
from ppmlctl.modules.base import BESIDE_THE_RESULT, Module, ModuleArgs, ModuleResult
from ppmlctl.modules.context import Context, Files
from ppmlctl.modules.registry import kinds, module, packages
from ppmlctl.planning import ABSENT, ActionKind, Recorded, Removal, Wanted
from ppmlctl.secret import Secret
from ppmlctl.state import Lockfile, LockStore
from ppmlctl.unknown import Unknown, unknowns_in

if more := os.environ.get("PPMLCTL_MORE_MODULES"):
    ppmlctl.modules.__path__.append(more)
    packages.cache_clear()

every_module = pytest.mark.parametrize("kind", kinds())


class Nobody:
    """Engines of a world in which nothing answers: asking for one is a fault of the test's module."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for, though nothing known had to be looked at")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    effects = Effects("files", writes_allowed=False)
    store = LockStore(tmp_path / "ppml.lock", Lockfile("env"))
    engines: Any = Nobody()
    return Context("env", "test", "cluster", Files(tmp_path, effects), engines, NoVault(), store)


def nothing_known(declared: Module[Any, Any]) -> Any:
    """Arguments as a plan may have them: each field will be known later."""
    return declared.Args.model_validate({name: Unknown("later") for name in declared.Args.model_fields})


@every_module
def test_it_is_found_by_its_file_name(kind: str) -> None:
    declared = module(kind)
    assert declared.kind == kind
    assert isinstance(declared, Module)
    name = type(declared).__name__
    assert (declared.Args.__name__, declared.Result.__name__) == (f"{name}Args", f"{name}Result")
    assert issubclass(declared.Args, ModuleArgs)
    assert issubclass(declared.Result, ModuleResult)


@every_module
def test_its_text_says_what_a_reader_needs(kind: str) -> None:
    text = sys.modules[type(module(kind)).__module__].__doc__ or ""
    first, *_ = text.splitlines()
    assert first.endswith(".")
    for word in ("Identity:", "Errors:"):
        assert word in text
    assert type(module(kind)).__doc__


@every_module
def test_what_it_declares_names_fields_that_exist(kind: str) -> None:
    declared = module(kind)
    arguments, results = declared.Args.model_fields.keys(), declared.Result.model_fields.keys()
    assert set(declared.shown) <= results
    assert declared.shown
    assert declared.replace_on | declared.recorded_as_digest <= arguments
    assert set(declared.result_fields()) == results - BESIDE_THE_RESULT


@every_module
def test_fields_that_sound_secret_are_secrets(kind: str) -> None:
    for field, info in module(kind).Result.model_fields.items():
        if any(word in field for word in ("password", "apikey", "token", "server_key", "keystore")):
            assert Secret in (info.annotation, *get_args(info.annotation)), field


@every_module
def test_any_argument_may_be_unknown_in_a_plan(kind: str) -> None:
    declared = module(kind)
    inputs = declared.fingerprint(nothing_known(declared), lambda _: "digest")
    assert list(unknowns_in(inputs))
    assert tuple(declared.notes(nothing_known(declared))) is not None


@every_module
def test_observing_nothing_asks_nobody(kind: str, context: Context) -> None:
    assert dict(module(kind).observe(context, [])) == {}


@every_module
def test_observing_what_is_not_known_yet_finds_nothing_and_writes_nothing(kind: str, context: Context) -> None:
    declared = module(kind)
    found = declared.observe(context, [Wanted("task", nothing_known(declared), {})])
    assert not any(observed.exists for observed in found.values())
    assert context.files._effects.count(Effect.WRITE) == 0


@every_module
def test_the_default_decision_creates_keeps_and_updates(kind: str) -> None:
    declared = module(kind)
    if type(declared).diff is not Module.diff:
        assert inspect.signature(type(declared).diff).parameters.keys() == {"self", "wanted", "observed", "recorded"}
        return
    wanted = Wanted("task", None, {"a": 1})
    there = type(ABSENT)(fields={"b": 2})
    assert declared.diff(wanted, ABSENT, None).action is ActionKind.CREATE
    assert declared.diff(wanted, there, Recorded(kind, {"a": 1}, {"b": 2})).action is ActionKind.KEEP
    assert declared.diff(wanted, there, Recorded(kind, {"a": 1}, {"b": 3})).action is ActionKind.UPDATE
    assert declared.diff(wanted, ABSENT, Recorded(kind, {"a": 1}, {"b": 2})).action is ActionKind.CREATE


@every_module
def test_what_a_removal_leaves_behind_has_a_name(kind: str) -> None:
    declared = module(kind)
    if declared.removal is Removal.DELETE:
        assert type(declared).remove is not Module.remove
    result = {name: f"the {name}" for name in declared.result_fields()}
    assert declared.kept_as(Recorded(kind, result=result))


PLACES = {"path", "url", "ca", "fingerprint", "insecure"}
"""Fields of results that lead somewhere: on this machine, or to a server and how it is trusted. (`runs` is only read,
and only inside of the environment's folder, which `Believable` sees to.)
"""


class AnyInputs(dict[str, Any]):
    """Public arguments, whichever are asked for."""

    def __missing__(self, name: str) -> str:
        return name


def bound(declared: Module[Any, Any]) -> set[str]:
    """Fields of its result that its arguments give, whatever a record says."""
    return {*declared.places("task", AnyInputs()), *declared.echoes}


@every_module
def test_where_its_result_leads_is_what_its_arguments_give(kind: str) -> None:
    declared = module(kind)
    arguments, results = declared.Args.model_fields, declared.Result.model_fields
    for name in declared.echoes:
        assert Secret in (results[name].annotation, *get_args(results[name].annotation)) or (
            results[name].annotation in (arguments[name].annotation, str)
        )
    secrets = {name for name, info in results.items() if Secret in (info.annotation, *get_args(info.annotation))}
    leading = {name for name in results if name in PLACES and (name != "ca" or "url" in results)}
    assert secrets | leading <= bound(declared)


@every_module
def test_a_removal_uses_of_a_record_only_what_somebody_vouches_for(kind: str) -> None:
    declared = module(kind)
    tree = ast.parse(textwrap.dedent(inspect.getsource(type(declared).remove)))
    vouched_for = bound(declared) | declared.found_by
    assert declared.found_by <= declared.Result.model_fields.keys()
    for node in ast.walk(tree):
        if _is_of_record(node, "result"):
            assert _name_taken(tree, node) in vouched_for
        if _is_of_record(node, "inputs"):
            assert declared.removal_asks
        if isinstance(node, ast.Call) and any(isinstance(one, ast.Name) and one.id == "recorded" for one in node.args):
            assert vouched_for


def _is_of_record(node: ast.AST, attribute: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.value, ast.Name)
        and node.value.id == "recorded"
    )


def _name_taken(tree: ast.AST, mapping: ast.AST) -> object:
    """The literal name in `mapping["name"]` or `mapping.get("name")`; None for any other use."""
    for node in ast.walk(tree):
        taken: ast.AST | None = None
        if isinstance(node, ast.Subscript) and node.value is mapping:
            taken = node.slice
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.value is mapping:
            taken = node.args[0] if node.func.attr == "get" else None
        if isinstance(taken, ast.Constant):
            return taken.value
    return None


@every_module
def test_a_server_that_it_names_is_found_by_whoever_asks_which_those_are(kind: str) -> None:
    declared = module(kind)
    named = {name: info.annotation for name, info in declared.Args.model_fields.items()}
    servers = [name for name, kind_of in named.items() if inspect.isclass(kind_of) and issubclass(kind_of, ServerArgs)]
    assert servers in ([], ["server"])
    assert declared.asks({"server": {"url": "https://a", "ca": None}}) == frozenset({("url", "https://a")})
    assert declared.asks({}) is None


@every_module
def test_it_comes_with_cases_of_its_own(kind: str) -> None:
    home = Path(ppmlctl.modules.__file__).parent
    if Path(inspect.getfile(type(module(kind)))).parent == home:
        assert list(Path(__file__).parents[1].glob(f"modules/test_{kind}*.py"))

"""How an apply ended: counts, what is real here and what is simulated, outputs, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ppmlctl.cli.plan_view import masked, selection_as_data, whole
from ppmlctl.cli.style import Style
from ppmlctl.cli.tags import asked_for, named
from ppmlctl.engine import Recap, Session, TaskFinished
from ppmlctl.evidence import Evidence
from ppmlctl.planning import ActionKind, Removal
from ppmlctl.spec import Environment

_PLAIN = {"path", "name", "kind", "url", "reference", "verdict"}
_LABELS = {
    "mr_enclave": "MRENCLAVE",
    "mr_signer": "MRSIGNER",
    "sigstruct": "SIGSTRUCT",
    "recompute": "recompute it:",
    "policy_id": "policy",
    "appid": "account",
    "certificate_sha256": "certificate SHA-256",
}


def recap_as_data(recap: Recap, session: Session) -> dict[str, Any]:
    """The last line of `apply -o json`."""
    told = {**recap.counts(), "interrupted": recap.interrupted, "warnings": recap.warnings}
    left = {finished.action.address: what for finished, what in left_behind(recap, session)}
    told |= {"requests": session.engines.requests(), "left_behind": left, **selection_as_data(recap.selection)}
    return {"recap": told, "outputs": masked(outputs_after(recap, session))}


def recap_text(recap: Recap, session: Session, seconds: float, style: Style) -> str:
    """The recap for people."""
    blocks = [_counts_line(recap, seconds, style)]
    if session.sandboxed:
        blocks += _blocks(recap, session, style)
    elif recap.counts()["simulated"]:
        blocks.append(style.yellow("Some results are simulated and prove nothing."))
    left = [f"  {finished.action.address}: {what}" for finished, what in left_behind(recap, session)]
    if left:
        blocks.append("\n".join([style.bold("Kept or left behind"), *left]))
    if recap.selection.left_out:
        asked = f" by {asked_for(recap.selection)}" if recap.selection.restricts else ", tagged `never`"
        blocks.append(f"{style.bold('Left out')}{asked}: {named(recap.selection.left_out)}")
    outputs = [f"  {name} = {whole(value)}" for name, value in outputs_after(recap, session).items()]
    if outputs:
        blocks.append("\n".join([style.bold("Outputs"), *outputs]))
    if session.sandboxed and recap.succeeded:
        blocks.append("\n".join(_next_commands(session, style, destroyed=_is_destroyed(recap))))
    return "\n\n".join(blocks)


def outputs_after(recap: Recap, session: Session) -> dict[str, Any]:
    """Outputs from what this apply gave, else from what was recorded before."""
    results = {address: entry.result for address, entry in session.recorded.items()}
    for finished in recap.finished:
        if finished.action.action is ActionKind.DELETE:
            results.pop(finished.action.address, None)
        elif finished.result:
            results[finished.action.address] = finished.result
    return session.outputs(results)


def left_behind(recap: Recap, session: Session) -> Iterator[tuple[TaskFinished, str]]:
    """What removals did not take away: keys, accounts, policies, things that were there before."""
    for finished in recap.finished:
        action = finished.action
        if action.action is not ActionKind.DELETE or finished.result is None or not finished.result:
            continue
        recorded = session.recorded.get(action.address)
        existed_before = bool(finished.result.get("existed_before"))
        if recorded and action.module not in session.modules:
            yield finished, f"what {action.module} made; this ppmlctl has no such module"
        elif recorded and (action.only_forgets or (existed_before and action.removal is Removal.DELETE)):
            yield finished, session.modules[action.module].kept_as(recorded) or action.module


def _counts_line(recap: Recap, seconds: float, style: Style) -> str:
    counts = recap.counts()
    paint = {"changed": style.yellow, "failed": style.red, "skipped": style.cyan, "ok": style.green}
    told = {name: count for name, count in counts.items() if count or name != "forgotten"}
    parts = [paint.get(name, style.dim)(f"{name} {count}") for name, count in told.items()]
    return f"{style.bold('Recap')}  {'  '.join(parts)}  {style.dim(f'({seconds:.1f} s)')}"


def _blocks(recap: Recap, session: Session, style: Style) -> list[str]:
    real: list[str] = []
    simulated: list[str] = []
    for finished in recap.finished:
        if finished.action.action is ActionKind.DELETE or not finished.result:
            continue
        made_up = finished.evidence is Evidence.SIMULATED
        (simulated if made_up else real).extend(_described(finished, session))
    blocks = []
    if real:
        blocks.append("\n".join([style.bold("Real here"), *real]))
    if simulated:
        blocks.append("\n".join([style.bold("Simulated here"), *simulated]))
    return blocks


def _described(finished: TaskFinished, session: Session) -> Iterator[str]:
    module = session.modules[finished.action.module]
    told = {name: finished.result.get(name) for name in module.shown}
    if told.get("recompute") and session.root != Path():
        told["recompute"] = f"cd {shlex.quote(str(session.root))} && {told['recompute']}"
    plain = [str(value) for name, value in told.items() if value and name in _PLAIN]
    labelled = [f"{_LABELS.get(name, name)} {value}" for name, value in told.items() if value and name not in _PLAIN]
    for number, line in enumerate(["  ".join(plain), *labelled] if plain else labelled):
        yield f"  {finished.action.address if number == 0 else '':<24} {line}"


def _is_destroyed(recap: Recap) -> bool:
    return bool(recap.finished) and all(done.action.action is ActionKind.DELETE for done in recap.finished)


def _next_commands(session: Session, style: Style, *, destroyed: bool) -> Iterator[str]:
    file = shlex.quote(str(session.options.file))
    yield style.bold("Next")
    if not destroyed:
        yield "  Set another log_level under images.custom, and see what follows from it:"
        yield f"    ppmlctl plan -f {file}"
    yield "  Stop the sandbox (what is in it stays):"
    yield f"    ppmlctl sandbox down -f {file}"
    if destroyed:
        return
    real = _for_real_engines(session.environment)
    folder = session.options.file.parent / "cluster"
    if (folder / "ppml.yaml").exists():
        yield f"  On real engines: go on with the environment that was begun for them, with {real}:"
        yield f"    ppmlctl plan -f {shlex.quote(str(folder / 'ppml.yaml'))}"
        return
    yield f"  On real engines: begin an environment of its own, in a folder of its own, with {real}:"
    yield f"    ppmlctl init {shlex.quote(str(folder))}"


def _for_real_engines(environment: Environment) -> str:
    """What the sandbox has of its own."""
    service, addresses = environment.attestation.service, []
    if environment.kms is not None:
        addresses.append("`kms.ehsm.url`")
    if service is not None and service.deploy is None:
        addresses.append("`attestation.service.url`")
    return " and ".join(["`target: cluster`", *addresses])

"""The commands. Each imports what it needs when it runs, so that `--version` and completion stay quick."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ppmlctl.cli.ehsm import app as ehsm_app
from ppmlctl.cli.enclave import app as enclave_app
from ppmlctl.cli.options import DEFAULT_FILE, As, File, Output, Yes
from ppmlctl.cli.version import VERSION

app = typer.Typer(
    name="ppmlctl",
    help="One declarative file for a whole trusted-analytics environment on Intel SGX and TDX.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class GraphOutput(StrEnum):
    """How the graph is shown."""

    TEXT = "text"
    JSON = "json"
    DOT = "dot"


Rotate = Annotated[
    list[str] | None,
    typer.Option("--rotate", help="Make a key or secret anew: a task's address, or an entry of the vault. Repeatable."),
]
Replace = Annotated[
    list[str] | None,
    typer.Option(
        "--replace", help="Take an object of the cluster away and make it anew, with all that it holds. Repeatable."
    ),
]
OnlyTags = Annotated[
    list[str] | None,
    typer.Option("--tags", metavar="TAG,…", help="Only tasks with one of these tags, and what they need. Repeatable."),
]
SkipTags = Annotated[
    list[str] | None,
    typer.Option("--skip-tags", metavar="TAG,…", help="No task with one of these tags. Repeatable."),
]
Move = Annotated[bool, typer.Option("--move", help="Accept another cluster or target than the lockfile's.")]
AcceptLockfile = Annotated[
    bool, typer.Option("--accept-lockfile", help="Go on though the cluster was made by a later or another lockfile.")
]
LockTimeout = Annotated[
    float, typer.Option("--lock-timeout", min=0, help="Seconds to wait while another apply runs.", show_default=True)
]
Parallel = Annotated[int, typer.Option("--parallel", min=1, max=64, help="Tasks that run at once.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ppmlctl {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to begin.")] = Path(),
    output: As = Output.TEXT,
) -> None:
    """Begin an environment: a commented ppml.yaml and what git must not see."""
    from ppmlctl.cli.commands.init import init as run

    run(folder, as_json=output is Output.JSON)


@app.command()
def validate(file: File = DEFAULT_FILE, output: As = Output.TEXT) -> None:
    """Check ppml.yaml and the playbooks. Talks to nobody."""
    from ppmlctl.cli.commands.validate import validate as run

    run(file, as_json=output is Output.JSON)


@app.command()
def plan(
    file: File = DEFAULT_FILE,
    output: As = Output.TEXT,
    save: Annotated[Path | None, typer.Option("--save", help="Write the plan to a file for `apply`.")] = None,
    rotate: Rotate = None,
    replace: Replace = None,
    tags: OnlyTags = None,
    skip_tags: SkipTags = None,
    move: Move = False,
    accept_lockfile: AcceptLockfile = False,
) -> None:
    """Show what apply would do. Exit code 0: nothing, 2: changes, 1: an error."""
    from ppmlctl.cli.commands.plan import plan as run
    from ppmlctl.cli.tags import tags_of
    from ppmlctl.engine import Options

    options = Options(
        file,
        move=move,
        accept_lockfile=accept_lockfile,
        rotate=tuple(rotate or ()),
        replace=tuple(replace or ()),
        tags=tags_of(tags, skip_tags),
    )
    raise typer.Exit(run(options, save=save, as_json=output is Output.JSON))


@app.command()
def apply(
    saved: Annotated[Path | None, typer.Argument(help="A plan that `plan --save` wrote.")] = None,
    file: File = DEFAULT_FILE,
    output: As = Output.TEXT,
    yes: Yes = False,
    rotate: Rotate = None,
    replace: Replace = None,
    tags: OnlyTags = None,
    skip_tags: SkipTags = None,
    move: Move = False,
    accept_lockfile: AcceptLockfile = False,
    lock_timeout: LockTimeout = 0,
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="Take over fields that other managers hold.")
    ] = False,
    rerun: Annotated[
        list[str] | None, typer.Option("--rerun", metavar="WORKLOAD", help="Run this workload again. Repeatable.")
    ] = None,
    parallel: Parallel = 8,
) -> None:
    """Make it so, and record what was made."""
    from ppmlctl.cli.commands.apply import Wish
    from ppmlctl.cli.commands.apply import apply as run
    from ppmlctl.cli.tags import tags_of

    wish = Wish(
        file,
        saved=saved,
        tags=tags_of(tags, skip_tags),
        yes=yes,
        rotate=tuple(rotate or ()),
        replace=tuple(replace or ()),
        move=move,
        accept_lockfile=accept_lockfile,
        lock_timeout=lock_timeout,
        force_conflicts=force_conflicts,
        rerun=frozenset(rerun or ()),
        parallel=parallel,
        as_json=output is Output.JSON,
    )
    raise typer.Exit(run(wish))


@app.command()
def destroy(
    file: File = DEFAULT_FILE,
    output: As = Output.TEXT,
    yes: Yes = False,
    move: Move = False,
    accept_lockfile: AcceptLockfile = False,
    lock_timeout: LockTimeout = 0,
    parallel: Parallel = 8,
) -> None:
    """Take away what the lockfile says was made. Keys, the vault and what was there before are kept and listed."""
    from ppmlctl.cli.commands.apply import Wish
    from ppmlctl.cli.commands.apply import apply as run

    wish = Wish(
        file,
        destroy=True,
        yes=yes,
        move=move,
        accept_lockfile=accept_lockfile,
        lock_timeout=lock_timeout,
        parallel=parallel,
        as_json=output is Output.JSON,
    )
    raise typer.Exit(run(wish))


Workload = Annotated[str, typer.Argument(help="The workload's name in ppml.yaml.")]


@app.command()
def logs(
    workload: Workload,
    file: Annotated[Path, typer.Option("--file", help="The environment's file.")] = DEFAULT_FILE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    executors: Annotated[
        bool, typer.Option("--executors", help="The executors' logs, each line with its pod.")
    ] = False,
) -> None:
    """Show what the driver of a workload's last run wrote."""
    from ppmlctl.cli.commands.logs import logs as run

    run(file, workload, follow=follow, executors=executors)


@app.command()
def cancel(workload: Workload, file: File = DEFAULT_FILE) -> None:
    """End a run that was begun: its driver, its executors and what submitted it. The next apply begins another."""
    from ppmlctl.cli.commands.cancel import cancel as run

    run(file, workload)


@app.command()
def status(file: File = DEFAULT_FILE, output: As = Output.TEXT) -> None:
    """Show what the lockfile records, and how well each result is supported. Talks to nobody."""
    from ppmlctl.cli.commands.status import status as run

    run(file, as_json=output is Output.JSON)


@app.command("output")
def output_(
    name: Annotated[str | None, typer.Argument(help="One output alone, as plain text.")] = None,
    file: File = DEFAULT_FILE,
    output: As = Output.TEXT,
) -> None:
    """Show the environment's outputs."""
    from ppmlctl.cli.commands.output import output as run

    run(file, name, as_json=output is Output.JSON)


@app.command()
def graph(
    file: File = DEFAULT_FILE,
    output: Annotated[GraphOutput, typer.Option("--output", "-o", help="text, json or dot.")] = GraphOutput.TEXT,
) -> None:
    """Show the tasks and what each of them needs."""
    from ppmlctl.cli.commands.graph import graph as run

    run(file, output.value)


@app.command()
def explain(
    text: Annotated[str, typer.Argument(help="An error number, a message, or `-` for a log on standard input.")],
    output: As = Output.TEXT,
) -> None:
    """Say what a message of SGX, Gramine, EHSM or a pod means, and what to do. Exit code 1: nothing is known."""
    from ppmlctl.cli.commands.explain import explain as run

    raise typer.Exit(run(text, as_json=output is Output.JSON))


class SchemaName(StrEnum):
    """The files that have a schema."""

    PPML = "ppml"
    PLAYBOOK = "playbook"
    LOCK = "lock"


@app.command()
def schema(name: Annotated[SchemaName, typer.Argument(help="Which file's schema.")] = SchemaName.PPML) -> None:
    """Print a JSON Schema, for editors."""
    from ppmlctl.files import read_text
    from ppmlctl.shipped import schema_path

    sys.stdout.write(read_text(schema_path(f"{name.value}.schema.json")))


vault_app = typer.Typer(name="vault", help="The environment's secret values.", no_args_is_help=True)
app.add_typer(vault_app)


@vault_app.command("list")
def vault_list(file: File = DEFAULT_FILE, output: As = Output.TEXT) -> None:
    """Show the names of the entries."""
    from ppmlctl.cli.commands.vault import list_entries

    list_entries(file, as_json=output is Output.JSON)


@vault_app.command("set")
def vault_set(name: Annotated[str, typer.Argument(help="The entry.")], file: File = DEFAULT_FILE) -> None:
    """Keep a value: asked for on a terminal, read from standard input elsewhere."""
    from ppmlctl.cli.commands.vault import set_entry

    set_entry(file, name)


@vault_app.command("show")
def vault_show(name: Annotated[str, typer.Argument(help="The entry.")], file: File = DEFAULT_FILE) -> None:
    """Print one value. It then stands on your screen or in the pipe."""
    from ppmlctl.cli.commands.vault import show_entry

    show_entry(file, name)


@vault_app.command("remove")
def vault_remove(name: Annotated[str, typer.Argument(help="The entry.")], file: File = DEFAULT_FILE) -> None:
    """Drop an entry."""
    from ppmlctl.cli.commands.vault import remove_entry

    remove_entry(file, name)


@vault_app.command("rekey")
def vault_rekey(file: File = DEFAULT_FILE) -> None:
    """Change the vault's password; the new one is asked for, or read from standard input."""
    from ppmlctl.cli.commands.vault import rekey

    rekey(file)


app.add_typer(ehsm_app)
app.add_typer(enclave_app)


attest_app = typer.Typer(name="attest", help="Quotes of enclaves and trust domains.", no_args_is_help=True)
app.add_typer(attest_app)


@attest_app.command("quote")
def attest_quote(
    file: Annotated[Path, typer.Argument(help="A quote: its bytes, or them in hexadecimal or base64.")],
    collateral: Annotated[
        Path | None, typer.Option("--collateral", help="What to verify it with, as one JSON document.")
    ] = None,
    pccs: Annotated[
        str | None, typer.Option("--pccs", help="https://HOST:PORT of a PCCS to fetch the collateral from.")
    ] = None,
    pccs_ca: Annotated[
        Path | None, typer.Option("--pccs-ca", help="Certificates to trust the PCCS by. Default: the system's.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="The instant to verify at, such as 2025-06-19T12:00:00Z. Default: now.")
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect", help="NAME=VALUE the quote must say: mr_enclave, min_svn, mr_td, rtmr0, … Repeatable."
        ),
    ] = None,
    accept_status: Annotated[
        list[str] | None,
        typer.Option("--accept-status", help="A TCB status to accept. Repeatable. Default: UpToDate alone."),
    ] = None,
    accept_advisory: Annotated[
        list[str] | None,
        typer.Option("--accept-advisory", help="An advisory to accept. Repeatable. Default: those of the status."),
    ] = None,
    root_ca: Annotated[
        Path | None, typer.Option("--root-ca", help="Root certificate in PEM to verify by, instead of Intel's.")
    ] = None,
    output: As = Output.TEXT,
) -> None:
    """Judge a quote of SGX (version 3, 4) or TDX (4, 5), without any hardware. Exit code 0: accepted, 1: refused."""
    from ppmlctl.cli.commands.attest import Question, quote

    asked = Question(
        file,
        collateral,
        pccs,
        pccs_ca,
        root_ca,
        at,
        expected=tuple(expect or ()),
        statuses=tuple(accept_status or ()),
        advisories=tuple(accept_advisory or ()),
    )
    raise typer.Exit(quote(asked, as_json=output is Output.JSON))


sandbox_app = typer.Typer(name="sandbox", help="The embedded engines of `target: sandbox`.", no_args_is_help=True)
app.add_typer(sandbox_app)


class Part(StrEnum):
    """What the sandbox can serve alone."""

    EHSM = "ehsm"


@sandbox_app.command("up")
def sandbox_up(
    file: File = DEFAULT_FILE,
    only: Annotated[Part | None, typer.Option("--only", help="Serve one engine alone.")] = None,
    listen: Annotated[str | None, typer.Option("--listen", help="ADDRESS[:PORT] to serve on.")] = None,
    output: As = Output.TEXT,
) -> None:
    """Start the sandbox, or say that it runs."""
    from ppmlctl.cli.commands.sandbox import up

    up(file, only=only.value if only else None, listen=listen, as_json=output is Output.JSON)


@sandbox_app.command("status")
def sandbox_status(file: File = DEFAULT_FILE, output: As = Output.TEXT) -> None:
    """Say whether the sandbox runs, and where it listens."""
    from ppmlctl.cli.commands.sandbox import status as run

    run(file, as_json=output is Output.JSON)


@sandbox_app.command("down")
def sandbox_down(file: File = DEFAULT_FILE) -> None:
    """Stop the sandbox. What is in it stays."""
    from ppmlctl.cli.commands.sandbox import down

    down(file)


@sandbox_app.command("env")
def sandbox_env(file: File = DEFAULT_FILE) -> None:
    """Print shell variables that point kubectl and others at the sandbox."""
    from ppmlctl.cli.commands.sandbox import env

    env(file)

"""`ppmlctl ehsm`: declarations of its commands; each imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ppmlctl.cli.options import DEFAULT_FILE, As, File, Output, Yes

app = typer.Typer(
    name="ehsm", help="The recorded account at EHSM: its keys, secrets and policies.", no_args_is_help=True
)
keys_app = typer.Typer(name="keys", help="Keys of the account.", no_args_is_help=True)
secrets_app = typer.Typer(name="secrets", help="Secrets of the account.", no_args_is_help=True)
app.add_typer(keys_app)
app.add_typer(secrets_app)
KeyId = Annotated[str, typer.Argument(metavar="KEYID", help="The key's id, as `ehsm keys list` shows it.")]


@app.command("status")
def ehsm_status(file: File = DEFAULT_FILE, output: As = Output.TEXT) -> None:
    """Show the server, the verdict on it, and what the account has there."""
    from ppmlctl.cli.commands.ehsm import status as run

    run(file, as_json=output is Output.JSON)


@app.command("quote")
def ehsm_quote(
    to: Annotated[Path, typer.Option("--to", help="The file to write.")],
    file: File = DEFAULT_FILE,
) -> None:
    """Ask the server for a fresh quote and write it to a file, for `attest quote`."""
    from ppmlctl.cli.commands.ehsm import save_quote

    save_quote(file, to)


@app.command("policy")
def ehsm_policy(file: File = DEFAULT_FILE, output: As = Output.TEXT) -> None:
    """Show the recorded policies, as EHSM has them now."""
    from ppmlctl.cli.commands.ehsm import show_policies

    show_policies(file, as_json=output is Output.JSON)


@keys_app.command("list")
def ehsm_keys_list(file: File = DEFAULT_FILE, output: As = Output.TEXT) -> None:
    """Show all keys, with the tasks that have them."""
    from ppmlctl.cli.commands.ehsm import list_keys

    list_keys(file, as_json=output is Output.JSON)


@keys_app.command("enable")
def ehsm_keys_enable(keyid: KeyId, file: File = DEFAULT_FILE) -> None:
    """Let a key be used. A task that declares it otherwise is put back by the next apply."""
    from ppmlctl.cli.commands.ehsm import switch_key

    switch_key(file, keyid, enabled=True)


@keys_app.command("disable")
def ehsm_keys_disable(keyid: KeyId, file: File = DEFAULT_FILE) -> None:
    """Let nobody use a key. A task that declares it otherwise is put back by the next apply."""
    from ppmlctl.cli.commands.ehsm import switch_key

    switch_key(file, keyid, enabled=False)


@keys_app.command("delete")
def ehsm_keys_delete(keyid: KeyId, file: File = DEFAULT_FILE, yes: Yes = False) -> None:
    """Delete a key that no task has. What it encrypted is lost."""
    from ppmlctl.cli.commands.ehsm import delete_key

    delete_key(file, keyid, yes=yes)


@secrets_app.command("list")
def ehsm_secrets_list(file: File = DEFAULT_FILE, output: As = Output.TEXT) -> None:
    """Show names and descriptions. No value is asked for."""
    from ppmlctl.cli.commands.ehsm import list_secrets

    list_secrets(file, as_json=output is Output.JSON)


@secrets_app.command("get")
def ehsm_secrets_get(
    name: Annotated[str, typer.Argument(help="The secret.")],
    file: File = DEFAULT_FILE,
    version: Annotated[int | None, typer.Option("--version", help="An older value.", min=1)] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write the value to this file, mode 0600.")] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Print the value.")] = False,
) -> None:
    """Fetch one value, to a file or to stdout."""
    from ppmlctl.cli.commands.ehsm import get_secret

    get_secret(file, name, version=version, to=to, reveal=reveal)

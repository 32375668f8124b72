"""The options of `ppmlctl enclave …`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from ppmlctl.cli.options import As, Output

app = typer.Typer(
    name="enclave", help="Keys, measurements and signatures of enclaves, from files alone.", no_args_is_help=True
)

Manifest = Annotated[Path, typer.Option("--manifest", help="The .manifest.sgx, measured byte for byte.")]
Loader = Annotated[Path, typer.Option("--loader", help="Gramine's sgx/libpal.so of the same image.")]
Gramine = Annotated[
    str, typer.Option("--gramine", help="Gramine's version, such as 1.3.1; auto tells it by the manifest's keys.")
]
Offsets = Annotated[Path | None, typer.Option("--offsets", help="The image's _offsets.py, for a fork.")]
Day = Annotated[
    dt.datetime,
    typer.Option("--date", formats=["%Y-%m-%d"], help="The date to write, which nothing checks; `apply` has this one."),
]
FIRST_DAY = dt.datetime(1980, 1, 1)  # noqa: DTZ001 - a calendar day, which has no time zone
Written = Annotated[Path, typer.Option("--output", help="The file to write.")]
Format = Annotated[Output, typer.Option("--format", "-o", help="text for people, json for machines.")]


@app.command()
def key(
    path: Annotated[Path, typer.Argument(help="A PEM file: the private key, or a public one.")],
    make: Annotated[bool, typer.Option("--make", help="Make the key: RSA-3072, exponent 3, mode 0600.")] = False,
    public: Annotated[Path | None, typer.Option("--public", help="Write the public half here, in PEM.")] = None,
    output: As = Output.TEXT,
) -> None:
    """Show the MRSIGNER of a signing key, or make one. An existing file is never overwritten."""
    from ppmlctl.cli.commands.enclave.key import key as run

    run(path, public, make=make, as_json=output is Output.JSON)


@app.command()
def inspect(
    file: Annotated[Path | None, typer.Argument(help="A SIGSTRUCT, such as bash.sig.")] = None,
    image: Annotated[str | None, typer.Option("--image", help="An image at the Docker engine instead.")] = None,
    layout: Annotated[Path | None, typer.Option("--layout", help="The folder of an OCI layout instead.")] = None,
    path: Annotated[str, typer.Option("--path", help="Where in the image it is.")] = "/ppml/bash.sig",
    output: As = Output.TEXT,
) -> None:
    """Show what a SIGSTRUCT says, and check it as the processor does.

    In an image, what was signed is compared with what manifest and loader measure to. Ends with 1 where the signature
    is not valid, or signs something else.
    """
    from ppmlctl.cli.commands.enclave.inspect import Source
    from ppmlctl.cli.commands.enclave.inspect import inspect as run

    run(Source(file, image, layout), path, as_json=output is Output.JSON)


@app.command()
def measure(
    manifest: Manifest, loader: Loader, gramine: Gramine = "auto", offsets: Offsets = None, output: As = Output.TEXT
) -> None:
    """Compute MRENCLAVE again.

    What took long is remembered in the user's cache folder, by the digests of manifest and loader.
    """
    from ppmlctl.cli.commands.enclave.measure import measure as run
    from ppmlctl.cli.commands.enclave.measured import Inputs

    run(Inputs(manifest, loader, gramine, offsets), as_json=output is Output.JSON)


@app.command()
def sign(
    manifest: Manifest,
    loader: Loader,
    key: Annotated[Path, typer.Option("--key", help="The signing key, RSA-3072 with exponent 3, in PEM.")],
    output: Written,
    gramine: Gramine = "auto",
    offsets: Offsets = None,
    date: Day = FIRST_DAY,
    output_format: Format = Output.TEXT,
) -> None:
    """Measure an enclave and sign it with a key file: writes the 1808 bytes of its SIGSTRUCT."""
    from ppmlctl.cli.commands.enclave.measured import Inputs
    from ppmlctl.cli.commands.enclave.sign import sign as run

    inputs, day = Inputs(manifest, loader, gramine, offsets), date.date()
    run(inputs, key, day, output, as_json=output_format is Output.JSON)


@app.command()
def digest(
    manifest: Manifest,
    loader: Loader,
    output: Written,
    gramine: Gramine = "auto",
    offsets: Offsets = None,
    date: Day = FIRST_DAY,
    output_format: Format = Output.TEXT,
) -> None:
    """Measure an enclave and write the 256 bytes to be signed elsewhere: by an HSM, or on a machine without a network.

    There, `openssl dgst -sha256 -sign KEY -out SIGNATURE FILE` signs them; `ppmlctl enclave attach` puts both together.
    """
    from ppmlctl.cli.commands.enclave.digest import digest as run
    from ppmlctl.cli.commands.enclave.measured import Inputs

    inputs, day = Inputs(manifest, loader, gramine, offsets), date.date()
    run(inputs, day, output, as_json=output_format is Output.JSON)


@app.command()
def attach(
    signed_part: Annotated[Path, typer.Option("--signed-part", help="What `enclave digest` wrote.")],
    signature: Annotated[Path, typer.Option("--signature", help="384 bytes, big-endian, as RSA libraries give it.")],
    public_key: Annotated[Path, typer.Option("--public-key", help="The signer's public key in PEM.")],
    output: Written,
    output_format: Format = Output.TEXT,
) -> None:
    """Make the SIGSTRUCT of a part that was signed elsewhere. It is written only if it verifies."""
    from ppmlctl.cli.commands.enclave.attach import attach as run

    run(signed_part, signature, public_key, output, as_json=output_format is Output.JSON)


@app.command()
def diff(
    a: Annotated[str, typer.Argument(help="A manifest, a SIGSTRUCT, a folder, an OCI layout, or image:REFERENCE.")],
    b: Annotated[str, typer.Argument(help="The other one.")],
    loader_a: Annotated[Path | None, typer.Option("--loader-a", help="Loader of a manifest A.")] = None,
    loader_b: Annotated[Path | None, typer.Option("--loader-b", help="Loader of a manifest B.")] = None,
    gramine: Gramine = "auto",
    output: As = Output.TEXT,
) -> None:
    """Explain why two MRENCLAVEs differ: which line of the manifest, which trusted file, what of the loader.

    The loader of a manifest is libpal.so beside it unless it is named. Ends with 1 where the two differ.
    """
    from ppmlctl.cli.commands.enclave.diff import Side
    from ppmlctl.cli.commands.enclave.diff import diff as run

    run(Side(a, gramine, loader_a), Side(b, gramine, loader_b), as_json=output is Output.JSON)

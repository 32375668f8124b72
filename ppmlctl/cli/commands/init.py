"""`ppmlctl init`"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import typer

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import read_text, write_atomic
from ppmlctl.shipped import schema_path

SCHEMA = "ppml.schema.json"

PPML = """\
# yaml-language-server: $schema=./ppml.schema.json
version: 1
name: {name}
target: sandbox                # embedded engines; `cluster`: real ones

keys: {{}}                       # password, certificate and keystores, made once and kept

kms:
  ehsm: {{}}                     # url: https://… for target cluster

# A folder with a root file system that holds Gramine (or `reference:`, `build:` with a Docker engine), signed here.
# In place of both, `catalogue: {{tag: latest}}` is the demo image that BigDL's guide names as its default:
# images:
#   base: {{rootfs: ./base}}
#   custom: {{name: ppml/{name}, tag: "1", enclave_size: 8G}}
#
# attestation: {{enabled: true}}
#
# workloads:
#   - name: spark-pi
#     spark:
#       main_class: org.apache.spark.examples.SparkPi
#       application: local://${{SPARK_HOME}}/examples/jars/spark-examples_2.12-${{SPARK_VERSION}}.jar
#       arguments: ["100"]
"""

IGNORED = """\
# Keys never go into git; ppml.lock and ppml.vault do.
/keys/
/.ppml/
"""


def init(folder: Path, *, as_json: bool) -> None:
    """Writes what is not there yet; an existing ppml.yaml is never touched."""
    file = folder / "ppml.yaml"
    command = f"ppmlctl plan -f {shlex.quote(str(file))}"
    if file.exists():
        raise InputError(Diagnostic("init-exists", "there is a ppml.yaml already", found=str(file), fix=command))
    contents = {file: PPML.format(name=_name_of(folder)), folder / ".gitignore": IGNORED}
    contents[folder / SCHEMA] = read_text(schema_path(SCHEMA))
    written = [path for path in contents if not path.exists()]
    for path in written:
        write_atomic(path, contents[path].encode())
    if as_json:
        typer.echo(json.dumps({"written": [str(path) for path in written]}))
    else:
        typer.echo("\n".join([*(f"wrote {path}" for path in written), "", "Next:", f"  {command}"]))


def _name_of(folder: Path) -> str:
    """The folder's name as an environment may be called (RFC 1123)."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:40].strip("-") or "environment"

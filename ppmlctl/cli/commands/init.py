"""`ppmlctl init`"""

from __future__ import annotations

import json
from pathlib import Path

import typer

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.files import write_atomic

PPML = """\
# yaml-language-server: $schema=./ppml.schema.json
version: 1
name: {name}
target: sandbox          # cluster: real engines

images:
  base: {{rootfs: ./base}}                 # a root file system with Gramine; or reference:, build: with a Docker engine
  custom: {{name: ppml/{name}, tag: "1", enclave_size: 8G}}

keys: {{}}                 # password, certificate and keystores, made once and kept

kms:
  ehsm: {{}}               # url: https://… for target cluster

attestation: {{enabled: true}}

workloads:
  - name: spark-pi
    spark:
      main_class: org.apache.spark.examples.SparkPi
      application: local://${{SPARK_HOME}}/examples/jars/spark-examples_2.12-${{SPARK_VERSION}}.jar
      arguments: ["100"]
"""

IGNORED = """\
# Keys never go into git; ppml.lock and ppml.vault do.
/keys/
/.ppml/
"""


def init(folder: Path, *, as_json: bool) -> None:
    """Writes what is not there yet; an existing ppml.yaml is never touched."""
    file = folder / "ppml.yaml"
    if file.exists():
        raise InputError(Diagnostic("init-exists", "there is a ppml.yaml already", found=str(file)))
    name = folder.resolve().name.lower().replace("_", "-") or "environment"
    written = [file]
    write_atomic(file, PPML.format(name=name).encode())
    if not (folder / ".gitignore").exists():
        write_atomic(folder / ".gitignore", IGNORED.encode())
        written.append(folder / ".gitignore")
    if as_json:
        typer.echo(json.dumps({"written": [str(path) for path in written]}))
    else:
        typer.echo("\n".join([*(f"wrote {path}" for path in written), "", "Next:", f"  ppmlctl plan -f {file}"]))

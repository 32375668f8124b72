"""The smoke test of a Thrift server: what beeline is told to do from a pod beside it, and what it has to say. Pure.

The pod is of the server's own image, in no enclave, and is given no secret: of the keys, the certificate alone. The
database is one of its own name, dropped before and after.
Source: the guide's person table; Hive 2.3 beeline, whose `-f` stops at the first statement that fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ppmlctl.evidence import Evidence
from ppmlctl.flows.spark.pod_template import KEYS_SECRET
from ppmlctl.flows.spark.verdict import Verdict
from ppmlctl.kubernetes.admission import ADMISSION_GUARD, SUBMISSION_FOLDER, submission_volumes
from ppmlctl.kubernetes.pod_parts import Manifest, Volumes, mounts, sources
from ppmlctl.runs.refusal import Refusal
from ppmlctl.runs.run import Roles

CHECK_ROLES = Roles(leader="check", worker="none", label="ppmlctl/check-role", number="ppmlctl/check-number")
CLAIM = "answered over JDBC: a table was made, read and dropped"
_STATEMENTS = "person.sql"
_KEYS = "/ppml/keys"
_CERTIFICATE = f"{_KEYS}/server.crt"
_SQL = """\
drop database if exists {database} cascade;
create database {database};
create table {database}.person (name string, age int, job string);
insert into {database}.person values ('Bob', 1, 'Engineer');
select name, age, job from {database}.person;
drop database {database} cascade;
"""
_ROW = re.compile(r"^\|\s*Bob\s*\|\s*1\s*\|\s*Engineer\s*\|", re.MULTILINE)
_SCRIPT = f"""\
#!/bin/bash
# Makes, reads and drops a table over JDBC. The address in; beeline's exit status out.
set -u
cd /tmp || exit 1

{ADMISSION_GUARD}
trusted=/tmp/trusted.jks
if [ -f {_CERTIFICATE} ]; then  # the password is Java's usual one, of a file with nothing secret in it
    "$JAVA_HOME/bin/keytool" -importcert -noprompt -alias server -file {_CERTIFICATE} \\
        -keystore "$trusted" -storepass changeit >/dev/null || exit 1
fi
exec "$JAVA_HOME/bin/java" -Xmx512m -Djavax.net.ssl.trustStore="$trusted" \\
    -Djavax.net.ssl.trustStorePassword=changeit -cp "$SPARK_HOME/jars/*" \\
    org.apache.hive.beeline.BeeLine --showDbInPrompt=false -u "$1" -n check -f {SUBMISSION_FOLDER}/{_STATEMENTS}
"""


@dataclass(frozen=True)
class JdbcAddress:
    """Where the server answers."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        return f"jdbc:hive2://{self.host}:{self.port}/{';ssl=true' if self.tls else ''}"


@dataclass(frozen=True)
class CheckProgram:
    """A Program (see there): beeline, by a script of ours."""

    run: str
    address: JdbcAddress
    image: str
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()

    def files(self) -> Mapping[str, str]:
        database = re.sub(r"[^a-z0-9]", "_", self.run)
        return {"submit.sh": _SCRIPT, _STATEMENTS: _SQL.format(database=database)}

    def pod(self) -> Manifest:
        volumes: Volumes = submission_volumes(self.run)
        if self.address.tls:
            items = [{"key": "server.crt", "path": "server.crt"}]
            volumes["certificate"] = (_KEYS, {"secret": {"secretName": KEYS_SECRET, "items": items}})
        container = {
            "name": "check",
            "image": self.image,
            "imagePullPolicy": self.image_pull_policy,
            "command": ["bash", f"{SUBMISSION_FOLDER}/submit.sh"],
            "args": self.words("", ""),
            "env": [{"name": "PPMLCTL_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "volumeMounts": mounts(volumes),
        }
        pod: Manifest = {"restartPolicy": "Never", "containers": [container], "volumes": sources(volumes)}
        if self.image_pull_secrets:
            pod["imagePullSecrets"] = [{"name": name} for name in self.image_pull_secrets]
        return pod

    def words(self, api_server: str, folder: str) -> list[str]:  # noqa: ARG002 - it runs in pods alone
        return [str(self.address)]

    def environment(self) -> Mapping[str, str]:
        return {}


@dataclass(frozen=True)
class CheckJudge:
    """A Judge (see there): by the row that beeline draws."""

    said_at_first: tuple[str, ...] = ()

    def judged(self, leader: str, workers: Mapping[str, str]) -> Verdict:  # noqa: ARG002 - it has none
        if _ROW.search(leader):
            return Verdict(CLAIM, Evidence.REPORTED)
        return Verdict(failure="its log does not hold the row that was written")

    def refusal(self, told: str) -> Refusal | None:  # noqa: ARG002 - it asks nobody
        return None

"""What a Thrift server's pod is made of: a driver of Spark's in client mode that begins anew whenever its pod does.

Metastore: Derby, which is one process's. Its place has a `;` in its address, which shells of the image would take for
the end of a command, so that it stands in a file of properties. The keystore's password is asked of a Hadoop credential
file, as Hive does where no setting has it (`HadoopShims.getPassword`).
Source: Spark's HiveThriftServer2; Hive 2.3 configuration names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ppmlctl.flows.spark.job import job_pod, submission_files
from ppmlctl.flows.spark.security import KEYSTORE, PROVIDER
from ppmlctl.flows.spark.submission import Executor, Process, Security, Submission
from ppmlctl.kubernetes.admission import SUBMISSION_FOLDER
from ppmlctl.kubernetes.labels import RUN
from ppmlctl.protection import ENCRYPTED_FOLDER, Attestation, EncryptedFs

CLASS = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
JAR = "local://${SPARK_HOME}/jars/spark-hive-thriftserver_2.12-${SPARK_VERSION}.jar"
PROPERTIES = "server.properties"
CREDENTIALS_FOLDER = "/ppml/thrift-secret"
PASSWORD_ALIAS = "hive.server2.keystore.password"  # noqa: S105 - the name under which the password is
_DATA = "/ppml/data"
_HIVE = "spark.hadoop.hive.server2"


def thrift_server(workload: Mapping[str, Any], platform: Mapping[str, Any]) -> dict[str, Any]:
    """Files, container, volumes and labels of the server, for the manifests of tasks.yaml; no secret is in them."""
    submission = _submission(workload, platform)
    files = {**submission_files(submission), PROPERTIES: _properties(workload, platform)}
    pod = job_pod(submission)
    (container,) = pod["containers"]
    credentials = _credentials(workload)
    mounts = [{"name": volume["name"], "mountPath": CREDENTIALS_FOLDER} for volume in credentials]
    return {
        "files": files,
        "files_digest": hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest(),
        "container": _serving(container, workload["thrift_server"]["port"], mounts),
        "volumes": [*pod["volumes"], *credentials],
        "labels": dict(submission.labels),
    }


def _serving(container: Mapping[str, Any], port: int, mounts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The container that submits, as one that serves: it is ready when its port answers."""
    return {
        **container,
        "name": "server",
        "args": ["--properties-file", f"{SUBMISSION_FOLDER}/{PROPERTIES}", *container["args"]],
        "ports": [{"name": "jdbc", "containerPort": port, "protocol": "TCP"}],
        "readinessProbe": {"tcpSocket": {"port": "jdbc"}, "periodSeconds": 5},
        "volumeMounts": [*container["volumeMounts"], *mounts],
    }


def _credentials(workload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The file with the keystore's password; tasks.yaml makes the Secret."""
    if not workload["thrift_server"]["tls"]:
        return []
    return [{"name": "credentials", "secret": {"secretName": f"{workload['name']}-credentials"}}]


def namespace_peers(names: Sequence[str]) -> list[dict[str, Any]]:
    """Pods of these namespaces, as a network policy names them."""
    label = "kubernetes.io/metadata.name"
    return [{"namespaceSelector": {"matchLabels": {label: name}}} for name in names]


def _submission(workload: Mapping[str, Any], platform: Mapping[str, Any]) -> Submission:
    server, variables = workload["thrift_server"], platform["image_variables"]
    return Submission(
        name=workload["name"],
        workload=workload["name"],
        namespace=platform["namespace"],
        image=platform["image"],
        application=_resolved(JAR, variables),
        service_account=platform["service_account"],
        mode="client",
        main_class=CLASS,
        arguments=tuple(_arguments(server)),
        jars=tuple(_resolved(jar, variables) for jar in server["jars"]),
        env=server["env"],
        conf={**server["conf"], **dict(_settings(workload))},
        driver=Process(**server["driver"]),
        executor=Executor(**server["executor"]),
        security=Security(**server["security"]),
        attestation=Attestation(**platform["attestation"]) if platform["attestation"] else None,
        encrypted_fs=_encrypted(server["encrypted_fs"], platform["data_keys"]),
        epc_request=None if server["epc_request"] is None else str(server["epc_request"]),
        device_plugin=platform["device_plugin"],
        image_pull_policy=platform["image_pull_policy"],
        image_pull_secrets=tuple(platform["image_pull_secrets"]),
        claim=platform["claim"],
        data=platform["data"],
        has_keys=platform["has_keys"],
        driver_port=platform["driver_port"],
        labels={RUN: workload["name"]},
        is_server=True,
    )


def _settings(workload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    server = workload["thrift_server"]
    yield f"{_HIVE}.thrift.port", str(server["port"])
    yield f"{_HIVE}.thrift.bind.host", "0.0.0.0"  # noqa: S104 - of its pod; the Service and its policy say who gets there
    if server["tls"]:
        yield f"{_HIVE}.use.SSL", "true"
        yield f"{_HIVE}.keystore.path", KEYSTORE
        ours, users = f"localjceks://file{CREDENTIALS_FOLDER}/credentials.jceks", server["conf"].get(PROVIDER)
        yield PROVIDER, f"{users},{ours}" if users else ours
    if server["authentication"]:
        yield f"{_HIVE}.authentication", "CUSTOM" if server["authentication"].get("custom") else "LDAP"


def _arguments(server: Mapping[str, Any]) -> Iterator[str]:
    """What whoever checks names and passwords reads: a configuration of its own, made of `--hiveconf` alone.

    Source: `LdapAuthenticationProviderImpl`, `CustomAuthenticationProviderImpl`; seen with Spark 3.1.3.
    """
    authentication = server["authentication"] or {}
    ldap = authentication.get("ldap") or {}
    given = {
        "custom.authentication.class": authentication.get("custom"),
        "authentication.ldap.url": ldap.get("url"),
        "authentication.ldap.baseDN": ldap.get("base_dn"),
    }
    for name, value in given.items():
        if value:
            yield from ("--hiveconf", f"hive.server2.{name}={value}")


def _properties(workload: Mapping[str, Any], platform: Mapping[str, Any]) -> str:
    """Settings whose values a shell would not leave as they are."""
    server, place = workload["thrift_server"], _place(workload, platform)
    lines = {"spark.sql.warehouse.dir": server["warehouse"] or f"file://{place}/warehouse"}
    if server["metastore"] == "data":
        url = f"jdbc:derby:;databaseName={place}/metastore_db;create=true"
        lines["spark.hadoop.javax.jdo.option.ConnectionURL"] = url
    return "".join(f"{name} {_escaped(value)}\n" for name, value in sorted(lines.items()))


def _escaped(value: str) -> str:
    """As java.util.Properties reads it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def _place(workload: Mapping[str, Any], platform: Mapping[str, Any]) -> str:
    """Where the server keeps what is its own."""
    if workload["thrift_server"]["encrypted_fs"]:
        return f"{ENCRYPTED_FOLDER}/{workload['name']}"
    has_data = platform["claim"] or platform["data"]
    return f"{_DATA}/{workload['name']}" if has_data else f"/tmp/{workload['name']}"  # noqa: S108 - of its own pod


def _encrypted(folder: Mapping[str, Any] | None, keys: Mapping[str, Any]) -> EncryptedFs | None:
    if folder is None:
        return None
    tls = keys["tls"]
    return EncryptedFs(
        data_key=folder["data_key"],
        secret=f"data-key-{folder['data_key']}",
        account=keys["account"],
        url=keys["url"],
        fingerprint=tls["fingerprint"],
        insecure=tls["insecure"],
    )


def _resolved(location: str, variables: Mapping[str, str]) -> str:
    for name, value in variables.items():
        location = location.replace(f"${{{name}}}", value)
    return location

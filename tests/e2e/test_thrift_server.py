"""The Thrift server on a real engine and cluster: SQL over TLS from other pods, and what becomes of it in its life."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from spark_example import ROOT, Example, kubectl, set_variables

pytestmark = [
    pytest.mark.docker,
    pytest.mark.cluster,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed"),
    pytest.mark.skipif(
        not {"DOCKER_HOST", "KUBECONFIG"} <= os.environ.keys(), reason="DOCKER_HOST or KUBECONFIG is not set"
    ),
]

PATIENCE = 900
"""Seconds; no test is about them."""


@pytest.fixture(scope="module")
def example(
    tmp_path_factory: pytest.TempPathFactory, bridge: str, aesm_socket: None, base_image: str
) -> Iterator[Example]:
    """An environment that was applied."""
    folder = tmp_path_factory.mktemp("thrift-server") / "example"
    shutil.copytree(ROOT / "examples/thrift-server", folder, ignore=shutil.ignore_patterns(".ppml", "*.lock", "keys"))
    file = folder / "ppml.yaml"
    copy = Example(folder, f"ppml-e2e-{secrets.token_hex(4)}")
    copy.data.mkdir()
    set_variables(file, namespace=copy.namespace, data=str(copy.data))
    file.write_text(file.read_text().replace("deadline: 10m", "deadline: 30m"))
    set_variables(file, ehsm_url=copy.told("sandbox", "up", "--only", "ehsm", "--listen", bridge)["ehsm_url"])
    try:
        applied = copy.run("apply", "--yes")
        assert applied.returncode == 0, applied.stdout + applied.stderr
        yield copy
    finally:
        copy.run("destroy", "--yes")
        copy.run("sandbox", "down")
        shutil.rmtree(folder)


def beeline(example: Example, *statements: str) -> str:
    """What a pod of another image's program says over TLS; it trusts the certificate and nothing else."""
    script = (
        "openssl s_client -connect sql-jdbc:10000 </dev/null 2>/dev/null | openssl x509 >/tmp/c.crt && "
        '"$JAVA_HOME/bin/keytool" -importcert -noprompt -file /tmp/c.crt -keystore /tmp/t.jks -storepass changeit && '
        '"$JAVA_HOME/bin/java" -Djavax.net.ssl.trustStore=/tmp/t.jks '
        '-Djavax.net.ssl.trustStorePassword=changeit -cp "$SPARK_HOME/jars/*" '
        'org.apache.hive.beeline.BeeLine -u "jdbc:hive2://sql-jdbc:10000/;ssl=true" -n someone --outputformat=csv2 '
        + " ".join(f'-e "{statement}"' for statement in statements)
    )
    image = json.loads(example.run("output", "-o", "json").stdout)["image"]
    options = [
        "--namespace",
        example.namespace,
        "--image",
        image,
        "--image-pull-policy=IfNotPresent",
        "--restart=Never",
    ]
    options += ["--attach", "--rm", "--quiet", "--pod-running-timeout=10m", "--command"]
    name = f"beeline-{secrets.token_hex(3)}"
    return kubectl("run", name, *options, "--", "bash", "-c", script, seconds=PATIENCE)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(1)


def is_ready(example: Example) -> bool:
    told = kubectl("get", "pod", "sql-0", "--namespace", example.namespace, "--output", "json", "--ignore-not-found")
    pod = json.loads(told or "{}")
    conditions = pod.get("status", {}).get("conditions", [])
    deleted = "deletionTimestamp" in pod.get("metadata", {})
    return not deleted and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def test_it_is_attested_and_answers(example: Example) -> None:
    log = example.run("logs", "sql").stdout
    assert "Attestation Success!" in log
    assert "HiveThriftServer2 started" in log
    assert "thrift-check.sql" in example.run("status").stdout
    assert example.acting() == {}
    said = beeline(example, "create table kept (name string)", "insert into kept values ('Ada')", "select * from kept")
    assert "Ada" in said


PYHIVE = """\
import ssl
from pyhive import hive
from thrift.transport.TSSLSocket import TSSLSocket
from thrift_sasl import TSaslClientTransport

def client():
    return hive.get_pure_sasl_client("sql-jdbc", "PLAIN", username="someone", password="x")

socket = TSSLSocket("sql-jdbc", 10000, ca_certs="/keys/server.crt", cert_reqs=ssl.CERT_REQUIRED)
with hive.connect(thrift_transport=TSaslClientTransport(client, "PLAIN", socket)) as connection:
    cursor = connection.cursor()
    cursor.execute("select name from kept")
    print(cursor.fetchall())
"""


def test_a_program_in_python_reads_it_too(example: Example) -> None:
    libraries = example.folder / "python"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]
    packages = ["pyhive==0.7.0", "thrift==0.25.0", "thrift-sasl==0.4.3", "pure-sasl==0.6.2"]
    subprocess.run([*install, str(libraries), *packages], check=True, capture_output=True, timeout=PATIENCE)
    image = json.loads(example.run("output", "-o", "json").stdout)["image"]
    items = [{"key": "server.crt", "path": "server.crt"}]
    container = {
        "name": "pyhive",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", PYHIVE],
        "env": [{"name": "PYTHONPATH", "value": "/python"}],
        "volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in ("keys", "python")],
    }
    volumes = [
        {"name": "keys", "secret": {"secretName": "ssl-keys", "items": items}},
        {"name": "python", "hostPath": {"path": str(libraries), "type": "Directory"}},
    ]
    spec = {"restartPolicy": "Never", "containers": [container], "volumes": volumes}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pyhive"}, "spec": spec}
    (example.folder / "pyhive.json").write_text(json.dumps(pod))
    kubectl("create", "--namespace", example.namespace, "--filename", str(example.folder / "pyhive.json"))
    phase = ["get", "pod", "pyhive", "--namespace", example.namespace, "--output", "jsonpath={.status.phase}"]
    until(lambda: kubectl(*phase) in {"Succeeded", "Failed"})
    assert "[('Ada',)]" in kubectl("logs", "pyhive", "--namespace", example.namespace)
    kubectl("delete", "pod", "pyhive", "--namespace", example.namespace, "--wait=true")


def test_killed_it_comes_back_with_its_tables_and_without_its_old_executors(example: Example) -> None:
    before = set(example.pods("spark-role=executor"))
    words = ["kubectl", "logs", "--follow", "--tail=1", "sql-0", "--namespace", example.namespace]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as following:
        kubectl("delete", "pod", "sql-0", "--namespace", example.namespace, "--wait=true", seconds=PATIENCE)
        last_words, _ = following.communicate(timeout=PATIENCE)
    assert "Successfully stopped SparkContext" in last_words
    until(lambda: is_ready(example))
    assert "Ada" in beeline(example, "select * from kept")
    until(lambda: not before & set(example.pods("spark-role=executor")))
    assert example.acting() == {}


def test_a_changed_setting_begins_it_anew_once(example: Example) -> None:
    file = example.folder / "ppml.yaml"
    pod = kubectl("get", "pod", "sql-0", "--namespace", example.namespace, "--output", "jsonpath={.metadata.uid}")
    file.write_text(file.read_text().replace("request.cores: 200m}", "request.cores: 150m}"))
    assert example.acting() == {"workload.sql": "update", "thrift-check.sql": "run"}
    applied = example.run("apply", "--yes")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    again = kubectl("get", "pod", "sql-0", "--namespace", example.namespace, "--output", "jsonpath={.metadata.uid}")
    assert again != pod
    assert "Ada" in beeline(example, "select * from kept")
    assert example.acting() == {}


def test_no_password_stands_in_a_manifest_or_a_log(example: Example) -> None:
    password = example.vault("ssl_password")
    told = kubectl("get", "statefulsets,configmaps,pods", "--namespace", example.namespace, "--output", "yaml")
    log = example.run("logs", "sql").stdout
    assert password not in told + log


def test_removed_it_leaves_its_tables_and_nothing_else(example: Example) -> None:
    file = example.folder / "ppml.yaml"
    text = file.read_text()
    file.write_text(text[: text.index("workloads:")] + "workloads: []\n")
    applied = example.run("apply", "--yes")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    until(lambda: example.pods() == [])
    left = kubectl("get", "statefulsets,services,networkpolicies", "--namespace", example.namespace, "--output", "name")
    assert "sql" not in left
    assert (example.data / "sql/metastore_db").is_dir()
    assert re.search("Ada", "".join(path.read_text(errors="replace") for path in example.data.rglob("part-*")))

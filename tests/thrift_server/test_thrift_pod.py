"""What a Thrift server's pod is made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.engine.expansion import expand_environment
from ppmlctl.flows.registry import load
from ppmlctl.flows.thrift_server.check import CheckJudge, CheckProgram, JdbcAddress
from ppmlctl.flows.thrift_server.pod import namespace_peers, thrift_server
from ppmlctl.modules.registry import Registry

FILE = """\
version: 1
name: sql
images:
  base: {{reference: b}}
  custom: {{name: a, tag: "1", enclave_size: 4G}}
keys: {{}}
kms: {{ehsm: {{url: "https://kms:9000", keys: [{{name: k}}], data_keys: [{{name: warehouse, key: k}}]}}}}
client: {{data: /data}}
workloads:
  - name: one
    thrift_server: {server}
"""
JDBC = [{"port": "jdbc", "protocol": "TCP"}]
PLATFORM: dict[str, Any] = {
    "namespace": "ppml",
    "image": "a:1",
    "image_variables": {"SPARK_HOME": "/ppml/spark", "SPARK_VERSION": "3.1.3"},
    "image_pull_policy": "IfNotPresent",
    "image_pull_secrets": [],
    "service_account": "spark",
    "device_plugin": "intel",
    "claim": None,
    "data": "/data",
    "has_keys": True,
    "driver_port": 54321,
    "attestation": {"url": "kms:9000", "service": "EHSMAttestationService", "secret": "kms-secret"},
    "data_keys": {
        "account": "kms-secret",
        "url": "kms:9000",
        "tls": {"ca": None, "fingerprint": None, "insecure": True},
    },
}


@pytest.fixture
def made(tmp_path: Path) -> Any:
    def make(server: str, **platform: Any) -> dict[str, Any]:
        (tmp_path / "ppml.yaml").write_text(FILE.format(server=server))
        (workload,) = load(tmp_path / "ppml.yaml").environment.model_dump(mode="json")["workloads"]
        return thrift_server(workload, PLATFORM | platform)

    return make


def settings(server: dict[str, Any]) -> dict[str, str]:
    words = server["container"]["args"]
    pairs = [words[index + 1] for index, word in enumerate(words) if word == "--conf"]
    return dict(pair.split("=", 1) for pair in pairs)


def test_it_is_a_driver_that_begins_whenever_its_pod_does(made: Any) -> None:
    server = made("{}")
    script = server["files"]["submit.sh"]
    assert "admitted" not in script
    assert "gramine-sgx" in script
    assert {one["name"] for one in server["volumes"]} >= {"submission", "credentials", "secure-keys", "data"}
    assert "admission" not in {one["name"] for one in server["volumes"]}
    assert "spark.kubernetes.executor.podNamePrefix" not in settings(server)
    assert settings(server)["spark.kubernetes.executor.deleteOnTermination"] == "true"
    assert settings(server)["spark.driver.host"] == "$(PPMLCTL_ADDRESS)"
    assert json.loads(server["files"]["executor.yaml"])["kind"] == "Pod"
    assert "driver.yaml" not in server["files"]


def test_its_words_name_spark_s_own_server(made: Any) -> None:
    words = made("{}")["container"]["args"]
    assert words[:2] == ["--properties-file", "/ppml/submission/server.properties"]
    assert words[-1] == "local:///ppml/spark/jars/spark-hive-thriftserver_2.12-3.1.3.jar"
    assert "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2" in words
    assert not any(word.split() != [word] or ";" in word for word in words)


def test_tls_is_by_the_keystore_and_its_password_in_a_file(made: Any) -> None:
    on = settings(made("{}"))
    assert on["spark.hadoop.hive.server2.use.SSL"] == "true"
    assert on["spark.hadoop.hive.server2.keystore.path"] == "/ppml/keys/keystore.jks"
    provider = on["spark.hadoop.hadoop.security.credential.provider.path"]
    assert "localjceks://file/ppml/thrift-secret/credentials.jceks" in provider
    off = made("{tls: false}")
    assert "spark.hadoop.hive.server2.use.SSL" not in settings(off)
    assert "credentials" not in {one["name"] for one in off["volumes"]}


@pytest.mark.parametrize(
    ("server", "platform", "place"),
    [
        ("{}", {}, "/ppml/data/one"),
        ("{encrypted_fs: {data_key: warehouse}}", {}, "/ppml/encrypted-fsd/one"),
        ("{metastore: pod}", {"data": None}, "/tmp/one"),
    ],
)
def test_its_tables_are_where_they_stay(made: Any, server: str, platform: dict[str, Any], place: str) -> None:
    properties = made(server, **platform)["files"]["server.properties"]
    assert f"spark.sql.warehouse.dir file://{place}/warehouse\n" in properties
    kept = f"spark.hadoop.javax.jdo.option.ConnectionURL jdbc:derby:;databaseName={place}/metastore_db;create=true\n"
    assert (kept in properties) is ("metastore" not in server)


def test_a_warehouse_of_its_own(made: Any) -> None:
    properties = made("{warehouse: 'hdfs://namenode:8020/w'}")["files"]["server.properties"]
    assert "spark.sql.warehouse.dir hdfs://namenode:8020/w\n" in properties


def test_who_may_connect(made: Any) -> None:
    directory = made('{authentication: {ldap: {url: "ldaps://d", base_dn: "ou=a,dc=c"}}}')
    assert settings(directory)["spark.hadoop.hive.server2.authentication"] == "LDAP"
    asked = ["hive.server2.authentication.ldap.url=ldaps://d", "hive.server2.authentication.ldap.baseDN=ou=a,dc=c"]
    assert directory["container"]["args"][-4:] == ["--hiveconf", asked[0], "--hiveconf", asked[1]]
    own = made("{authentication: {custom: org.example.Door}}")
    assert settings(own)["spark.hadoop.hive.server2.authentication"] == "CUSTOM"
    asked = ["--hiveconf", "hive.server2.custom.authentication.class=org.example.Door"]
    assert own["container"]["args"][-2:] == asked
    assert "spark.hadoop.hive.server2.authentication" not in settings(made("{}"))
    assert "--hiveconf" not in made("{}")["container"]["args"]
    (peer,) = namespace_peers(["analytics"])
    assert peer == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "analytics"}}}


def test_another_setting_is_another_digest(made: Any) -> None:
    assert made("{}")["files_digest"] == made("{}")["files_digest"]
    assert made("{}")["files_digest"] != made("{executor: {memory: 2g}, env: {A: b}}")["files_digest"]


def test_the_check_is_given_the_certificate_and_no_secret() -> None:
    program = CheckProgram("one-check-0-1", JdbcAddress("one-jdbc", 10000, tls=True), "a:1", image_pull_secrets=("p",))
    pod = program.pod()
    assert pod["containers"][0]["args"] == ["jdbc:hive2://one-jdbc:10000/;ssl=true"]
    (certificate,) = [one for one in pod["volumes"] if "secret" in one]
    assert certificate["secret"] == {"secretName": "ssl-keys", "items": [{"key": "server.crt", "path": "server.crt"}]}
    assert "create database one_check_0_1;" in program.files()["person.sql"]
    assert program.files()["person.sql"].count("drop database") == 2
    assert pod["imagePullSecrets"] == [{"name": "p"}]
    plain = CheckProgram("r", JdbcAddress("h", 1), "a:1").pod()
    assert [one for one in plain["volumes"] if "secret" in one] == []


def test_the_check_reads_the_row_that_was_written() -> None:
    drawn = "+-------+------+-----------+\n| Bob   | 1    | Engineer  |\n"
    assert CheckJudge().judged(drawn, {}).claim == "answered over JDBC: a table was made, read and dropped"
    assert CheckJudge().judged("insert into x values ('Bob', 1, 'Engineer');", {}).failure


@pytest.mark.parametrize(
    ("server", "others"),
    [
        ("{}", []),
        ("{allow_from: [analytics]}", [{"ports": JDBC, "from": namespace_peers(["analytics"])}]),
        ("{node_port: 30001}", [{"ports": JDBC}]),
        ("{node_port: 30001, allow_from: [analytics]}", [{"ports": JDBC}]),
    ],
)
def test_who_reaches_it(tmp_path: Path, server: str, others: list[Any]) -> None:
    (tmp_path / "ppml.yaml").write_text(FILE.format(server=server))
    loaded = load(tmp_path / "ppml.yaml")
    tasks = expand_environment(loaded.environment, tmp_path, Registry(), (), loaded.document).tasks
    (policy,) = (task.arguments({}).manifest for task in tasks if task.address == "thrift-policy.one")
    assert policy["spec"]["ingress"] == [{"from": [{"podSelector": {}}]}, *others]
    assert policy["spec"]["podSelector"] == {"matchLabels": {"ppmlctl/server": "one"}}

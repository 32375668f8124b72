"""What is refused and what is warned of in a Thrift server's section: one message with its place and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppmlctl.diagnostics import InputError
from ppmlctl.flows.registry import load

FILE = """\
version: 1
name: sql
images:
  base: {{reference: b}}
  custom: {{name: a, tag: "1", enclave_size: 4G}}
{sections}
workloads:
  - name: one
    thrift_server: {server}
{more}
"""
DATA = "client: {data: /data}"
KEYS = f"keys: {{}}\n{DATA}"


def text(server: str, sections: str, more: str = "") -> str:
    return FILE.format(server=server, sections=sections, more=more)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (text("{tls: true}", DATA), "security-needs-keys"),
        (text("{tee: tdx}", KEYS), "thrift-server-in-domain"),
        (text("{warehouse: /tables}", KEYS), "wrong-warehouse"),
        (text("{warehouse: 'file:///a;b'}", KEYS), "wrong-warehouse"),
        (text("{}", "keys: {}"), "metastore-has-no-place"),
        (text("{node_port: 80}", KEYS), "out-of-range"),
        (text("{mode: cluster}", KEYS), "unknown-key"),
        (text("{authentication: {}}", KEYS), "no-alternative"),
        (text("{authentication: {custom: a.B}, smoke_test: true}", KEYS), "smoke-test-has-no-account"),
        (text("{conf: {spark.hadoop.hive.server2.thrift.port: '1'}}", KEYS), "conf-has-key"),
        (text("{conf: {spark.hive.server2.authentication: NONE}}", KEYS), "conf-has-key"),
        (text("{authentication: {ldap: {url: 'ldaps://d', base_dn: 'ou=a b'}}}", KEYS), "blank-in-word"),
        (text("{authentication: {ldap: {url: 'ldaps://d', base_dn: 'ou=[a]'}}}", KEYS), "shell-in-word"),
        (text("{conf: {spark.hive.server2.use.SSL: 'false'}}", KEYS), "conf-has-key"),
        (text("{conf: {spark.hadoop.hive.server2.keystore.password: hunter2}}", KEYS), "literal-secret"),
        (text("{executor: {memory: 100m}}", KEYS), "heap-below-spark"),
        (
            text("{node_port: 30001}", KEYS, "  - name: two\n    thrift_server: {node_port: 30001}"),
            "node-port-taken",
        ),
        (
            text("{warehouse: 'hdfs://a/w'}", KEYS, "  - name: two\n    thrift_server: {warehouse: 'hdfs://a/w'}"),
            "warehouse-shared",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, written: str, told: str) -> None:
    (tmp_path / "ppml.yaml").write_text(written)
    with pytest.raises(InputError) as refused:
        load(tmp_path / "ppml.yaml")
    assert [one.code for one in refused.value.diagnostics] == [told]
    assert all(one.at is not None and one.fix for one in refused.value.diagnostics)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (text("{authentication: {custom: a.B}}", KEYS), set()),
        (text("{}", KEYS), {"anybody-connects"}),
        (text("{authentication: {custom: a.B}}", DATA), {"jdbc-in-the-clear"}),
        (text("{authentication: {custom: a.B}, tls: false}", KEYS), {"jdbc-in-the-clear"}),
        (text("{authentication: {custom: a.B}, metastore: pod}", KEYS), {"metastore-in-pod"}),
        (text("{authentication: {custom: a.B}}\n    expect_log: it is done", KEYS), {"key-without-effect"}),
    ],
)
def test_what_weakens_it_is_said(tmp_path: Path, written: str, told: set[str]) -> None:
    (tmp_path / "ppml.yaml").write_text(written)
    ours = {"anybody-connects", "jdbc-in-the-clear", "metastore-in-pod", "key-without-effect"}
    assert {one.code for one in load(tmp_path / "ppml.yaml").warnings} & ours == told

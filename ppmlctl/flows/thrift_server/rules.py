"""Rules for Thrift servers."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.flows.thrift_server.section import ThriftServer
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath

_HIVE = "spark.hadoop.hive.server2."
_KEPT = {
    f"{_HIVE}thrift.port": "port",
    f"{_HIVE}use.SSL": "tls",
    f"{_HIVE}keystore.path": "tls",
    f"{_HIVE}authentication": "authentication",
    f"{_HIVE}custom.authentication.class": "authentication.custom",
    f"{_HIVE}authentication.ldap.url": "authentication.ldap.url",
    f"{_HIVE}authentication.ldap.baseDN": "authentication.ldap.base_dn",
    "spark.sql.warehouse.dir": "warehouse",
    "spark.hadoop.javax.jdo.option.ConnectionURL": "metastore",
}


def no_domain_runs_it(_environment: Environment, path: KeyPath, server: ThriftServer) -> Iterator[Finding]:
    """Its driver is in client mode: Spark refuses another one for this class."""
    if server.tee == "tdx":
        title, why = "a Thrift server needs enclaves", "only driver and executor pods of cluster mode run in a domain"
        yield Finding((*path, "tee"), "thrift-server-in-domain", title, "tdx", why, "say `tee: sgx`")


def its_keys_are_there(environment: Environment, path: KeyPath, server: ThriftServer) -> Iterator[Finding]:
    """TLS is by the keystore that `keys` makes."""
    if server.tls and environment.keys is None:
        title, fix = "TLS for JDBC needs keys", "add `keys: {}`, or remove the key"
        yield Finding((*path, "tls"), "security-needs-keys", title, "no `keys`", fix=fix)
    elif not server.tls and (server.tls is False or environment.keys is None):
        title, fix = "connections to a Thrift server are in the clear", "add `keys: {}`, and leave `tls` out"
        found, why = f"no TLS on port {server.port}", "names, passwords and rows can be read on the way"
        place = path if server.tls is None else (*path, "tls")
        yield warning(place, "jdbc-in-the-clear", title, found=found, why=why, fix=fix)


def it_knows_who_connects(_environment: Environment, path: KeyPath, server: ThriftServer) -> Iterator[Finding]:
    """Hive's default takes any name and any password. Source: `hive.server2.authentication`, NONE."""
    if server.authentication is None:
        title = "anybody who reaches a Thrift server may read and change everything, as anybody"
        why = "its default takes any name and any password"
        fix = "say `authentication: {ldap: …}` or `{custom: …}`"
        yield warning(path, "anybody-connects", title, found="no `authentication`", why=why, fix=fix)
    elif server.smoke_test:
        title, why = "a smoke test cannot log in", "it has no name and password of that directory"
        yield Finding((*path, "smoke_test"), "smoke-test-has-no-account", title, "true", why, "remove the key")


def its_tables_outlive_its_pod(environment: Environment, path: KeyPath, server: ThriftServer) -> Iterator[Finding]:
    """What is in the pod alone goes with it."""
    has_data = environment.cluster.storage is not None or environment.client.data is not None
    title, why = "a Thrift server's tables are lost with its pod", "its metastore lies in the pod's own file system"
    if server.metastore == "pod":
        found, fix = "metastore: pod", "remove the key"
        yield warning((*path, "metastore"), "metastore-in-pod", title, found=found, why=why, fix=fix)
    elif not has_data and environment.target == "cluster":
        fix = "add `cluster.storage` with a claim, or `client.data`, or say `metastore: pod`"
        yield Finding(path, "metastore-has-no-place", title, "no shared data", why, fix)


def ehsm_is_trusted_by_its_fingerprint(
    environment: Environment, path: KeyPath, server: ThriftServer
) -> Iterator[Finding]:
    """The text of a CA's file is not handed on to a server's pod."""
    if server.encrypted_fs is not None and environment.kms is not None and environment.kms.ehsm.tls.ca is not None:
        title, fix = "a server's key client knows no CA", "say `kms.ehsm.tls.fingerprint`, or have a public CA sign"
        why = "it is told EHSM's fingerprint, or goes by the image's own authorities"
        yield Finding((*path, "encrypted_fs"), "server-trusts-no-ca", title, "kms.ehsm.tls.ca", why, fix)


def ports_are_its_own(environment: Environment, path: KeyPath, server: ThriftServer) -> Iterator[Finding]:
    """A port of every node leads to one Service."""
    for name, other in _servers_before(environment, path):
        if server.node_port is not None and other.node_port == server.node_port:
            title, fix = "two servers have one port of the nodes", "give one of them another"
            yield Finding((*path, "node_port"), "node-port-taken", title, f"{server.node_port}, as {name}", fix=fix)


def warehouses_are_apart(environment: Environment, path: KeyPath, server: ThriftServer) -> Iterator[Finding]:
    """Each server lists the tables of its warehouse by itself, so one drops what another still lists."""
    for name, other in _servers_before(environment, path):
        if server.warehouse and other.warehouse == server.warehouse:
            title, fix = "two servers have one warehouse", "give one of them another"
            why = "each has a list of tables of its own, and would drop what the other lists"
            yield Finding((*path, "warehouse"), "warehouse-shared", title, f"as {name}", why, fix)


def its_log_is_not_judged(environment: Environment, path: KeyPath, _server: ThriftServer) -> Iterator[Finding]:
    """A server has no end at which its log could be; what is judged is the table over JDBC."""
    if environment.workloads[int(path[1])].expect_log is not None:
        title, why = "a key has no effect on a server", "its log has no end at which it could be judged"
        place = (*path[:2], "expect_log")
        yield warning(place, "key-without-effect", title, found="expect_log", why=why, fix="remove the key")


def settings_have_keys(_environment: Environment, path: KeyPath, server: ThriftServer) -> Iterator[Finding]:
    """`conf` is for what has no key of its own."""
    for setting in server.conf:
        if key := _KEPT.get(_as_hadoop(setting)):
            title, fix = "a setting has a key of its own", f"say it with `{key}`"
            yield Finding((*path, "conf", setting), "conf-has-key", title, setting, fix=fix, at_key=True)


def _as_hadoop(setting: str) -> str:
    """Spark takes `spark.hive.x` for `spark.hadoop.hive.x`, and the short name wins (`SparkHadoopUtil`)."""
    return f"spark.hadoop.{setting.removeprefix('spark.')}" if setting.startswith("spark.hive.") else setting


def _servers_before(environment: Environment, path: KeyPath) -> Iterator[tuple[str, ThriftServer]]:
    for workload in environment.workloads[: int(path[1])]:
        if isinstance(workload.kind, ThriftServer):
            yield workload.name, workload.kind

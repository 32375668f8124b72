"""Spark Thrift servers as a flow."""

from __future__ import annotations

from ppmlctl.flows.flow import Flow
from ppmlctl.flows.spark.rules import heap_holds_spark, security_is_complete, security_is_on
from ppmlctl.flows.spark.setting_rules import conf_agrees_with_the_rest
from ppmlctl.flows.thrift_server.credentials import keystore_credentials
from ppmlctl.flows.thrift_server.pod import namespace_peers, thrift_server
from ppmlctl.flows.thrift_server.rules import (
    ehsm_is_trusted_by_its_fingerprint,
    it_knows_who_connects,
    its_keys_are_there,
    its_log_is_not_judged,
    its_tables_outlive_its_pod,
    no_domain_runs_it,
    ports_are_its_own,
    settings_have_keys,
    warehouses_are_apart,
)
from ppmlctl.flows.thrift_server.section import ThriftServer

THRIFT_SERVER = Flow(
    key="thrift_server",
    section=ThriftServer,
    about="A Spark Thrift server, which answers SQL over JDBC.",
    rules=(
        no_domain_runs_it,
        its_keys_are_there,
        it_knows_who_connects,
        its_tables_outlive_its_pod,
        ehsm_is_trusted_by_its_fingerprint,
        ports_are_its_own,
        warehouses_are_apart,
        its_log_is_not_judged,
        settings_have_keys,
        heap_holds_spark,
        conf_agrees_with_the_rest,
        security_is_complete,
        security_is_on,
    ),
    filters={
        "keystore_credentials": keystore_credentials,
        "namespace_peers": namespace_peers,
        "thrift_server": thrift_server,
    },
)

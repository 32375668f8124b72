"""Spark applications as a flow."""

from __future__ import annotations

from ppmlctl.flows.flow import Flow
from ppmlctl.flows.spark.rules import (
    client_has_an_enclave,
    domain_runs_in_pods,
    executors_reach_the_client,
    heap_holds_spark,
    python_has_a_driver,
    security_is_complete,
    security_is_on,
)
from ppmlctl.flows.spark.section import Spark
from ppmlctl.flows.spark.setting_rules import conf_agrees_with_the_rest

SPARK = Flow(
    key="spark",
    section=Spark,
    about="A Spark application.",
    rules=(
        domain_runs_in_pods,
        client_has_an_enclave,
        executors_reach_the_client,
        heap_holds_spark,
        conf_agrees_with_the_rest,
        python_has_a_driver,
        security_is_complete,
        security_is_on,
    ),
)

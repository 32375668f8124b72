"""A kubeconfig that does not verify its cluster, or acts as another, is used as kubectl does; every plan says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from flows.checkouts import Make
from ruamel.yaml import YAML

pytestmark = pytest.mark.long

SAID = """\
warning[insecure-cluster-tls]: any server may pass for the cluster
  is   context CONTEXT of the kubeconfig does not verify SERVER
  why  secrets, and this kubeconfig's own credentials, go to whoever answers there
  fix  give the cluster's certificate-authority, and remove insecure-skip-tls-verify
"""
ACTING = """\
warning[cluster-impersonation]: the cluster is asked as another user
  is   context CONTEXT of the kubeconfig acts as builder of system:masters, ops
  why  rights, and the cluster's audit log, are those of whom it acts as
  fix  remove `as` from the user of this context, if that is not meant
"""


def test_every_plan_names_a_cluster_that_is_not_verified(make: Make, kubeconfig: Path, tmp_path: Path) -> None:
    content = YAML(typ="safe", pure=True).load(kubeconfig)
    server = content["clusters"][0]["cluster"]["server"]
    content["clusters"][0]["cluster"] = {"server": server, "insecure-skip-tls-verify": True}
    (tmp_path / "open").write_text(json.dumps(content))
    verified = make()
    one = replace(verified, variables={**verified.variables, "KUBECONFIG": str(tmp_path / "open")})
    said = SAID.replace("CONTEXT", content["current-context"]).replace("SERVER", server)

    assert said in one.run("plan").stdout
    assert said in one.succeed("apply", "--yes")
    assert said in one.run("plan").stdout, "and when there is nothing to do"
    code, plan = one.plan()
    assert (code, [warning["code"] for warning in plan["warnings"]]) == (0, ["insecure-cluster-tls"])
    assert "insecure-cluster-tls" not in verified.run("plan").stdout


def test_every_plan_names_whom_the_kubeconfig_acts_as(make: Make, kubeconfig: Path, tmp_path: Path) -> None:
    content = YAML(typ="safe", pure=True).load(kubeconfig)
    content["users"][0]["user"] |= {"as": "builder", "as-groups": ["system:masters", "ops"]}
    (tmp_path / "acting").write_text(json.dumps(content))
    itself = make()
    one = replace(itself, variables={**itself.variables, "KUBECONFIG": str(tmp_path / "acting")})

    assert ACTING.replace("CONTEXT", content["current-context"]) in one.run("plan").stdout
    _, plan = one.plan()
    assert [warning["code"] for warning in plan["warnings"]] == ["cluster-impersonation"]
    assert "cluster-impersonation" not in itself.run("plan").stdout

"""Settings in `conf` that say what `security` sets already are no contradiction."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppmlctl.flows.registry import load
from ppmlctl.flows.spark.security import fixed_settings
from ppmlctl.flows.spark.submission import Security

ALL = dict(fixed_settings(Security(rpc_auth=True, rpc_encryption=True, io_encryption=True, tls=True)))
FILE = """\
version: 1
name: agrees
target: cluster
images: {{base: {{reference: registry.example.com/base:1}}, custom: {{name: ppml/agrees, tag: "1", enclave_size: 8G}}}}
keys: {{}}
workloads:
  - name: pi
    spark:
      main_class: Pi
      application: local:///pi.jar
      conf: {{{setting}: "{value}"}}
"""


@pytest.mark.parametrize(("setting", "value"), ALL.items())
def test_a_setting_with_the_very_value_that_is_set_is_taken(setting: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_text(FILE.format(setting=setting, value=value))
    assert load(tmp_path / "ppml.yaml").environment.workloads

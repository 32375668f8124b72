"""What tells the images of a workload's protection is made of keys of ppml.yaml, and of nothing else."""

from __future__ import annotations

from dataclasses import replace

from ppmlctl.protection import (
    ATTESTING_ACCOUNT,
    KEY_ACCOUNT,
    Attestation,
    EncryptedFs,
    encrypted_variables,
)
from ppmlctl.spec.rules.image_variables import VARIABLES


def test_no_variable_that_protects_can_be_set_by_hand() -> None:
    attestation = Attestation("judge:1", "service", "secret", pccs_url="https://pccs:1", quote_type="TDX")
    folder = EncryptedFs("ehsm:1", "account", "secret", ca="PEM", fingerprint="ab")
    told = {*attestation.variables, *ATTESTING_ACCOUNT, *KEY_ACCOUNT}
    told |= {*encrypted_variables(folder), *encrypted_variables(replace(folder, insecure=True))}
    assert told - VARIABLES.keys() == set()

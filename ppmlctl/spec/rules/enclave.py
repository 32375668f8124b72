"""Rules for the enclave."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, nearest
from ppmlctl.spec.key_path import KeyPath

_SIGNER: KeyPath = ("enclave", "signer")


def findings_have_known_names(environment: Environment) -> Iterator[Finding]:
    """A misspelt name would leave its finding at `warn`. Settings that Gramine calls insecure are open-ended."""
    if not environment.enclave.findings:
        return
    from ppmlctl.sgx.findings import INSECURE, NAMES  # noqa: PLC0415 - loads all that measures

    for name in environment.enclave.findings:
        if not name.startswith(INSECURE) and name not in NAMES:
            title, fix = "there is no such finding", nearest(name, (*NAMES, f"{INSECURE}…"))
            yield Finding(("enclave", "findings", name), "unknown-finding", title, name, fix=fix, at_key=True)


def signer_is_whole(environment: Environment) -> Iterator[Finding]:
    """A command without its public key could answer for any signer; a public key without a command signs nothing."""
    signer = environment.enclave.signer
    if signer.command is not None and signer.public_key is None:
        title, why = "an external signer has no public key", "its answers are verified, and MRSIGNER follows from it"
        fix = "add `public_key:` with a PEM file; `ppmlctl enclave key KEY --public FILE` writes one"
        yield Finding((*_SIGNER, "command"), "signer-needs-public-key", title, why=why, fix=fix, at_key=True)
    if signer.command is None and signer.public_key is not None:
        title, fix = "a public key cannot sign", "add `command:`, or remove the key"
        yield Finding((*_SIGNER, "public_key"), "signer-needs-command", title, signer.public_key, fix=fix, at_key=True)

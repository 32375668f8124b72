"""Files and folders that ppml.yaml names and that are committed beside it. Their paths are relative to its folder.

Key files and password files are not among them: a checkout without secrets is a valid one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, warning
from ppmlctl.spec.key_path import KeyPath

_OF_THE_SANDBOX = Path(".ppml/sandbox")


def missing_files(environment: Environment, folder: Path) -> Iterator[Finding]:
    """One finding for each. Looks at the file system."""
    missing: list[Path] = []
    for path, name in _named(environment):
        if name is None or any(Path(name).is_relative_to(above) for above in missing):
            continue
        if not (folder / name).exists():
            missing.append(Path(name))
            yield _missing(path, name)


def _missing(path: KeyPath, name: str) -> Finding:
    """The sandbox makes its files itself: a checkout is valid before it was started."""
    title = "a file or folder does not exist"
    if Path(name).is_relative_to(_OF_THE_SANDBOX):
        return warning(path, "sandbox-file-missing", f"{title} yet", found=name, fix="ppmlctl sandbox up")
    fix = "make it, or correct the path; it is relative to ppml.yaml's folder"
    return Finding(path, "missing-file", title, name, fix=fix)


def _named(environment: Environment) -> Iterator[tuple[KeyPath, str | None]]:
    for index, playbook in enumerate(environment.playbooks):
        yield ("playbooks", index), playbook
    yield ("site",), environment.site
    yield from _of_images(environment)
    yield ("enclave", "signer", "public_key"), environment.enclave.signer.public_key
    if environment.pccs:
        yield ("pccs", "ca"), environment.pccs.ca
    if environment.attestation.service:
        yield ("attestation", "service", "tls", "ca"), environment.attestation.service.tls.ca
        yield ("attestation", "service", "control"), environment.attestation.service.control
    if environment.kms:
        yield ("kms", "ehsm", "tls", "ca"), environment.kms.ehsm.tls.ca
        yield ("kms", "ehsm", "trust_root"), environment.kms.ehsm.trust_root
        yield ("kms", "ehsm", "collateral"), environment.kms.ehsm.collateral


def _of_images(environment: Environment) -> Iterator[tuple[KeyPath, str | None]]:
    base = environment.images.base if environment.images else None
    if base is None:
        return
    yield ("images", "base", "rootfs"), base.rootfs
    if base.build:
        yield ("images", "base", "build", "context"), base.build.context
        yield ("images", "base", "build", "dockerfile"), str(Path(base.build.context) / base.build.dockerfile)

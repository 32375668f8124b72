"""Rules for encrypted folders of workloads."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.attestation import BIGDL
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, nearest, warning
from ppmlctl.spec.key_path import KeyPath, dotted
from ppmlctl.spec.kind import Kind
from ppmlctl.spec.rules.workloads import kinds_of
from ppmlctl.spec.traits import Trait, marked


def encrypted_folders_can_be_opened(environment: Environment) -> Iterator[Finding]:
    """The folder needs an enclave, a data key, and storage that outlives its pods."""
    for path, kind in kinds_of(environment):
        for place, folder in marked(kind, Trait.ENCRYPTED_FOLDER, path):
            yield from _without_enclave(environment, place, kind)
            yield from _without_key(environment, (*place, "data_key"), folder.data_key)
            if environment.attestation.enabled and environment.attestation.type == BIGDL:
                yield _with_two_accounts(place)
            if not environment.attestation.enabled:
                yield _without_attestation(place)
            if not _has_storage(environment):
                yield _without_storage(place)


def encrypted_folder_has_one_key(environment: Environment) -> Iterator[Finding]:
    """The shared data have one encrypted folder, so all who open it have one key."""
    declared = {one.name for one in environment.kms.ehsm.data_keys} if environment.kms else set()
    users = [
        ((*path, "data_key"), folder.data_key)
        for path, folder in marked(environment, Trait.ENCRYPTED_FOLDER)
        if folder.data_key in declared
    ]
    for place, data_key in users if _has_storage(environment) else ():
        where, first = users[0]
        if data_key != first:
            title, why = "two keys for one encrypted folder", "what one workload writes there the other cannot read"
            found = f"{data_key}, but {first} at {dotted(where)}"
            yield Finding(place, "encrypted-fs-two-keys", title, found, why, f"use {first}")


def _has_storage(environment: Environment) -> bool:
    return bool(environment.cluster.storage or environment.client.data)


def _without_enclave(environment: Environment, place: KeyPath, kind: Kind) -> Iterator[Finding]:
    why = "Gramine encrypts it, so outside of enclaves nothing does, and the images start without a word"
    if kind.in_the_open:
        found, fix = f"{kind.in_the_open.key}: {getattr(kind, kind.in_the_open.key)}", kind.in_the_open.fix
    elif kind.protected_by == "tdx":
        found, fix = "tee: tdx", "say `tee: sgx`"
    elif environment.cluster.sgx.device_plugin == "none":
        found, fix = "cluster.sgx.device_plugin: none", "say `device_plugin: intel` or `host`"
    else:
        return
    title = "an encrypted folder needs an enclave"
    yield Finding(place, "encrypted-fs-needs-enclave", title, found, why, fix, at_key=True)


def _without_key(environment: Environment, place: KeyPath, data_key: str) -> Iterator[Finding]:
    if environment.kms is None:
        title, fix = "a data key needs a key management service", "add `kms: {ehsm: {keys: …, data_keys: …}}`"
        yield Finding(place, "encrypted-fs-needs-kms", title, "no `kms`", fix=fix)
        return
    declared = [one.name for one in environment.kms.ehsm.data_keys]
    if data_key not in declared:
        title, fix = "no data key of this name is declared", "declare it under kms.ehsm.data_keys"
        yield Finding(place, "unknown-data-key", title, data_key, fix=nearest(data_key, declared) or fix)


def _with_two_accounts(place: KeyPath) -> Finding:
    title, why = (
        "a pod cannot have two accounts",
        "the images read EHSM's for the data key and the attestation service's from the same variables",
    )
    fix = "say `attestation.type: EHSMAttestationService`, or remove `encrypted_fs`"
    return Finding(place, "encrypted-fs-two-accounts", title, f"attestation.type: {BIGDL}", why, fix, at_key=True)


def _without_attestation(place: KeyPath) -> Finding:
    title, why = "a data key goes to an enclave that nobody judged", "the images fetch it, attested or not"
    fix = "say `attestation: {enabled: true}`"
    return warning(place, "encrypted-fs-unattested", title, found="no attestation", why=why, fix=fix, at_key=True)


def _without_storage(place: KeyPath) -> Finding:
    title, why = (
        "an encrypted folder has no storage",
        "it is the container's own: what is written there goes with the pod",
    )
    fix = "add `cluster.storage`, or `client.data`"
    return warning(
        place, "encrypted-fs-without-storage", title, found="no `cluster.storage`", why=why, fix=fix, at_key=True
    )

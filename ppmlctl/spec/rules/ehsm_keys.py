"""Rules for what is declared at EHSM."""

from __future__ import annotations

from collections.abc import Iterator

from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding, nearest
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.kms import Ehsm

_SYMMETRIC = ("EH_AES", "EH_SM4")


def ehsm_keys_fit_what_they_are_for(environment: Environment) -> Iterator[Finding]:
    """What a data key or a secret is encrypted with is a symmetric key of `keys`, and names are unique."""
    ehsm = environment.kms.ehsm if environment.kms else None
    if ehsm is None:
        return
    yield from _named_once(ehsm)
    for path, name in _uses(ehsm):
        yield from _unfit(ehsm, path, name)
    if not ehsm.enroll and (ehsm.keys or ehsm.secrets):
        title, fix = "keys and secrets need an account", "say `enroll: true`"
        yield Finding(("kms", "ehsm", "enroll"), "ehsm-needs-account", title, "false", fix=fix)


def _uses(ehsm: Ehsm) -> Iterator[tuple[KeyPath, str]]:
    for index, data_key in enumerate(ehsm.data_keys):
        yield ("kms", "ehsm", "data_keys", index, "key"), data_key.key
    for index, secret in enumerate(ehsm.secrets):
        if secret.key is not None:
            yield ("kms", "ehsm", "secrets", index, "key"), secret.key


def _unfit(ehsm: Ehsm, path: KeyPath, name: str) -> Iterator[Finding]:
    keys = {key.name: key for key in ehsm.keys}
    if name not in keys:
        title, fix = "no key of this name is declared", nearest(name, list(keys)) or "declare it under kms.ehsm.keys"
        yield Finding(path, "unknown-ehsm-key", title, name, fix=fix)
    elif not keys[name].spec.startswith(_SYMMETRIC) or keys[name].usage != "encrypt":
        title, why = "this key cannot encrypt data keys and secrets", "EHSM encrypts those with symmetric keys only"
        found, fix = f"{name} is {keys[name].spec}, to {keys[name].usage}", "use EH_AES_GCM_256, to encrypt"
        yield Finding(path, "ehsm-key-unfit", title, found, why, fix)


def _named_once(ehsm: Ehsm) -> Iterator[Finding]:
    for section, names in (
        ("keys", [key.name for key in ehsm.keys]),
        ("data_keys", [data_key.name for data_key in ehsm.data_keys]),
        ("secrets", [secret.name for secret in ehsm.secrets]),
    ):
        for index, name in enumerate(names):
            if name in names[:index]:
                path = ("kms", "ehsm", section, index, "name")
                title, fix = "two things at EHSM have one name", "rename one of them"
                yield Finding(path, "duplicate-ehsm-name", title, name, fix=fix)

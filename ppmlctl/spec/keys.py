"""`keys:` the password and the TLS keys and keystores that Spark uses, and their secrets."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ppmlctl.spec.names import Boolean, FilePath, HostName, Integer
from ppmlctl.spec.secret_source import SecretSource
from ppmlctl.spec.section import Section

DEFAULT_FOLDER = "keys"


class Password(SecretSource):
    """`keys.password`: one of `vault`, `env`, `file` and `generate`."""

    alternatives: ClassVar[tuple[str, ...]] = (*SecretSource.alternatives, "generate")

    generate: Boolean = Field(default=False, description="Makes a random password once and keeps it in the vault.")


class Tls(Section):
    """`keys.tls`"""

    common_name: str | None = Field(
        None,
        description="Common name of the certificate. Default: the environment's name.",
        min_length=1,
        max_length=64,
    )
    names: tuple[HostName, ...] = Field(
        (), description="More names of hosts in the certificate, besides those of servers under `workloads`."
    )
    organization: str | None = Field(None, description="Organization in the certificate.", min_length=1, max_length=64)
    days: Integer = Field(825, description="Days that the certificate is valid.", ge=1, le=36500)
    renew_before: Integer = Field(30, description="Days before its end when it is made anew.", ge=0)


class Keys(Section):
    """`keys`"""

    password: Password = Field(
        Password(generate=True), description="The password of keystores and of Spark's authentication."
    )
    folder: FilePath = Field(
        DEFAULT_FOLDER,
        description="Where the keys lie: key, certificate, keystores and password files, and the enclave's signing key "
        "unless `enclave.signer.key` names it. Two environments in one folder need two.",
    )
    tls: Tls = Field(Tls(), description="The certificate, from which the keystores are made.")

"""A server of Spark's: a StatefulSet of one pod, which is the driver, until it is taken away.

It is an object like any other, whose pods' logs are those of a workload.
Identity: the object's, as `k8s_object` has it. Errors: the same; `k8s-not-becoming-ready` and `k8s-timeout` where it
does not answer; `encrypted-folder-plain` and `key-client-missing`. Source: Spark's HiveThriftServer2, which Derby's
metastore keeps to one process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppmlctl.flows.spark.arguments import SparkAttestationArgs, attesting_exposes, encrypting_exposes
from ppmlctl.flows.spark.encrypted_folder import refuse_no_key_client, refuse_plain_folder
from ppmlctl.flows.spark.run import ROLES
from ppmlctl.modules.context import Context
from ppmlctl.modules.k8s_object import K8sObject, K8sObjectArgs, K8sObjectResult
from ppmlctl.planning import Change, Observed, Recorded, Wanted
from ppmlctl.planning.protections import is_on

_PROTECTIONS = {
    "attestation": "it attests before it starts",
    "encrypted": "its tables are in an encrypted folder",
    "tls": "connections to it use TLS",
    "authentication": "it knows who connects",
}


class SparkServerArgs(K8sObjectArgs):
    """The manifest of the StatefulSet, how long it may take to be ready, and what protects it.

    `data_key_folders`: what the image's manifest encrypts with a data key, `key_client`: whether the image has what
    fetches that key; None where nobody looked.
    """

    name: str
    image: str
    attestation: SparkAttestationArgs | None = None
    encrypted: bool = False
    data_key_folders: tuple[str, ...] | None = None
    key_client: bool | None = None
    tls: bool = False
    authentication: bool = False


class SparkServerResult(K8sObjectResult):
    """The object's identity."""


class SparkServer(K8sObject):
    """See the module's text."""

    kind = "spark_server"
    Args = SparkServerArgs
    Result = SparkServerResult
    roles = ROLES

    def diff(self, wanted: Wanted, observed: Observed, recorded: Recorded | None) -> Change:
        _check_folder(wanted.args)
        return super().diff(wanted, observed, recorded)

    def apply(self, ctx: Context, args: SparkServerArgs, observed: Observed) -> K8sObjectResult:  # type: ignore[override]  # Args says which
        _check_folder(args)
        return super().apply(ctx, args, observed)

    def protections(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(words for name, words in _PROTECTIONS.items() if is_on(inputs.get(name)))

    def notes(self, args: SparkServerArgs) -> Sequence[str]:  # type: ignore[override]  # the same
        attesting = [args.attestation] if isinstance(args.attestation, SparkAttestationArgs) else []
        encrypting = [encrypting_exposes(args.name)] if args.encrypted is True else []
        return (*(attesting_exposes(args.name, one.service) for one in attesting), *encrypting)


def _check_folder(args: SparkServerArgs) -> None:
    if args.encrypted is True:
        refuse_plain_folder(args.name, args.data_key_folders)
        refuse_no_key_client(args.name, args.image, args.key_client)

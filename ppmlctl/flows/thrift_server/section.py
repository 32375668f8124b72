"""`workloads[].thrift_server`: a server that answers SQL over JDBC until it is taken out of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field

from ppmlctl.flows.spark.section import OnSpark, Word
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.names import Boolean, Integer, JavaClass, Label
from ppmlctl.spec.section import Choice, Section, refusal
from ppmlctl.spec.traits import Trait

if TYPE_CHECKING:
    from ppmlctl.spec.environment import Environment

NODE_PORTS = (30000, 32767)
"""What the API server gives out where nothing else was configured (`--service-node-port-range`)."""
_LOCATION = re.compile(r"[a-z][a-z0-9+.-]*:/[^\s,;]*")


def _location(text: str) -> str:
    if not _LOCATION.fullmatch(text):
        raise refusal(
            "wrong-warehouse",
            "a warehouse is a location with a scheme",
            found=text,
            why="without one each process takes a folder of its own disk, and none finds another's tables",
            fix="say file:///ppml/data/warehouse for the shared data, or hdfs://namenode:8020/warehouse",
        )
    return text


Warehouse = Annotated[str, AfterValidator(_location)]
"""A folder by its whole address."""


class Ldap(Section):
    """`ldap`"""

    url: Word = Field(description="The directory: ldap:// or ldaps://.", pattern=r"^ldaps?://")
    base_dn: Word | None = Field(None, description="Where people are found in it; without blanks.")


class Authentication(Choice):
    """`authentication`"""

    alternatives: ClassVar[tuple[str, ...]] = ("ldap", "custom")

    ldap: Ldap | None = Field(None, description="Name and password are asked of a directory.")
    custom: JavaClass | None = Field(
        None, description="A class of `jars` that implements Hive's PasswdAuthenticationProvider."
    )


class ThriftServer(OnSpark):
    """`thrift_server`"""

    own_words: ClassVar[tuple[str, ...]] = ("SparkSubmit", "--class", "--conf", "spark-submit")

    port: Integer = Field(10000, description="Port of its Service, for JDBC.", ge=1024, le=65535)
    node_port: Integer | None = Field(
        None, description="Port of every node that leads there too, from anywhere.", ge=NODE_PORTS[0], le=NODE_PORTS[1]
    )
    allow_from: tuple[Label, ...] = Field(
        (),
        description="Namespaces whose pods may connect besides the environment's own, by their label "
        "kubernetes.io/metadata.name, which Kubernetes 1.21 and later set.",
    )
    warehouse: Annotated[Warehouse | None, Trait.PROGRAM] = Field(
        None,
        description="Where tables are. Default: a folder of the server's own in the encrypted folder, else in the "
        "shared data.",
    )
    metastore: Literal["data", "pod"] = Field(
        "data", description="Where its list of tables is kept: beside that folder, or in the pod, and lost with it."
    )
    tls: Boolean | None = Field(None, description="TLS for JDBC, by the keystore of `keys`. Default: on with `keys`.")
    authentication: Authentication | None = Field(
        None, description="Who may connect, and as whom. Default: anybody, as anybody; every plan says so."
    )
    smoke_test: Boolean | None = Field(
        None,
        description="Makes, reads and drops a table over JDBC after each change. Default: on without "
        "`authentication`, for which it has no account.",
    )

    def with_defaults(self, environment: Environment) -> Self:
        tls = environment.keys is not None if self.tls is None else self.tls
        smoke_test = self.authentication is None if self.smoke_test is None else self.smoke_test
        return super().with_defaults(environment).model_copy(update={"tls": tls, "smoke_test": smoke_test})

    def host_names(self, name: str, namespace: str) -> tuple[str, ...]:
        """Its Service's, from inside the namespace and from others. Source: Kubernetes, DNS for Services."""
        service = f"{name}-jdbc"
        long = (service, f"{service}.{namespace}", f"{service}.{namespace}.svc")
        return () if self.tls is False else (*long, f"{service}.{namespace}.svc.cluster.local")

    @property
    def in_the_open(self) -> None:
        return None

    @property
    def enclosed(self) -> tuple[str, ...]:
        return ("driver", "executor") if self.tee == "sgx" else ()

    @property
    def started_by_entrypoint(self) -> tuple[str, ...]:
        """The driver is the server's own pod, which starts it."""
        return ("executor",) if self.enclosed else ()

    def command_words(self, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        yield from self.jar_words(path)
        if self.authentication and (ldap := self.authentication.ldap):
            yield (*path, "authentication", "ldap", "url"), ldap.url
            yield (*path, "authentication", "ldap", "base_dn"), ldap.base_dn or ""
        for name, value in self.conf.items():
            yield (*path, "conf", name), value

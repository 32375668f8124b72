"""The clients of one environment, opened when first asked for. In a plan each of them refuses to write."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ppmlctl.diagnostics import Diagnostic, Severity
from ppmlctl.effects import Effect, Effects
from ppmlctl.engine.secret_sources import SecretOf
from ppmlctl.modules.context import AttestationServer, EhsmServer, PccsServer
from ppmlctl.sandbox.process import Sandbox
from ppmlctl.spec import Environment

if TYPE_CHECKING:
    from ppmlctl.clients.attestation import AttestationClient
    from ppmlctl.clients.docker import DockerClient, Proxy
    from ppmlctl.clients.ehsm import EhsmClient
    from ppmlctl.clients.kubernetes import KubernetesClient
    from ppmlctl.clients.kubernetes.kubeconfig import Connection
    from ppmlctl.clients.oci import OciClient
    from ppmlctl.clients.pccs import PccsClient

KINDS = ("attestation", "docker", "ehsm", "files", "kubernetes", "lease", "oci", "pccs")


class OpenEngines:
    """Safe for threads: each client is opened once."""

    def __init__(
        self,
        environment: Environment,
        root: Path,
        *,
        sandbox: Sandbox | None,
        writes_allowed: bool,
        secret_of: SecretOf,
    ) -> None:
        self._secret_of = secret_of
        self._environment = environment
        self._root = root
        self._sandbox = sandbox
        self._lock = threading.RLock()
        self._attestation: dict[AttestationServer, AttestationClient] = {}
        self._ehsm: dict[EhsmServer, EhsmClient] = {}
        self._pccs: dict[PccsServer, PccsClient] = {}
        self.effects = {kind: Effects(kind, writes_allowed=writes_allowed) for kind in KINDS}

    def requests(self) -> dict[str, dict[str, int]]:
        """How many operations were sent to each engine, by effect."""
        return {
            kind: {effect.value: effects.count(effect) for effect in Effect} for kind, effects in self.effects.items()
        }

    def warnings(self) -> list[Diagnostic]:
        """What a plan says about the connections that it has opened."""
        found = []
        cluster: KubernetesClient | None = self.__dict__.get("_kubernetes")
        if cluster and not cluster.connection.verifies_server:
            found.append(_unverified_cluster(cluster.connection))
        if cluster and cluster.connection.acting_as:
            found.append(_acting_as_another(cluster.connection))
        docker: DockerClient | None = self.__dict__.get("_docker")
        if docker and docker.unverified_host:
            found.append(_unverified_docker(docker.unverified_host))
        return found

    @property
    def context(self) -> str:
        """The kubeconfig's context by which the cluster is reached; empty while nobody has reached for it."""
        opened: KubernetesClient | None = self.__dict__.get("_kubernetes")
        return opened.connection.context if opened else ""

    def effects_on_the_world(self) -> Iterator[Effects]:
        """Of all engines; the lease's own calls are what the others wait for."""
        return (effects for kind, effects in self.effects.items() if kind != "lease")

    @cached_property
    def _kubernetes(self) -> KubernetesClient:
        return self._kubernetes_client("kubernetes")

    @cached_property
    def lease(self) -> KubernetesClient:
        """The same cluster, by a connection that the tasks' calls do not use and no lease stands before."""
        return self._kubernetes_client("lease")

    def _kubernetes_client(self, effects: str) -> KubernetesClient:
        from ppmlctl.clients.kubernetes import KubernetesClient  # noqa: PLC0415 - 0.3 s that not every command needs

        kubeconfig = self._sandbox.kubeconfig if self._sandbox else None
        context = None if self._sandbox else self._environment.cluster.context
        return KubernetesClient(self.effects[effects], kubeconfig=kubeconfig, context=context)

    @property
    def kubernetes(self) -> KubernetesClient:
        """The environment's cluster, or the sandbox's."""
        with self._lock:
            return self._kubernetes

    @cached_property
    def _docker(self) -> DockerClient:
        from ppmlctl.clients.docker import Credentials, DockerClient  # noqa: PLC0415 - 0.2 s that not every command needs

        docker = self._environment.docker
        logins = {
            name: Credentials(login.username, self._secret_of(login.password))
            for name, login in docker.registries.items()
        }
        return DockerClient(self.effects["docker"], host=docker.host, proxy=self._proxy(), credentials=logins)

    def _proxy(self) -> Proxy | None:
        from ppmlctl.clients.docker import Proxy  # noqa: PLC0415 - the same

        proxy = self._environment.docker.proxy
        if proxy is None:
            return None
        username = proxy.login.username if proxy.login else None
        password = self._secret_of(proxy.login.password) if proxy.login else None
        return Proxy(proxy.http, proxy.https, proxy.no_proxy, username, password)

    @property
    def docker(self) -> DockerClient:
        """The Docker engine."""
        with self._lock:
            return self._docker

    @cached_property
    def _oci(self) -> OciClient:
        from ppmlctl.clients.oci import OciClient  # noqa: PLC0415 - not every command needs it
        from ppmlctl.oci import FileDigests  # noqa: PLC0415 - the same

        return OciClient(self.effects["oci"], FileDigests(self._root / ".ppml" / "cache" / "digests.json"))

    @property
    def oci(self) -> OciClient:
        """OCI layouts on this machine."""
        with self._lock:
            return self._oci

    def attestation(self, server: AttestationServer) -> AttestationClient:
        """The client of one attestation service; the sandbox's is where its EHSM is, by another name."""
        from ppmlctl.clients.attestation import AttestationClient, ServerTrust  # noqa: PLC0415 - not every command needs it

        with self._lock:
            if server not in self._attestation:
                ca, connect_to = self._root / server.ca if server.ca else None, None
                words = ("the attestation service", "attestation.service.tls")
                trust = ServerTrust(ca, server.fingerprint, server.insecure, *words)
                if self._sandbox and self._sandbox.ehsm_url:
                    place = urlsplit(self._sandbox.ehsm_url)
                    trust = ServerTrust(self._sandbox.ca)
                    connect_to = (str(place.hostname), int(place.port or 443))
                self._attestation[server] = AttestationClient(
                    server.url, self.effects["attestation"], trust=trust, connect_to=connect_to
                )
            return self._attestation[server]

    def ehsm(self, server: EhsmServer) -> EhsmClient:
        """The client of one EHSM; the sandbox's is reached where it listens now, whatever its URL says."""
        from ppmlctl.clients.ehsm import EhsmClient, Freshness, ServerTrust  # noqa: PLC0415 - 0.2 s that not every command needs

        with self._lock:
            if server not in self._ehsm:
                trust = ServerTrust(self._root / server.ca if server.ca else None, server.fingerprint, server.insecure)
                connect_to = None
                if self._sandbox and self._sandbox.ehsm_url:
                    place = urlsplit(self._sandbox.ehsm_url)
                    trust, connect_to = ServerTrust(self._sandbox.ca), (str(place.hostname), int(place.port or 443))
                self._ehsm[server] = EhsmClient(
                    server.url,
                    self.effects["ehsm"],
                    trust=trust,
                    connect_to=connect_to,
                    freshness=Freshness(remembered=self._root / ".ppml" / "ehsm-timestamps.json"),
                )
            return self._ehsm[server]

    def pccs(self, server: PccsServer) -> PccsClient:
        """The client of one PCCS; the sandbox's EHSM is one as well, reached where it listens now."""
        from ppmlctl.clients.pccs import PccsClient  # noqa: PLC0415 - not every command needs it

        with self._lock:
            if server not in self._pccs:
                ca, connect_to = self._root / server.ca if server.ca else None, None
                if self._sandbox and self._sandbox.ehsm_url:
                    place = urlsplit(self._sandbox.ehsm_url)
                    ca, connect_to = self._sandbox.ca, (str(place.hostname), int(place.port or 443))
                self._pccs[server] = PccsClient(server.url, self.effects["pccs"], ca=ca, connect_to=connect_to)
            return self._pccs[server]


def _unverified_cluster(connection: Connection) -> Diagnostic:
    return Diagnostic(
        "insecure-cluster-tls",
        "any server may pass for the cluster",
        found=f"context {connection.context} of the kubeconfig does not verify {connection.server}",
        why="secrets, and this kubeconfig's own credentials, go to whoever answers there",
        fix="give the cluster's certificate-authority, and remove insecure-skip-tls-verify",
        severity=Severity.WARNING,
    )


def _acting_as_another(connection: Connection) -> Diagnostic:
    return Diagnostic(
        "cluster-impersonation",
        "the cluster is asked as another user",
        found=f"context {connection.context} of the kubeconfig acts as {connection.acting_as}",
        why="rights, and the cluster's audit log, are those of whom it acts as",
        fix="remove `as` from the user of this context, if that is not meant",
        severity=Severity.WARNING,
    )


def _unverified_docker(host: str) -> Diagnostic:
    return Diagnostic(
        "insecure-docker",
        "any machine may pass for the Docker engine",
        found=f"{host} is reached without TLS that verifies it",
        why="whoever answers there can change the images that are built and measured",
        fix="set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or reach it by ssh://",
        severity=Severity.WARNING,
    )

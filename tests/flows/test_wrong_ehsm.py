"""An EHSM that is not what it should be gets nothing: whole applies against servers with one thing wrong each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from flows.place import QUICKSTART, Place

from ppmlctl.clients.kubernetes import KubernetesClient
from ppmlctl.effects import Effects
from ppmlctl.sandbox import process
from ppmlctl.sandbox.ehsm import Flaws, ehsm_identity, make_app
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.sandbox.ehsm.serving import served
from ppmlctl.sandbox.tls import SandboxCertificates, ensure_certificates

pytestmark = pytest.mark.long

QUARANTINE = {"Enroll", "GetVersion", "GenerateQuote"}
OWN = f"identity: {{mr_signer: {ehsm_identity().mr_signer}}}"
ENVIRONMENT = """\
version: 1
name: wrong-ehsm
target: cluster
cluster: {{namespace: {namespace}}}
images:
  builder: oci
  base: {{rootfs: ./base}}
  custom: {{name: ppml/wrong, tag: "1", enclave_size: 2G, log_level: error}}
pccs: {{url: "{url}", ca: ca.pem}}
kms:
  ehsm:
    url: "{url}"
    tls: {{ca: ca.pem}}
    {settings}
    secrets: [{{name: greeting, value: {{generate: true}}}}]
attestation: {{enabled: true}}
"""


@dataclass
class World:
    """One environment, the EHSM it speaks to, and its cluster."""

    place: Place
    ehsm: Path
    kubeconfig: Path
    namespace: str

    def apply(self) -> tuple[int, str]:
        """Exit code, and what it says."""
        done = self.place.run("apply", "--yes")
        return done.returncode, done.stdout + done.stderr

    def sent(self) -> set[str]:
        """The actions that the server's own log holds."""
        log = self.ehsm / "requests.jsonl"
        return {json.loads(line)["action"] for line in log.read_text().splitlines()}

    def secrets(self) -> set[str]:
        """Names of the Secrets in the environment's namespace."""
        client = KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=self.kubeconfig)
        found = client.list_objects("v1", "Secret")
        return {one["metadata"]["name"] for one in found if one["metadata"]["namespace"] == self.namespace}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a cluster that all tests share; each has a namespace of its own."""
    state = tmp_path_factory.mktemp("cluster")
    kubeconfig = process.up(state, only="kubernetes").kubeconfig
    assert kubeconfig
    yield kubeconfig
    process.down(state)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> SandboxCertificates:
    return ensure_certificates(tmp_path_factory.mktemp("tls"))


class Worlds:
    """Makes a world for a test, and ends its server with it."""

    def __init__(self, folder: Path, kubeconfig: Path, certificates: SandboxCertificates, servers: ExitStack) -> None:
        self._folder, self._kubeconfig = folder, kubeconfig
        self._certificates, self._servers = certificates, servers

    def with_(self, flaws: Flaws, settings: str) -> World:
        ehsm, place = self._folder / "ehsm", self._folder / "env"
        port = self._servers.enter_context(served(make_app(ehsm, flaws=flaws), self._certificates))
        shutil.copytree(QUICKSTART / "base", place / "base")
        shutil.copy(self._certificates.ca, place / "ca.pem")
        shutil.copy(ehsm / "quote-root.pem", place / "root.pem")
        (place / "other.pem").write_text(Quoting(self._folder / "other", lambda: 1.7e9).root_ca)
        namespace = f"ppml-{self._folder.name.replace('_', '-').lower()[:40].strip('-')}"
        url = f"https://127.0.0.1:{port}"
        text = ENVIRONMENT.format(url=url, namespace=namespace, settings=settings.replace("\n", "\n    "))
        (place / "ppml.yaml").write_text(text)
        variables = {"KUBECONFIG": str(self._kubeconfig), "PPML_VAULT_PASSWORD": "of this test", "NO_COLOR": "1"}
        return World(Place(place, variables), ehsm, self._kubeconfig, namespace)


@pytest.fixture
def worlds(tmp_path: Path, cluster: Path, certificates: SandboxCertificates) -> Iterator[Worlds]:
    with ExitStack() as servers:
        yield Worlds(tmp_path, cluster, certificates, servers)


RIGHT = f"{OWN}\ntrust_root: root.pem"


def test_the_right_one_gets_policy_secret_and_account_and_proves_that_it_is_fresh(worlds: Worlds) -> None:
    world = worlds.with_(Flaws(binds_challenge=True), f"{RIGHT}\nfreshness: require")
    code, said = world.apply()
    assert code == 0, said
    assert {"UploadQuotePolicy", "VerifyQuote", "CreateSecret"} <= world.sent()
    assert "kms-secret" in world.secrets()
    assert world.place.succeed("output", "ehsm_verdict") == "private root: fresh\n"


REFUSED = {
    "another identity": (
        Flaws(mr_enclave=bytes(32)),
        f"identity: {{mr_enclave: {ehsm_identity().mr_enclave}}}\ntrust_root: root.pem",
        f"MRENCLAVE is {'00' * 32}",
    ),
    "no private root accepted": (Flaws(), OWN, "which is not Intel's"),
    "another private root": (Flaws(), f"{OWN}\ntrust_root: other.pem", "which is not the one given"),
    "a debug enclave": (Flaws(debug=True), RIGHT, "it is a debug enclave, whose memory its host can read"),
    "an old TCB": (Flaws(tcb_status="OutOfDate"), RIGHT, "the platform's TCB status is OutOfDate, accepted: UpToDate"),
    "an unbound quote": (Flaws(), f"{RIGHT}\nfreshness: require", "the quote does not bind the challenge sent"),
    "a replayed quote": (
        Flaws(binds_challenge=True, replayed=True),
        f"{RIGHT}\nfreshness: require",
        "the quote does not bind the challenge sent",
    ),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_wrong_one_gets_an_account_and_nothing_else(worlds: Worlds, wrong: str) -> None:
    flaws, settings, words = REFUSED[wrong]
    world = worlds.with_(flaws, settings)
    code, said = world.apply()
    assert code == 1
    assert words in said
    assert world.sent() <= QUARANTINE
    assert "kms-secret" not in world.secrets()


@pytest.mark.parametrize(
    ("flaws", "words"),
    [
        (Flaws(ignores_policies=True), "its own quote passes under a policy for another enclave"),
        (Flaws(refuses_quotes=True), "its own quote does not pass without a policy"),
        (Flaws(pccs_lost=True), "its own quote does not pass without a policy"),
    ],
)
def test_a_policy_that_cannot_be_shown_to_be_in_force_is_not_established(
    worlds: Worlds, flaws: Flaws, words: str
) -> None:
    world = worlds.with_(flaws, RIGHT)
    code, said = world.apply()
    assert code == 1
    assert "error[policy-not-established]: the quote policy is not established" in said
    assert words in said
    assert "kms-secret" not in world.secrets()

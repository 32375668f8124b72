"""A copy of examples/spark-sgx that tests apply: in a namespace of its own, and by its own EHSM."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ppmlctl.clients.ehsm import EhsmClient, ServerTrust
from ppmlctl.effects import Effects
from ppmlctl.ehsm import Account
from ppmlctl.secret import Secret

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "e2e-vault-password"


@dataclass(frozen=True)
class DataKey:
    """In base64, wrapped and plain: the latter is what the images' key client prints into a variable."""

    wrapped: str
    plain: str

    @property
    def opened(self) -> str:
        """What the base image says of the key with which a pod would open the folder."""
        digest = hashlib.sha256(self.plain[:15].encode()).hexdigest()[:8]
        return f"stand-in: data key {digest};"


@dataclass(frozen=True)
class Example:
    """A copy of the example with a namespace and an EHSM of its own."""

    folder: Path
    namespace: str

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs ppmlctl there."""
        command = [str(Path(sys.executable).with_name("ppmlctl")), *words]
        environment = {**os.environ, "PPML_VAULT_PASSWORD": PASSWORD, "NO_COLOR": "1"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=1800, check=False
        )

    def told(self, *words: str) -> dict[str, Any]:
        """The last event of a command that has to succeed."""
        ended = self.run(*words, "-o", "json")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        last: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return last

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Starts ppmlctl there."""
        command = [str(Path(sys.executable).with_name("ppmlctl")), *words]
        environment = {**os.environ, "PPML_VAULT_PASSWORD": PASSWORD, "NO_COLOR": "1"}
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def acting(self) -> dict[str, str]:
        """What a plan would do, by task."""
        planned = self.run("plan", "-o", "json")
        actions = json.loads(planned.stdout)["actions"]
        return {action["address"]: action["action"] for action in actions if action["action"] != "keep"}

    def pods(self, labels: str = "", phase: str = "") -> list[str]:
        """Names of pods in the namespace."""
        selectors = [
            *(["--selector", labels] if labels else []),
            *(["--field-selector", f"status.phase={phase}"] if phase else []),
        ]
        names = kubectl("get", "pods", "--namespace", self.namespace, "--output", "name", *selectors)
        return [name.removeprefix("pod/") for name in names.split()]

    def edit(self, workload: str, **values: str) -> None:
        """Says something else of a workload's `spark`."""
        file = self.folder / "ppml.yaml"
        head, found, rest = file.read_text().partition(f"  - name: {workload}\n    spark:\n")
        assert found
        own, separator, others = rest.partition("  - name: ")
        for name, value in values.items():
            own = re.sub(rf"^      {name}: .*\n", "", own, flags=re.MULTILINE)
            own = f"      {name}: {value}\n{own}"
        file.write_text(head + found + own + separator + others)

    @property
    def lockfile(self) -> bytes:
        return (self.folder / "ppml.lock").read_bytes()

    @property
    def data(self) -> Path:
        """The folder of this machine, and so of its node, that pods have at /ppml/data."""
        return self.folder / "data"

    def data_key(self) -> DataKey:
        """The wrapped key as the vault has it, and what EHSM makes of it for whoever has the account."""
        names = self.run("vault", "list").stdout.split()
        (entry,) = (name for name in names if re.fullmatch(r"ehsm-data-key\.warehouse\.[0-9a-f-]{36}", name))
        account = json.loads(self.vault("ehsm-account.account"))
        wrapped = self.vault(entry)
        trust = ServerTrust(ca=self.folder / ".ppml/sandbox/tls/ca.pem")
        (url,) = re.findall(r"^  ehsm_url: (\S+)", (self.folder / "ppml.yaml").read_text(), re.MULTILINE)
        with EhsmClient(url, Effects("ehsm", writes_allowed=True), trust=trust) as client:
            known = Account(appid=account["appid"], apikey=Secret(account["apikey"]))
            plain = client.keys.decrypt(known, entry[-36:], base64.b64decode(wrapped), base64.b64decode("test"))
        return DataKey(wrapped, base64.b64encode(plain.reveal_bytes()).decode())

    def vault(self, entry: str) -> str:
        return self.run("vault", "show", entry).stdout.strip()


def set_variables(file: Path, **values: str) -> None:
    text = file.read_text()
    for name, value in values.items():
        text, count = re.subn(rf"^  {name}: \S+", f"  {name}: {value}", text, count=1, flags=re.MULTILINE)
        assert count == 1, name
    file.write_text(text)


def be_patient(file: Path) -> None:
    """Deadlines for a machine that is busy: no test is about them."""
    file.write_text(file.read_text().replace("deadline: 5m", "deadline: 20m"))


def kubectl(*words: str, seconds: float = 60) -> str:
    return subprocess.run(["kubectl", *words], capture_output=True, text=True, timeout=seconds, check=True).stdout


MODES = {"spark-pi": True, "spark-pi-client": True, "spark-pi-local": False, "spark-pi-local-sgx": True}
"""Workloads, one for each mode, and whether they run in an enclave."""

"""The client container and what runs in it, by the files that both sides see. tests/e2e drives a real one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ppmlctl.clients.docker import ContainerSpec, DockerContainer
from ppmlctl.diagnostics import EngineError
from ppmlctl.flows.spark.run import SparkProgram, run_of
from ppmlctl.flows.spark.submission import Submission
from ppmlctl.modules import docker_container
from ppmlctl.modules.docker_container import DockerContainer as Module
from ppmlctl.planning import ActionKind
from ppmlctl.protection import Access, Device, EncryptedFs
from ppmlctl.runs.begin_script import BEGIN_SCRIPT, KMS_FOLDER
from ppmlctl.runs.container_submitter import ClientContainer, ContainerSubmitter, end_command
from ppmlctl.runs.pods import Pods
from ppmlctl.runs.submitter import SubmitState
from ppmlctl.secret import Secret
from ppmlctl.unknown import Unknown, unknowns_in

PI = Submission("pi-0-1", "pi", "ppml", "image", "local:///a.jar", "spark", mode="local", device_plugin="none")


class Engine:
    """Containers of an engine that keeps what it is told and runs nothing."""

    def __init__(self) -> None:
        self.live: dict[str, DockerContainer] = {}
        self.specs: list[ContainerSpec] = []
        self.commands: list[tuple[str, list[str], dict[str, str]]] = []
        self.containers = self

    def inspect(self, name: str) -> DockerContainer | None:
        return self.live.get(name)

    def inspect_image(self, reference: str) -> str:
        return reference

    def run(self, spec: ContainerSpec) -> str:
        self.specs.append(spec)
        self.live[spec.name] = DockerContainer(
            id="id", running=True, started="2026-01-01T00:00:00.5Z", labels=dict(spec.labels)
        )
        return "id"

    def remove(self, name: str) -> None:
        self.live = {known: one for known, one in self.live.items() if name not in {known, one.id}}

    def start_command(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.commands.append((name, list(command), dict(environment)))


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def context(make_context: Any, engine: Engine) -> Any:
    kubernetes = SimpleNamespace(connection=SimpleNamespace(server="https://192.0.2.1:6443"))
    return make_context(engines=SimpleNamespace(docker=engine, kubernetes=kubernetes))


@pytest.fixture
def task(drive: Any, context: Any) -> Any:
    return drive(
        Module(),
        context,
        name="client",
        image="ppml/custom:1",
        files={"/ppml/spark-secret/secret": Secret("s3cret-of-spark"), "/ppml/keys/keystore.jks": None},
        modes=[{"name": "pi", "spark": {"mode": "client"}}],
        device_plugin="none",
        account="spark",
        namespace="ppml",
        token=Secret("t0ken"),
        ca="PEM",
    )


def test_it_is_made_once_with_private_files_mounted_folder_by_folder(task: Any, engine: Engine, tmp_path: Path) -> None:
    assert task.plan().action is ActionKind.CREATE
    task.apply()
    assert task.plan().action is ActionKind.KEEP
    task.apply()
    (spec,) = engine.specs
    assert [(bind.target, bind.read_only) for bind in spec.binds] == [
        ("/ppml/spark-secret", True),
        ("/root/.kube", True),
        ("/ppml/runs", False),
    ]
    assert oct((tmp_path / ".ppml/client").stat().st_mode)[-3:] == "700"
    secret = tmp_path / ".ppml/client/files/ppml/spark-secret/secret"
    assert (secret.read_text(), oct(secret.stat().st_mode)[-3:]) == ("s3cret-of-spark", "600")
    assert "s3cret" not in str(spec)


WAREHOUSE = {"keyid": "0123", "ciphertext": Secret("wrapped"), "digest": "d", "evidence": None}


def test_data_keys_are_files_in_a_folder_each_and_open_the_folder_below_the_shared_data(
    task: Any, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "shared").mkdir()
    task.arguments |= {"data": str(tmp_path / "shared"), "data_keys": {"warehouse": WAREHOUSE}}
    task.apply()
    binds = {bind.target: bind.source for bind in engine.specs[-1].binds}
    assert binds["/ppml/encrypted-fsd"] == str(tmp_path / "shared/encrypted-fsd")
    keys = Path(binds["/ppml/encrypted_keys/warehouse"])
    assert {path.name: path.read_text() for path in keys.iterdir()} == {
        "encrypted_primary_key": "0123",
        "encrypted_data_key": "wrapped",
    }
    assert (tmp_path / "shared/encrypted-fsd").is_dir()
    assert "wrapped" not in str(engine.specs)


def test_another_data_key_changes_files_and_not_the_container(task: Any, engine: Engine) -> None:
    task.arguments["data_keys"] = {"warehouse": WAREHOUSE}
    task.apply()
    task.arguments["data_keys"] = {"warehouse": WAREHOUSE | {"ciphertext": Secret("another")}}
    assert task.plan().action is ActionKind.UPDATE
    task.apply()
    assert task.plan().action is ActionKind.KEEP
    assert len(engine.specs) == 1


def test_shared_data_that_are_not_there_are_not_made(task: Any, tmp_path: Path) -> None:
    task.arguments |= {"data": str(tmp_path / "shared"), "data_keys": {"warehouse": WAREHOUSE}}
    task.apply()
    assert not (tmp_path / "shared").exists()


def test_what_a_plan_does_not_know_of_data_keys_is_no_fault() -> None:
    given = {"name": "c", "image": "i", "account": "a", "namespace": "n", "token": "t", "ca": "PEM"}
    for unknown in (Unknown("keys"), {"warehouse": Unknown("key")}, {"warehouse": WAREHOUSE | {"keyid": Unknown("k")}}):
        args = Module.Args.model_validate({**given, "data_keys": unknown})
        assert any(unknowns_in([args.data_keys]))


def test_a_stopped_container_and_an_opened_file_are_drift(task: Any, engine: Engine, tmp_path: Path) -> None:
    task.apply()
    (tmp_path / ".ppml/client/files/root/.kube/config").chmod(0o644)
    assert task.plan().action is ActionKind.UPDATE
    task.apply()
    assert task.plan().action is ActionKind.KEEP
    engine.live["client"] = DockerContainer(
        id="id", running=False, started="2026-01-01T00:00:00Z", labels=engine.live["client"].labels
    )
    assert task.plan().action is ActionKind.UPDATE
    task.apply()
    assert len(engine.specs) == 2


def test_removal_takes_container_and_secret_files_away(task: Any, engine: Engine, tmp_path: Path) -> None:
    task.apply()
    others = [tmp_path / ".ppml/client/files/mine", tmp_path / ".ppml/own"]
    for one in others:
        one.write_text("somebody's own")
    task.recorded.inputs["files"]["/../../own"] = {"$digest": "d"}
    task.remove()
    assert engine.live == {}
    assert sorted(path for path in (tmp_path / ".ppml").rglob("*") if path.is_file()) == others


def test_a_secret_file_that_is_wanted_no_more_goes(task: Any, tmp_path: Path) -> None:
    task.apply()
    task.arguments["files"] = {"/ppml/spark-secret/other": Secret("another")}
    task.context = replace(task.context, recorded={task.context.address: task.recorded})
    task.apply()
    assert [path.name for path in (tmp_path / ".ppml/client/files/ppml/spark-secret").iterdir()] == ["other"]


def test_somebody_elses_container_is_not_touched(task: Any, engine: Engine) -> None:
    engine.live["client"] = DockerContainer(id="other", running=True, started="2026-01-01T00:00:00Z", labels={})
    with pytest.raises(EngineError) as refused:
        task.apply()
    assert refused.value.diagnostics[0].code == "container-name-taken"
    assert engine.specs == []


def test_missing_devices_and_a_missing_socket_are_told_before_anything_is_made(
    task: Any, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task.arguments["device_plugin"] = "intel"
    monkeypatch.setattr(docker_container, "AESM_SOCKET", str(tmp_path / "aesm.socket"))
    enclave, missing = Device("enclave", "/dev/null", ("/dev/none", "/dev/null")), Device("p", "/p", ("/dev/none",))
    monkeypatch.setattr(docker_container, "_access", lambda _: Access((enclave, missing), aesm=True))
    with pytest.raises(EngineError) as refused:
        task.apply()
    assert refused.value.diagnostics[0].code == "sgx-device-missing"
    monkeypatch.setattr(docker_container, "_access", lambda _: Access((enclave,), aesm=True))
    (tmp_path / "aesm.socket").mkdir()
    with pytest.raises(EngineError) as refused:
        task.apply()
    assert refused.value.diagnostics[0].code == "aesm-socket-missing"
    assert engine.specs == []
    (tmp_path / "aesm.socket").rmdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "aesm.socket"))
    task.apply()
    assert engine.specs[0].devices == {"/dev/null": "/dev/null"}


@pytest.fixture
def submitter(context: Any, engine: Engine) -> ContainerSubmitter:
    engine.live["client"] = DockerContainer(id="id", running=True, started="2026-01-01T00:00:00Z", labels={})
    return ContainerSubmitter(context, run_of(PI), SparkProgram(PI), ClientContainer("client", "runs"))


def look(submitter: ContainerSubmitter) -> SubmitState:
    return submitter.look(Pods(run_of(PI), ()))


def test_a_run_is_a_command_that_is_asked_for_until_it_has_begun(
    submitter: ContainerSubmitter, engine: Engine, tmp_path: Path
) -> None:
    assert submitter.begin() == 0
    assert look(submitter) == SubmitState("running")
    ((name, command, environment),) = engine.commands
    assert (name, command[:3]) == ("client", ["setsid", "bash", "/ppml/runs/pi-0-1/begin.sh"])
    assert command[-1] == "local:///a.jar"
    assert (environment["PPMLCTL_ENCLAVE"], environment["PPMLCTL_DEADLINE"]) == ("false", "1800")
    (tmp_path / "runs/pi-0-1/begun").mkdir()
    assert submitter.begin() > 0
    assert len(engine.commands) == 1


ENCRYPTED = EncryptedFs("ehsm:9000", "kms-secret", "data-key-warehouse", "warehouse")


def test_a_driver_in_the_containers_enclave_is_told_where_its_data_key_is_and_no_account(
    context: Any, engine: Engine
) -> None:
    for mode in ("local-sgx", "cluster"):
        submission = replace(PI, mode=mode, device_plugin="intel", encrypted_fs=ENCRYPTED, name=f"pi-0-{mode}")
        ContainerSubmitter(
            context, run_of(submission), SparkProgram(submission), ClientContainer("client", "runs")
        ).begin()
    (_, _, here), (_, _, elsewhere) = engine.commands
    assert here["EHSM_DATA_KEY"] == "/ppml/encrypted_keys/warehouse/encrypted_data_key"
    assert (here["ENCRYPTED_FSD"], here["EHSM_URL"], here["EHSM_PORT"]) == ("true", "ehsm", "9000")
    assert not {"APP_ID", "API_KEY", "APPID", "APIKEY"} & here.keys()
    assert "ENCRYPTED_FSD" not in elsewhere


def test_a_run_ends_by_its_status(submitter: ContainerSubmitter, tmp_path: Path) -> None:
    submitter.begin()
    (tmp_path / "runs/pi-0-1/begun").mkdir()
    assert look(submitter) == SubmitState("running")
    (tmp_path / "runs/pi-0-1/status").write_text("101\n")
    assert look(submitter) == SubmitState("failed", "it ended with exit code 101")
    (tmp_path / "runs/pi-0-1/status").write_text("0\n")
    assert look(submitter) == SubmitState("done")


def test_a_run_whose_container_began_a_new_life_is_gone(
    submitter: ContainerSubmitter, engine: Engine, tmp_path: Path
) -> None:
    submitter.begin()
    (tmp_path / "runs/pi-0-1/begun").mkdir()
    os.utime(tmp_path / "runs/pi-0-1/begun", (1, 1))
    assert look(submitter) == SubmitState("gone", "its container was stopped while it ran")
    engine.live.clear()
    assert look(submitter).phase == "gone"


def test_a_running_command_is_ended_with_all_that_it_started(
    submitter: ContainerSubmitter, context: Any, engine: Engine, tmp_path: Path
) -> None:
    client = ClientContainer("client", "runs")
    assert not end_command(context, client, "pi-0-1")
    submitter.begin()
    (tmp_path / "runs/pi-0-1/begun").mkdir()
    (tmp_path / "runs/pi-0-1/begun/process").write_text("42\n")
    assert end_command(context, client, "pi-0-1")
    assert engine.commands[-1] == ("client", ["bash", "-c", "kill -- -42"], {})


def test_the_script_begins_once_and_leaves_log_and_status(tmp_path: Path) -> None:
    (tmp_path / "begin.sh").write_text(BEGIN_SCRIPT)
    (tmp_path / "submit.sh").write_text('sleep 0.3; echo "$@"; exit 7\n')
    both = [subprocess.Popen(["bash", str(tmp_path / "begin.sh"), "a b", str(number)]) for number in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    over = time.monotonic() + 20
    while not (tmp_path / "status").exists():
        assert time.monotonic() < over
    assert (tmp_path / "status").read_text() == "7\n"
    assert (tmp_path / "log").read_text() in {"a b 0\n", "a b 1\n"}


def begun(folder: Path, submit: str, *, deadline: int) -> subprocess.Popen[bytes]:
    """The script in a process group of its own, as the container runs it; it has begun."""
    (folder / "begin.sh").write_text(BEGIN_SCRIPT)
    (folder / "submit.sh").write_text(submit)
    environment = {"PATH": "/usr/bin:/bin", "PPMLCTL_DEADLINE": str(deadline)}
    running = subprocess.Popen(["bash", str(folder / "begin.sh")], env=environment, start_new_session=True)
    over = time.monotonic() + 20
    while not (folder / "log").exists() or "begun\n" not in (folder / "log").read_text():
        assert time.monotonic() < over
    return running


def is_running(process: int) -> bool:
    """Not even a zombie, which waits for a parent that is gone, is."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_run_that_is_ended_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    running = begun(tmp_path, "sleep 600 & echo $!; echo begun; sleep 600\n", deadline=600)
    sleeper = int((tmp_path / "log").read_text().split()[0])
    os.killpg(running.pid, signal.SIGTERM)
    assert running.wait(20) == 0
    assert (tmp_path / "status").read_text() == "143\n"
    over = time.monotonic() + 20
    while is_running(sleeper):
        assert time.monotonic() < over


def test_a_run_that_nobody_waits_for_ends_with_its_deadline(tmp_path: Path) -> None:
    running = begun(tmp_path, "echo begun; sleep 600\n", deadline=1)
    assert running.wait(20) == 0
    assert (tmp_path / "status").read_text() == "143\n"
    assert "it did not end within its deadline of 1 s" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("switch", "told"),
    [
        ({}, "----"),
        ({"ATTESTATION": "true"}, "app-key---"),
        ({"ENCRYPTED_FSD": "true"}, "app-key-app-key-"),
    ],
)
def test_the_account_comes_from_its_files_for_whom_the_image_asks_for_it(
    tmp_path: Path, switch: dict[str, str], told: str
) -> None:
    (tmp_path / "kms").mkdir()
    for name, value in (("app_id", "app"), ("api_key", "key")):
        (tmp_path / "kms" / name).write_text(value)
    (tmp_path / "begin.sh").write_text(BEGIN_SCRIPT.replace(KMS_FOLDER, str(tmp_path / "kms")))
    (tmp_path / "submit.sh").write_text('printf "%s-" "${APP_ID:-}" "${API_KEY:-}" "${APPID:-}" "${APIKEY:-}"')
    subprocess.run(["bash", str(tmp_path / "begin.sh")], env={"PATH": "/usr/bin:/bin", **switch}, check=True)
    assert (tmp_path / "log").read_text() == told

"""The sandbox's process: up, found again, restarted, down."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ppmlctl.diagnostics import InputError, StateError
from ppmlctl.process_identity import start_time_of
from ppmlctl.sandbox import down, environment, status, up


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "state"
    yield folder
    down(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def end_at_once(pid: int) -> None:
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(handle)


def test_up_twice_is_one_process(state):
    assert up(state) == up(state)


def test_status_and_environment_tell_where_it_is(state):
    sandbox = up(state)
    found = status(state)
    assert found is not None
    assert (found.sandbox, found.answering) == (sandbox, True)
    assert environment(state) == {
        "KUBECONFIG": str(state / "kubeconfig"),
        "PPML_EHSM_URL": sandbox.ehsm_url,
        "PPML_EHSM_CA": str(state / "tls" / "ca.pem"),
    }


def test_down_ends_it_and_says_whether_there_was_one(state):
    pid = up(state).pid
    assert down(state) is True
    assert start_time_of(pid) is None
    assert status(state) is None
    assert down(state) is False
    with pytest.raises(StateError) as caught:
        environment(state)
    assert str(caught.value) == (
        f"error[sandbox-down]: the sandbox is not running\n  is   {state}\n  fix  ppmlctl sandbox up"
    )


def test_a_folder_without_a_sandbox_is_left_as_it_is(tmp_path):
    assert down(tmp_path / "absent") is False
    assert status(tmp_path / "absent") is None
    assert not (tmp_path / "absent").exists()


def test_objects_ports_and_token_survive_a_restart(state, connect):
    first = up(state)
    with connect(first) as http:
        made = http.post("/api/v1/namespaces/default/configmaps", json={"metadata": {"name": "kept"}}).json()
        system = http.get("/api/v1/namespaces/kube-system").json()["metadata"]["uid"]
    kubeconfig = (state / "kubeconfig").read_text()
    down(state)
    second = up(state)
    assert (second.kubernetes_url, second.ehsm_url) == (first.kubernetes_url, first.ehsm_url)
    assert (state / "kubeconfig").read_text() == kubeconfig
    with connect(second) as http:
        assert http.get("/api/v1/namespaces/default/configmaps/kept").json() == made
        assert http.get("/api/v1/namespaces/kube-system").json()["metadata"]["uid"] == system
        query = {"watch": "1", "timeoutSeconds": "5", "resourceVersion": "1"}
        refused = http.get("/api/v1/namespaces/default/configmaps", params=query).json()
    assert (refused["type"], refused["object"]["reason"]) == ("ERROR", "Expired")


def test_a_job_that_a_crash_cut_off_is_finished_after_the_restart(state, connect):
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "none:1"}]}}}
    first, path = up(state), "/apis/batch/v1/namespaces/default/jobs"
    with connect(first) as http:
        assert http.post(path, json={"metadata": {"name": "j"}, "spec": spec}).status_code == 201
    end_at_once(first.pid)
    assert status(state) is None
    with connect(up(state)) as http:
        query = {"watch": "1", "timeoutSeconds": "20"}
        with http.stream("GET", path, params=query) as stream:
            assert any("SuccessCriteriaMet" in line for line in stream.iter_lines())


def test_two_at_once_start_one(state):
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: up(state), range(2))
    assert first == second


def test_two_programs_at_once_start_one(state):
    code = "import sys; from pathlib import Path; from ppmlctl.sandbox import up; print(up(Path(sys.argv[1])).pid)"
    command = [sys.executable, "-c", code, str(state)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert len({process.communicate(timeout=30)[0] for process in running}) == 1


def test_what_is_written_is_private(state):
    up(state)
    private = ("kubeconfig", "run.json", "sandbox.log", "requests.jsonl", "kubernetes/kubernetes.sqlite")
    assert {name: oct(mode(state / name)) for name in private} == dict.fromkeys(private, "0o600")
    assert mode(state) == 0o700


def test_no_secret_is_in_the_arguments_of_the_process(state):
    sandbox = up(state)
    token = json.loads((state / "kubeconfig").read_text())["users"][0]["user"]["token"]
    for name in ("cmdline", "environ"):
        assert token.encode() not in Path(f"/proc/{sandbox.pid}/{name}").read_bytes()


def test_the_callers_environment_is_not_passed_on(state, monkeypatch):
    monkeypatch.setenv("PPML_VAULT_PASSWORD", "a-planted-sentinel")
    monkeypatch.setenv("PPMLCTL_FAILPOINT_LOG", str(state.parent / "failpoints"))
    sandbox = up(state)
    environ = Path(f"/proc/{sandbox.pid}/environ").read_bytes()
    assert b"a-planted-sentinel" not in environ
    assert b"PPMLCTL_FAILPOINT" not in environ


def test_a_later_process_with_the_same_pid_is_not_taken_for_the_sandbox(state):
    state.mkdir()
    run = {"pid": os.getpid(), "start_time": 1, "listen": "127.0.0.1", "urls": {"ehsm": "https://127.0.0.1:1"}}
    (state / "run.json").write_text(json.dumps(run))
    assert status(state) is None
    assert down(state) is False


def test_requests_are_logged_without_bodies(state, connect):
    with connect(up(state)) as http:
        body = {"metadata": {"name": "s"}, "stringData": {"password": "a-planted-sentinel"}}
        http.post("/api/v1/namespaces/default/secrets", json=body, params={"dryRun": "All", "fieldManager": "m"})
    assert json.loads((state / "requests.jsonl").read_text().splitlines()[-1]) == {
        "service": "kubernetes",
        "method": "POST",
        "path": "/api/v1/namespaces/default/secrets",
        "dry_run": True,
        "status": 201,
    }
    assert "a-planted-sentinel" not in (state / "requests.jsonl").read_text()


def test_ehsm_alone_listens_where_it_is_told(state):
    sandbox = up(state, only="ehsm", listen="127.0.0.2")
    assert sandbox.ehsm_url is not None
    assert sandbox.ehsm_url.startswith("https://127.0.0.2:")
    assert (sandbox.kubernetes_url, sandbox.kubeconfig) == (None, None)
    assert set(environment(state)) == {"PPML_EHSM_URL", "PPML_EHSM_CA"}
    named = subprocess.run(
        ["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", str(state / "tls" / "server.pem")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "127.0.0.2" in named
    assert "ehsm.sandbox" in named


def test_a_sandbox_that_runs_in_another_way_is_not_reused(state):
    sandbox = up(state, only="ehsm")
    with pytest.raises(StateError) as caught:
        up(state)
    assert str(caught.value) == (
        "error[sandbox-differs]: the sandbox of this state folder already runs in another way\n"
        f"  is   ehsm on 127.0.0.1, process {sandbox.pid}\n"
        "  fix  ppmlctl sandbox down"
    )


def test_a_start_that_fails_says_why(state):
    with pytest.raises(StateError) as caught:
        up(state, listen="192.0.2.1")
    assert str(caught.value) == (
        "error[sandbox-not-started]: the sandbox did not start\n"
        "  is   [Errno 99] Cannot assign requested address\n"
        f"  fix  read {state / 'sandbox.log'}"
    )


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "example.com", "127.0.0.1:99999", "127.0.0.1:x"])
def test_an_address_that_clients_cannot_use_is_refused(tmp_path, address):
    with pytest.raises(InputError, match="listen-address"):
        up(tmp_path / "state", listen=address)
    assert not (tmp_path / "state").exists()

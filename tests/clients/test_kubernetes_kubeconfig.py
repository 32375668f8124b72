"""How a kubeconfig is found, and what is said when it cannot be used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ppmlctl.clients.kubernetes.kubeconfig import connect
from ppmlctl.diagnostics import EngineError

TWO_CONTEXTS = """
clusters:
- {name: a, cluster: {server: "https://a.example.com:6443/"}}
- {name: b, cluster: {server: "https://b.example.com", insecure-skip-tls-verify: true}}
users:
- {name: u, user: {token: t0ken}}
contexts:
- {name: prod, context: {cluster: a, user: u, namespace: ppml}}
- {name: test, context: {cluster: b, user: u}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config"


def message(error: pytest.ExceptionInfo[EngineError], file: Path) -> str:
    return str(error.value).replace(str(file), "FILE")


def test_the_current_context_is_the_default(file: Path) -> None:
    file.write_text(TWO_CONTEXTS + "current-context: prod\n")
    connection = connect(file)
    assert (connection.server, connection.context) == ("https://a.example.com:6443", "prod")
    assert connection.default_namespace == "ppml"
    assert connection.verifies_server
    assert connection.credentials() == {"authorization": "Bearer t0ken"}
    assert "t0ken" not in repr(connection)


def test_a_named_context_needs_no_current_one(file: Path) -> None:
    file.write_text(TWO_CONTEXTS)
    connection = connect(file, "test")
    assert (connection.server, connection.default_namespace) == ("https://b.example.com", "default")
    assert not connection.verifies_server


@pytest.mark.parametrize(
    ("server", "verifies"), [("http://127.0.0.1:8001", True), ("http://a.example.com:8080", False)]
)
def test_plain_http_is_for_this_machine(file: Path, server: str, *, verifies: bool) -> None:
    file.write_text(TWO_CONTEXTS.replace("https://a.example.com:6443/", server))
    assert connect(file, "prod").verifies_server is verifies


def test_the_environment_names_the_file_at_the_time_of_the_call(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(TWO_CONTEXTS)
    monkeypatch.setenv("KUBECONFIG", f"{file}.missing:{file}")
    assert connect(context="test").context == "test"


def test_a_missing_file_says_where_it_was_looked_for(file: Path) -> None:
    with pytest.raises(EngineError) as refused:
        connect(file)
    assert message(refused, file) == (
        "error[k8s-no-kubeconfig]: no kubeconfig to reach a cluster with\n"
        "  is   FILE does not exist\n"
        "  fix  set KUBECONFIG to the file that your cluster's administrator gave you, or say `target: sandbox`"
    )


def test_a_missing_context_lists_those_there_are(file: Path) -> None:
    file.write_text(TWO_CONTEXTS)
    with pytest.raises(EngineError) as refused:
        connect(file, "production")
    assert message(refused, file) == (
        "error[k8s-no-context]: the kubeconfig has no such context\n"
        "  is   FILE has no context 'production'; it has: prod, test\n"
        "  fix  name one of them in cluster.context"
    )


def test_no_current_context_is_said(file: Path) -> None:
    file.write_text("kind: Config\n")
    with pytest.raises(EngineError) as refused:
        connect(file)
    assert message(refused, file) == (
        "error[k8s-no-context]: the kubeconfig has no such context\n"
        "  is   FILE has no current context; it has: none\n"
        "  fix  use another kubeconfig"
    )


def test_broken_yaml_is_told_by_its_place_and_not_quoted(file: Path) -> None:
    file.write_text("users:\n- token: [hunter2\nx: y: z\n")
    with pytest.raises(EngineError) as refused:
        connect(file)
    assert message(refused, file).startswith(
        "error[k8s-kubeconfig-invalid]: the kubeconfig cannot be used\n  is   FILE: no valid YAML at line "
    )
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[]", id="list"),
        pytest.param("just words", id="text"),
        pytest.param("contexts: 3", id="contexts"),
        pytest.param("contexts: [{name: a}]\ncurrent-context: a", id="empty context"),
        pytest.param("contexts: [{name: a, context: {cluster: c}}]\ncurrent-context: a", id="no cluster"),
        pytest.param(TWO_CONTEXTS.replace("server:", "certificate-authority: none.pem, server:"), id="no such CA file"),
        pytest.param(TWO_CONTEXTS.replace("server:", "certificate-authority-data: abc, server:"), id="bad CA data"),
    ],
)
def test_a_kubeconfig_of_another_shape_is_one_message(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(EngineError) as refused:
        connect(file, "prod" if "prod" in text else None)
    assert refused.value.diagnostics[0].code in ("k8s-kubeconfig-invalid", "k8s-no-context")


@pytest.mark.parametrize(
    ("users", "place"),
    [
        ("{name: u, token: hidden}", "Expected key user in FILE, entry u"),
        ("{token: hidden, name: u}", "Expected key user in FILE, one of its entries"),
    ],
)
def test_an_entry_that_is_quoted_by_the_library_is_not_shown(file: Path, users: str, place: str) -> None:
    text = TWO_CONTEXTS.replace("{name: u, user: {token: t0ken}}", users)
    file.write_text(text + "current-context: prod\n")
    with pytest.raises(EngineError) as refused:
        connect(file)
    assert message(refused, file) == (
        "error[k8s-kubeconfig-invalid]: the kubeconfig cannot be used\n"
        f"  is   FILE: Invalid kube-config file. {place}\n"
        "  fix  kubectl config view shows what kubectl makes of it"
    )


def test_importing_the_client_loads_no_generated_model() -> None:
    script = (
        "import sys, ppmlctl.clients.kubernetes\n"
        "print(sum(name.startswith('kubernetes.client.models.') for name in sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert int(loaded.stdout) == 0

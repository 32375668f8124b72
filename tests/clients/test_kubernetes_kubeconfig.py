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
        "error[k8s-kubeconfig-invalid]: the kubeconfig cannot be used\n"
        "  at   FILE:3:2\n"
        "  is   FILE: the file is no valid YAML\n"
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


@pytest.mark.parametrize("users", ["{name: u, token: hidden}", "{token: hidden, name: u}"])
def test_credentials_outside_of_user_are_none_and_not_shown(file: Path, users: str) -> None:
    text = TWO_CONTEXTS.replace("{name: u, user: {token: t0ken}}", users)
    file.write_text(text + "current-context: prod\n")
    with pytest.raises(EngineError) as refused:
        connect(file)
    assert message(refused, file) == (
        "error[k8s-kubeconfig-invalid]: the kubeconfig cannot be used\n"
        "  at   FILE:6:3  users[0].user\n"
        "  is   user u: it has no credentials\n"
        "  fix  log in to the cluster again, or name another user in the context"
    )


def refusal(file: Path, old: str, new: str) -> str:
    text = TWO_CONTEXTS + "current-context: prod\n"
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(EngineError) as refused:
        connect(file)
    return message(refused, file)


def test_a_context_whose_user_is_missing_is_an_error_at_the_context(file: Path) -> None:
    assert refusal(file, "cluster: a, user: u", "cluster: a, user: bulider") == (
        "error[k8s-kubeconfig-invalid]: the kubeconfig cannot be used\n"
        "  at   FILE:8:38  contexts[0].context.user\n"
        "  is   context prod: there is no user 'bulider'; there is: u\n"
        "  fix  name one of them, or add the file that has it to KUBECONFIG"
    )


def test_a_provider_that_is_not_offered_is_an_error_at_the_user(file: Path) -> None:
    assert refusal(file, "token: t0ken", "auth-provider: {name: oidc, config: {refresh-token: hidden}}") == (
        "error[k8s-user-unsupported]: the kubeconfig cannot be used\n"
        "  at   FILE:6:20  users[0].user.auth-provider\n"
        "  is   user u: `auth-provider` is not offered\n"
        "  fix  get credentials by `exec`: kubelogin for OIDC and Azure, gke-gcloud-auth-plugin for Google"
    )


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("token: t0ken", "token: 17", "FILE:6:20  users[0].user.token\n  is   user u: `token` is no text; quote it"),
        ("token: t0ken", "tokne: x", "FILE:6:20  users[0].user.tokne\n  is   user u: `tokne` is no field that ppmlctl"),
        ("token: t0ken", 'token: "a\\nb"', "user u: `token` holds a control character"),
        ("token: t0ken", "as: x, as-groups: lab", "user u: `as-groups` is no list of texts"),
        ("token: t0ken", "as: x, as-user-extra: {a: b}", "user u: `as-user-extra` is no mapping of lists of texts"),
        ("token: t0ken", "client-certificate-data: '*', client-key-data: ''", "`client-certificate-data` is no base64"),
        ("token: t0ken", "client-certificate: config, client-key: config", "certificate and key do not fit"),
        ("user: {token: t0ken}", "user: 3", "user u: `user` is no mapping"),
        ("- {name: u,", "- {", "an entry of `users` has no name"),
        ("users:", "users:\n- {name: u, user: {token: x}}", "`users` has u twice"),
        ('"https://a.example.com:6443/"', "a.example.com", "cluster a: its server is no http or https URL"),
        ('"https://a.example.com:6443/"', '"https://a:99999"', "cluster a: its server is no http or https URL"),
        ("6443/", '6443", proxy-url: "proxy:3128', "cluster a: `proxy-url`: it has no scheme"),
        ("contexts:", "kind: List\ncontexts:", "FILE: its kind is not Config"),
    ],
)
def test_what_cannot_be_used_is_said_at_its_place(file: Path, old: str, new: str, found: str) -> None:
    assert found in refusal(file, old, new)


def test_a_path_of_the_server_is_kept(file: Path) -> None:
    file.write_text(TWO_CONTEXTS.replace("6443/", "6443/k8s/clusters/c-1/"))
    assert connect(file, "prod").server == "https://a.example.com:6443/k8s/clusters/c-1"


def test_a_proxy_is_named_without_who_asks(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(TWO_CONTEXTS)
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "b.example.com")
    assert str(connect(file, "prod").proxy) == "http://proxy.example.com:3128 (HTTPS_PROXY)"
    assert "hunter2" not in repr(connect(file, "prod"))
    assert connect(file, "test").proxy is None


def test_a_token_file_that_is_gone_for_a_moment_leaves_the_last_token(file: Path) -> None:
    file.write_text(TWO_CONTEXTS.replace("token: t0ken", "tokenFile: token"))
    token = file.parent / "token"
    token.write_text("first\n")
    connection = connect(file, "prod")
    assert connection.credentials() == {"authorization": "Bearer first"}
    token.write_text("second\n")
    assert connection.credentials() == {"authorization": "Bearer second"}
    token.unlink()
    assert connection.credentials() == {"authorization": "Bearer second"}


def test_importing_the_client_loads_no_generated_model() -> None:
    script = (
        "import sys, ppmlctl.clients.kubernetes\n"
        "print(sum(name.startswith('kubernetes.client.models.') for name in sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert int(loaded.stdout) == 0

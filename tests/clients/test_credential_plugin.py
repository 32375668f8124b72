"""A credential plugin: what it is told, what is made of its answer, and what is said when it gives none."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.clients.kubernetes import credential_plugin
from ppmlctl.clients.kubernetes.kubeconfig import Connection, connect
from ppmlctl.diagnostics import EngineError

VERSION = "client.authentication.k8s.io/v1"
PLUGIN = "#!/bin/sh\n"

Connected = Callable[..., Connection]


@pytest.fixture
def connected(tmp_path: Path) -> Connected:
    """Connects by a kubeconfig whose plugin is a script of this text."""

    def by(script: str | None, **settings: Any) -> Connection:
        if script is not None:
            (tmp_path / "login").write_text(PLUGIN + script)
            (tmp_path / "login").chmod(0o700)
        plugin = {"command": "./login", "apiVersion": VERSION, **settings}
        cluster = {"server": "https://a.example.com"}
        content = {
            "clusters": [{"name": "a", "cluster": cluster}],
            "users": [{"name": "u", "user": {"exec": plugin}}],
            "contexts": [{"name": "c", "context": {"cluster": "a", "user": "u"}}],
            "current-context": "c",
        }
        (tmp_path / "config").write_text(json.dumps(content))
        return connect(tmp_path / "config")

    return by


def answering(status: Any, **members: Any) -> str:
    answer = {"kind": "ExecCredential", "apiVersion": VERSION, "status": status, **members}
    return f"echo '{json.dumps(answer)}'\n"


def test_its_token_is_sent(connected: Connected) -> None:
    connection = connected(answering({"token": "t0ken"}))
    assert connection.credentials() == {"authorization": "Bearer t0ken"}
    assert "t0ken" not in repr(connection)


def test_an_expired_token_is_asked_for_again(connected: Connected, tmp_path: Path) -> None:
    status = {"token": "first", "expirationTimestamp": "2020-01-02T03:04:05Z"}
    connection = connected(answering(status))
    (tmp_path / "login").write_text(PLUGIN + answering({**status, "token": "second"}))
    assert connection.credentials() == {"authorization": "Bearer second"}


def test_it_learns_of_the_cluster_and_nothing_of_the_vault(
    connected: Connected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PPML_VAULT_PASSWORD", "hidden")
    script = "env > told; cat > typed; " + answering({"token": "t"})
    connected(script, provideClusterInfo=True, env=[{"name": "PROFILE", "value": "prod"}])
    told = dict(line.partition("=")[::2] for line in (tmp_path / "told").read_text().splitlines())
    assert told["PROFILE"] == "prod"
    assert json.loads(told["KUBERNETES_EXEC_INFO"]) == {
        "apiVersion": VERSION,
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": {"server": "https://a.example.com"}},
    }
    assert "PPML_VAULT_PASSWORD" not in told
    assert (tmp_path / "typed").read_text() == ""


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            None,
            (
                "error[k8s-plugin-missing]: the kubeconfig's credential plugin cannot be started\n"
                "  is   ./login: No such file or directory\n"
                "  fix  install it, or log in to the cluster in another way"
            ),
        ),
        (
            "echo 'session has ended' >&2; exit 3",
            (
                "error[k8s-plugin-failed]: the kubeconfig's credential plugin failed\n"
                "  is   ./login ended with 3; its last words:\n"
                "       session has ended\n"
                "  fix  run it by hand, or log in to the cluster again"
            ),
        ),
        (
            "sleep 1000 & sleep 1000",
            (
                "error[k8s-plugin-timeout]: the kubeconfig's credential plugin took too long\n"
                "  is   ./login did not end within 0.5 seconds, and was ended\n"
                "  fix  run it by hand, or log in to the cluster again"
            ),
        ),
        (
            "echo t0ken",
            (
                "error[k8s-plugin-answer]: the kubeconfig's credential plugin gives no credentials\n"
                "  is   ./login: it is no ExecCredential as JSON\n"
                "  fix  run it by hand, or log in to the cluster again"
            ),
        ),
    ],
)
def test_one_that_gives_nothing_is_one_message(
    script: str | None,
    message: str,
    connected: Connected,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(credential_plugin, "TIME_LIMIT", 0.5)
    with caplog.at_level(logging.DEBUG), pytest.raises(EngineError) as refused:
        connected(script)
    assert str(refused.value) == message
    assert not caplog.messages


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (answering({}), "there is neither a token nor a certificate with its key in it"),
        (answering({"clientCertificateData": "PEM"}), "there is neither a token nor a certificate with its key in it"),
        (answering({"token": 1}), "it has no status of texts"),
        (answering(None), "it has no status of texts"),
        (answering({"token": "t"}, apiVersion="v0"), f"its apiVersion is not {VERSION}"),
        (answering({"token": "t"}, kind="Secret"), "it is no ExecCredential as JSON"),
    ],
)
def test_an_answer_without_credentials_says_what_is_missing(script: str, why: str, connected: Connected) -> None:
    with pytest.raises(EngineError) as refused:
        connected(script)
    assert refused.value.diagnostics[0].found == f"./login: {why}"


@pytest.mark.parametrize("settings", [{"command": None, "args": 1}, {"env": [{"name": "x"}]}])
def test_settings_of_another_shape_are_one_message(settings: dict[str, Any], connected: Connected) -> None:
    with pytest.raises(EngineError) as refused:
        connected(None, **settings)
    assert refused.value.diagnostics[0].code == "k8s-kubeconfig-invalid"
    assert "`exec` needs command and apiVersion" in refused.value.diagnostics[0].found

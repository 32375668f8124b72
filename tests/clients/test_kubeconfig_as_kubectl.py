"""What is sent by a kubeconfig is what kubectl sends: both are asked, and a server writes down what reaches it."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from clients.kubeconfig_table import ROWS, Row
from clients.recording_server import FAR, Lab, lab

from ppmlctl.clients.kubernetes import KubernetesClient
from ppmlctl.diagnostics import PpmlError
from ppmlctl.effects import Effects

pytestmark = [
    pytest.mark.kubectl,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH"),
]

VARIANTS = Path(__file__).parent / "kubeconfig" / "variants.yaml"
PATH = "/api/v1/namespaces/kube-system"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
LOGIN = """#!/bin/sh
echo '{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": "from-program"}}'
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("kubeconfig")
    with lab(folder / "pki") as made:
        _write_files(folder, made)
        yield made


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def _write_files(folder: Path, made: Lab) -> None:
    (folder / "token").write_text("t0ken-of-file\n")
    for name, text in (("login", LOGIN), ("fail", "#!/bin/sh\nexit 3\n")):
        (folder / name).write_text(text)
        (folder / name).chmod(0o700)
    token = b".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=") for part in (b'{"alg":"none"}', b'{"exp":9999999999}')
    )
    words = {
        "SERVER": f"https://127.0.0.1:{made.port}",
        "PLAIN": f"http://127.0.0.1:{made.plain_port}",
        "FAR": f"https://{FAR}:6443",
        "PROXY": f"127.0.0.1:{made.proxy_port}",
        "SOCKS": f"127.0.0.1:{made.socks_port}",
        "AUTHORITY": _encoded(made.pki / "ca.pem"),
        "CERTIFICATE": _encoded(made.pki / "client.pem"),
        "KEY": _encoded(made.pki / "client.key"),
        "IDTOKEN": f"{token.decode()}.c2ln",
    }
    text = VARIANTS.read_text()
    for word, value in words.items():
        text = text.replace(word, value)
    (folder / "config").write_text(text)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _kubectl(place: Lab, context: str, variables: Mapping[str, str] = {}) -> list[dict[str, Any]] | None:
    """What reached the server, or None where kubectl refuses."""
    config = str(place.pki.parent / "config")
    command = ["kubectl", "--kubeconfig", config, "--context", context, "get", "--raw", PATH]
    environment = {**os.environ, "HOME": str(place.pki.parent), **variables}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    return _asked(place, refused=done.returncode != 0)


def _ppmlctl(place: Lab, context: str) -> list[dict[str, Any]] | None:
    refused = False
    try:
        config = place.pki.parent / "config"
        client = KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=config, context=context)
        client.cluster_identity()
    except PpmlError:
        refused = True
    return _asked(place, refused=refused)


def _asked(place: Lab, *, refused: bool) -> list[dict[str, Any]] | None:
    # Debian's kubectl asks for the server's version first, and gives way to a kubectl of that version.
    seen = [one for one in place.take() if not one.get("path", "").startswith("/version")]
    seen = [one for index, one in enumerate(seen) if one not in seen[:index]]
    return None if refused and not any("path" in one for one in seen) else seen


def test_the_table_has_every_variant() -> None:
    contexts = [line.split()[2].rstrip(",") for line in VARIANTS.read_text().splitlines() if "context: {" in line]
    assert [row.context for row in ROWS] == contexts


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.context)
def test_what_is_sent_is_what_kubectl_sends(place: Lab, row: Row) -> None:
    theirs, ours = _kubectl(place, row.context), _ppmlctl(place, row.context)
    if row.stricter:
        assert ours is None
        assert theirs is not None
    else:
        assert ours == theirs
        assert (ours is None) is row.refused


NO_PROXIES = [
    "",
    "*",
    FAR,
    FAR.upper(),
    f".{FAR}",
    "example.com",
    ".example.com",
    "*.example.com",
    "ample.com",
    "com",
    f"{FAR}:6443",
    f"{FAR}:443",
    "example.com:6443",
    f" other.org , {FAR} ",
    "localhost,127.0.0.0/8",
    "cluster",
]


@pytest.mark.parametrize("exceptions", NO_PROXIES)
def test_no_proxy_means_what_it_means_to_kubectl(
    place: Lab, exceptions: str, monkeypatch: pytest.MonkeyPatch, far: str
) -> None:
    variables = {"HTTPS_PROXY": f"http://127.0.0.1:{place.proxy_port}", "NO_PROXY": exceptions}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert bool(_ppmlctl(place, far)) == bool(_kubectl(place, far))


@pytest.fixture(scope="module")
def far(place: Lab) -> str:
    """A context whose server only the environment's proxy leads to."""
    config = place.pki.parent / "config"
    text = config.read_text()
    cluster = f'- {{name: far, cluster: {{server: "https://{FAR}:6443", certificate-authority: pki/ca.pem}}}}\n'
    text = text.replace("clusters:\n", f"clusters:\n{cluster}", 1)
    config.write_text(
        text.replace("\ncontexts:\n", "\ncontexts:\n- {name: far, context: {cluster: far, user: token}}\n")
    )
    return "far"


@pytest.mark.parametrize(
    ("variables", "goes"),
    [
        ({"https_proxy": "PROXY"}, True),
        ({"HTTPS_PROXY": "127.0.0.1:1", "https_proxy": "PROXY"}, False),
        ({"HTTP_PROXY": "PROXY"}, False),
        ({"ALL_PROXY": "PROXY"}, False),
        ({"HTTPS_PROXY": "127.0.0.1:PORT"}, True),
        ({"HTTPS_PROXY": "socks5://127.0.0.1:SOCKS"}, True),
    ],
)
def test_the_variables_are_those_that_kubectl_reads(
    place: Lab, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, far: str, *, goes: bool
) -> None:
    proxy = f"http://127.0.0.1:{place.proxy_port}"
    for name, value in variables.items():
        filled = value.replace("PROXY", proxy).replace("PORT", str(place.proxy_port))
        monkeypatch.setenv(name, filled.replace("SOCKS", str(place.socks_port)))
    assert bool(_ppmlctl(place, far)) == bool(_kubectl(place, far)) == goes


@pytest.mark.parametrize("context", ["token", "plain"])
def test_this_machine_is_never_asked_through_the_environments_proxy(
    place: Lab, context: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    ours = _ppmlctl(place, context)
    assert ours
    assert ours == _kubectl(place, context)


def test_files_are_merged_as_kubectl_merges_them(place: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    shutil.copytree(place.pki, tmp_path / "b" / "pki")
    cluster = f'{{server: "https://127.0.0.1:{place.port}", certificate-authority: {place.pki}/ca.pem}}'
    (tmp_path / "a" / "config").write_text(
        f"apiVersion: v1\nkind: Config\nclusters: [{{name: lab, cluster: {cluster}}}]\n"
        "contexts: [{name: lab, context: {cluster: lab, user: builder}}]\n"
    )
    (tmp_path / "b" / "config").write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: lab\nclusters: [{name: lab, cluster: {server: https://127.0.0.1:1}}]\n"
        "users: [{name: builder, user: {client-certificate: pki/client.pem, client-key: pki/client.key}}]\n"
    )
    (tmp_path / "empty").write_text("")
    files = [tmp_path / "none", tmp_path / "empty", tmp_path / "a" / "config", tmp_path / "b" / "config"]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, ["", *files])))
    monkeypatch.chdir(tmp_path)
    KubernetesClient(Effects("kubernetes", writes_allowed=False)).cluster_identity()
    ours = _asked(place, refused=False)
    subprocess.run(["kubectl", "get", "--raw", PATH], check=True, capture_output=True, timeout=60)
    assert ours == _asked(place, refused=False) == [{"path": PATH, "certificate": "builder"}]

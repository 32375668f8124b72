"""What a user reads when the API server refuses, fails or cannot be reached: the whole text of each message."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ppmlctl.clients.kubernetes import ConflictError, KubernetesClient, Manifest, ObjectKey
from ppmlctl.diagnostics import EngineError, TransientError
from ppmlctl.effects import Effects

CONFIG = ObjectKey("v1", "ConfigMap", "ns", "c")
SECRET = ObjectKey("v1", "Secret", "ns", "s")


class Server(ThreadingHTTPServer):
    """Gives the same answer to every request, and keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: tuple[int, bytes] = (200, b"{}")
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, str, str]] = []

    def refuses(self, code: int, **status: Any) -> None:
        self.answer = code, json.dumps({"kind": "Status", "status": "Failure", "code": code, **status}).encode()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the base class gives it
        """Quiet."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.server.asked.append((self.command, self.path, self.rfile.read(length).decode()))
        code, body = self.server.answer
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_PATCH = do_POST = do_DELETE = do_GET  # noqa: N815 - the names the base class looks for


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def kubeconfig(folder: Path, url: str, **cluster: Any) -> Path:
    file = folder / "kubeconfig"
    content = {
        "clusters": [{"name": "c", "cluster": {"server": url, **cluster}}],
        "users": [{"name": "u", "user": {"token": "t0ken"}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "prod",
    }
    file.write_text(json.dumps(content))
    return file


@pytest.fixture
def client(server: Server, tmp_path: Path) -> KubernetesClient:
    file = kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}")
    return KubernetesClient(Effects("kubernetes", writes_allowed=True), kubeconfig=file)


def manifest(key: ObjectKey, **fields: Any) -> Manifest:
    metadata = {"name": key.name, "namespace": key.namespace}
    return {"apiVersion": key.api_version, "kind": key.kind, "metadata": metadata, **fields}


def test_401_names_the_context(server: Server, client: KubernetesClient) -> None:
    server.refuses(401, message="Unauthorized", reason="Unauthorized")
    with pytest.raises(EngineError) as refused:
        client.get(CONFIG)
    assert str(refused.value) == (
        "error[k8s-unauthorized]: the cluster does not accept this kubeconfig\n"
        "  is   get ConfigMap ns/c: Unauthorized, with context prod\n"
        "  why  its token or client certificate is expired, revoked, or of another cluster\n"
        "  fix  log in to the cluster again, so that context prod gets new credentials"
    )


def test_403_names_verb_and_resource(server: Server, client: KubernetesClient) -> None:
    message = 'secrets "s" is forbidden: User "u" cannot patch resource "secrets" in API group "" in the namespace "ns"'
    server.refuses(403, message=message, reason="Forbidden")
    with pytest.raises(EngineError) as refused:
        client.apply(manifest(SECRET, stringData={"a": "hunter2"}))
    assert not isinstance(refused.value, TransientError)
    assert str(refused.value) == (
        "error[k8s-forbidden]: the cluster does not allow this\n"
        f"  is   apply Secret ns/s: {message}\n"
        '  why  missing: verb patch on resource secrets of apiGroup "" in namespace ns\n'
        "  fix  let the cluster's administrator run:\n"
        "       kubectl create role ppmlctl-patch-secrets --verb=create,patch --resource=secrets -n ns\n"
        "       kubectl create rolebinding ppmlctl-patch-secrets --role=ppmlctl-patch-secrets --user=u -n ns"
    )


def test_an_admission_refusal_of_a_secret_is_not_quoted(server: Server, client: KubernetesClient) -> None:
    server.refuses(403, message='admission webhook "w" denied the request: bad value hunter2', reason="Forbidden")
    with pytest.raises(EngineError) as refused:
        client.create(manifest(SECRET, stringData={"a": "hunter2"}))
    assert refused.value.diagnostics[0].found == (
        "create Secret ns/s: Forbidden (the server's words are withheld, they may quote the secret)"
    )


def test_a_namespace_on_its_way_out_is_worth_another_try(server: Server, client: KubernetesClient) -> None:
    causes = [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]
    server.refuses(403, message="it is being terminated", reason="Forbidden", details={"causes": causes})
    with pytest.raises(TransientError) as refused:
        client.create(manifest(CONFIG))
    assert refused.value.diagnostics[0].code == "k8s-namespace-terminating"


def test_a_conflict_names_each_manager_with_its_fields(server: Server, client: KubernetesClient) -> None:
    held = [("kubectl", ".data.b"), ("helm", ".data.c"), ("kubectl", ".data.a")]
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}" using v1', "field": field}
        for manager, field in held
    ]
    server.refuses(409, message="Apply failed", reason="Conflict", details={"causes": causes})
    with pytest.raises(ConflictError) as refused:
        client.apply(manifest(CONFIG))
    assert str(refused.value) == (
        "error[k8s-conflict]: another manager holds fields of this object\n"
        '  is   apply ConfigMap ns/c: "helm" holds .data.c; "kubectl" holds .data.a, .data.b\n'
        "  why  taking them over silently would undo someone else's change\n"
        "  fix  leave these fields out, or take them over: ppmlctl apply --force-conflicts"
    )


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_server_that_cannot_answer_now_is_worth_another_try(
    server: Server, client: KubernetesClient, code: int
) -> None:
    server.answer = code, b"upstream connect error\n"
    with pytest.raises(TransientError) as refused:
        client.get(CONFIG)
    assert str(refused.value) == (
        "error[k8s-unavailable]: the API server cannot answer now\n  is   get ConfigMap ns/c: upstream connect error"
    )
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("Fri, 02 Jan 2026 03:04:05 GMT", 0.0), ("-1", 0.0), (None, 0.0)]
)
def test_the_server_says_when_to_try_again(
    server: Server, client: KubernetesClient, code: int, header: str | None, seconds: float
) -> None:
    server.refuses(code, message="busy")
    server.headers = {"Retry-After": header} if header else {}
    with pytest.raises(TransientError) as refused:
        client.get(CONFIG)
    assert refused.value.retry_after == seconds


@pytest.mark.parametrize(("code", "body"), [(200, b"<html>log in</html>"), (200, b"[]"), (302, b"")])
def test_what_is_no_api_server_is_said_to_be_none(
    server: Server, client: KubernetesClient, code: int, body: bytes
) -> None:
    server.answer = code, body
    with pytest.raises(EngineError) as refused:
        client.get(CONFIG)
    assert str(refused.value) == (
        "error[k8s-no-api]: what answers is not a Kubernetes API server\n"
        "  is   get ConfigMap ns/c: an answer that is no JSON object\n"
        "  fix  check the server of context prod, and the proxy in between"
    )


@pytest.mark.parametrize("user", ["system:anonymous", "system:unauthenticated"])
@pytest.mark.parametrize("what", ['get resource "configmaps" in API group "" in the namespace "ns"', 'get path "/api"'])
def test_nobody_is_advised_to_give_rights_to_anybody(
    client: KubernetesClient, server: Server, user: str, what: str
) -> None:
    message = f'configmaps "c" is forbidden: User "{user}" cannot {what}'
    server.refuses(403, reason="Forbidden", message=message)
    with pytest.raises(EngineError) as refused:
        client.get(CONFIG)
    assert str(refused.value) == (
        "error[k8s-anonymous]: the cluster does not know who asks\n"
        f"  is   get ConfigMap ns/c: {message}\n"
        "  why  the kubeconfig's credentials did not reach it, or it takes them for nobody's\n"
        "  fix  log in to the cluster again, or name another user in the context; grant nothing to anonymous"
    )


def test_a_proxy_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2@{proxy}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    config = kubeconfig(tmp_path, "https://cluster.example.com")
    with pytest.raises(TransientError) as refused:
        KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=config).get(CONFIG)
    place = f"https://cluster.example.com, through the proxy http://{proxy} (HTTPS_PROXY)"
    assert str(refused.value) == (
        "error[k8s-unreachable]: the API server cannot be reached\n"
        f"  is   get ConfigMap ns/c: {place}: Connection refused\n"
        "  fix  check that the proxy runs and lets through to the cluster, or name the cluster's host in NO_PROXY"
    )


def test_a_proxy_that_lets_nobody_through_says_so(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    config = kubeconfig(tmp_path, "https://cluster.example.com")
    with pytest.raises(TransientError, match=r"\(HTTPS_PROXY\): Tunnel connection failed: 501 "):
        KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=config).get(CONFIG)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"{scheme}://127.0.0.1:{closed.getsockname()[1]}"
    config = kubeconfig(tmp_path, "https://cluster.example.com", **{"proxy-url": proxy})
    with pytest.raises(EngineError, match=rf"through the proxy {proxy} \(proxy-url of cluster c\)"):
        KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=config).get(CONFIG)


def test_a_refused_connection_is_worth_another_try(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    lonely = KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=kubeconfig(tmp_path, url))
    with pytest.raises(TransientError) as refused:
        lonely.get(CONFIG)
    assert str(refused.value) == (
        "error[k8s-unreachable]: the API server cannot be reached\n"
        f"  is   get ConfigMap ns/c: {url}: Connection refused\n"
        "  fix  check that the cluster runs and that the server of context prod is its address"
    )


def test_a_host_that_does_not_resolve_is_worth_another_try(tmp_path: Path) -> None:
    lonely = KubernetesClient(
        Effects("kubernetes", writes_allowed=False), kubeconfig=kubeconfig(tmp_path, "https://cluster.invalid:6443")
    )
    with pytest.raises(TransientError) as refused:
        lonely.get(CONFIG)
    assert refused.value.diagnostics[0].code == "k8s-unreachable"
    assert refused.value.diagnostics[0].found.startswith("get ConfigMap ns/c: https://cluster.invalid:6443: ")


def test_a_server_that_speaks_no_tls_cannot_be_trusted(server: Server, tmp_path: Path) -> None:
    url = f"https://127.0.0.1:{server.server_port}"
    plain = KubernetesClient(Effects("kubernetes", writes_allowed=False), kubeconfig=kubeconfig(tmp_path, url))
    with pytest.raises(EngineError) as refused:
        plain.get(CONFIG)
    assert not isinstance(refused.value, TransientError)
    assert refused.value.diagnostics[0].code == "k8s-tls"


def test_a_pod_that_has_not_started_has_an_empty_log(server: Server, client: KubernetesClient) -> None:
    message = 'container "main" in pod "p" is waiting to start: ContainerCreating'
    server.refuses(400, message=message, reason="BadRequest")
    assert client.pod_log(ObjectKey("v1", "Pod", "ns", "p"), container="main", tail_lines=5) == ""
    assert server.asked == [("GET", "/api/v1/namespaces/ns/pods/p/log?container=main&tailLines=5", "")]


def test_a_namespaced_object_without_a_namespace_is_refused_before_it_is_sent(
    server: Server, client: KubernetesClient
) -> None:
    with pytest.raises(EngineError) as refused:
        client.get(ObjectKey("v1", "ConfigMap", "", "c"))
    assert refused.value.diagnostics[0].code == "k8s-no-namespace"
    assert server.asked == []


def test_kinds_are_discovered_once_for_each_group(server: Server, client: KubernetesClient) -> None:
    resources = [
        {"name": "widgets", "kind": "Widget", "namespaced": True},
        {"name": "widgets/status", "kind": "Widget", "namespaced": True},
    ]
    widget = {
        "kind": "Widget",
        "apiVersion": "example.com/v1",
        "metadata": {"name": "w", "uid": "u", "resourceVersion": "1"},
    }
    server.refuses(200, kind="APIResourceList", resources=resources)
    assert client.resource("example.com/v1", "Widget").namespaced
    server.answer = 200, json.dumps(widget).encode()
    for _ in range(2):
        client.get(ObjectKey("example.com/v1", "Widget", "ns", "w"))
    assert [path for _, path, _ in server.asked] == [
        "/apis/example.com/v1",
        "/apis/example.com/v1/namespaces/ns/widgets/w",
        "/apis/example.com/v1/namespaces/ns/widgets/w",
    ]


NOT_THERE = {"reason": "NotFound", "details": {"name": "c", "kind": "configmaps"}}
ANOTHER = {"reason": "NotFound", "details": {"name": "d", "kind": "configmaps"}}
STATUS = {"kind": "Status", "status": "Failure"}
OBJECT = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "c", "uid": "u", "resourceVersion": "1"}}
FROM_SOMETHING_IN_BETWEEN = [
    pytest.param(404, b"<html>not found</html>", id="404 in HTML"),
    pytest.param(404, b"404 page not found", id="404 in plain text"),
    pytest.param(404, b"{}", id="404 without a Status"),
    pytest.param(404, json.dumps({**STATUS, **ANOTHER}).encode(), id="404 of another object"),
    pytest.param(410, b"gone", id="410"),
    pytest.param(410, json.dumps({**STATUS, **NOT_THERE}).encode(), id="410 that says not found"),
    pytest.param(200, b"{}", id="nothing"),
    pytest.param(200, json.dumps({**OBJECT, "metadata": None}).encode(), id="no metadata"),
    pytest.param(200, json.dumps({**OBJECT, "kind": "Secret"}).encode(), id="another kind"),
    pytest.param(
        200,
        json.dumps({**OBJECT, "metadata": {"name": "d", "uid": "u", "resourceVersion": "1"}}).encode(),
        id="another object",
    ),
    pytest.param(200, json.dumps({"kind": "Status", "status": "Success"}).encode(), id="a Status"),
    pytest.param(200, json.dumps({"kind": "ConfigMapList", "items": []}).encode(), id="a list without metadata"),
    pytest.param(
        200,
        json.dumps(
            {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"remainingItemCount": 3}, "items": []}
        ).encode(),
        id="a list that was cut",
    ),
]
OPERATIONS = {
    "get": lambda client: client.get(ObjectKey("v1", "ConfigMap", "ns", "c")),
    "list": lambda client: client.list_objects("v1", "ConfigMap", "ns"),
    "apply": lambda client: client.apply({"apiVersion": "v1", **OBJECT, "metadata": {"name": "c", "namespace": "ns"}}),
    "delete": lambda client: client.delete(ObjectKey("v1", "ConfigMap", "ns", "c")),
}


@pytest.mark.parametrize(("code", "body"), FROM_SOMETHING_IN_BETWEEN)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_no_api_server_answers_proves_nothing(
    server: Server, client: KubernetesClient, operation: str, code: int, body: bytes
) -> None:
    server.answer = code, body
    with pytest.raises(EngineError) as refused:
        OPERATIONS[operation](client)
    assert refused.value.diagnostics[0].code == "k8s-no-api"


def test_only_a_status_that_names_the_object_says_that_it_is_not_there(
    server: Server, client: KubernetesClient
) -> None:
    server.refuses(404, **NOT_THERE)
    assert client.get(ObjectKey("v1", "ConfigMap", "ns", "c")) is None
    assert client.delete(ObjectKey("v1", "ConfigMap", "ns", "c")) is False


def test_a_kind_that_goes_is_proven_by_the_servers_own_list(server: Server, client: KubernetesClient) -> None:
    groups = {"kind": "APIGroupList", "groups": [{"name": "apps", "versions": [{"groupVersion": "apps/v1"}]}]}
    served = {"/apis": (200, json.dumps(groups).encode())}

    class ByPath:
        def __iter__(self) -> Iterator[Any]:
            return iter(served.get(server.asked[-1][1], (404, b"404 page not found")))

    server.answer = ByPath()  # type: ignore[assignment]
    assert client.as_served(ObjectKey("example.com/v1", "Widget", "ns", "w")) is None
    served["/apis"] = (404, b"<html>")
    with pytest.raises(EngineError) as refused:
        client.as_served(ObjectKey("example.com/v1", "Widget", "ns", "w"))
    assert refused.value.diagnostics[0].code == "k8s-no-api"


def test_names_cannot_leave_their_place_in_the_path(server: Server, client: KubernetesClient) -> None:
    server.refuses(404, reason="NotFound", details={"name": "a?b"})
    assert client.get(ObjectKey("v1", "ConfigMap", "ns/../x", "a?b")) is None
    assert server.asked[0][1] == "/api/v1/namespaces/ns%2F..%2Fx/configmaps/a%3Fb"


def test_long_lists_are_read_page_by_page(server: Server, client: KubernetesClient) -> None:
    listing = {"kind": "ConfigMapList", "apiVersion": "v1"}
    pages = iter(
        [
            {**listing, "metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]},
            {**listing, "metadata": {}, "items": [{"metadata": {"name": "b"}}]},
        ]
    )

    class Pages:
        def __iter__(self) -> Iterator[Any]:
            return iter((200, json.dumps(next(pages)).encode()))

    server.answer = Pages()  # type: ignore[assignment]
    found = client.list_objects("v1", "ConfigMap", "ns", label_selector="a=b")
    assert [item["metadata"]["name"] for item in found] == ["a", "b"]
    assert [path.partition("?")[2] for _, path, _ in server.asked] == [
        "limit=500&labelSelector=a%3Db",
        "limit=500&labelSelector=a%3Db&continue=more",
    ]


META = {"name": "c", "namespace": "ns", "uid": "u", "resourceVersion": "1"}
WHOLE = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": META}
GROUP = {"name": "a.b", "versions": [{"groupVersion": "a.b/v1"}], "preferredVersion": {"groupVersion": "a.b/v1"}}
KIND = {"kind": "Thing", "name": "things", "namespaced": True, "verbs": ["list"]}
LIST = {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": [WHOLE]}
DELETED = {"kind": "Status", "status": "Success", "details": {"uid": "u"}}
ODD: list[Any] = [None, 5, [], {}, [5], [[]], {"a": 5}, ""]
ASKED: list[tuple[Any, dict[str, Any], list[tuple[Any, ...]]]] = [
    (
        lambda client: client.get(CONFIG),
        WHOLE,
        [("kind",), ("apiVersion",), ("metadata",), ("metadata", "name"), ("metadata", "uid"), ("metadata", "labels")],
    ),
    (lambda client: client.apply(WHOLE), WHOLE, [("metadata", "resourceVersion"), ("metadata", "managedFields")]),
    (
        lambda client: client.events(CONFIG),
        {**LIST, "kind": "EventList"},
        [("items",), ("items", 0), ("items", 0, "metadata"), ("items", 0, "count"), ("items", 0, "lastTimestamp")],
    ),
    (
        lambda client: client.list_objects("v1", "ConfigMap", "ns"),
        LIST,
        [("kind",), ("metadata",), ("metadata", "remainingItemCount"), ("items", 0, "metadata", "ownerReferences")],
    ),
    (lambda client: client.delete(CONFIG), DELETED, [("status",), ("details",), ("details", "uid")]),
    (
        lambda client: client.resource("a.b/v1", "Thing"),
        {"kind": "APIResourceList", "resources": [KIND]},
        [("resources",), ("resources", 0), *(("resources", 0, name) for name in KIND)],
    ),
    (
        lambda client: client.resources(),
        {"kind": "APIGroupList", "groups": [GROUP]},
        [("groups",), ("groups", 0), *(("groups", 0, name) for name in GROUP), ("groups", 0, "versions", 0)],
    ),
    (
        lambda client: client.may("get", "v1", "Pod"),
        {"kind": "SelfSubjectAccessReview", "status": {"allowed": True}},
        [("status",), ("status", "allowed")],
    ),
]


@pytest.mark.parametrize(
    ("ask", "whole", "place"), [(ask, whole, one) for ask, whole, places in ASKED for one in places]
)
def test_an_answer_of_another_shape_is_a_fault_of_the_way(
    ask: Any, whole: dict[str, Any], place: tuple[Any, ...], server: Server, client: KubernetesClient
) -> None:
    """Each value of an answer is put wrong in turn: a message or a value, and never a defect of the program."""
    for value in ODD:
        odd = json.loads(json.dumps(whole))
        holder = odd
        for name in place[:-1]:
            holder = holder[name]
        holder[place[-1]] = value
        server.answer = 200, json.dumps(odd).encode()
        with suppress(EngineError):
            ask(client)


@pytest.mark.parametrize(
    "wrong",
    [
        {**WHOLE, "kind": "Secret"},
        {**WHOLE, "apiVersion": "v2"},
        {**WHOLE, "metadata": META | {"name": "another"}},
        {**WHOLE, "metadata": META | {"uid": None}},
        {**WHOLE, "metadata": META | {"resourceVersion": 5}},
        {**WHOLE, "metadata": META | {"annotations": {"a": 5}}},
    ],
)
def test_an_object_is_what_was_asked_for(wrong: Manifest, server: Server, client: KubernetesClient) -> None:
    server.answer = 200, json.dumps(wrong).encode()
    with pytest.raises(EngineError) as told:
        client.get(CONFIG)
    assert told.value.diagnostics[0].code == "k8s-no-api"
    server.answer = 200, json.dumps(WHOLE).encode()
    assert client.get(CONFIG) == WHOLE


@pytest.mark.parametrize(("bound", "most"), [("_LARGEST_LIST", 1000), ("_MOST_PAGES", 7)])
def test_a_list_that_always_goes_on_is_ended(
    bound: str, most: int, server: Server, client: KubernetesClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"ppmlctl.clients.kubernetes.client.{bound}", most)
    endless = {**LIST, "metadata": {"resourceVersion": "1", "continue": "more"}}
    server.answer = 200, json.dumps(endless).encode()
    with pytest.raises(EngineError) as told:
        client.list_objects("v1", "ConfigMap", "ns")
    assert told.value.diagnostics[0].code == "k8s-answer-unbounded"
    assert str(most) in told.value.diagnostics[0].found.replace(",", "")
    assert len(server.asked) < 10

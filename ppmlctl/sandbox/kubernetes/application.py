"""The Kubernetes API of the sandbox as one ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ppmlctl.sandbox.kubernetes import discovery, schema, status
from ppmlctl.sandbox.kubernetes.authentication import OPEN_PATHS, BearerToken
from ppmlctl.sandbox.kubernetes.bodies import JSON, YAML, read
from ppmlctl.sandbox.kubernetes.controllers import Controllers
from ppmlctl.sandbox.kubernetes.endpoints import Endpoints, JsonAnswer, error_answer
from ppmlctl.sandbox.kubernetes.hub import Hub
from ppmlctl.sandbox.kubernetes.kinds import KINDS, Json, kind_named
from ppmlctl.sandbox.kubernetes.objects import Objects
from ppmlctl.sandbox.kubernetes.store import Store


def make_app(folder: Path, *, token: str, ca: Path) -> Starlette:
    """The API over the objects in `folder`, for clients with this bearer token.

    `ca` is the certificate authority (PEM) that pods and token secrets are given. The folder must exist.
    """
    store = Store(folder)
    hub = Hub(store.revision)
    objects = Objects(store, hub)
    controllers = Controllers(objects, ca)

    _seed(objects)
    controllers.catch_up()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.hub = hub
        with hub.feed() as feed:
            following = asyncio.create_task(controllers.run(feed))
            # A daemon, so that an early end need not wait for it.
            Thread(target=schema.load, args=(KINDS,), daemon=True).start()
            yield
            hub.close()
            await following
        store.close()

    routes = [*_discovery_routes(), Route(REVIEW_PATH, _review, methods=["POST"])]
    for kind in KINDS:
        routes += Endpoints(kind, objects).routes()
    handlers: dict[Any, Any] = {status.ApiError: error_answer, HTTPException: _routing_error, Exception: error_answer}
    guard = Middleware(BearerToken, token=token)
    return Starlette(routes=routes, middleware=[guard], exception_handlers=handlers, lifespan=lifespan)


REVIEW_PATH = f"/apis/{discovery.REVIEW_GROUP}/v1/{discovery.REVIEW}"
FIRST_NAMESPACES = ("default", "kube-system")


def _seed(objects: Objects) -> None:
    """The namespaces that every cluster has; their uid stays as long as the state does."""
    kind = kind_named("namespaces")
    for name in FIRST_NAMESPACES:
        if objects.store.get(kind, "", name) is None:
            objects.seed(kind, {"metadata": {"name": name}})


def _discovery_routes() -> Iterator[Route]:
    resources = discovery.resources()
    fixed = {"/version": discovery.version(), "/api": discovery.core_versions(), "/apis": discovery.groups()}
    fixed |= {"/openapi/v3": discovery.openapi_index(), **resources}
    for root in resources:
        if (document := discovery.openapi(root)) is not None:
            fixed[f"/openapi/v3{root}"] = document
    for found in discovery.groups()["groups"]:
        fixed[f"/apis/{found['name']}"] = {"kind": "APIGroup", "apiVersion": "v1", **found}
    for path, answer in fixed.items():
        yield Route(path, _constant(answer), methods=["GET"])
    for path in OPEN_PATHS:
        yield Route(path, _healthy, methods=["GET"])


def _constant(answer: Json) -> Callable[[Request], Response]:
    return lambda _: JsonAnswer(answer)


def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _review(request: Request) -> Response:
    """SelfSubjectAccessReview: whoever knows the token may do everything."""
    review = await read(request, JSON, YAML)
    if not isinstance(review, dict):
        raise status.bad_request("the object provided is unrecognized (must be of type SelfSubjectAccessReview)")
    verdict = {"allowed": True, "reason": "the sandbox allows everything to its one user"}
    return JsonAnswer({**review, "status": verdict}, HTTPStatus.CREATED)


def _routing_error(request: Request, error: Exception) -> Response:
    is_method = isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    return error_answer(request, status.method_not_allowed() if is_method else status.no_such_path())

"""The requests of one kind: from HTTP to the verbs and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from ppmlctl.sandbox.kubernetes import bodies, deletion, parameters, patching, status, tables, watching
from ppmlctl.sandbox.kubernetes.kinds import Json, Kind
from ppmlctl.sandbox.kubernetes.objects import Objects
from ppmlctl.sandbox.kubernetes.pod_logs import log_of
from ppmlctl.sandbox.kubernetes.schema import schema_of


class JsonAnswer(Response):
    """A JSON answer in the compact spelling."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()


class Endpoints:
    """The handlers of one kind."""

    def __init__(self, kind: Kind, objects: Objects) -> None:
        self._kind = kind
        self._objects = objects

    def routes(self) -> Sequence[Route]:
        """The paths of this kind: its collection, its items, and for pods their logs."""
        root, plural = self._kind.root, self._kind.plural
        base = f"{root}/namespaces/{{namespace}}/{plural}" if self._kind.namespaced else f"{root}/{plural}"
        routes = [
            Route(base, self.collection, methods=["GET", "POST", "DELETE"]),
            Route(f"{base}/{{name}}", self.item, methods=["GET", "PUT", "PATCH", "DELETE"]),
        ]
        if self._kind.namespaced:
            routes.append(Route(f"{root}/{plural}", self.everywhere, methods=["GET"]))
        if self._kind.kind == "Pod":
            routes.append(Route(f"{base}/{{name}}/log", self.log, methods=["GET"]))
        return routes

    async def everywhere(self, request: Request) -> Response:
        """List or watch over all namespaces."""
        return self._list_or_watch(request, None)

    async def collection(self, request: Request) -> Response:
        """List, watch, create, delete collection."""
        namespace = request.path_params.get("namespace", "")
        if request.method == "POST":
            body = await bodies.read(request, bodies.JSON, bodies.YAML)
            options = parameters.write_options(request, "Create")
            return JsonAnswer(self._objects.create(self._kind, namespace, body, options), HTTPStatus.CREATED)
        if request.method == "DELETE":
            return await self._delete_collection(request, namespace)
        return self._list_or_watch(request, namespace)

    async def item(self, request: Request) -> Response:
        """Get, update, patch, delete."""
        namespace, name = request.path_params.get("namespace", ""), request.path_params["name"]
        if request.method == "DELETE":
            asked = parameters.delete_options(request, await bodies.read_if_any(request, bodies.JSON, bodies.YAML))
            return JsonAnswer(deletion.delete(self._objects, self._kind, namespace, name, asked))
        if request.method == "PATCH":
            return await self._patch(request, namespace, name)
        if request.method == "PUT":
            body = await bodies.read(request, bodies.JSON, bodies.YAML)
            options = parameters.write_options(request, "Update")
            return JsonAnswer(self._objects.replace(self._kind, namespace, name, body, options))
        found = self._objects.get(self._kind, namespace, name)
        if parameters.wants_table(request):
            metadata = {"resourceVersion": found["metadata"]["resourceVersion"]}
            return JsonAnswer(tables.table(self._kind, [found], metadata, datetime.now(UTC)))
        return JsonAnswer(found)

    async def log(self, request: Request) -> Response:
        """The log of a pod."""
        pod = self._objects.get(self._kind, request.path_params["namespace"], request.path_params["name"])
        return PlainTextResponse(log_of(pod, request))

    async def _patch(self, request: Request, namespace: str, name: str) -> Response:
        body = await bodies.read(request, bodies.APPLY, bodies.MERGE, bodies.STRATEGIC, bodies.JSON_PATCH)
        options, media_type = parameters.write_options(request, "Patch"), bodies.media_type(request)
        if media_type != bodies.APPLY:
            change = partial(self._patched, media_type, body)
            return JsonAnswer(self._objects.patch(self._kind, namespace, name, change, options))
        parameters.require_manager(request)
        found, is_new = self._objects.apply(self._kind, namespace, name, body, options)
        return JsonAnswer(found, HTTPStatus.CREATED if is_new else HTTPStatus.OK)

    def _patched(self, media_type: str, patch: object, live: Json) -> object:
        if media_type == bodies.JSON_PATCH:
            return patching.json_patch(live, patch)
        if not isinstance(patch, dict):
            raise status.bad_request("a merge patch must be a JSON object")
        if media_type == bodies.MERGE:
            return patching.merged_patch(live, patch)
        return patching.strategic_patch(live, patch, schema_of(self._kind))

    async def _delete_collection(self, request: Request, namespace: str) -> Response:
        options = parameters.delete_options(request, await bodies.read_if_any(request, bodies.JSON, bodies.YAML))
        selection = parameters.selection(request, self._kind)
        listed = self._objects.store.list(self._kind, namespace if self._kind.namespaced else None)
        chosen = [obj for obj in listed if selection.admits(obj)]
        for obj in chosen:
            deletion.delete(self._objects, self._kind, namespace, obj["metadata"]["name"], options)
        return JsonAnswer(self._list(chosen, {"resourceVersion": str(self._objects.store.revision)}))

    def _list_or_watch(self, request: Request, namespace: str | None) -> Response:
        within = namespace if self._kind.namespaced else None
        if parameters.flag(request, "watch"):
            return self._watch(request, within)
        page = parameters.page(request, self._kind)
        found = [obj for obj in self._objects.store.list(self._kind, within, page.after) if page.selection.admits(obj)]
        metadata: Json = {"resourceVersion": str(self._objects.store.revision)}
        if page.limit and len(found) > page.limit:
            rest = {
                "continue": parameters.continuation(found[page.limit - 1]),
                "remainingItemCount": len(found) - page.limit,
            }
            metadata, found = metadata | rest, found[: page.limit]
        if parameters.wants_table(request):
            return JsonAnswer(tables.table(self._kind, found, metadata, datetime.now(UTC)))
        return JsonAnswer(self._list(found, metadata))

    def _list(self, found: Sequence[Json], metadata: Json) -> Json:
        """The list, whose items leave out kind and apiVersion as the API's typed lists do."""
        items = [{key: value for key, value in obj.items() if key not in ("kind", "apiVersion")} for obj in found]
        group_version = self._kind.group_version
        return {"kind": f"{self._kind.kind}List", "apiVersion": group_version, "metadata": metadata, "items": items}

    def _watch(self, request: Request, namespace: str | None) -> Response:
        watch = parameters.watch(request, self._kind, namespace)
        as_table = parameters.wants_table(request)

        def rendered(obj: Json) -> Json:
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            return tables.table(self._kind, [obj], metadata, datetime.now(UTC)) if as_table else obj

        return StreamingResponse(watching.stream(self._objects, watch, rendered), media_type="application/json")


def error_answer(_: Request, error: Exception) -> Response:
    """The answer to a refused request."""
    refused = (
        error if isinstance(error, status.ApiError) else status.internal(f"internal error: {type(error).__name__}")
    )
    return JsonAnswer(refused.as_status(), refused.code)

"""The log of a pod: the one line that says it was simulated."""

from __future__ import annotations

from starlette.requests import Request

from ppmlctl.sandbox.kubernetes import status
from ppmlctl.sandbox.kubernetes.kinds import Json
from ppmlctl.sandbox.kubernetes.parameters import flag
from ppmlctl.sandbox.kubernetes.simulation import LOG_LINE


def log_of(pod: Json, request: Request) -> str:
    """The log as asked for. Raises ApiError (BadRequest) where there is none."""
    name, query = pod["metadata"]["name"], request.query_params
    containers = [container["name"] for container in pod["spec"]["containers"]]
    container = query.get("container") or (containers[0] if len(containers) == 1 else "")
    if not container:
        raise status.bad_request(
            f"a container name must be specified for pod {name}, choose one of: [{' '.join(containers)}]"
        )
    if container not in containers:
        raise status.bad_request(f"container {container} is not valid for pod {name}")
    if flag(request, "previous"):
        raise status.bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    states = {state["name"]: state for state in pod.get("status", {}).get("containerStatuses", [])}
    if container not in states:
        raise status.bad_request(f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating')
    if query.get("tailLines") == "0":
        return ""
    return f"{_started(states[container])} {LOG_LINE}" if flag(request, "timestamps") else LOG_LINE


def _started(state: Json) -> str:
    [(_, details)] = state["state"].items()
    return str(details["startedAt"])

"""How ppmlctl marks what it makes in a cluster, and whose an object is.

Every object carries the environment and the task in labels. One that was there before ppmlctl is adopted, marked so by
an annotation (the mark must not get lost with a crash before the record), and kept at removal. Each environment applies
as a field manager of its own, so that the server itself refuses a second environment: the first holds the label that
the second would have to change.
"""

from __future__ import annotations

from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.kubernetes.differences import SERVERS_METADATA
from ppmlctl.kubernetes.labels import ENVIRONMENT, TASK, label_value
from ppmlctl.kubernetes.objects import Manifest, ObjectKey
from ppmlctl.modules.context import Context
from ppmlctl.planning import Recorded

EXISTED_BEFORE = "ppmlctl/existed-before"


def labelled(ctx: Context, address: str, manifest: Manifest, *, existed_before: bool = False) -> Manifest:
    """The manifest with the labels by which ppmlctl finds its objects again, and without what is the server's own.

    A uid or version that was copied from a cluster would name another object, or a state of it long ago.
    """
    given = manifest.get("metadata") or {}
    metadata = {name: value for name, value in given.items() if name not in SERVERS_METADATA}
    metadata["labels"] = {**(metadata.get("labels") or {}), ENVIRONMENT: ctx.environment, TASK: label_value(address)}
    if existed_before:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), EXISTED_BEFORE: "true"}
    return {**manifest, "metadata": metadata}


def manager_of(environment: str) -> str:
    """The field manager as which an environment applies its objects."""
    return f"ppmlctl-{environment}"


def made_by(environment: str, manager: str | None) -> bool:
    """Whether that manager is one of the environment's: its own, or the plain one that its lease is written as."""
    return manager in (manager_of(environment), "ppmlctl")


def require_free(key: ObjectKey, environment: str, ours: str) -> None:
    """Refuses an object that carries another environment's label; `environment` is what it carries.

    Raises EngineError (k8s-other-environment). Nothing takes such an object over: the two would undo each other's work.
    """
    if environment in ("", ours):
        return
    raise EngineError(
        Diagnostic(
            "k8s-other-environment",
            "the object belongs to another environment",
            found=f"{key} carries the label {ENVIRONMENT}={environment}; this environment is {ours}",
            why="two environments on one object undo each other's changes, and the removal of one takes it from both",
            fix="give this environment another cluster.namespace, or the object another name. Where a lost lockfile of "
            "this one said that `environment:`, restore it. Where that environment is no more, release the object:\n"
            f"kubectl label {_words_for_kubectl(key)} {ENVIRONMENT}-",
        )
    )


def recorded_key(recorded: Recorded) -> ObjectKey:
    """The object that a record is about; Secrets where the record names no kind."""
    result = recorded.result
    api_version, kind = str(result.get("api_version", "v1")), str(result.get("kind", "Secret"))
    return ObjectKey(api_version, kind, str(result.get("namespace") or ""), str(result["name"]))


def identity_of_key(key: ObjectKey) -> str:
    """What tells the object from all others of its module, in a plan. One object is served by several versions."""
    return f"{key.api_version.rpartition('/')[0]} {key}".lstrip()


def home_of(recorded: Recorded) -> str | None:
    """What tells the namespace of a record's object from all others, as `identity_of_key` would; None without one."""
    namespace = recorded_key(recorded).namespace
    return identity_of_key(ObjectKey("v1", "Namespace", "", namespace)) if namespace else None


def is_same_object(one: ObjectKey, other: ObjectKey) -> bool:
    """Whether both name the same object, by whatever version of its group."""
    return identity_of_key(one) == identity_of_key(other)


def _words_for_kubectl(key: ObjectKey) -> str:
    group = key.api_version.rpartition("/")[0]
    kind = f"{key.kind}.{group}" if group else key.kind
    return f"-n {key.namespace} {kind} {key.name}" if key.namespace else f"{kind} {key.name}"

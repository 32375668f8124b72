"""The module `docker_push`, with an engine and a registry in memory."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from modules.memory_docker import ENV, MemoryDocker

from ppmlctl.clients.docker import DockerImage
from ppmlctl.diagnostics import EngineError
from ppmlctl.modules.docker_push import DockerPush
from ppmlctl.planning import ActionKind
from ppmlctl.secret import SecretLockedError
from ppmlctl.unknown import Unknown


@pytest.fixture
def docker() -> MemoryDocker:
    engine = MemoryDocker()
    engine.name("app:1", DockerImage("sha256:built", (), (), {}, ENV))
    return engine


@pytest.fixture
def task(drive: Any, make_context: Any, docker: MemoryDocker) -> Any:
    context = make_context(engines=SimpleNamespace(docker=docker))
    return drive(DockerPush(), context, reference="app:1", image_id="sha256:built")


def known_to_the_lockfile(task: Any) -> None:
    task.context = replace(task.context, recorded={task.context.address: task.recorded})


def test_an_image_is_pushed_once(task: Any, docker: MemoryDocker) -> None:
    assert task.plan().action is ActionKind.CREATE
    assert docker.calls == ["images"], "a registry may refuse to be asked for what it does not have"
    result = task.apply()
    assert (result.reference, result.id, result.digest) == ("app:1", "sha256:built", "sha256:manifest-of-sha256:built")
    assert result.variables == {"SPARK_HOME": "/ppml/spark-3.1.3"}
    assert task.plan().action is ActionKind.KEEP
    assert task.apply() == result
    assert docker.calls.count("push") == 1


def test_another_image_is_pushed_under_the_name(task: Any, docker: MemoryDocker) -> None:
    first = task.apply()
    known_to_the_lockfile(task)
    docker.name("app:1", DockerImage("sha256:anew", (), (), {}))
    task.arguments["image_id"] = "sha256:anew"
    assert [field.path for field in task.plan().fields] == ["image_id"]
    second = task.apply()
    assert second.digest == docker.registry["app:1"] != first.digest


def test_a_registry_that_lost_it_or_has_another_gets_it_again(task: Any, docker: MemoryDocker) -> None:
    result = task.apply()
    docker.registry["app:1"] = "sha256:another"
    (field,) = task.plan().fields
    assert (field.path, field.before, field.after) == ("digest", "sha256:another", result.digest)
    assert task.apply() == result
    docker.registry.clear()
    known_to_the_lockfile(task)
    assert task.plan().reasons == ("was made before, is not there any more",)
    assert task.apply() == result
    assert docker.registry == {"app:1": result.digest}


def test_an_image_pushed_before_a_crash_is_adopted(task: Any, docker: MemoryDocker) -> None:
    result = task.apply()
    task.recorded = None
    assert task.plan().reasons == ("adopts what is there already",)
    assert dict(task.observe().foreseen) == {"reference": "app:1", "id": result.id, "digest": result.digest}
    assert task.apply() == result
    assert docker.calls.count("push") == 1


def test_a_registry_that_has_it_still_is_enough_where_the_engine_lost_count(task: Any, docker: MemoryDocker) -> None:
    task.apply()
    docker.kept["sha256:built"] = replace(docker.kept["sha256:built"], repo_digests=())
    known_to_the_lockfile(task)
    assert task.plan().action is ActionKind.KEEP


def test_a_registry_whose_password_is_locked_away_counts_as_unchanged(task: Any, docker: MemoryDocker) -> None:
    task.apply()

    def locked(_reference: str) -> str:
        raise SecretLockedError("vault:registry")

    docker.registry_digest = locked  # type: ignore[method-assign] # the vault was closed meanwhile
    assert task.plan().action is ActionKind.KEEP


def test_an_image_whose_name_was_moved_after_the_look_is_not_pushed(task: Any, docker: MemoryDocker) -> None:
    docker.name("app:1", DockerImage("sha256:foreign", (), (), {}))
    with pytest.raises(EngineError) as caught:
        task.apply()
    assert str(caught.value) == (
        "error[docker-image-moved]: the name of an image that is to be pushed means another image now\n"
        "  is   app:1: sha256:foreign, not sha256:built\n"
        "  why  what is pushed must be what was built and looked at\n"
        "  fix  see who else builds or tags under this name, and apply again"
    )
    docker.kept.clear()
    with pytest.raises(EngineError, match="app:1: no image, not sha256:built"):
        task.apply()
    assert "push" not in docker.calls


def test_of_several_digests_of_one_image_that_counts_which_the_registry_has(task: Any, docker: MemoryDocker) -> None:
    result = task.apply()
    kept = docker.kept["sha256:built"]
    docker.kept["sha256:built"] = replace(kept, repo_digests=("app@sha256:former", *kept.repo_digests))
    assert task.plan().action is ActionKind.KEEP
    assert task.observe().foreseen["digest"] == result.digest
    assert task.apply() == result
    assert docker.calls.count("push") == 1


def test_a_push_beside_a_former_digest_tells_the_new_one(task: Any, docker: MemoryDocker) -> None:
    push = docker.push

    def beside(reference: str, tell: Any) -> DockerImage:
        image = push(reference, tell)
        docker.kept[image.id] = replace(image, repo_digests=("app@sha256:former", *image.repo_digests))
        return docker.kept[image.id]

    docker.push = beside  # type: ignore[method-assign] # as an engine that pulled the image from there before
    assert task.apply().digest == docker.registry["app:1"] == "sha256:manifest-of-sha256:built"


def test_a_push_that_the_user_stops_is_broken_off(task: Any, docker: MemoryDocker) -> None:
    task.context.stopping.set()
    with pytest.raises(EngineError) as stopped:
        task.apply()
    assert stopped.value.diagnostics[0].code == "stopped"
    assert docker.registry == {}
    task.context.stopping.clear()
    assert task.apply().digest == docker.registry["app:1"]


def test_what_is_not_known_yet_is_not_asked_for(task: Any, docker: MemoryDocker) -> None:
    task.arguments["image_id"] = Unknown("image")
    assert not task.observe().exists
    task.arguments["reference"] = Unknown("image")
    assert dict(task.observe().foreseen) == {}
    assert "registry_digest" not in docker.calls


def test_a_removal_leaves_it_in_the_registry_and_says_where(task: Any) -> None:
    task.apply()
    assert task.module.removal_of(task.recorded) == "keep"
    assert task.module.kept_as(task.recorded) == "app:1 in its registry"

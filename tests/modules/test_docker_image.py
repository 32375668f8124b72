"""The module `docker_image`, with an engine in memory and with the real one."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from modules.memory_docker import MemoryDocker

from ppmlctl.clients.docker import DockerClient, DockerImage
from ppmlctl.clients.oci import OciClient
from ppmlctl.diagnostics import EngineError
from ppmlctl.effects import Effect, Effects
from ppmlctl.modules.docker_image import DockerImage as Module
from ppmlctl.oci import ENVIRONMENT, INPUTS, TASK, Entry, File, FileDigests, digest_of
from ppmlctl.planning import ActionKind
from ppmlctl.unknown import Unknown


@pytest.fixture
def docker() -> MemoryDocker:
    return MemoryDocker()


@pytest.fixture
def start(drive: Any, make_context: Any, docker: MemoryDocker) -> Any:
    oci = OciClient(Effects("oci", writes_allowed=True), FileDigests())
    context = make_context(engines=SimpleNamespace(docker=docker, oci=oci))
    return lambda **arguments: drive(Module(), context, **{"reference": "app:1", **arguments})


@pytest.fixture
def build_folder(tmp_path: Path) -> Path:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text("FROM scratch\nCOPY data /\n")
    (tmp_path / "context" / "data").write_text("1")
    return tmp_path / "context"


@pytest.fixture
def overlay(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "bash.sig").write_bytes(b"sig")
    digests = {"/ppml/bash.sig": digest_of(b"sig")}
    return {"base": "sha256:base", "files": {"/ppml/bash.sig": "bash.sig"}, "digests": digests}


class TestPulled:
    def test_a_missing_image_is_pulled_once(self, start: Any, docker: MemoryDocker) -> None:
        docker.registry["app:1"] = "sha256:1"
        task = start(platform="linux/amd64")
        assert task.plan().action is ActionKind.CREATE
        result = task.apply()
        assert (result.reference, result.id, result.digest) == ("app:1", "sha256:id-of-sha256:1", "sha256:1")
        assert result.variables == {"SPARK_HOME": "/ppml/spark-3.1.3"}
        assert task.plan().action is ActionKind.KEEP
        task.apply()
        assert docker.calls.count("pull") == 1

    def test_an_image_that_is_there_is_taken_as_it_is(self, start: Any, docker: MemoryDocker) -> None:
        docker.name("app:1", DockerImage("sha256:local", (), (), {}))
        task = start()
        assert task.plan().reasons == ("adopts what is there already",)
        assert task.apply().digest == "sha256:local"
        assert "pull" not in docker.calls

    def test_a_moved_tag_is_noticed_where_the_registry_is_to_be_asked(self, start: Any, docker: MemoryDocker) -> None:
        docker.registry["app:1"] = "sha256:1"
        task = start(pull="always")
        task.apply()
        assert task.plan().action is ActionKind.KEEP
        docker.registry["app:1"] = "sha256:2"
        change = task.plan()
        assert change.action is ActionKind.UPDATE
        assert [(field.path, field.before, field.after) for field in change.fields] == [
            ("digest", "sha256:2", "sha256:1")
        ]
        assert task.apply().digest == "sha256:2"

    def test_an_image_that_must_not_be_pulled_has_to_be_there(self, start: Any) -> None:
        with pytest.raises(EngineError) as caught:
            start(pull="never").plan()
        assert str(caught.value) == (
            "error[docker-image-missing]: the Docker engine does not have an image that must not be pulled\n"
            "  is   app:1\n"
            "  fix  docker pull app:1"
        )

    def test_removal_leaves_it(self, start: Any, docker: MemoryDocker) -> None:
        docker.registry["app:1"] = "sha256:1"
        task = start()
        task.apply()
        task.remove()
        assert docker.inspect_image("app:1") is not None


class TestBuilt:
    def test_an_image_is_built_once(self, start: Any, docker: MemoryDocker, build_folder: Path) -> None:
        task = start(build={"context": build_folder.name, "args": {"A": "1"}}, labels={"mine": "yes"})
        assert task.plan().action is ActionKind.CREATE
        result = task.apply()
        assert result.digest == result.id
        assert task.plan().action is ActionKind.KEEP
        assert task.apply() == result
        (build,) = docker.built
        assert build.arguments == {"A": "1"}
        assert (build.folder, build.pull) == (build_folder.name, False)
        labels = {
            "mine": "yes",
            ENVIRONMENT: task.context.environment,
            TASK: task.context.address,
            INPUTS: result.inputs,
        }
        assert dict(build.labels) == labels

    def test_a_changed_context_is_built_anew_and_the_old_image_goes(
        self, start: Any, docker: MemoryDocker, build_folder: Path
    ) -> None:
        task = start(build={"context": build_folder.name})
        first = task.apply()
        (build_folder / "data").write_text("2")
        change = task.plan()
        assert (change.action, change.reasons) == (ActionKind.UPDATE, ("the build context changed",))
        second = task.apply()
        assert list(docker.kept) == [second.id] != [first.id]

    def test_an_old_image_that_has_another_name_stays(
        self, start: Any, docker: MemoryDocker, build_folder: Path
    ) -> None:
        task = start(build={"context": build_folder.name})
        first = task.apply()
        docker.kept[first.id] = replace(docker.kept[first.id], references=("app:1", "mine:1"))
        (build_folder / "data").write_text("2")
        task.apply()
        assert docker.kept[first.id].references == ("mine:1",)

    def test_an_image_built_before_a_crash_is_adopted(
        self, start: Any, docker: MemoryDocker, build_folder: Path
    ) -> None:
        task = start(build={"context": build_folder.name})
        result = task.apply()
        task.recorded = None
        assert dict(task.observe().foreseen) == result.model_dump(exclude={"evidence", "variables"})
        assert task.apply() == result
        assert len(docker.built) == 1

    def test_another_image_under_the_name_is_drift(self, start: Any, docker: MemoryDocker, build_folder: Path) -> None:
        task = start(build={"context": build_folder.name})
        result = task.apply()
        docker.name("app:1", DockerImage("sha256:foreign", (), (), {}))
        change = task.plan()
        assert [(field.path, field.before, field.after) for field in change.fields] == [
            ("id", "sha256:foreign", result.id)
        ]
        assert task.apply() == result
        assert "sha256:foreign" in docker.kept

    def test_a_lost_image_is_built_again(self, start: Any, docker: MemoryDocker, build_folder: Path) -> None:
        task = start(build={"context": build_folder.name})
        result = task.apply()
        docker.kept.clear()
        assert task.plan().action is ActionKind.CREATE
        assert task.apply() == result

    def test_removal_takes_away_what_was_built(self, start: Any, docker: MemoryDocker, build_folder: Path) -> None:
        task = start(build={"context": build_folder.name})
        task.apply()
        task.remove()
        assert docker.kept == {}

    def test_removal_leaves_what_is_used_or_somebody_elses(
        self, start: Any, docker: MemoryDocker, build_folder: Path
    ) -> None:
        warnings: list[str] = []
        task = start(build={"context": build_folder.name})
        task.context = replace(task.context, warn=warnings.append)
        docker.used.add(task.apply().id)
        recorded = task.recorded
        task.remove()
        docker.name("app:1", DockerImage("sha256:foreign", (), (), {}))
        task.module.remove(task.context, recorded)
        assert warnings == [
            "app:1 was left alone: a running container or another image uses it",
            "app:1 was left alone: another image has this name now",
        ]

    def test_another_label_is_put_on_by_another_build(
        self, start: Any, docker: MemoryDocker, build_folder: Path
    ) -> None:
        task = start(build={"context": build_folder.name}, labels={"measured": "1"}, pull="always")
        task.apply()
        task.arguments["labels"] = {"measured": "2"}
        assert task.plan().action is ActionKind.UPDATE
        task.apply()
        assert [build.labels["measured"] for build in docker.built] == ["1", "2"]
        assert all(build.pull for build in docker.built)


class TestOverlay:
    def test_files_are_laid_over_the_base(
        self, start: Any, docker: MemoryDocker, overlay: dict[str, Any], tmp_path: Path
    ) -> None:
        task = start(overlay=overlay)
        task.apply()
        assert {entry.path: content(entry) for entry in docker.built[0].context} == {
            "Dockerfile": b'FROM sha256:base\nCOPY ["files/0", "/ppml/bash.sig"]\n',
            "files/0": b"sig",
        }
        assert task.plan().action is ActionKind.KEEP
        overlay["digests"] = {"/ppml/bash.sig": digest_of(b"new")}
        task.arguments["overlay"] = overlay
        assert task.plan().action is ActionKind.UPDATE
        with pytest.raises(EngineError, match="image-file-changed"):
            task.apply()
        (tmp_path / "bash.sig").write_bytes(b"new")
        task.apply()
        assert task.plan().action is ActionKind.KEEP

    def test_what_is_not_known_yet_is_not_looked_for(self, start: Any, overlay: dict[str, Any]) -> None:
        for unknown in (Unknown("enclave"), {**overlay, "base": Unknown("base")}, {**overlay, "files": {"/x": "gone"}}):
            assert dict(start(overlay=unknown).observe().foreseen) == {"reference": "app:1"}
        assert not start(reference=Unknown("x"), overlay=overlay).observe().exists

    def test_build_and_overlay_exclude_each_other(self, start: Any, overlay: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="exclude each other"):
            start(overlay=overlay, build={"context": "x"}).wanted()


def content(entry: Entry) -> bytes:
    assert isinstance(entry, File)
    with entry.open() as stream:
        return stream.read()


def test_an_unchanged_context_is_neither_read_nor_sent(
    drive: Any, make_context: Any, docker: MemoryDocker, build_folder: Path, tmp_path: Path
) -> None:
    def applied() -> tuple[int, list[str]]:
        """As in a process of its own: files that were read, and calls of the engine."""
        later = FileDigests(tmp_path / "digests.json", now_ns=lambda: time.time_ns() + 10_000_000_000)
        oci = OciClient(Effects("oci", writes_allowed=True), later)
        context = make_context(engines=SimpleNamespace(docker=docker, oci=oci))
        task = drive(Module(), context, reference="app:1", build={"context": build_folder.name})
        task.recorded, docker.calls[:] = recorded[-1], []
        if task.plan().action is not ActionKind.KEEP:
            task.apply()
        recorded.append(task.recorded)
        return later.read, docker.calls[:]

    recorded: list[Any] = [None]
    assert applied() == (2, ["images", "images", "build"])
    assert applied() == (0, ["images"])
    (build_folder / "data").write_text("2")
    assert applied() == (1, ["images", "images", "build", "remove"])


def test_all_images_are_listed_in_one_call(start: Any, docker: MemoryDocker) -> None:
    task = start(pull="missing")
    wanted = [replace(task.wanted(), address=f"task-{number}") for number in range(50)]
    task.module.observe(task.context, wanted)
    assert docker.calls == ["images"]


@pytest.mark.parametrize("source", ["registry", "folder"])
def test_what_the_user_stops_is_broken_off(start: Any, docker: MemoryDocker, build_folder: Path, source: str) -> None:
    docker.registry["app:1"] = "sha256:1"
    task = start() if source == "registry" else start(build={"context": build_folder.name})
    task.context.stopping.set()
    with pytest.raises(EngineError) as stopped:
        task.apply()
    assert stopped.value.diagnostics[0].code == "stopped"
    task.context.stopping.clear()
    assert task.apply().reference == "app:1"


@pytest.mark.docker
@pytest.mark.skipif("DOCKER_HOST" not in os.environ, reason="DOCKER_HOST is not set")
class TestRealEngine:
    @pytest.fixture
    def effects(self) -> Effects:
        return Effects("docker", writes_allowed=True)

    @pytest.fixture
    def engine(self, effects: Effects) -> Iterator[DockerClient]:
        with DockerClient(effects) as client:
            yield client

    @pytest.fixture
    def start(self, drive: Any, make_context: Any, engine: DockerClient) -> Iterator[Any]:
        oci = OciClient(Effects("oci", writes_allowed=True), FileDigests())
        context = replace(
            make_context(engines=SimpleNamespace(docker=engine, oci=oci)), environment=f"test-{uuid.uuid4()}"
        )
        name = f"ppml-images-test/{uuid.uuid4().hex[:12]}"
        yield lambda tag, **arguments: drive(Module(), context, reference=f"{name}:{tag}", **arguments)
        for image in engine.images({ENVIRONMENT: context.environment}):
            engine.remove_image(image.id)

    def test_a_base_is_built_and_files_are_laid_over_it(
        self, start: Any, engine: DockerClient, effects: Effects, build_folder: Path, overlay: dict[str, Any]
    ) -> None:
        base = start("base", build={"context": build_folder.name})
        overlay["base"] = base.apply().id
        custom = start("custom", overlay=overlay)
        result = custom.apply()
        assert engine.read_files(result.id, ["/data", "/ppml/bash.sig"]) == {"/data": b"1", "/ppml/bash.sig": b"sig"}
        writes = effects.count(Effect.WRITE)
        assert [base.plan().action, custom.plan().action] == [ActionKind.KEEP, ActionKind.KEEP]
        assert custom.apply() == result
        assert effects.count(Effect.WRITE) == writes
        (build_folder / "data").write_text("2")
        assert base.plan().action is ActionKind.UPDATE
        for task in (custom, base):
            task.remove()
        assert engine.images({ENVIRONMENT: custom.context.environment}) == []

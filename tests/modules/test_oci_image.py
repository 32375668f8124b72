"""The module `oci_image`."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ppmlctl.clients.oci import OciClient
from ppmlctl.diagnostics import EngineError, WriteRefusedError
from ppmlctl.effects import Effect, Effects
from ppmlctl.modules.context import Context
from ppmlctl.modules.oci_image import OciImage
from ppmlctl.oci import ENVIRONMENT, INPUTS, TASK, FileDigests, ImageError, Layout, digest_of
from ppmlctl.planning import ActionKind
from ppmlctl.unknown import Unknown


@pytest.fixture
def effects() -> Effects:
    return Effects("oci", writes_allowed=True)


@pytest.fixture
def context(tmp_path: Path, make_context: Any, effects: Effects) -> Context:
    (tmp_path / "base" / "opt").mkdir(parents=True)
    (tmp_path / "base" / "opt" / "entrypoint.sh").write_text("#!/bin/bash\n")
    (tmp_path / "base" / "opt" / "entrypoint.sh").chmod(0o755)
    (tmp_path / "bash.sig").write_bytes(b"sig")
    made: Context = make_context(engines=SimpleNamespace(oci=OciClient(effects, FileDigests())))
    return made


@pytest.fixture
def task(drive: Any, context: Context) -> Any:
    return drive(
        OciImage(),
        context,
        name="ppml/quickstart",
        tag="1",
        base="base",
        files={"/ppml/bash.sig": "bash.sig"},
        file_digests={"/ppml/bash.sig": digest_of(b"sig")},
        environment={"SPARK_HOME": "/ppml/spark", "PATH": "/bin"},
        working_directory="/ppml",
    )


def test_an_image_is_made_once(task: Any, context: Context, effects: Effects) -> None:
    assert task.plan().action is ActionKind.CREATE
    result = task.apply()
    assert (result.path, result.reference) == (".ppml/images/ppml~quickstart", "ppml/quickstart:1")
    assert task.plan().action is ActionKind.KEEP
    assert task.apply() == result
    assert effects.count(Effect.WRITE) == 1
    layout = Layout(context.files.path(result.path))
    assert layout.descriptor.digest == result.digest
    assert layout.read_files(["/ppml/bash.sig", "opt/entrypoint.sh"]) == {
        "/ppml/bash.sig": b"sig",
        "opt/entrypoint.sh": b"#!/bin/bash\n",
    }
    assert layout.config()["config"] == {"Env": ["PATH=/bin", "SPARK_HOME=/ppml/spark"], "WorkingDir": "/ppml"}
    assert result.variables == {"SPARK_HOME": "/ppml/spark"}
    labels = {ENVIRONMENT: context.environment, TASK: context.address, INPUTS: result.inputs}
    assert labels.items() <= layout.descriptor.annotations.items()


def test_a_plan_foresees_the_digest_and_writes_nothing(task: Any, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    foreseen = task.observe().foreseen
    assert sorted(tmp_path.rglob("*")) == before
    result = task.apply()
    assert foreseen == {name: getattr(result, name) for name in ("path", "reference", "digest", "inputs", "variables")}


def test_a_file_that_another_task_will_make_is_not_looked_for(task: Any, tmp_path: Path) -> None:
    (tmp_path / "bash.sig").unlink()
    assert task.observe().foreseen == {"path": ".ppml/images/ppml~quickstart"}
    task.arguments["files"] = {"/ppml/bash.sig": Unknown("enclave")}
    assert task.observe().foreseen == {"path": ".ppml/images/ppml~quickstart"}
    task.arguments["name"] = Unknown("elsewhere")
    assert not task.observe().exists


def test_another_signature_is_an_update_by_its_digest(task: Any, tmp_path: Path) -> None:
    first = task.apply()
    task.arguments["file_digests"] = {"/ppml/bash.sig": digest_of(b"new")}
    change = task.plan()
    assert change.action is ActionKind.UPDATE
    assert [field.path for field in change.fields] == ["file_digests./ppml/bash.sig"]
    assert "digest" not in task.observe().foreseen
    (tmp_path / "bash.sig").write_bytes(b"new")
    assert task.apply().digest != first.digest
    assert task.plan().action is ActionKind.KEEP


def test_another_content_of_the_base_is_an_update(task: Any, tmp_path: Path) -> None:
    first = task.apply()
    (tmp_path / "base" / "new").touch()
    change = task.plan()
    assert (change.action, change.reasons) == (ActionKind.UPDATE, ("the base or a file of it changed",))
    assert task.apply().digest != first.digest
    assert task.plan().action is ActionKind.KEEP


def test_a_damaged_layout_is_an_update_that_mends_it(task: Any, context: Context) -> None:
    result = task.apply()
    layout = Layout(context.files.path(result.path))
    layout.blob_path(layout.manifest.layers[0]).write_bytes(b"x")
    change = task.plan()
    assert (change.action, change.reasons) == (ActionKind.UPDATE, ("changed outside ppmlctl",))
    assert task.apply() == result
    assert task.plan().action is ActionKind.KEEP


def test_a_lost_layout_is_made_again_as_it_was(task: Any, tmp_path: Path) -> None:
    result = task.apply()
    shutil.rmtree(tmp_path / ".ppml")
    assert task.plan().action is ActionKind.CREATE
    assert task.apply() == result


def test_a_layout_made_before_a_crash_is_adopted(task: Any, effects: Effects) -> None:
    result = task.apply()
    task.recorded = None
    assert task.plan().reasons == ("adopts what is there already",)
    assert task.apply() == result
    assert effects.count(Effect.WRITE) == 1


def test_another_tag_renames_the_same_image(task: Any) -> None:
    first = task.apply()
    task.arguments["tag"] = "2"
    second = task.apply()
    assert (second.digest, second.reference) == (first.digest, "ppml/quickstart:2")


def test_removal_takes_the_layout_away(task: Any, tmp_path: Path) -> None:
    task.apply()
    task.remove()
    assert list((tmp_path / ".ppml" / "images").iterdir()) == []


def test_another_environments_layout_is_not_removed(task: Any, tmp_path: Path) -> None:
    warnings: list[str] = []
    result = task.apply()
    task.context = replace(task.context, environment="other", warn=warnings.append)
    task.remove()
    assert (tmp_path / result.path / "index.json").exists()
    assert warnings == [f"{result.path} was left alone: the image in it belongs to another environment"]


def test_a_file_that_is_not_what_was_signed_is_refused(task: Any, tmp_path: Path) -> None:
    (tmp_path / "bash.sig").write_bytes(b"tampered")
    with pytest.raises(EngineError) as caught:
        task.apply()
    assert str(caught.value) == (
        "error[image-file-changed]: a file for the image is not what the task that made it wrote\n"
        "  is   bash.sig\n"
        "  why  what was measured and signed is not what would be in the image\n"
        "  fix  apply again; if it comes back, look for what else writes there"
    )


def test_a_base_that_is_not_there_is_an_error_of_the_plan(task: Any) -> None:
    task.arguments["base"] = "nowhere"
    with pytest.raises(ImageError, match="image-base-missing"):
        task.plan()


def test_a_plan_cannot_write(task: Any) -> None:
    oci = OciClient(Effects("oci", writes_allowed=False), FileDigests())
    task.context = replace(task.context, engines=SimpleNamespace(oci=oci))
    assert task.plan().action is ActionKind.CREATE
    with pytest.raises(WriteRefusedError):
        task.apply()

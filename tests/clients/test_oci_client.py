"""Layouts on this machine: written whole, inspected, removed."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ppmlctl.clients.oci import ImageSummary, OciClient
from ppmlctl.diagnostics import EngineError, WriteRefusedError
from ppmlctl.effects import Effect, Effects
from ppmlctl.oci import ENVIRONMENT, INPUTS, FileDigests, ImageConfig, Layout, Recipe, file_of_bytes, gather

OURS = {ENVIRONMENT: "e", INPUTS: "i"}


def client(*, writes_allowed: bool = True) -> OciClient:
    return OciClient(Effects("oci", writes_allowed=writes_allowed), FileDigests())


def recipe(base: Path | None = None, /, **files: str) -> Recipe:
    given = tuple(file_of_bytes(f"ppml/{name}", content.encode()) for name, content in files.items())
    return Recipe(base, given, ImageConfig({"A": "1"}, entrypoint=["/opt/entrypoint.sh"]))


def write(folder: Path, made_of: Recipe) -> ImageSummary:
    return client().write(folder, gather(made_of), "app:1", OURS)


def blobs(folder: Path) -> set[str]:
    return {path.name for path in (folder / "blobs" / "sha256").iterdir()}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    root = tmp_path / "base"
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    (root / "usr" / "bin" / "sh").write_bytes(b"\x7fELF")
    (root / "usr" / "bin" / "sh").chmod(0o755)
    return root


def test_what_was_written_is_inspected_as_such(tmp_path: Path, base: Path) -> None:
    written = write(tmp_path / "image", recipe(base, sig="1"))
    assert client().inspect(tmp_path / "image") == written
    assert gather(recipe(base, sig="1")).digest() == written.digest
    assert (written.reference, written.annotations[INPUTS], len(written.layers)) == ("app:1", "i", 2)


def test_every_blob_has_the_content_its_name_says(tmp_path: Path, base: Path) -> None:
    write(tmp_path / "image", recipe(base, sig="1"))
    names = [(p.name, FileDigests().of(p)) for p in (tmp_path / "image" / "blobs" / "sha256").iterdir()]
    assert all(digest == f"sha256:{name}" for name, digest in names)
    assert len(names) == 4


def test_the_configuration_says_how_containers_start(tmp_path: Path, base: Path) -> None:
    write(tmp_path / "image", recipe(base, sig="1"))
    layout = Layout(tmp_path / "image")
    config = layout.config()
    assert config["config"] == {"Entrypoint": ["/opt/entrypoint.sh"], "Env": ["A=1"]}
    assert config["rootfs"]["diff_ids"] == [layer.digest for layer in layout.manifest.layers]
    assert (config["architecture"], config["os"], len(config["history"])) == ("amd64", "linux", 2)


def test_files_that_change_leave_the_layer_of_the_base_as_it_was(tmp_path: Path, base: Path) -> None:
    first = write(tmp_path / "image", recipe(base, sig="1"))
    second = write(tmp_path / "image", recipe(base, sig="2"))
    assert first.layers[0] == second.layers[0]
    assert first.layers[1] != second.layers[1]


def test_blobs_of_the_older_image_are_gone(tmp_path: Path) -> None:
    write(tmp_path / "image", recipe(sig="1"))
    second = write(tmp_path / "image", recipe(sig="2"))
    layout = Layout(tmp_path / "image")
    kept = {second.digest, layout.manifest.config.digest, *second.layers}
    assert blobs(tmp_path / "image") == {digest.removeprefix("sha256:") for digest in kept}


def test_a_layout_as_base_gives_its_layers_and_configuration(tmp_path: Path, base: Path) -> None:
    lower = write(tmp_path / "lower", recipe(base, sig="1"))
    over = Recipe(tmp_path / "lower", (file_of_bytes("bin/x", b"x"),), ImageConfig({"B": "2"}, {"l": "v"}, user="1"))
    upper = write(tmp_path / "upper", over)
    assert upper.layers[:2] == lower.layers
    layout = Layout(tmp_path / "upper")
    assert layout.read_files(["usr/bin/x", "ppml/sig"]) == {"usr/bin/x": b"x", "ppml/sig": b"1"}
    assert layout.config()["config"] == {
        "Entrypoint": ["/opt/entrypoint.sh"],
        "Env": ["A=1", "B=2"],
        "Labels": {"l": "v"},
        "User": "1",
    }
    assert client().inspect(tmp_path / "upper") == upper


def test_a_damaged_layer_of_the_base_is_not_copied(tmp_path: Path, base: Path) -> None:
    lower = write(tmp_path / "lower", recipe(base))
    layer = tmp_path / "lower" / "blobs" / "sha256" / lower.layers[0].removeprefix("sha256:")
    made_of = gather(recipe(tmp_path / "lower"))
    layer.write_bytes(layer.read_bytes()[:-1] + b"x")
    with pytest.raises(EngineError, match="its content has another digest"):
        client().write(tmp_path / "upper", made_of, "app:1", OURS)


def test_nothing_there_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert [client().inspect(tmp_path / name) for name in ("missing", "empty")] == [None, None]


@pytest.mark.parametrize("damage", ["missing", "changed"])
@pytest.mark.parametrize("part", ["manifest", "layer"])
def test_a_missing_or_changed_blob_is_a_fault_that_writing_again_mends(tmp_path: Path, damage: str, part: str) -> None:
    written = write(tmp_path / "image", recipe(sig="1"))
    digest = written.digest if part == "manifest" else written.layers[0]
    blob = tmp_path / "image" / "blobs" / "sha256" / digest.removeprefix("sha256:")
    if damage == "missing":
        blob.unlink()
    else:
        blob.write_bytes(b"other")
    found = client().inspect(tmp_path / "image")
    assert found is not None
    assert found.faults
    write(tmp_path / "image", recipe(sig="1"))
    assert client().inspect(tmp_path / "image") == written


def test_removal_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    write(tmp_path / "image", recipe(sig="1"))
    client().remove(tmp_path / "image")
    client().remove(tmp_path / "image")
    assert list(tmp_path.iterdir()) == []


def test_removal_keeps_what_ppmlctl_did_not_write(tmp_path: Path) -> None:
    write(tmp_path / "image", recipe(sig="1"))
    (tmp_path / "image" / "notes").touch()
    client().remove(tmp_path / "image")
    assert [path.name for path in (tmp_path / "image").iterdir()] == ["notes"]


@pytest.mark.parametrize("operation", ["write", "inspect", "remove"])
@pytest.mark.parametrize("kind", ["folder", "file", "layout"])
def test_what_ppmlctl_did_not_write_is_not_touched(tmp_path: Path, operation: str, kind: str) -> None:
    place = tmp_path / "image"
    if kind == "file":
        place.touch()
    elif kind == "folder":
        (place / "thesis").mkdir(parents=True)
    else:
        write(place, recipe(sig="1"))
        index = json.loads((place / "index.json").read_text())
        del index["manifests"][0]["annotations"]
        (place / "index.json").write_text(json.dumps(index))
    before = sorted(tmp_path.rglob("*"))
    oci = client()
    arguments = (gather(recipe(sig="2")), "app:1", OURS) if operation == "write" else ()
    with pytest.raises(EngineError) as caught:
        getattr(oci, operation)(place, *arguments)
    assert [d.code for d in caught.value.diagnostics] == ["image-folder-foreign"]
    assert sorted(tmp_path.rglob("*")) == before


def test_an_image_cannot_lie_in_its_own_base(tmp_path: Path, base: Path) -> None:
    with pytest.raises(EngineError, match="lies inside the base"):
        write(base / "image", recipe(base))


def test_a_client_that_only_reads_inspects_and_refuses_to_write(tmp_path: Path) -> None:
    write(tmp_path / "image", recipe(sig="1"))
    effects = Effects("oci", writes_allowed=False)
    oci = OciClient(effects, FileDigests())
    assert oci.inspect(tmp_path / "image")
    with pytest.raises(WriteRefusedError):
        oci.write(tmp_path / "image", gather(recipe(sig="2")), "app:1", OURS)
    with pytest.raises(WriteRefusedError):
        oci.remove(tmp_path / "image")
    assert (effects.count(Effect.READ), effects.count(Effect.WRITE)) == (1, 0)


def test_what_the_file_system_refuses_is_an_engine_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EngineError) as caught:
        write(tmp_path / "file" / "image", recipe(sig="1"))
    assert str(caught.value) == (
        "error[image-layout-failed]: an image layout could not be read or written\n"
        f"  is   {tmp_path}/file/image: Not a directory"
    )


def test_inputs_change_with_everything_the_image_depends_on(tmp_path: Path, base: Path) -> None:
    def inputs(made_of: Recipe) -> str:
        return gather(made_of).inputs(FileDigests())

    seen = {inputs(recipe(base, sig="1")), inputs(recipe(base, sig="2")), inputs(recipe(sig="1"))}
    (base / "usr" / "bin" / "sh").chmod(0o644)
    seen.add(inputs(recipe(base, sig="1")))
    (base / "usr" / "bin" / "sh").write_bytes(b"other")
    seen.add(inputs(recipe(base, sig="1")))
    (base / "new").mkdir()
    seen.add(inputs(recipe(base, sig="1")))
    seen.add(inputs(Recipe(base, config=ImageConfig({"A": "2"}))))
    assert len(seen) == 7


WRITER = """
import os
import sys
from pathlib import Path
from ppmlctl.clients.oci import OciClient
from ppmlctl.effects import Effects
from ppmlctl.oci import ENVIRONMENT, FileDigests, ImageConfig, Recipe, file_of_bytes, gather

if user := os.environ.get("BUILD_AS"):
    os.setgroups([])
    os.setgid(int(user))
    os.setuid(int(user))
base, target, content = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
files = (file_of_bytes("ppml/bash.sig", content.encode()), file_of_bytes("bin/run", b"#!", executable=True))
made_of = gather(Recipe(base, files, ImageConfig({"B": "2", "A": "1"})))
client = OciClient(Effects("oci", writes_allowed=True), FileDigests())
print(client.write(target, made_of, "app:1", {ENVIRONMENT: "e"}).digest)
"""


def run(base: Path, target: Path, content: str = "1", /, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WRITER, str(base), str(target), content]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return] # options vary by case


@pytest.mark.parametrize(
    "options",
    [
        {"umask": 0o077},
        {"umask": 0o000},
        {"env": {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"}},
        {"env": {"PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": "1"}},
        {"cwd": "/"},
        pytest.param(
            {"env": {"BUILD_AS": "65534"}},
            marks=pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user"),
        ),
    ],
    ids=str,
)
def test_the_digest_is_the_same_wherever_and_by_whomever_the_image_is_built(
    tmp_path: Path, base: Path, options: dict[str, object]
) -> None:
    expected = run(base, tmp_path / "image").stdout
    with TemporaryDirectory() as elsewhere:
        Path(elsewhere).chmod(0o777)
        copy = Path(elsewhere) / "copy"
        shutil.copytree(base, copy, symlinks=True)
        os.utime(copy / "usr" / "bin" / "sh", (1, 1))
        (copy / "usr").chmod(0o775)
        again = run(copy, Path(elsewhere) / "image", **options)
    assert (again.stdout, again.stderr) == (expected, "")
    assert expected.startswith("sha256:")


@pytest.mark.long
def test_a_crash_at_any_instant_leaves_the_older_image_or_the_newer_one(tmp_path: Path, base: Path) -> None:
    target, log = tmp_path / "image", tmp_path / "log"
    old = run(base, target, "old").stdout.strip()
    new = run(base, tmp_path / "other", "new", env={"PPMLCTL_FAILPOINT_LOG": str(log)}).stdout.strip()
    instants = len(log.read_text().splitlines())
    digests = []
    for instant in range(1, instants + 1):
        ended = run(base, target, "new", env={"PPMLCTL_FAILPOINT": str(instant)}).returncode
        found = client().inspect(target)
        assert found is not None
        assert (ended, found.faults) == (-signal.SIGKILL, ())
        digests.append(found.digest)
        assert run(base, target, "old").stdout.strip() == old
        assert len(blobs(target)) == 4
    assert set(digests) == {old, new}
    assert digests == sorted(digests, key=[old, new].index)


def test_a_crash_while_the_first_image_is_written_leaves_nothing_that_hinders_the_next(
    tmp_path: Path, base: Path
) -> None:
    for instant in range(1, 8):
        target = tmp_path / str(instant)
        run(base, target, "new", env={"PPMLCTL_FAILPOINT": str(instant)})
        assert client().inspect(target) is None
        assert run(base, target, "new").returncode == 0
        assert [path for path in target.rglob("*.tmp") if "oci-layout" not in path.name] == []


def test_the_layers_are_archives_that_other_tools_read(tmp_path: Path, base: Path) -> None:
    written = write(tmp_path / "image", recipe(base, sig="1"))
    names = []
    for layer in written.layers:
        content = (tmp_path / "image" / "blobs" / "sha256" / layer.removeprefix("sha256:")).read_bytes()
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            names.append(archive.getnames())
    assert names == [["bin", "usr", "usr/bin", "usr/bin/sh"], ["ppml", "ppml/sig"]]

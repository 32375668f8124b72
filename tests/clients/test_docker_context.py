"""What a build sends, and how it is named."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ppmlctl.clients.docker import (
    DockerImage,
    Proxy,
    build_context,
    context_digest,
    familiar,
    generated_context,
    sent_dockerfile,
)
from ppmlctl.clients.docker.context import APART
from ppmlctl.clients.docker.dockerfile import line_of
from ppmlctl.clients.docker.faults import build_failed, interrupted, pull_failed, push_failed
from ppmlctl.clients.docker.progress import Progress
from ppmlctl.diagnostics import EngineError, Location, TransientError
from ppmlctl.oci import File, FileDigests
from ppmlctl.secret import MASK, Secret


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for path in ("Dockerfile", "app/main.py", "app/main.pyc", ".git/config", "data/a", "data/keep/b", ".hidden"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)
    return tmp_path


def files(folder: Path, dockerfile: str = "Dockerfile") -> set[str]:
    return {entry.path for entry in build_context(folder, dockerfile) if (folder / entry.path).is_file()}


def test_without_an_ignore_file_everything_is_sent(context: Path) -> None:
    assert files(context) == {
        "Dockerfile", "app/main.py", "app/main.pyc", ".git/config", "data/a", "data/keep/b", ".hidden",
    }  # fmt: skip


def test_ignored_files_are_not_sent_and_exceptions_are(context: Path) -> None:
    (context / ".dockerignore").write_text("# comment\n.git\n**/*.pyc\n\ndata\n!data/keep\nDockerfile\n")
    assert files(context) == {".dockerignore", "Dockerfile", "app/main.py", "data/keep/b", ".hidden"}


def test_a_dockerfiles_own_ignore_file_counts_instead(context: Path) -> None:
    (context / ".dockerignore").write_text("app\n")
    (context / "Dockerfile.dockerignore").write_text("data\n.git\n")
    assert files(context) == {
        "Dockerfile", "Dockerfile.dockerignore", ".dockerignore", "app/main.py", "app/main.pyc", ".hidden",
    }  # fmt: skip
    assert "data/a" in files(context, "app/main.py")
    (context / "app/main.py.dockerignore").write_text("*\n!.hidden\n")
    sent = {entry.path for entry in build_context(context, "app/main.py")}
    assert sent == {".hidden", APART, ".dockerignore"}


@pytest.mark.parametrize("ignored", [None, "data\n"])
def test_a_dockerfile_outside_of_the_context_goes_apart_and_is_ignored_there(
    context: Path, ignored: str | None
) -> None:
    folder = context / "app"
    if ignored:
        (folder / ".dockerignore").write_text(ignored)
    sent = {entry.path: entry for entry in build_context(folder, "../Dockerfile")}
    assert set(sent) == {".dockerignore", APART, "main.py", "main.pyc"}
    text = sent[".dockerignore"]
    assert isinstance(text, File)
    with text.open() as stream:
        assert stream.read().decode() == f"{ignored or '.dockerignore'}\n{APART}\n"
    assert sent_dockerfile(folder, "../Dockerfile") == APART
    assert sent_dockerfile(folder, "../app/main.py") == "main.py"
    assert sent_dockerfile(folder, str(folder / "main.py")) == "main.py"


def test_a_dockerfile_outside_may_have_an_ignore_file_beside_it(context: Path) -> None:
    (context / "Dockerfile.dockerignore").write_text("*.pyc\n")
    assert {entry.path for entry in build_context(context / "app", "../Dockerfile")} == {
        ".dockerignore", APART, "main.py",
    }  # fmt: skip


@pytest.mark.parametrize("line", ["!", "[a", "a/[z-a]"])
def test_a_line_that_docker_refuses_is_an_error(context: Path, line: str) -> None:
    (context / ".dockerignore").write_text(f"data\n{line}\n")
    with pytest.raises(EngineError, match="docker-context-invalid"):
        build_context(context)


def test_a_missing_dockerfile_is_an_error(context: Path) -> None:
    with pytest.raises(EngineError) as caught:
        build_context(context, "docker/Other")
    assert str(caught.value) == (
        f"error[docker-context-invalid]: a build context is not usable\n  is   {context}: has no file docker/Other"
    )


def digest(folder: Path, digests: FileDigests | None = None) -> str:
    return context_digest(build_context(folder), digests or FileDigests())


def test_the_digest_follows_what_is_sent_and_nothing_else(context: Path) -> None:
    (context / ".dockerignore").write_text("data\n.dockerignore")
    before = digest(context)
    (context / "data" / "a").write_text("other")
    (context / "app" / "main.py").chmod(0o600)
    (context / "Dockerfile").touch()
    assert digest(context) == before
    (context / "app" / "main.py").chmod(0o700)
    changed = digest(context)
    (context / "app" / "main.py").rename(context / "app" / "other.py")
    assert len({before, changed, digest(context)}) == 3


def test_an_unchanged_context_is_not_read_again(context: Path) -> None:
    digests = FileDigests(now_ns=lambda: time.time_ns() + 10_000_000_000)
    first = digest(context, digests)
    read = digests.read
    assert (digest(context, digests), digests.read) == (first, read)


def test_a_generated_context_holds_its_dockerfile() -> None:
    assert [entry.path for entry in generated_context("FROM scratch")] == ["Dockerfile"]


def test_a_proxy_is_given_in_both_cases() -> None:
    proxy = Proxy("http://proxy:3128", None, ("192.0.2.0/24", "example.com"))
    assert proxy.build_arguments() == {
        "http_proxy": "http://proxy:3128",
        "HTTP_PROXY": "http://proxy:3128",
        "no_proxy": "192.0.2.0/24,example.com",
        "NO_PROXY": "192.0.2.0/24,example.com",
    }


def test_a_proxys_user_and_password_are_part_of_its_urls() -> None:
    proxy = Proxy("http://proxy:3128", username="me@home", password=Secret("p/w"))
    assert proxy.build_arguments()["http_proxy"] == "http://me%40home:p%2Fw@proxy:3128"


@pytest.mark.parametrize("text", ["via http://u:hunt%2Fer2@proxy:3128", "Basic u:hunt/er2", "password hunt%2Fer2"])
def test_nothing_secret_of_a_proxy_is_shown(text: str) -> None:
    shown = Proxy("http://proxy:3128", username="u", password=Secret("hunt/er2")).masked(text)
    assert "er2" not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("busybox", "busybox:latest"),
        ("docker.io/library/busybox:1", "busybox:1"),
        ("docker.io/intel/x", "intel/x:latest"),
        ("localhost:5000/x", "localhost:5000/x:latest"),
        ("x@sha256:" + "0" * 64, "x@sha256:" + "0" * 64),
        ("sha256:" + "0" * 64, "sha256:" + "0" * 64),
    ],
)
def test_references_are_compared_as_the_engine_lists_them(reference: str, shown: str) -> None:
    assert familiar(reference) == shown


def test_an_image_knows_its_digest_in_a_repository() -> None:
    image = DockerImage("sha256:1", ("a/b:1",), ("a/b@sha256:2", "c:5000/b@sha256:3"), {})
    found = [image.digest_in(name) for name in ("docker.io/a/b:1", "c:5000/b:7", "d")]
    assert found == ["sha256:2", "sha256:3", None]


def test_progress_tells_each_new_state_once_and_keeps_the_failing_steps_lines() -> None:
    told: list[str] = []
    progress = Progress(told.append)
    progress.follow(
        [
            {"status": "Pulling from x"},
            {"status": "Downloading", "id": "a", "progress": "1"},
            {"status": "Downloading", "id": "a", "progress": "2"},
            {"stream": "Step 1/2 : FROM x\n"},
            {"stream": " ---> 0123456789ab\n"},
            {"stream": "old\n"},
            {"stream": "Removing intermediate container 0123456789ab\n"},
            {"stream": "Step 2/2 : RUN make\n"},
            *({"stream": f"line {number}\n"} for number in range(12)),
            {"aux": {"ID": "sha256:1"}},
            {"error": "The command returned a non-zero code: 2", "errorDetail": {}},
        ]
    )
    assert told[:4] == ["Pulling from x", "a: Downloading", "Step 1/2 : FROM x", "old"]
    assert (progress.step, progress.image_id) == ("Step 2/2 : RUN make", "sha256:1")
    assert progress.last_lines == [f"line {number}" for number in range(2, 12)]
    assert progress.error == "The command returned a non-zero code: 2"


def test_a_failed_build_reads_well() -> None:
    at = Location("images/base/Dockerfile", 7, 1)
    error = build_failed("app:1", "Step 2/2 : RUN make", "returned a non-zero code: 2", ["cc -o x", "no rule"], at)
    assert str(error) == (
        "error[docker-build-failed]: an image could not be built\n"
        "  at   images/base/Dockerfile:7:1\n"
        "  is   app:1: Step 2/2 : RUN make\n"
        "       returned a non-zero code: 2\n"
        "       | cc -o x\n"
        "       | no rule"
    )


DOCKERFILE = """# syntax=x
# escape=`
ARG BASE=scratch

FROM $BASE
# a comment
RUN one && `
    # a comment inside

    two
COPY a `
  b /
"""


@pytest.mark.parametrize(
    ("step", "reason", "line"),
    [
        ("Step 1/4 : ARG BASE=scratch", "", 3),
        ("Step 2/4 : FROM $BASE", "", 5),
        ("Step 3/4 : RUN one &&     two", "", 7),
        ("Step 4/4 : COPY a   b /", "", 11),
        ("Step 5/5 : LABEL added=by-the-engine", "", None),
        ("", "dockerfile parse error line 5: unknown instruction: FORM", 5),
        ("", "no such host", None),
    ],
)
def test_a_step_has_a_line_in_the_dockerfile(step: str, reason: str, line: int | None) -> None:
    assert line_of(step, reason, DOCKERFILE) == line


@pytest.mark.parametrize(
    ("reason", "kind", "fix"),
    [
        ("Get https://r/v2/: net/http: TLS handshake timeout", TransientError, "docker pull r.example/x:1"),
        ("manifest unknown", EngineError, "docker pull r.example/x:1"),
        ("pull access denied", EngineError, "log in to the registry, or correct the name:\ndocker login r.example"),
    ],
)
def test_a_failed_pull_says_what_to_do(reason: str, kind: type[EngineError], fix: str) -> None:
    error = pull_failed("r.example/x:1", reason)
    assert (type(error), error.diagnostics[0].fix) == (kind, fix)


def test_credentials_that_ppml_yaml_names_are_corrected_there() -> None:
    assert str(push_failed("r.example/x:1", "unauthorized: authentication required", given=True)) == (
        "error[docker-push-failed]: an image could not be pushed, or asked for at its registry\n"
        "  is   r.example/x:1: unauthorized: authentication required\n"
        "  fix  correct docker.registries in ppml.yaml, or the secret that it names, for r.example"
    )


def test_a_broken_connection_says_that_nothing_is_lost() -> None:
    assert str(interrupted("build app:1", "Connection refused")) == (
        "error[docker-interrupted]: the connection to the Docker engine broke\n"
        "  is   build app:1: Connection refused\n"
        "  fix  see that the engine runs, and apply again: what it has made by then is found again"
    )

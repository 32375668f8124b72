"""Images at a real Docker engine; nothing here needs a network inside builds."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import pytest
from docker import APIClient
from docker.tls import TLSConfig
from docker_registry import running_registry
from imported_images import labels_of_test

from ppmlctl.clients.docker import (
    Build,
    Credentials,
    DockerClient,
    DockerImage,
    Proxy,
    build_context,
    generated_context,
    sent_dockerfile,
)
from ppmlctl.clients.docker.connection import is_verified
from ppmlctl.diagnostics import EngineError, TransientError, WriteRefusedError
from ppmlctl.effects import Effect, Effects
from ppmlctl.oci import file_of_bytes, file_of_source
from ppmlctl.secret import Secret
from ppmlctl.sgx import VERSIONS, ContentTree, FolderTree
from ppmlctl.sgx.trusted_files import expand_trusted_files

needs_engine = [
    pytest.mark.docker,
    pytest.mark.skipif("DOCKER_HOST" not in os.environ, reason="DOCKER_HOST is not set"),
]
DOCKERFILE = "FROM scratch\nCOPY tree /\nLABEL given=yes\nENV SPARK_HOME=/spark=1\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def name() -> str:
    return f"ppml-images-test/{uuid.uuid4().hex[:12]}:1"


@pytest.fixture
def client(name: str) -> Iterator[DockerClient]:
    with DockerClient(Effects("docker", writes_allowed=True)) as opened:
        yield opened
        for image in opened.images({"test": name}):
            opened.remove_image(image.id)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """One that asks nobody who they are."""
    with running_registry(tmp_path) as address:
        yield address


@pytest.fixture
def guarded_registry(tmp_path: Path) -> Iterator[str]:
    """One that serves only those who know that `ppml` has the password `hunter2`."""
    with running_registry(tmp_path, guarded=True) as address:
        yield address


def labels_of(name: str) -> dict[str, str]:
    """What `client` finds the image by, whichever registry its name has in front."""
    return {"test": name[name.index("ppml-images-test/") :], **labels_of_test()}


def build(client: DockerClient, name: str, content: bytes = b"1", dockerfile: str = DOCKERFILE) -> DockerImage:
    files = [
        file_of_bytes("tree/ppml/bash.sig", content),
        file_of_bytes("tree/ppml/run.sh", b"#!", executable=True),
        file_of_bytes("tree/opt/deep/er/file", b"deep"),
    ]
    return client.build(Build(name, generated_context(dockerfile, files), labels=labels_of(name)))


class TestRealEngine:
    pytestmark = needs_engine

    def test_a_built_image_is_found_by_name_id_and_label(self, client: DockerClient, name: str) -> None:
        built = build(client, name)
        assert built.is_named(name)
        assert built.labels == {**labels_of(name), "given": "yes"}
        assert client.inspect_image(name) == client.inspect_image(built.id) == built
        assert (built.environment or {})["SPARK_HOME"] == "/spark=1"
        assert [image.id for image in client.images({"test": name})] == [built.id]
        assert built.id in [image.id for image in client.images()]

    def test_the_same_context_gives_the_same_image(self, client: DockerClient, name: str) -> None:
        assert build(client, name).id == build(client, name).id
        assert build(client, name).id != build(client, name, b"2").id

    def test_an_image_that_is_not_there_is_none(self, client: DockerClient, name: str) -> None:
        assert client.inspect_image(name) is None

    def test_files_and_folders_are_read_and_no_container_is_left(self, client: DockerClient, name: str) -> None:
        build(client, name)
        owner = {"test": name}
        contents = client.read_files(name, ["/ppml/bash.sig", "/opt", "/missing"], owner=owner)
        assert contents == {"/ppml/bash.sig": b"1"}
        listing = client.list_files(name, ["/ppml/bash.sig", "/opt", "/missing"], owner=owner)
        assert listing.digests == {"/ppml/bash.sig": sha256(b"1"), "/opt/deep/er/file": sha256(b"deep")}
        assert listing.folders == {"/opt", "/opt/deep", "/opt/deep/er"}
        assert containers(client, name) == []

    def test_what_an_image_declares_as_a_volume_goes_with_the_container_that_made_it(
        self, client: DockerClient, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        build(client, name, dockerfile=f"{DOCKERFILE}VOLUME /opt\n")
        made: list[str] = []
        remove = APIClient.remove_container

        def noting(api: APIClient, container: str, **options: bool) -> None:
            made.extend(mount["Name"] for mount in api.inspect_container(container)["Mounts"])
            remove(api, container, **options)

        monkeypatch.setattr(APIClient, "remove_container", noting)
        client.read_files(name, ["/ppml/bash.sig"], owner={"test": name})
        with closing(APIClient(os.environ["DOCKER_HOST"], version="auto")) as api:
            left = {volume["Name"] for volume in api.volumes()["Volumes"] or ()}
        assert len(made) == 1
        assert not left & set(made)

    def test_no_more_is_read_than_may_be(self, client: DockerClient, name: str) -> None:
        build(client, name)
        paths, owner = ["/ppml/bash.sig", "/opt/deep/er/file"], {"test": name}
        assert len(client.read_files(name, paths, owner=owner, most=5)) == 2
        with pytest.raises(EngineError) as refused:
            client.read_files(name, paths, owner=owner, most=4)
        assert str(refused.value) == (
            "error[docker-file-too-large]: a file of an image is too large to be read\n"
            f"  is   /opt/deep/er/file of {name} has 4 bytes\n"
            "  fix  use an image whose maker you trust"
        )
        assert containers(client, name) == []

    def test_a_folder_lists_what_gramine_finds_in_the_same_one(
        self, client: DockerClient, name: str, tmp_path: Path
    ) -> None:
        tree = tmp_path / "tree"
        for folder in ("usr/lib/sub", "usr/lib/empty", "opt/far/beyond", "etc/alternatives"):
            (tree / folder).mkdir(parents=True)
        for path in ("usr/lib/libz.so.1.2", "usr/lib/.hidden", "usr/lib/sub/file", "opt/far/java", "opt/lib"):
            (tree / path).write_text(path)
        links = {"lib": "usr/lib", "usr/lib/libz.so": "libz.so.1", "usr/lib/libz.so.1": "libz.so.1.2"}
        links |= {"etc/alternatives/java": "/opt/far/java", "usr/lib/java": "/etc/alternatives/java"}
        links |= {"usr/lib/up": "../../opt/far/java", "usr/lib/beside": "sub", "usr/lib/sub/back": "../.hidden"}
        links |= {"usr/lib/away": "/opt/far", "usr/lib/dangling": "nothing", "usr/lib/round": "round"}
        for link, target in links.items():
            (tree / link).symlink_to(target)
        (tree / "usr/lib/hard").hardlink_to(tree / "usr/lib/sub/file")
        (tmp_path / "Dockerfile").write_text(DOCKERFILE)
        client.build(Build(name, build_context(tmp_path), labels={"test": name}))
        listing = client.list_files(name, ["/lib", "/usr/lib"], owner={"test": name})
        entries = [f"file:{folder}/" for folder in ("/lib", "/usr/lib")]
        version = VERSIONS[0]
        found = expand_trusted_files(entries, ContentTree({}, listing.digests, listing.folders), version)
        assert found == expand_trusted_files(entries, FolderTree(tree), version)
        assert {"file:/lib/java", "file:/lib/up", "file:/lib/sub/back", "file:/lib/libz.so"} <= {
            one.uri for one in found
        }

    def test_links_are_followed_inside_the_image(self, client: DockerClient, name: str, tmp_path: Path) -> None:
        (tmp_path / "tree" / "usr" / "bin").mkdir(parents=True)
        (tmp_path / "tree" / "usr" / "bin" / "bash").write_bytes(b"elf")
        (tmp_path / "tree" / "bin").symlink_to("usr/bin")
        (tmp_path / "tree" / "sh").symlink_to("/bin/bash")
        (tmp_path / "Dockerfile").write_text(DOCKERFILE)
        client.build(Build(name, build_context(tmp_path), labels={"test": name}))
        contents = client.read_files(name, ["/sh", "/bin/bash"], owner={"test": name})
        assert contents == {"/sh": b"elf", "/bin/bash": b"elf"}
        ends = client.link_ends(name, ["/sh", "/bin/bash", "/usr", "/missing"], owner={"test": name})
        assert {path: Path(end).name for path, end in ends.items()} == {"/sh": "bash", "/bin/bash": "bash"}

    def test_a_container_left_by_a_crash_is_removed_by_the_next_read(
        self, client: DockerClient, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        build(client, name)
        with monkeypatch.context() as patched:
            patched.setattr("ppmlctl.clients.docker.archive.Reader.remove", lambda _self: None)
            client.read_files(name, [], owner={"test": name})
        assert len(containers(client, name)) == 1
        client.read_files(name, [], owner={"test": name})
        assert containers(client, name) == []

    def test_files_are_hashed_without_being_kept_and_links_lead_where_they_do_in_the_image(
        self, client: DockerClient, name: str, tmp_path: Path
    ) -> None:
        library = tmp_path / "tree" / "usr" / "lib" / "x"
        (library / "deep").mkdir(parents=True)
        for number in range(12):
            (library / f"lib{number}.so").write_bytes(b"%d" % number * 100_000)
        (library / "lib.so").symlink_to("deep/again")
        (library / "deep" / "again").symlink_to("/usr/lib/x/lib1.so")
        (library / "outside").symlink_to("../../../etc/settings")
        (library / "dangling").symlink_to("nowhere")
        (tmp_path / "tree" / "lib").symlink_to("usr/lib")
        (tmp_path / "tree" / "etc").mkdir()
        (tmp_path / "tree" / "etc" / "settings").write_text("settings")
        (tmp_path / "Dockerfile").write_text(DOCKERFILE)
        client.build(Build(name, build_context(tmp_path), labels={"test": name}))
        hashed = {f"/lib/x/lib{number}.so": b"%d" % number * 100_000 for number in range(12)}
        hashed |= {"/lib/x/lib.so": b"1" * 100_000, "/lib/x/outside": b"settings", "/etc/settings": b"settings"}
        asked = [*hashed, "/lib/x/dangling", "/lib/x", "/gone/a", *(f"/gone/{number}" for number in range(9))]
        expected = {path: hashlib.sha256(content).hexdigest() for path, content in hashed.items()}
        assert client.file_digests(name, asked, owner={"test": name}) == expected
        assert containers(client, name) == []

    def test_reading_an_image_that_is_not_there_is_an_error(self, client: DockerClient, name: str) -> None:
        with pytest.raises(EngineError) as caught:
            client.read_files(name, ["/x"])
        assert str(caught.value) == (
            "error[docker-image-missing]: the Docker engine does not have an image\n"
            f"  is   {name}\n"
            "  fix  pull or build it:\n"
            f"       docker pull {name}"
        )

    def test_a_failing_build_says_which_step(self, client: DockerClient, name: str) -> None:
        told: list[str] = []
        broken = Build(name, generated_context("FROM scratch\nCOPY nothing /\n"), labels={"test": name})
        with pytest.raises(EngineError) as caught:
            client.build(broken, told.append)
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "docker-build-failed"
        assert diagnostic.found.splitlines()[0] == f"{name}: Step 2/3 : COPY nothing /"
        assert "nothing" in diagnostic.found.splitlines()[1]
        assert "Step 1/3 : FROM scratch" in told

    def test_a_failing_build_shows_the_dockerfiles_line(self, client: DockerClient, name: str, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text("FROM scratch\n# nothing is there\n\nCOPY nothing \\\n  /\n")
        with pytest.raises(EngineError) as caught:
            client.build(Build(name, build_context(tmp_path), labels={"test": name}, folder="images/base"))
        (diagnostic,) = caught.value.diagnostics
        assert str(diagnostic.at) == "images/base/Dockerfile:4:1"

    def test_a_dockerfile_that_cannot_be_parsed_is_a_failed_build(self, client: DockerClient, name: str) -> None:
        with pytest.raises(EngineError, match="before the first step") as caught:
            client.build(Build(name, generated_context("NONSENSE x\n")))
        assert [d.code for d in caught.value.diagnostics] == ["docker-build-failed"]

    def test_the_proxy_reaches_the_build_but_not_the_image(self, client: DockerClient, name: str) -> None:
        proxy = Proxy("http://192.0.2.1:3128", username="user", password=Secret("hunter2"))
        told: list[str] = []
        dockerfile = "FROM scratch\nCOPY Dockerfile /\nARG shown\nLABEL seen=$shown\n"
        wanted = Build(name, generated_context(dockerfile), arguments={"shown": "s"}, labels={"test": name})
        with DockerClient(Effects("docker", writes_allowed=True), proxy=proxy) as behind_a_proxy:
            built = behind_a_proxy.build(wanted, told.append)
        assert built.labels["seen"] == "s"
        with client._connection.request("history") as api:
            history = str(api.history(name))  # type: ignore[no-untyped-call] # its stub has no types
        assert "hunter2" not in " ".join([*told, history, str(wanted)])

    def test_a_removed_image_is_gone_and_removal_can_be_repeated(self, client: DockerClient, name: str) -> None:
        build(client, name)
        assert [client.remove_image(name), client.remove_image(name)] == [True, True]
        assert client.inspect_image(name) is None

    def test_an_image_of_an_ended_container_is_removed_and_of_a_running_one_kept(
        self, client: DockerClient, name: str
    ) -> None:
        busybox = shutil.which("busybox")
        if busybox is None or b"/ld-linux" in Path(busybox).read_bytes():
            pytest.skip("busybox is not installed, or not linked statically")
        program = file_of_source("tree/busybox", Path(busybox), executable=True)
        client.build(Build(name, generated_context(DOCKERFILE, [program]), labels={"test": name}))
        with client._connection.request("run") as api:
            container = api.create_container(name, ["/busybox", "sleep", "60"], labels={"test": name})["Id"]
            try:
                api.start(container)
                assert not client.remove_image(name)
                assert client.inspect_image(name) is not None
                api.kill(container)
                api.wait(container)
                assert client.remove_image(name)
                assert client.inspect_image(name) is None
            finally:
                api.remove_container(container, force=True)

    def test_a_pull_that_fails_says_why_and_what_to_run(self, client: DockerClient) -> None:
        with pytest.raises(EngineError) as caught:
            client.pull("127.0.0.1:1/nobody/nothing")
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "docker-pull-failed"
        assert "connection refused" in diagnostic.found
        assert diagnostic.fix == "docker pull 127.0.0.1:1/nobody/nothing"

    def test_a_pushed_image_has_the_registrys_digest(self, client: DockerClient, name: str, registry: str) -> None:
        there = f"{registry}/{name}"
        assert client.registry_digest(there) is None
        files = [file_of_bytes("tree/a", b"1")]
        client.build(Build(there, generated_context(DOCKERFILE, files), labels={"test": name}))
        told: list[str] = []
        pushed = client.push(there, told.append)
        assert client.registry_digest(there) == pushed.digest_in(there) is not None
        assert any("digest: sha256:" in line for line in told)
        client.remove_image(there)
        assert client.pull(there).id == pushed.id

    def test_a_registry_wants_a_password_and_gets_it(
        self, client: DockerClient, name: str, guarded_registry: str
    ) -> None:
        there = f"{guarded_registry}/{name}"
        files = [file_of_bytes("tree/a", b"1")]
        client.build(Build(there, generated_context(DOCKERFILE, files), labels={"test": name}))
        with known_as("ppml", "hunter2", guarded_registry) as known:
            pushed = known.push(there)
            assert known.registry_digest(there) == pushed.digest_in(there) is not None
            client.remove_image(there)
            assert known.pull(there).id == pushed.id
            client.remove_image(there)
            on_top = f"FROM {there}\nLABEL more=yes\n"
            assert known.build(Build(name, generated_context(on_top), labels={"test": name})).labels["given"] == "yes"

    def test_a_registry_refuses_a_wrong_password_in_one_clear_message(
        self, client: DockerClient, name: str, guarded_registry: str
    ) -> None:
        there = f"{guarded_registry}/{name}"
        build(client, there)
        with known_as("ppml", "hunter3", guarded_registry) as wrong:
            for ask in (wrong.push, wrong.pull, wrong.registry_digest):
                with pytest.raises(EngineError) as caught:
                    ask(there)
                (diagnostic,) = caught.value.diagnostics
                assert diagnostic.fix == (
                    f"correct docker.registries in ppml.yaml, or the secret that it names, for {guarded_registry}"
                )
                assert "hunter3" not in str(caught.value)
        with pytest.raises(EngineError, match=f"docker login {guarded_registry}"):
            client.push(there)

    def test_dockers_own_configuration_knows_who_one_is(
        self, client: DockerClient, name: str, guarded_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there = f"{guarded_registry}/{name}"
        build(client, there)
        token = base64.b64encode(b"ppml:hunter2").decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {guarded_registry: {"auth": token}}}))
        helper = tmp_path / "bin" / "docker-credential-test"
        helper.parent.mkdir()
        told = {"ServerURL": guarded_registry, "Username": "ppml", "Secret": "hunter2"}
        helper.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{json.dumps(told)}'\n")
        helper.chmod(0o700)
        monkeypatch.setenv("PATH", f"{helper.parent}:{os.environ['PATH']}")
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with DockerClient(Effects("docker", writes_allowed=True)) as by_auths:
            digest = by_auths.push(there).digest_in(there)
        (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {guarded_registry: "test"}}))
        with DockerClient(Effects("docker", writes_allowed=True)) as by_helper:
            assert by_helper.registry_digest(there) == digest is not None

    def test_a_registry_that_cannot_be_reached_is_named(self, client: DockerClient, name: str) -> None:
        there = f"127.0.0.1:1/{name}"
        with pytest.raises(EngineError) as caught:
            client.registry_digest(there)
        (diagnostic,) = caught.value.diagnostics
        assert (diagnostic.code, diagnostic.fix) == ("docker-push-failed", f"docker push {there}")
        with pytest.raises(EngineError, match="docker-push-failed"):
            client.push(there)

    def test_what_is_sent_is_counted_by_effect(self, name: str) -> None:
        effects = Effects("docker", writes_allowed=False)
        with DockerClient(effects) as reading:
            reading.images()
            reading.inspect_image(name)
            for write in (
                lambda: reading.pull(name),
                lambda: reading.build(Build(name, generated_context(DOCKERFILE))),
                lambda: reading.remove_image(name),
                lambda: reading.push(name),
                lambda: reading.read_files(name, ["/x"]),
                lambda: reading.file_digests(name, ["/x"]),
            ):
                with pytest.raises(WriteRefusedError):
                    write()
        assert effects.count(Effect.WRITE) == 0


IGNORING = (
    "data\n!data/keep\n",
    "**/deep\n!a/b/deep/f\n",
    "*\n!a\na/b\n!a/b/*.txt\n",
    "a/**\n!**/*.txt\n",
    "a/*/f?\n/Makefile\n./data/./one/\n",
    "[a-b]*\n\\#odd\n! a/b/x.txt \n",
    "# all\n.\n**/*.pyc\nx.y\nDockerfile\n.dockerignore\n",
    "**/b/**/f\n!**/f\na/b/deep/../x.txt\n",
    "*.md\n!README*.md\nREADME-secret.md\n",
)


class TestBesideDockersOwnClient:
    pytestmark = needs_engine

    @pytest.mark.parametrize("ignoring", IGNORING)
    def test_a_build_is_sent_the_same_files(
        self, client: DockerClient, name: str, tmp_path: Path, ignoring: str
    ) -> None:
        program = shutil.which("docker")
        if program is None:
            pytest.skip("Docker's own client is not installed")
        folder = tmp_path / "context"
        names = "a/b/deep/f a/b/f1 a/b/x.txt a/b/y.pyc a/c/f2 data/one data/keep/two b/f Makefile #odd x.y xzy deep/g"
        for path in [*names.split(), ".hidden/x", "README.md", "README-secret.md", "notes.md", "a.txt", "c/d/b/e/f"]:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(path)
        (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /all/\n")
        (folder / ".dockerignore").write_text(ignoring)
        other = {**os.environ, "DOCKER_BUILDKIT": "0"}
        command = [program, "build", "-q", "--label", f"test={name}", str(folder)]
        theirs = subprocess.run(command, check=True, capture_output=True, text=True, env=other).stdout.strip()
        ours = client.build(Build(name, build_context(folder), labels={"test": name}))
        assert sorted(client.read_files(ours.id, ["/all"])) == sorted(client.read_files(theirs, ["/all"]))

    @pytest.mark.parametrize("ignoring", [None, "b\n", "*\n!a\n"])
    def test_a_dockerfile_outside_of_its_context_makes_the_same_image(
        self, client: DockerClient, name: str, tmp_path: Path, ignoring: str | None
    ) -> None:
        program = shutil.which("docker")
        if program is None:
            pytest.skip("Docker's own client is not installed")
        folder, dockerfile = tmp_path / "context", tmp_path / "Dockerfile.base"
        folder.mkdir()
        for path in ("a", "b", "Dockerfile"):
            (folder / path).write_text(path)
        dockerfile.write_text("FROM scratch\nCOPY . /all/\n")
        if ignoring is not None:
            (folder / ".dockerignore").write_text(ignoring)
        other = {**os.environ, "DOCKER_BUILDKIT": "0"}
        command = [program, "build", "-q", "--label", f"test={name}", "-f", str(dockerfile), str(folder)]
        theirs = subprocess.run(command, check=True, capture_output=True, text=True, env=other).stdout.strip()
        sent = sent_dockerfile(folder, "../Dockerfile.base")
        ours = client.build(
            Build(name, build_context(folder, "../Dockerfile.base"), dockerfile=sent, labels={"test": name})
        )
        found = [client.list_files(image, ["/all"]).digests for image in (ours.id, theirs)]
        names = [{path for path in digests if path != "/all/.dockerignore"} for digests in found]
        assert names[0] == names[1]
        assert "/all/a" in names[0]


def known_as(username: str, password: str, registry: str) -> DockerClient:
    credentials = {registry: Credentials(username, Secret(password))}
    return DockerClient(Effects("docker", writes_allowed=True), credentials=credentials)


def containers(client: DockerClient, name: str) -> list[str]:
    with client._connection.request("list") as api:
        return [container["Id"] for container in api.containers(all=True, filters={"label": f"test={name}"})]


def at(host: str | None, **environment: str) -> DockerClient:
    return DockerClient(Effects("docker", writes_allowed=True), host=host, environment=environment)


@pytest.mark.parametrize(
    ("host", "environment", "shown"),
    [
        ("unix:///nowhere.sock", {"DOCKER_HOST": "unix:///other.sock"}, "unix:///nowhere.sock (from docker.host in"),
        (None, {"DOCKER_HOST": "unix:///nowhere.sock"}, "unix:///nowhere.sock (from DOCKER_HOST)"),
        (None, {"DOCKER_HOST": "tcp://127.0.0.1:1"}, "tcp://127.0.0.1:1 (from DOCKER_HOST): Connection refused"),
        ("bogus://x", {}, "bogus://x (from docker.host in ppml.yaml): Invalid bind address protocol"),
        (None, {"DOCKER_CONTEXT": "no-such-context"}, "there is no Docker context 'no-such-context'"),
    ],
)
def test_no_engine_says_where_it_was_looked_for(host: str | None, environment: dict[str, str], shown: str) -> None:
    with at(host, **environment) as nowhere, pytest.raises(EngineError) as caught:
        nowhere.images()
    assert shown in caught.value.diagnostics[0].found


@pytest.mark.parametrize(
    ("host", "tls", "verified"),
    [
        ("unix:///var/run/docker.sock", None, True),
        ("ssh://me@build", None, True),
        ("tcp://127.0.0.1:2375", None, True),
        ("tcp://build:2375", None, False),
        ("http://build:2375", None, False),
        ("https://build:2376", None, True),
        ("tcp://build:2376", TLSConfig(verify=True), True),
        ("tcp://build:2376", TLSConfig(verify=False), False),
    ],
)
def test_an_engine_elsewhere_is_verified_by_tls_or_ssh(host: str, tls: TLSConfig | None, *, verified: bool) -> None:
    assert is_verified(host, tls) is verified


def test_the_message_for_no_engine_reads_well() -> None:
    with at("unix:///nowhere.sock") as nowhere, pytest.raises(EngineError) as caught:
        nowhere.inspect_image("x")
    assert str(caught.value) == (
        "error[docker-unreachable]: the Docker engine cannot be reached\n"
        "  is   unix:///nowhere.sock (from docker.host in ppml.yaml): No such file or directory\n"
        "  fix  start Docker, or name another engine by docker.host in ppml.yaml or by DOCKER_HOST"
    )


def test_podman_is_refused_in_one_clear_message() -> None:
    told = {"ApiVersion": "1.41", "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}, {"Name": "Conmon"}]}
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread = threading.Thread(target=answer_each, args=(server, told, told))
        thread.start()
        with at(host) as podman, pytest.raises(EngineError) as caught:
            podman.images()
        thread.join()
    assert str(caught.value) == (
        "error[docker-engine-unsupported]: this engine does not do all that is needed of a Docker engine\n"
        f"  is   Podman Engine 4.3.1 at {host}\n"
        "  why  it reads no files out of a container that was never started, so no enclave could be measured\n"
        "  fix  name a Docker engine by docker.host or DOCKER_HOST, or say `builder: oci` in images"
    )


def test_a_connection_that_breaks_midway_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_each, args=(server, {"ApiVersion": "1.41"}, {}, None))
        thread.start()
        with at(f"tcp://127.0.0.1:{server.getsockname()[1]}") as broken, pytest.raises(TransientError) as caught:
            broken.images()
        thread.join()
    assert [d.code for d in caught.value.diagnostics] == ["docker-interrupted"]


def test_a_pull_whose_answer_ends_early_is_worth_another_try() -> None:
    begun, missing = {"status": "Pulling from library/app"}, HTTPStatus.NOT_FOUND
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_each, args=(server, {"ApiVersion": "1.41"}, {}, begun, missing))
        thread.start()
        with at(f"tcp://127.0.0.1:{server.getsockname()[1]}") as broken, pytest.raises(TransientError) as caught:
            broken.pull("app:1")
        thread.join()
    assert str(caught.value) == (
        "error[docker-interrupted]: the connection to the Docker engine broke\n"
        "  is   pull app:1: the engine's answer ended before the image was there\n"
        "  fix  see that the engine runs, and apply again: what it has made by then is found again"
    )


@pytest.mark.parametrize("begun", [b"", b'{"status":"Pulling"}\r\n'])
def test_a_stream_that_says_nothing_any_more_ends(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppmlctl.clients.docker.connection.SILENT_SECONDS", 0.3)
    head = b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(begun), begun)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang() -> None:
            answer_each(server, {"ApiVersion": "1.41"}, {})
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head if begun else b"")
                connection.recv(1)  # until the client has gone

        thread = threading.Thread(target=hang)
        thread.start()
        with at(f"tcp://127.0.0.1:{server.getsockname()[1]}") as hanging, pytest.raises(EngineError) as caught:
            hanging.pull("app:1")
        thread.join(30)
    assert not isinstance(caught.value, TransientError)
    assert str(caught.value) == (
        "error[docker-silent]: the Docker engine has stopped talking\n"
        "  is   pull app:1: nothing came for 0.005 minutes\n"
        "  why  it hangs, or what it runs or fetches does\n"
        "  fix  look at the engine's log; a step that works longer in silence should print something meanwhile"
    )


def answer_each(server: socket.socket, *bodies: object) -> None:
    """Answers one request with each body or status, or by hanging up."""
    for body in bodies:
        status = body if isinstance(body, HTTPStatus) else HTTPStatus.OK
        content = json.dumps({"message": status.phrase} if isinstance(body, HTTPStatus) else body).encode()
        head = b"HTTP/1.1 %d x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (status, len(content))
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(head + content if body is not None else b"")

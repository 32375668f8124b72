"""`enclave_signature` with `manifest: build`: what a build says is compared, and signed here with the user's key."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from modules.image_folders import CHOICES, QUICKSTART, FolderDocker, put_enclave

from ppmlctl.diagnostics import EngineError
from ppmlctl.evidence import Evidence
from ppmlctl.modules.enclave_signature import EnclaveSignature
from ppmlctl.oci import File
from ppmlctl.planning import ActionKind
from ppmlctl.sgx import FolderTree, Sigstruct
from ppmlctl.sgx.bigdl import BaseSurroundings, measured_enclave
from ppmlctl.sgx.signing_key import SigningKey


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(scope="module")
def thrown_away() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def engine(tmp_path: Path, thrown_away: SigningKey) -> FolderDocker:
    """Its build is honest: it does what the base's own Makefile does."""
    docker = FolderDocker({"sha256:base": Path(shutil.copytree(QUICKSTART, tmp_path / "base"))})
    docker.step = lambda root: put_enclave(root, thrown_away) and None
    return docker


@pytest.fixture
def task(drive: Any, make_context: Any, tmp_path: Path, key: SigningKey, engine: FolderDocker) -> Any:
    (tmp_path / "key.pem").write_bytes(key.to_pem().reveal_bytes())
    (tmp_path / "key.pem").chmod(0o600)
    arguments = {"image": "sha256:base", "size": "64M", "log_level": "error", "manifest": "build"}
    context = make_context(engines=SimpleNamespace(docker=engine))
    return drive(EnclaveSignature(), context, **arguments, key="key.pem", mr_signer=key.mr_signer)


def refused(task: Any, tmp_path: Path) -> str:
    with pytest.raises(EngineError) as caught:
        task.apply()
    assert not (tmp_path / ".ppml/enclave/bash.sig").exists(), "nothing was signed"
    assert task.context.engines.docker.images.keys() == {"sha256:base"}, "what was built is gone"
    return str(caught.value)


def test_what_an_honest_build_made_is_signed_here(
    task: Any, tmp_path: Path, key: SigningKey, engine: FolderDocker
) -> None:
    result = task.apply()
    signed = Sigstruct.from_bytes((tmp_path / ".ppml/enclave/bash.sig").read_bytes())
    signed.verify()
    assert signed.mr_signer == key.mr_signer == result.mr_signer
    in_folder = measured_enclave(FolderTree(QUICKSTART), CHOICES, BaseSurroundings())
    assert result.mr_enclave == in_folder.measurement.mr_enclave
    assert result.evidence is Evidence.VERIFIED
    assert engine.calls[-1] == "read"
    assert engine.images.keys() == {"sha256:base"}
    assert task.plan().action is ActionKind.KEEP


def test_the_build_makes_a_key_and_deletes_it_in_one_step(task: Any, engine: FolderDocker, key: SigningKey) -> None:
    task.apply()
    (build,) = engine.built
    (dockerfile,) = build.context
    assert isinstance(dockerfile, File)
    with dockerfile.open() as stream:
        text = stream.read().decode()
    assert text == (
        "FROM sha256:base\nUSER 0\n"
        "RUN cd /ppml && mkdir -p /root/.config/gramine"
        " && openssl genrsa -3 -out /root/.config/gramine/enclave-key.pem 3072"
        " && env -u XDG_CONFIG_HOME HOME=/root"
        " make SGX=1 DEBUG=1 THIS_DIR=/ppml SPARK_USER=root G_SGX_SIZE=64M G_LOG_LEVEL=error"
        " && rm /root/.config/gramine/enclave-key.pem\n"
    )
    assert build.network == "none"


def test_without_attestation_the_step_edits_the_template_before_make(task: Any, engine: FolderDocker) -> None:
    engine.step = lambda root: put_enclave(root, SigningKey.generate(), replace(CHOICES, attested=False)) and None
    task.arguments["attestation"] = "none"
    task.apply()
    [dockerfile] = engine.built[0].context
    assert isinstance(dockerfile, File)
    with dockerfile.open() as stream:
        steps = stream.read().decode().split(" && ")
    assert steps[3] == """sed -i 's/"dcap"/"none"/g' bash.manifest.template"""
    assert " make " in steps[4]


def test_a_build_step_that_signs_something_else_is_refused(
    task: Any, tmp_path: Path, thrown_away: SigningKey, engine: FolderDocker
) -> None:
    def lying(root: Path) -> None:
        put_enclave(root, thrown_away)
        manifest = (root / "ppml/bash.manifest.sgx").read_bytes()
        put_enclave(root, thrown_away, replace(CHOICES, size="128M"))
        (root / "ppml/bash.manifest.sgx").write_bytes(manifest)

    engine.step = lying
    assert refused(task, tmp_path).startswith(
        "error[enclave-measurement-mismatch]: an image holds another enclave than its signature says\n"
        "  is   the build on sha256:base, measured from its manifest and its loader:\n"
    )


def test_a_build_step_that_changes_a_trusted_file_is_refused(
    task: Any, tmp_path: Path, thrown_away: SigningKey, engine: FolderDocker
) -> None:
    def changing(root: Path) -> None:
        (root / "usr/bin/bash").write_bytes(b"another program")
        put_enclave(root, thrown_away)

    engine.step = changing
    said = refused(task, tmp_path)
    assert said.startswith("error[enclave-file-differs]: a file that the enclave trusts is another one in the image\n")
    assert "/usr/bin/bash has SHA-256 " in said


@pytest.mark.parametrize("measure", ["verify", "trust"])
def test_a_build_step_that_trusts_other_words_than_the_base_has_is_refused(
    task: Any, tmp_path: Path, thrown_away: SigningKey, engine: FolderDocker, measure: str
) -> None:
    def changing(root: Path) -> None:
        (root / "ppml/secured_argvs").write_bytes(b"bash -c something else")
        put_enclave(root, thrown_away)

    engine.step = changing
    task.arguments["measure"] = measure
    said = refused(task, tmp_path)
    assert said.startswith("error[enclave-words-differ]: an image holds other words to run than its enclave trusts\n")
    assert "  is   the build on sha256:base: /ppml/secured_argvs has SHA-256 " in said


def test_a_build_step_that_makes_another_enclave_than_was_asked_for_is_refused(
    task: Any, tmp_path: Path, thrown_away: SigningKey, engine: FolderDocker
) -> None:
    engine.step = lambda root: put_enclave(root, thrown_away, replace(CHOICES, size="128M")) and None
    assert refused(task, tmp_path) == (
        "error[enclave-not-as-asked]: a build made another enclave than was asked for\n"
        "  is   the build on sha256:base: an enclave of 134217728 bytes, asked for was 64M\n"
        "  why  what was asked for stands in ppml.yaml, and plans and people go by it\n"
        "  fix  see how /ppml/Makefile takes G_SGX_SIZE, and /ppml/bash.manifest.template its attestation"
    )


def test_a_trusted_build_is_signed_as_it_says_and_not_called_verified(
    task: Any, thrown_away: SigningKey, engine: FolderDocker
) -> None:
    said: list[Sigstruct] = []

    def lying(root: Path) -> None:
        said.append(put_enclave(root, thrown_away))
        template = root / "ppml/bash.manifest.sgx"
        template.write_bytes(template.read_bytes() + b"\n")

    engine.step = lying
    task.arguments["measure"] = "trust"
    result = task.apply()
    assert (result.mr_enclave, result.evidence) == (said[0].mr_enclave, Evidence.NOT_VERIFIED)


def test_only_an_image_is_built_on(task: Any) -> None:
    task.arguments |= {"image": None, "base": "base"}
    with pytest.raises(ValueError, match="only an image can be built on"):
        task.wanted()

"""The module `enclave_in_image`, with images that are folders."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from modules.image_folders import CHOICES, QUICKSTART, FolderDocker, put_enclave

from ppmlctl.diagnostics import EngineError
from ppmlctl.evidence import Evidence
from ppmlctl.modules.enclave_in_image import EnclaveInImage
from ppmlctl.planning import ActionKind
from ppmlctl.sgx import Sigstruct
from ppmlctl.sgx.signing_key import SigningKey


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The root file system of the image."""
    return Path(shutil.copytree(QUICKSTART, tmp_path / "image"))


@pytest.fixture
def signed(image: Path, key: SigningKey) -> Sigstruct:
    return put_enclave(image, key)


@pytest.fixture
def task(drive: Any, make_context: Any, image: Path, signed: Sigstruct) -> Any:
    engines = SimpleNamespace(docker=FolderDocker({"sha256:image": image}))
    warnings: list[str] = []
    made = drive(
        EnclaveInImage(), make_context(engines=engines, warnings=warnings), image="app:1", image_id="sha256:image"
    )
    made.warnings = warnings
    return made


def refused(task: Any) -> str:
    with pytest.raises(EngineError) as caught:
        task.apply()
    return str(caught.value)


def test_an_honest_image_is_verified_once(task: Any, signed: Sigstruct, tmp_path: Path) -> None:
    assert task.plan().action is ActionKind.CREATE
    result = task.apply()
    assert (result.mr_enclave, result.mr_signer) == (signed.mr_enclave, signed.mr_signer)
    assert result.evidence is Evidence.VERIFIED
    assert result.recompute.startswith("ppmlctl enclave measure --manifest .ppml/enclave-in-image/bash.manifest.sgx")
    assert task.plan().action is ActionKind.KEEP
    task.arguments["image_id"] = "sha256:other"
    assert task.plan().action is ActionKind.UPDATE
    task.remove()
    assert list((tmp_path / ".ppml/enclave-in-image").iterdir()) == []


def test_weaknesses_of_somebody_elses_manifest_are_told(task: Any) -> None:
    task.apply()
    assert any("insecure__use_host_env" in warning for warning in task.warnings)


def test_a_signature_of_another_measurement_is_refused(
    task: Any, image: Path, signed: Sigstruct, key: SigningKey
) -> None:
    manifest = (image / "ppml/bash.manifest.sgx").read_bytes()
    other = put_enclave(image, key, replace(CHOICES, size="128M"))
    (image / "ppml/bash.manifest.sgx").write_bytes(manifest)
    assert refused(task) == (
        "error[enclave-measurement-mismatch]: an image holds another enclave than its signature says\n"
        "  is   app:1, measured from its manifest and its loader:\n"
        f"       MRENCLAVE is {signed.mr_enclave}, /ppml/bash.sig says {other.mr_enclave}\n"
        "  why  whoever trusts the signature would trust something that is not in the image\n"
        "  fix  find out which step of its build makes the signature, and of what; do not use the image"
    )
    task.arguments["measure"] = "trust"
    result = task.apply()
    assert (result.mr_enclave, result.evidence) == (other.mr_enclave, Evidence.NOT_VERIFIED)


def test_a_changed_trusted_file_is_refused_by_its_name(task: Any, image: Path) -> None:
    (image / "usr/bin/bash").write_bytes(b"another program")
    said = refused(task)
    assert said.startswith("error[enclave-file-differs]: a file that the enclave trusts is another one in the image\n")
    assert "/usr/bin/bash has SHA-256 " in said


def test_a_missing_trusted_file_is_refused_by_its_name(task: Any, image: Path) -> None:
    (image / "usr/bin/bash").unlink()
    assert "/usr/bin/bash is missing; file:/usr/bin/bash is trusted with" in refused(task)


@pytest.mark.parametrize("measure", ["verify", "trust"])
def test_other_words_than_the_enclave_trusts_are_refused_whoever_measured(
    task: Any, image: Path, measure: str, tmp_path: Path
) -> None:
    words = image / "ppml/secured_argvs"
    trusted, task.arguments["measure"] = hashlib.sha256(words.read_bytes()).hexdigest(), measure
    words.write_bytes(b"bash -c something else")
    there = hashlib.sha256(words.read_bytes()).hexdigest()
    assert refused(task) == (
        "error[enclave-words-differ]: an image holds other words to run than its enclave trusts\n"
        f"  is   app:1: /ppml/secured_argvs has SHA-256 {there}; /ppml/bash.manifest.sgx trusts it with {trusted}\n"
        "  why  the enclave would run something else than was signed, or refuse to start\n"
        "  fix  find out which step of the image's build changes that file, and sign the image as it is then"
    )
    words.unlink()
    assert "app:1: /ppml/secured_argvs is missing; /ppml/bash.manifest.sgx trusts it with" in refused(task)
    assert not (tmp_path / ".ppml/enclave-in-image").exists()


def test_words_that_the_enclave_does_not_trust_at_all_are_refused(task: Any, image: Path, key: SigningKey) -> None:
    manifest = (image / "ppml/bash.manifest.sgx").read_bytes()
    untrusted = manifest.replace(b'argv_src_file = "file:/ppml/secured', b'argv_src_file = "file:/ppml/unmeasured')
    (image / "ppml/bash.manifest.sgx").write_bytes(untrusted)
    task.arguments["measure"] = "trust"
    assert (
        "  is   app:1: /ppml/bash.manifest.sgx: the words that the enclave runs, file:/ppml/unmeasured_argvs"
        " (loader.argv_src_file), are not in sgx.trusted_files\n"
    ) in refused(task)


def test_an_image_that_was_not_signed_is_refused(task: Any, image: Path) -> None:
    (image / "ppml/bash.sig").unlink()
    assert refused(task) == (
        "error[enclave-not-in-image]: an image holds no enclave that can be measured\n"
        "  is   sha256:image has no /ppml/bash.sig\n"
        "  fix  name an image that was signed for SGX"
    )


def test_a_signature_that_does_not_hold_is_refused(task: Any, image: Path) -> None:
    raw = bytearray((image / "ppml/bash.sig").read_bytes())
    raw[960] ^= 1
    (image / "ppml/bash.sig").write_bytes(raw)
    assert refused(task).startswith("error[enclave-signature-wrong]: the enclave signature in an image does not hold\n")


def test_another_enclave_than_the_signed_one_is_refused(task: Any, signed: Sigstruct) -> None:
    task.arguments |= {"mr_enclave": "0" * 64, "mr_signer": signed.mr_signer}
    assert dict(task.observe().foreseen)["mr_enclave"] == "0" * 64
    assert refused(task) == (
        "error[enclave-not-the-signed-one]: the enclave in an image is not the one that was signed for it\n"
        "  is   app:1\n"
        f"       MRENCLAVE is {signed.mr_enclave}, not {'0' * 64}\n"
        "  fix  apply again"
    )


def test_findings_may_be_errors(task: Any) -> None:
    task.arguments["findings"] = {"insecure__use_host_env": "error"}
    assert refused(task).startswith("error[enclave-finding]: the manifest of the enclave is refused\n")


def test_a_debug_enclave_is_refused_unless_it_is_allowed(task: Any, image: Path, key: SigningKey) -> None:
    template = image / "ppml/bash.manifest.template"
    template.write_text(template.read_text().replace("debug = false", "debug = true"))
    put_enclave(image, key)
    assert refused(task).startswith("error[enclave-debug-forbidden]: the image holds a debug enclave\n")
    task.arguments["debug"] = "allow"
    assert task.apply().debug

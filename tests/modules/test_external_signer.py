"""An enclave that is signed by a command: the key is nowhere near, and the answer is believed only when it verifies."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.diagnostics import EngineError, InputError, StateError
from ppmlctl.modules.enclave_key import EnclaveKey
from ppmlctl.modules.enclave_signature import EnclaveSignature
from ppmlctl.planning import ActionKind
from ppmlctl.sgx import Sigstruct
from ppmlctl.sgx.signing_key import SigningKey

_QUICKSTART = Path(__file__).parents[2] / "examples/quickstart/base"
_SIGSTRUCT = ".ppml/enclave/bash.sig"


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(scope="module")
def other() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def root(tmp_path: Path, key: SigningKey) -> Path:
    """A base, the public key, and the HSM: a folder elsewhere with the private one and a list of what was signed."""
    project, module = tmp_path / "project", tmp_path / "hsm"
    module.mkdir()
    shutil.copytree(_QUICKSTART, project / "base")
    (module / "key.pem").write_bytes(key.to_pem().reveal_bytes())
    (project / "public.pem").write_bytes(key.public_pem())
    (module / "sign").write_text(
        '#!/bin/sh\ncd "$(dirname "$0")" && echo signed >> log\nexec openssl dgst -sha256 -sign key.pem\n'
    )
    (module / "sign").chmod(0o755)
    return project


@pytest.fixture
def arguments(key: SigningKey) -> dict[str, Any]:
    return {
        "base": "base",
        "size": "64M",
        "log_level": "error",
        "command": ["../hsm/sign"],
        "public_key": "public.pem",
        "mr_signer": key.mr_signer,
    }


@pytest.fixture
def task(make_context: Any, drive: Any, root: Path, arguments: dict[str, Any]) -> Any:
    return drive(EnclaveSignature(), make_context(root), **arguments)


def _times_signed(root: Path) -> int:
    log = root.parent / "hsm" / "log"
    return log.read_text().count("signed") if log.exists() else 0


def test_the_command_signs_once_and_a_plan_does_not_ask_it(task: Any, root: Path, key: SigningKey) -> None:
    assert task.plan().action is ActionKind.CREATE
    assert "sigstruct_sha256" not in task.observe().foreseen
    assert "mr_enclave" in task.observe().foreseen
    assert _times_signed(root) == 0

    result = task.apply()
    signed = Sigstruct.from_bytes((root / _SIGSTRUCT).read_bytes())
    signed.verify()
    assert signed.mr_signer == result.mr_signer == key.mr_signer
    assert task.plan().action is ActionKind.KEEP
    assert task.observe().foreseen["sigstruct_sha256"] == result.sigstruct_sha256
    task.apply()
    assert _times_signed(root) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"findings": {"file_check_policy": "ignore"}},
        {"gramine": "1.3.1"},
        {"date": "2024-02-29"},
        {"time_limit": "5s"},
        {"command": ["../hsm/../hsm/sign"]},
        {"debug": "allow"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_changes_neither_measurement_nor_signer_signs_nothing_anew(
    changed: dict[str, Any], task: Any, root: Path
) -> None:
    before = task.apply()
    task.arguments |= changed
    assert task.apply() == before
    assert _times_signed(root) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sgx.isvsvn = 3", "sgx.isvsvn = 4"),
        ("sgx.isvprodid = 1", "sgx.isvprodid = 2"),
        ("thread_num = 16", "thread_num = 8"),
    ],
    ids=["svn", "product", "threads"],
)
def test_a_change_of_what_is_signed_signs_anew(before: str, after: str, task: Any, root: Path) -> None:
    task.apply()
    template = root / "base/ppml/bash.manifest.template"
    text = template.read_text()
    assert before in text
    template.write_text(text.replace(before, after, 1))
    task.apply()
    assert _times_signed(root) == 2


def test_another_key_signs_anew(task: Any, root: Path, other: SigningKey) -> None:
    before = task.apply()
    (root / "public.pem").write_bytes(other.public_pem())
    (root.parent / "hsm" / "key.pem").write_bytes(other.to_pem().reveal_bytes())
    task.arguments |= {"mr_signer": other.mr_signer}
    after = task.apply()
    assert (after.mr_enclave, after.mr_signer) == (before.mr_enclave, other.mr_signer)
    assert _times_signed(root) == 2


def _refused(task: Any, kind: type[Exception] = EngineError) -> str:
    with pytest.raises(kind) as refused:
        task.apply()
    return str(refused.value)


def test_an_answer_by_another_key_is_refused(task: Any, root: Path, other: SigningKey) -> None:
    (root.parent / "hsm" / "key.pem").write_bytes(other.to_pem().reveal_bytes())
    assert _refused(task) == (
        "error[signer-wrong-answer]: the external signer's answer is no signature by its public key\n"
        "  is   ../hsm/sign answered 384 bytes, which are no signature of public.pem\n"
        "  why  RSASSA-PKCS1-v1_5 with SHA-256 over the bytes on its standard input is needed, raw and big-endian\n"
        "  fix  see which key the command uses, and that it prints nothing else; nothing was signed"
    )
    assert not (root / _SIGSTRUCT).exists()


@pytest.mark.parametrize(
    ("code", "size"),
    [("", 0), ("print('ready')", 6), ("print('y' * 1000000)", 65536)],
    ids=["nothing", "words", "endless"],
)
def test_garbage_is_refused(code: str, size: int, task: Any, root: Path) -> None:
    task.arguments |= {"command": [sys.executable, "-c", code]}
    assert f"answered {size} bytes; a raw RSA-3072 signature has 384\n" in _refused(task)
    assert not (root / _SIGSTRUCT).exists()


def test_a_failing_command_stops_the_apply_with_its_words(task: Any, root: Path) -> None:
    task.arguments |= {"command": ["/bin/sh", "-c", "echo no token in slot 3 >&2; exit 2"]}
    assert _refused(task) == (
        "error[signer-failed]: the external signer failed\n"
        "  is   /bin/sh -c 'echo no token in slot 3 >&2; exit 2' ended with 2; its last words:\n"
        "       no token in slot 3\n"
        "  fix  run it by hand on the output of `ppmlctl enclave digest`"
    )
    assert not (root / _SIGSTRUCT).exists()


def test_a_hanging_command_is_ended(task: Any) -> None:
    task.arguments |= {"command": ["sleep", "600"], "time_limit": "1s"}
    assert _refused(task).startswith("error[signer-timeout]: the external signer took too long\n")


def test_a_public_key_that_changed_since_the_plan_is_not_signed_with(
    task: Any, root: Path, key: SigningKey, other: SigningKey
) -> None:
    (root / "public.pem").write_bytes(other.public_pem())
    assert _refused(task, StateError) == (
        "error[signing-key-changed]: the enclave signing key is not the one that was planned with\n"
        f"  is   public.pem has MRSIGNER {other.mr_signer}; planned was {key.mr_signer}\n"
        "  fix  plan and apply again"
    )
    assert _times_signed(root) == 0


@pytest.mark.parametrize(
    "signer",
    [{"key": "key.pem"}, {"public_key": None}, {"command": None}, {"command": None, "public_key": None}],
    ids=["both", "no public key", "no command", "neither"],
)
def test_one_whole_signer_is_needed(signer: dict[str, Any], task: Any) -> None:
    task.arguments |= signer
    with pytest.raises(ValueError, match="either key is needed, or command and public_key"):
        task.wanted()


def test_the_public_key_gives_the_signer(make_context: Any, drive: Any, root: Path, key: SigningKey) -> None:
    task = drive(EnclaveKey(), make_context(root), path="public.pem", public=True)
    assert task.plan().action is ActionKind.CREATE
    assert task.observe().foreseen["mr_signer"] == key.mr_signer
    assert task.apply().mr_signer == key.mr_signer
    assert task.plan().action is ActionKind.KEEP


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file or directory"),
        (b"garbage", "the public key is no readable public key in PEM"),
        (
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "the public key is no readable public key in PEM",
        ),
    ],
)
def test_a_wrong_public_key_is_told_in_the_plan(
    content: bytes | None, words: str, make_context: Any, drive: Any, root: Path
) -> None:
    (root / "public.pem").unlink()
    if content is not None:
        (root / "public.pem").write_bytes(content)
    task = drive(EnclaveKey(), make_context(root), path="public.pem", public=True)
    with pytest.raises(InputError) as refused:
        task.plan()
    assert str(refused.value) == (
        "error[public-key-wrong]: the external signer's public key cannot be used\n"
        f"  is   public.pem: {words}\n"
        "  why  MRSIGNER follows from it\n"
        "  fix  name an RSA-3072 public key with exponent 3, in PEM, as enclave.signer.public_key"
    )

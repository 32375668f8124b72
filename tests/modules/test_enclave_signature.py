from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ppmlctl.clients.docker import DockerImage, Listing
from ppmlctl.diagnostics import InputError, StateError, WriteRefusedError
from ppmlctl.evidence import Evidence
from ppmlctl.key_client import key_client_program
from ppmlctl.modules.enclave_signature import EnclaveSignature
from ppmlctl.planning import ActionKind
from ppmlctl.secret import Secret
from ppmlctl.sgx import FolderTree, MeasurementCache, Sigstruct, measure
from ppmlctl.sgx import gramine_version as version
from ppmlctl.sgx.signing_key import SigningKey
from ppmlctl.unknown import Unknown

_QUICKSTART = Path(__file__).parents[2] / "examples/quickstart/base"
_KEY = "keys/enclave-key.pem"
_TEMPLATE = "base/ppml/bash.manifest.template"
_OTHER = "/ppml/bash.manifest.template makes another enclave than ppml.yaml asks for"
_MANIFEST, _SIGSTRUCT = ".ppml/enclave/bash.manifest.sgx", ".ppml/enclave/bash.sig"


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(scope="module")
def other() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def root(tmp_path: Path, key: SigningKey) -> Path:
    shutil.copytree(_QUICKSTART, tmp_path / "base")
    _put_key(tmp_path, key.to_pem())
    return tmp_path


def _put_key(root: Path, pem: Secret) -> None:
    (root / _KEY).parent.mkdir(exist_ok=True)
    (root / _KEY).write_bytes(pem.reveal_bytes())
    (root / _KEY).chmod(0o600)


@pytest.fixture
def arguments(key: SigningKey) -> dict[str, Any]:
    return {"base": "base", "size": "64M", "log_level": "error", "key": _KEY, "mr_signer": key.mr_signer}


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def task(make_context: Any, drive: Any, root: Path, arguments: dict[str, Any], warnings: list[str]) -> Any:
    return drive(EnclaveSignature(), make_context(root, warnings=warnings), **arguments)


def _edit_template(root: Path, before: str, after: str) -> None:
    text = (root / _TEMPLATE).read_text()
    assert before in text
    (root / _TEMPLATE).write_text(text.replace(before, after))


def test_what_is_written_is_measured_signed_and_verified(task: Any, root: Path, key: SigningKey) -> None:
    assert task.plan().action is ActionKind.CREATE

    result = task.apply()
    sigstruct = Sigstruct.from_bytes((root / _SIGSTRUCT).read_bytes())
    sigstruct.verify()
    loader = (root / result.loader).read_bytes()
    measured = measure((root / _MANIFEST).read_bytes(), loader, version("1.3.1"))
    assert sigstruct.mr_enclave == result.mr_enclave == measured.mr_enclave
    assert sigstruct.mr_signer == result.mr_signer == key.mr_signer
    assert (result.isv_prod_id, result.isv_svn, result.debug, result.gramine) == (1, 3, False, "1.3.1")
    assert result.evidence is Evidence.VERIFIED
    assert task.plan().action is ActionKind.KEEP


def test_everything_is_foreseen_before_it_is_done(task: Any) -> None:
    foreseen = task.observe().foreseen
    result = task.apply()
    assert foreseen == {name: getattr(result, name) for name in task.module.result_fields()}


def test_signing_twice_gives_the_same_bytes(task: Any, root: Path) -> None:
    task.apply()
    before = (root / _SIGSTRUCT).read_bytes()
    shutil.rmtree(root / ".ppml")
    assert task.plan().reasons == ("was made before, is not there any more",)
    task.apply()
    assert (root / _SIGSTRUCT).read_bytes() == before


def test_the_command_to_recompute_gives_the_measurement(task: Any, root: Path) -> None:
    result = task.apply()
    command = [sys.executable, "-m", *shlex.split(result.recompute), "-o", "json"]

    out = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert json.loads(out)["mr_enclave"] == result.mr_enclave
    assert result.recompute == (
        "ppmlctl enclave measure --manifest .ppml/enclave/bash.manifest.sgx "
        "--loader base/usr/local/lib/x86_64-linux-gnu/gramine/sgx/libpal.so --gramine 1.3.1"
    )


def test_a_fork_is_recomputed_with_its_own_constants(task: Any, root: Path) -> None:
    offsets = root / "base/usr/local/lib/python3/dist-packages/graminelibos/_offsets.py"
    plain = task.observe().foreseen["mr_enclave"]
    offsets.write_text(offsets.read_text().replace("SGX_GPR_SIZE = 0xb8", "SGX_GPR_SIZE = 0xc0"))

    result = task.apply()
    assert result.mr_enclave != plain
    assert result.recompute.endswith("--offsets base/usr/local/lib/python3/dist-packages/graminelibos/_offsets.py")
    command = [sys.executable, "-m", *shlex.split(result.recompute), "-o", "json"]
    out = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert json.loads(out)["mr_enclave"] == result.mr_enclave


def test_another_log_level_shows_the_new_measurement_beforehand(task: Any) -> None:
    before = task.apply().mr_enclave
    task.arguments |= {"log_level": "all"}

    plan, foreseen = task.plan(), task.observe().foreseen
    assert plan.action is ActionKind.UPDATE
    assert [(field.path, field.before, field.after) for field in plan.fields] == [("log_level", "error", "all")]
    assert foreseen["mr_enclave"] != before
    assert task.apply().mr_enclave == foreseen["mr_enclave"]


def test_a_change_in_the_base_is_seen_and_shown(task: Any, root: Path) -> None:
    before = task.apply()
    (root / "base/usr/bin/bash").write_text("another shell\n")

    plan = task.plan()
    assert (plan.action, plan.reasons) == (ActionKind.UPDATE, ("the base has changed",))
    assert {field.path for field in plan.fields} == {"manifest_sha256", "mr_enclave", "sigstruct_sha256"}
    assert task.apply().mr_enclave != before.mr_enclave
    assert task.plan().action is ActionKind.KEEP


def test_a_change_in_the_base_that_is_not_trusted_changes_nothing(task: Any, root: Path) -> None:
    task.apply()
    (root / "base/unmeasured.txt").write_text("other words\n")
    assert task.plan().action is ActionKind.KEEP


@pytest.mark.parametrize(("file", "place"), [(_MANIFEST, 10), (_SIGSTRUCT, 600), (_SIGSTRUCT, 961)])
def test_a_tampered_file_is_drift_and_written_again(task: Any, root: Path, file: str, place: int) -> None:
    task.apply()
    whole = (root / file).read_bytes()
    (root / file).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])

    plan = task.plan()
    assert (plan.action, plan.reasons) == (ActionKind.UPDATE, ("changed outside ppmlctl",))
    task.apply()
    assert (root / file).read_bytes() == whole


def test_a_file_cut_short_is_written_again(task: Any, root: Path) -> None:
    task.apply()
    whole = (root / _SIGSTRUCT).read_bytes()
    (root / _SIGSTRUCT).write_bytes(whole[:100])
    assert task.plan().action is ActionKind.UPDATE
    task.apply()
    assert (root / _SIGSTRUCT).read_bytes() == whole


def test_a_half_made_enclave_is_completed(task: Any, root: Path) -> None:
    (root / _MANIFEST).parent.mkdir(parents=True)
    (root / _MANIFEST).write_text("half of")
    assert task.plan().action is ActionKind.CREATE
    task.apply()
    assert task.plan().action is ActionKind.KEEP


def test_another_signer_signs_the_same_measurement(task: Any, root: Path, other: SigningKey) -> None:
    before = task.apply()
    _put_key(root, other.to_pem())
    task.arguments |= {"mr_signer": other.mr_signer}

    assert [field.path for field in task.plan().fields] == ["mr_signer"]
    after = task.apply()
    assert (after.mr_enclave, after.mr_signer) == (before.mr_enclave, other.mr_signer)
    assert Sigstruct.from_bytes((root / _SIGSTRUCT).read_bytes()).mr_signer == other.mr_signer


def test_a_key_that_changed_since_the_plan_signs_nothing(
    task: Any, root: Path, key: SigningKey, other: SigningKey
) -> None:
    _put_key(root, other.to_pem())

    with pytest.raises(StateError) as refused:
        task.apply()
    assert str(refused.value) == (
        "error[signing-key-changed]: the enclave signing key is not the one that was planned with\n"
        f"  is   keys/enclave-key.pem has MRSIGNER {other.mr_signer}; planned was {key.mr_signer}\n"
        "  fix  plan and apply again"
    )
    assert not (root / _SIGSTRUCT).exists()


def test_a_signer_that_is_not_known_yet_leaves_the_measurement_foreseen(task: Any) -> None:
    task.arguments |= {"mr_signer": Unknown("enclave-key")}
    foreseen = task.observe().foreseen
    assert "mr_enclave" in foreseen
    assert not {"mr_signer", "sigstruct_sha256"} & foreseen.keys()


def test_an_argument_that_is_not_known_yet_leaves_nothing_foreseen(task: Any) -> None:
    task.arguments |= {"size": Unknown("other")}
    assert task.observe().foreseen == {}


def test_weaknesses_of_the_manifest_are_warned_of(task: Any, warnings: list[str]) -> None:
    task.apply()
    policy, environment = warnings
    assert policy == (
        'base/ppml/bash.manifest.template:37: sgx.file_check_policy = "allow_all_but_log": '
        "every file of the host may be opened, so MRENCLAVE does not cover what the program reads"
    )
    assert environment == (
        "base/ppml/bash.manifest.template:11: loader.insecure__use_host_env is on: "
        "the host sets environment variables of the program, and MRENCLAVE does not show it"
    )


def test_weaknesses_may_be_ignored_or_refused(task: Any, warnings: list[str]) -> None:
    task.arguments |= {"findings": {"file_check_policy": "ignore", "insecure__use_host_env": "error"}}

    for step in (task.plan, task.apply):
        with pytest.raises(InputError) as refused:
            step()
        assert str(refused.value) == (
            "error[enclave-finding]: the manifest of the enclave is refused\n"
            "  at   base/ppml/bash.manifest.template:11:1  loader.insecure__use_host_env\n"
            "  is   loader.insecure__use_host_env is on\n"
            "  why  the host sets environment variables of the program, and MRENCLAVE does not show it\n"
            "  fix  mend /ppml/bash.manifest.template in the base, or set enclave.findings.insecure__use_host_env"
        )
    assert warnings == []


def test_a_debug_enclave_is_signed_only_if_allowed(task: Any, root: Path) -> None:
    _edit_template(root, "sgx.debug = false", "sgx.debug = true")

    with pytest.raises(InputError) as refused:
        task.plan()
    assert str(refused.value) == (
        "error[enclave-debug-forbidden]: a debug enclave would be signed\n"
        "  at   base/ppml/bash.manifest.template:31:1  sgx.debug\n"
        "  is   sgx.debug is on\n"
        "  why  a debugger can read the enclave: it protects nothing\n"
        "  fix  take sgx.debug out of /ppml/bash.manifest.template, or set enclave.debug: allow"
    )
    task.arguments |= {"debug": "allow"}
    assert task.apply().debug is True
    assert task.module.notes(task.wanted().args) == ("enclave: debug is allowed; a debug enclave protects nothing",)


def test_a_size_that_no_cpu_takes_is_refused(task: Any) -> None:
    task.arguments |= {"size": "96M", "findings": {"enclave_size": "ignore"}}
    with pytest.raises(InputError) as refused:
        task.plan()
    assert str(refused.value) == (
        "error[enclave-finding]: the manifest of the enclave is refused\n"
        "  at   base/ppml/bash.manifest.template:28:1  sgx.enclave_size\n"
        "  is   sgx.enclave_size is 100663296 bytes\n"
        "  why  the CPU takes only powers of two; Gramine's signing tool does not say so\n"
        "  fix  choose a power of two as images.custom.enclave_size"
    )


def test_a_missing_base_is_named(task: Any) -> None:
    task.arguments |= {"base": "none"}
    with pytest.raises(InputError) as refused:
        task.plan()
    assert str(refused.value) == (
        "error[enclave-base]: the base of the enclave is missing\n"
        "  is   none is no folder\n"
        "  why  manifest template, loader and trusted files are read from there\n"
        "  fix  name the folder with the root file system as images.base.rootfs"
    )


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ('"file:/usr/bin/"', '"file:/none"', "base: file:/none of sgx.trusted_files does not exist"),
        ("{{ log_level }}", "{{ 1 / 0 }}", "base: the manifest template cannot be rendered: division by zero"),
        ("sgx.thread_num = 16", "sgx.thread_num = 1024", "base: an enclave of 67108864 bytes is not large enough"),
        ('"{{ g_sgx_size }}"', '"128M"', f"base: {_OTHER}: an enclave of 134217728 bytes, asked for was 64M"),
        ('sgx.remote_attestation = "dcap"', "", f"base: {_OTHER}: remote_attestation is none, asked for was dcap"),
    ],
)
def test_a_base_that_cannot_be_measured_is_refused(task: Any, root: Path, before: str, after: str, found: str) -> None:
    _edit_template(root, before, after)
    with pytest.raises(InputError) as refused:
        task.plan()
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == "enclave-not-measurable"
    assert diagnostic.found.startswith(found)


def test_a_template_that_attests_whatever_is_asked_for_is_refused(task: Any, root: Path) -> None:
    task.arguments |= {"attestation": "none"}
    _edit_template(root, 'remote_attestation = "dcap"', "remote_attestation = 'dcap'")
    with pytest.raises(InputError) as refused:
        task.plan()
    assert f"{_OTHER}: remote_attestation is dcap, asked for was none" in str(refused.value)


_MAKEFILE = """\
G_SGX_SIZE ?= "16G"
bash.manifest: bash.manifest.template
\tgramine-manifest -Dg_sgx_size=$(G_SGX_SIZE) -Dlog_level=$(G_LOG_LEVEL) \\
\t\t-Dbin=$(shell dirname $(shell which bash)) $< >$@
"""


@pytest.mark.parametrize("source", ["folder", "image"])
def test_words_that_are_not_those_that_the_template_trusts_are_refused(
    task: Any, of_image: Any, root: Path, source: str
) -> None:
    text = (root / _TEMPLATE).read_text()
    before, opening, rest = text.partition("sgx.trusted_files = [")
    entries, closing, after = rest.partition("\n]")
    tables = re.sub(r'^ *(".*"),?$', r"  { uri = \1 },", entries, flags=re.MULTILINE)
    (root / _TEMPLATE).write_text(f"{before}{opening}{tables}{closing}{after}")
    _edit_template(root, '"file:/ppml/secured_argvs" }', f'"file:/ppml/secured_argvs", sha256 = "{"ab" * 32}" }}')
    with pytest.raises(InputError) as refused:
        (task if source == "folder" else of_image).apply()
    found = hashlib.sha256((root / "base/ppml/secured_argvs").read_bytes()).hexdigest()
    assert (
        ": the words that the enclave runs are not those that it trusts: /ppml/secured_argvs has SHA-256 "
        f"{found}, and sgx.trusted_files says {'ab' * 32}\n"
    ) in str(refused.value)
    assert not (root / ".ppml/enclave/bash.sig").exists()


def _with_makefile(root: Path, text: str) -> None:
    (root / "base/ppml/Makefile").write_text(text)
    _edit_template(root, '"file:/usr/bin/"', '"file:{{ bin }}/"')


def test_the_makefile_of_a_base_gives_the_templates_variables(task: Any, of_image: Any, root: Path) -> None:
    before = task.apply().mr_enclave
    _with_makefile(root, _MAKEFILE)
    assert task.apply().mr_enclave == before, "the same values by another way"
    assert of_image.apply().mr_enclave == before
    task.arguments |= {"variables": {"bin": "/lib/x86_64-linux-gnu"}}
    assert task.plan().action is ActionKind.UPDATE
    assert task.apply().mr_enclave != before


@pytest.mark.parametrize("kind", ["task", "of_image"])
def test_a_variable_that_nothing_gives_is_named_with_its_line_and_the_key_that_sets_it(
    kind: str, request: pytest.FixtureRequest, root: Path
) -> None:
    _with_makefile(root, _MAKEFILE.replace("-Dbin=", "-Dother="))
    given, place = {"task": ("base", "base/ppml"), "of_image": ("base:1", "/ppml")}[kind]
    with pytest.raises(InputError) as refused:
        request.getfixturevalue(kind).apply()
    assert str(refused.value) == (
        "error[manifest-variable-missing]: a variable of the manifest template has no value\n"
        f"  at   {place}/bash.manifest.template:44:1\n"
        f"  is   {given}: the manifest template asks for bin in line 44, and nothing gives it:"
        " /ppml/Makefile gives no -Dbin\n"
        "  why  with another value than the base means, MRENCLAVE is another one\n"
        "  fix  set images.base.manifest_variables.bin in ppml.yaml, or have /ppml/Makefile give it to gramine-manifest"
    )
    assert not (root / _SIGSTRUCT).exists()


def test_without_a_makefile_a_variable_is_looked_for_there(task: Any, root: Path) -> None:
    _edit_template(root, '"file:/usr/bin/"', '"file:{{ bin }}/"')
    with pytest.raises(InputError, match="in line 44, and nothing gives it: there is no /ppml/Makefile"):
        task.plan()
    task.arguments |= {"variables": {"bin": "/usr/bin"}}
    task.apply()


@pytest.mark.parametrize("kind", ["task", "of_image"])
def test_a_makefile_that_computes_a_value_is_told_with_its_line(
    kind: str, request: pytest.FixtureRequest, root: Path
) -> None:
    _with_makefile(root, _MAKEFILE.replace("dirname", "realpath"))
    task = request.getfixturevalue(kind)
    given, place = {"task": ("base", "base/ppml"), "of_image": ("base:1", "/ppml")}[kind]
    with pytest.raises(InputError) as refused:
        task.apply()
    assert str(refused.value) == (
        "error[makefile-not-understood]: the base's Makefile does not tell the manifest's variables\n"
        f"  at   {place}/Makefile:4:1\n"
        f"  is   {given}: bin: the value is computed by a shell command, which is not run: realpath /usr/bin/bash\n"
        "  why  nothing of a base is run to find out what its manifest is\n"
        "  fix  set images.base.manifest_variables.bin in ppml.yaml, or use enclave.manifest: build"
    )
    assert not (root / _SIGSTRUCT).exists()
    task.arguments |= {"variables": {"bin": "/usr/bin"}}
    task.apply()


def test_a_makefile_that_cannot_be_read_at_all_is_told_too(task: Any, root: Path) -> None:
    _with_makefile(root, "include other.mk\n")
    with pytest.raises(InputError) as refused:
        task.apply()
    assert str(refused.value).splitlines()[2:] == [
        "  is   base: it includes another file: include other.mk",
        "  why  nothing of a base is run to find out what its manifest is",
        "  fix  set all of the template's variables in images.base.manifest_variables, or use enclave.manifest: build",
    ]
    task.arguments |= {"variables": {"bin": "/usr/bin", "g_sgx_size": "64M", "log_level": "error"}}
    task.apply()


def test_a_removal_deletes_the_files_and_leaves_base_and_key(task: Any, root: Path) -> None:
    result = task.apply()
    task.remove()
    assert not (root / _MANIFEST).exists()
    assert not (root / _SIGSTRUCT).exists()
    assert (root / result.loader).is_file()
    assert (root / _KEY).is_file()


def test_a_plan_writes_nothing(make_context: Any, drive: Any, root: Path, arguments: dict[str, Any]) -> None:
    task = drive(EnclaveSignature(), make_context(root, writes_allowed=False), **arguments)
    task.plan()
    with pytest.raises(WriteRefusedError):
        task.apply()
    assert not (root / ".ppml/enclave").exists()  # a slow measurement is remembered beside it


def test_plans_measure_what_takes_long_once(task: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def slowly(manifest: bytes, loader: bytes, gramine: Any) -> Any:
        measured.append(len(manifest))
        return measure(manifest, loader, gramine)

    monkeypatch.setattr("ppmlctl.sgx.measurement_cache.measure", slowly)
    monkeypatch.setattr(MeasurementCache.__init__, "__kwdefaults__", {"worth": 0})
    foreseen = [task.observe().foreseen for _ in range(3)]
    assert len(measured) == 1
    assert foreseen[0] == foreseen[2]
    (root / "base/usr/bin/bash").write_text("another shell\n")
    task.plan()
    assert len(measured) == 2


@pytest.mark.parametrize("given", [{"base": "base", "image": "base:1"}, {"base": None}])
def test_exactly_one_source_is_needed(arguments: dict[str, Any], given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one of base and image is needed"):
        EnclaveSignature.Args.model_validate({**arguments, **given})


def test_a_base_without_a_key_client_is_given_ours_where_one_is_wanted(task: Any, root: Path) -> None:
    assert task.apply().key_client is None
    task.arguments |= {"key_client": True}
    change = task.plan()
    assert change.action is ActionKind.UPDATE
    result = task.apply()
    assert result.key_client == ".ppml/enclave/key_client.py"
    assert (root / result.key_client).read_bytes() == key_client_program()
    (root / result.key_client).unlink()
    assert task.plan().action is ActionKind.UPDATE
    task.apply()
    assert task.plan().action is ActionKind.KEEP
    (root / "base/ppml/kms").mkdir()
    (root / "base/ppml/kms/client.py").write_text("theirs")
    assert task.plan().action is ActionKind.UPDATE
    assert task.apply().key_client is None
    assert not (root / ".ppml/enclave/key_client.py").exists()


def test_a_key_client_that_the_enclave_would_not_open_is_refused(task: Any, root: Path) -> None:
    _edit_template(root, '"allow_all_but_log"', '"strict"')
    task.arguments |= {"key_client": True}
    with pytest.raises(InputError) as refused:
        task.plan()
    assert str(refused.value) == (
        "error[key-client-refused]: the base has no key client, and its enclave would not open ours\n"
        "  is   base has no /ppml/kms/client.py, and /ppml/bash.manifest.template allows no file there\n"
        "  why  an encrypted folder needs a program in the enclave that has EHSM unwrap its data key\n"
        "  fix  put one into the base at /ppml/kms/client.py and trust it in the template's sgx.trusted_files"
    )


class _Docker:
    """Hands out files of a folder as those of an image."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self.calls = 0

    def read_files(self, reference: str, paths: Iterable[str], *, owner: Mapping[str, str]) -> dict[str, bytes]:
        assert reference == "base:1"
        assert owner["dev.ppmlctl.task"] == "task"
        self.calls += 1
        return {path: (self._base / path[1:]).read_bytes() for path in paths if (self._base / path[1:]).is_file()}

    def inspect_image(self, reference: str) -> DockerImage:
        return DockerImage(reference, (), (), {}, {"PATH": "/usr/bin"})

    def link_ends(self, reference: str, paths: Iterable[str], *, owner: Mapping[str, str]) -> Mapping[str, str]:
        assert reference == "base:1"
        assert owner["dev.ppmlctl.task"] == "task"
        return FolderTree(self._base).link_ends(paths)

    def list_files(self, reference: str, paths: Iterable[str], *, owner: Mapping[str, str]) -> Listing:
        assert reference == "base:1"
        assert owner["dev.ppmlctl.task"] == "task"
        self.calls += 1
        places = [place for path in paths for place in [self._base / path[1:], *(self._base / path[1:]).rglob("*")]]
        digests = {
            f"/{place.relative_to(self._base)}": hashlib.sha256(place.read_bytes()).hexdigest()
            for place in places
            if place.is_file()
        }
        return Listing(digests, {f"/{place.relative_to(self._base)}" for place in places if place.is_dir()})


class _Engines:
    def __init__(self, docker: _Docker) -> None:
        self.docker = docker


@pytest.fixture
def of_image(make_context: Any, drive: Any, root: Path, arguments: dict[str, Any]) -> Any:
    context = make_context(root, engines=_Engines(_Docker(root / "base")))
    arguments = {**arguments, "base": None, "image": "base:1", "base_digest": "sha256:1"}
    return drive(EnclaveSignature(), context, **arguments)


def test_an_image_measures_like_the_same_folder(task: Any, of_image: Any) -> None:
    from_folder, from_image = task.apply(), of_image.apply()
    assert from_image.mr_enclave == from_folder.mr_enclave
    assert from_image.sigstruct_sha256 == from_folder.sigstruct_sha256


def test_of_an_image_the_loader_is_kept_to_recompute(of_image: Any, root: Path) -> None:
    result = of_image.apply()
    assert result.loader == ".ppml/enclave/libpal.so"
    command = [sys.executable, "-m", *shlex.split(result.recompute), "-o", "json"]
    out = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert json.loads(out)["mr_enclave"] == result.mr_enclave
    of_image.remove()
    assert list((root / ".ppml/enclave").iterdir()) == []


def test_an_image_is_looked_into_for_its_key_client(of_image: Any, root: Path) -> None:
    of_image.arguments |= {"key_client": True}
    assert of_image.apply().key_client == ".ppml/enclave/key_client.py"
    (root / "base/ppml/kms").mkdir()
    (root / "base/ppml/kms/client.py").write_text("theirs")
    assert of_image.apply().key_client is None


def test_a_plan_reads_no_image(of_image: Any) -> None:
    assert of_image.plan().action is ActionKind.CREATE
    of_image.apply()
    docker = of_image.context.engines.docker
    read = docker.calls
    assert of_image.plan().action is ActionKind.KEEP
    of_image.arguments |= {"base_digest": "sha256:2"}
    assert of_image.plan().action is ActionKind.UPDATE
    assert docker.calls == read


def test_an_image_without_gramine_is_refused(of_image: Any, root: Path) -> None:
    shutil.rmtree(root / "base/usr/local")
    with pytest.raises(InputError) as refused:
        of_image.apply()
    assert str(refused.value) == (
        "error[enclave-not-measurable]: the enclave of the base cannot be measured\n"
        "  is   base:1: nothing in the image tells its version of Gramine\n"
        "  why  what cannot be measured here is not signed\n"
        "  fix  mend /ppml/bash.manifest.template in the base, or what it names"
    )

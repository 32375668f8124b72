"""Every kind of workload, those that are offered and one that is made up here, is seen by every rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field

from ppmlctl.flows.registry import FLOWS, language
from ppmlctl.flows.spark.section import EncryptedFs, Executor
from ppmlctl.protection import Tee
from ppmlctl.spec.defaults import with_defaults
from ppmlctl.spec.environment import Environment
from ppmlctl.spec.finding import Finding
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.kind import Kind
from ppmlctl.spec.rules import check as check_rules
from ppmlctl.spec.size import EpcSize, JvmSize, Size
from ppmlctl.spec.traits import Trait, marked
from ppmlctl.spec.workload import Workload


class Stream(Kind):
    """One that no rule was written for."""

    keeps_secrets: ClassVar[str] = "keep it elsewhere"
    guard: Annotated[Tee, Trait.TEE] = "sgx"
    program: Annotated[str, Trait.PROGRAM]
    options: Annotated[tuple[str, ...], Trait.WORDS] = ()
    surroundings: Annotated[dict[str, str], Trait.VARIABLES] = Field({})
    knobs: Annotated[dict[str, str], Trait.SETTINGS] = Field({})
    manager: Executor = Executor()
    size: Annotated[JvmSize, Trait.MEMORY] = Size("1g")
    pages: Annotated[EpcSize | None, Trait.ENCLAVE_PAGES] = None
    folder: Annotated[EncryptedFs | None, Trait.ENCRYPTED_FOLDER] = None
    where: Literal["here"] = "here"

    @property
    def in_the_open(self) -> None:
        return None

    @property
    def enclosed(self) -> tuple[str, ...]:
        return ("manager",) if self.guard == "sgx" else ()

    @property
    def started_by_entrypoint(self) -> tuple[str, ...]:
        return self.enclosed

    def command_words(self, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        for place, words in marked(self, Trait.WORDS, path):
            yield from (((*place, index), word) for index, word in enumerate(words))


class Streaming(Workload):
    alternatives: ClassVar[tuple[str, ...]] = ("stream",)
    stream: Stream | None = None


class Streams(Environment):
    workloads: tuple[Streaming, ...] = ()


KINDS: dict[str, tuple[type[Environment], type[Kind]]] = {"stream": (Streams, Stream)}
KINDS |= {flow.key: (language().environment, flow.section) for flow in FLOWS}
RULES = {**language().rules, Stream: ()}

BASE: dict[str, Any] = {
    "version": 1,
    "name": "kinds",
    "images": {
        "builder": "oci",
        "base": {"rootfs": "base"},
        "custom": {"name": "a", "tag": "1", "enclave_size": "4G"},
    },
    "kms": {"ehsm": {"url": "https://kms:9000"}},
}
SERVICE = {"type": "BigDLRemoteAttestationService", "service": {"url": "https://judge:9875"}}


@pytest.fixture(params=sorted(KINDS), autouse=True)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def environment(name: str, values: dict[str, Any], workload: dict[str, Any] | None = None, **keys: Any) -> Environment:
    model, kind = KINDS[name]
    required = {key: "local:///opt/a.jar" for key, field in kind.model_fields.items() if field.is_required()}
    one = {"name": "one", name: {**required, **values}, **(workload or {})}
    return model.model_validate({**BASE, **keys, "workloads": [one]})


def check(*arguments: Any, **keys: Any) -> list[tuple[str, KeyPath]]:
    return [(finding.code, finding.path) for finding in findings(*arguments, **keys)]


def findings(*arguments: Any, **keys: Any) -> list[Finding]:
    return check_rules(environment(*arguments, **keys), RULES)


def fields(model: type[BaseModel], trait: Trait, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Where a section has fields so marked, by its types."""
    for name, field in model.model_fields.items():
        if trait in field.metadata:
            yield (*path, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, trait, (*path, name))


def at(path: KeyPath, value: Any) -> dict[str, Any]:
    """A mapping that has the value there."""
    return {str(path[0]): at(path[1:], value) if path[1:] else value}


SECRETS: dict[Trait, Any] = {
    Trait.VARIABLES: {"DB_PASSWORD": "hunter2"},
    Trait.SETTINGS: {"spark.example.password": "hunter2"},
    Trait.WORDS: ["--verbose", "--password=hunter2"],
    Trait.PROGRAM: "https://me:hunter2@files.example.com/a.jar",
}


@pytest.mark.parametrize("trait", SECRETS)
def test_a_literal_secret_is_refused_in_every_field_that_may_hold_one(name: str, trait: Trait) -> None:
    places = list(fields(KINDS[name][1], trait))
    assert places or trait is Trait.WORDS  # a server is told nothing but by its settings
    for place in places:
        field = KINDS[name][1].model_fields[str(place[-1])]
        value = SECRETS[trait]
        if not is_free(KINDS[name][1].model_json_schema()["properties"][place[-1]]):
            continue  # the name of a class has no room for one
        if trait is Trait.PROGRAM and "tuple" in str(field.annotation):
            value = [value]
        found = [one.path[: 3 + len(place)] for one in findings(name, at(place, value)) if one.code == "literal-secret"]
        assert found == [("workloads", 0, name, *place)]


def test_every_free_text_of_it_says_what_it_is(name: str) -> None:
    kind = KINDS[name][1]
    schema = kind.model_json_schema()
    unmarked = [
        key
        for key, field in kind.model_fields.items()
        if is_free(schema["properties"][key]) and not any(trait in field.metadata for trait in SECRETS)
    ]
    assert unmarked == []


def is_free(schema: dict[str, Any]) -> bool:
    """Whether any text may stand there."""
    if schema.get("type") == "string":
        return not {"pattern", "enum", "const", "format"} & schema.keys()
    below = [schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", [])]
    return any(is_free(one) for one in below if isinstance(one, dict))


def test_a_domain_is_judged_by_who_can_judge_it(name: str) -> None:
    (place,) = fields(KINDS[name][1], Trait.TEE)
    path = ("workloads", 0, name, *place)
    by_ehsm = check(name, at(place, "tdx"), attestation={"enabled": True})
    assert ("tdx-needs-attestation-service", path) in by_ehsm
    by_enclaves = check(name, at(place, "tdx"), attestation={"enabled": True, **SERVICE})
    assert ("policy-of-other-tee", path) in by_enclaves
    without_devices = check(name, {}, attestation={"enabled": True}, cluster={"sgx": {"device_plugin": "none"}})
    assert "attestation-needs-devices" in dict(without_devices)


def test_it_ends_at_a_deadline(name: str) -> None:
    assert with_defaults(environment(name, {})).workloads[0].deadline.seconds > 0
    refused = check(name, {}, {"deadline": "0s"})
    assert ("deadline-out-of-range", ("workloads", 0, "deadline")) in refused


def test_its_sizes_fit_its_enclaves_and_follow_from_them(name: str) -> None:
    kind = KINDS[name][1]
    (pages,) = fields(kind, Trait.ENCLAVE_PAGES)
    assert ("epc-below-enclave", ("workloads", 0, name, *pages)) in check(name, at(pages, "1G"))
    for place in fields(kind, Trait.HEAP):
        found = check(name, at(place, "8g"))
        assert ("heap-exceeds-enclave", ("workloads", 0, name, *place)) in found
    (made,) = (workload.kind for workload in with_defaults(environment(name, {})).workloads)
    assert {str(heap) for _, heap in marked(made, Trait.HEAP)} == {"2g"}
    assert [str(size) for _, size in marked(made, Trait.ENCLAVE_PAGES)] == ["4G"]


def test_an_encrypted_folder_needs_an_enclave_and_a_key(name: str) -> None:
    (place,) = fields(KINDS[name][1], Trait.ENCRYPTED_FOLDER)
    path = ("workloads", 0, name, *place)
    found = check(name, at(place, {"data_key": "none"}), cluster={"sgx": {"device_plugin": "none"}})
    assert ("encrypted-fs-needs-enclave", path) in found
    assert ("unknown-data-key", (*path, "data_key")) in found


def test_no_variable_undoes_what_a_key_says(name: str) -> None:
    (place,) = fields(KINDS[name][1], Trait.VARIABLES)
    found = check(name, at(place, {"SGX_ENABLED": "false", "ATTESTATION_DEBUG": "true"}))
    assert ("env-has-key", ("workloads", 0, name, *place, "SGX_ENABLED")) in found
    assert ("attestation-undone", ("workloads", 0, name, *place, "ATTESTATION_DEBUG")) in found


def test_its_words_reach_the_enclave_as_they_are(name: str) -> None:
    for place in fields(KINDS[name][1], Trait.WORDS):
        assert ("shell-in-word", ("workloads", 0, name, *place, 0)) in check(name, at(place, ["*.txt"]))

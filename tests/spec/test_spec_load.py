import json
import shutil
import tempfile
from collections.abc import Iterator
from copy import copy as copy_of
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.flows.registry import load
from ppmlctl.spec import Loaded, Size, parse_yaml

HERE = Path(__file__).parent
HEAD = "version: 1\nname: trusted\n"
IMAGES = 'images:\n  base: {reference: "base:1"}\n  custom: {name: ppml/custom, enclave_size: 16G}\n'

QUICKSTART = """\
version: 1
name: quickstart
target: sandbox
images:
  base: {rootfs: ./base}
  custom: {name: ppml/quickstart, tag: "1", enclave_size: 2G}
kms: {ehsm: {}}
keys: {}
attestation: {enabled: true}
workloads:
  - name: spark-pi
    spark:
      main_class: org.apache.spark.examples.SparkPi
      application: local://${SPARK_HOME}/examples/jars/spark-examples_2.12-${SPARK_VERSION}.jar
      arguments: [100]
"""


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _load(text: str, **variables: str) -> Loaded:
    Path("ppml.yaml").write_text(text)
    return load(Path("ppml.yaml"), variables=variables)


def _case(source: Path) -> str:
    shutil.copy(source, "ppml.yaml")
    return source.with_suffix(".txt").read_text().rstrip("\n")


@pytest.mark.parametrize("source", sorted((HERE / "faults").glob("*.yaml")), ids=lambda path: path.stem)
def test_each_fault_is_said_in_these_words(source: Path) -> None:
    expected = _case(source)
    with pytest.raises(InputError) as caught:
        load(Path("ppml.yaml"))
    assert str(caught.value) == expected


@pytest.mark.parametrize("source", sorted((HERE / "warnings").glob("*.yaml")), ids=lambda path: path.stem)
def test_each_warning_is_said_in_these_words(source: Path) -> None:
    expected = _case(source)
    warnings = load(Path("ppml.yaml")).warnings
    assert "\n".join(line for warning in warnings for line in warning.lines()) == expected


@pytest.mark.parametrize("source", sorted(HERE.glob("faults/*.yaml")), ids=lambda path: path.stem)
def test_no_message_tells_a_secret_that_stands_in_the_wrong_place(source: Path) -> None:
    assert "hunter2" not in source.with_suffix(".txt").read_text()


def test_a_quickstart_of_fifteen_lines_has_everything() -> None:
    Path("base").mkdir()
    loaded = _load(QUICKSTART)
    environment = loaded.environment
    spark = environment.workloads[0].spark
    assert loaded.warnings == ()
    assert environment.images is not None
    assert environment.images.builder == "oci"
    assert environment.keys is not None
    assert environment.keys.tls.common_name == "quickstart"
    assert environment.keys.password.generate
    assert environment.kms is not None
    assert environment.kms.ehsm.url == "https://ehsm.sandbox:9000"
    assert spark is not None
    assert spark.arguments == ("100",)
    assert (str(spark.driver.jvm_memory), str(spark.executor.jvm_memory)) == ("1g", "1g")
    assert spark.epc_request == Size("2G")
    assert spark.security.model_dump() == dict.fromkeys(("rpc_auth", "rpc_encryption", "io_encryption", "tls"), True)


def test_the_least_file_makes_nothing() -> None:
    environment = _load(HEAD).environment
    sections = (environment.images, environment.keys, environment.kms, environment.pccs, environment.site)
    assert sections == (None, None, None, None, None)
    assert environment.workloads == ()
    assert not environment.attestation.enabled


def test_what_is_dumped_has_the_names_and_spellings_of_the_file() -> None:
    text = HEAD + IMAGES + "kms: {ehsm: {url: https://e, register: false}}\n"
    workload = (
        "workloads: [{name: a, deadline: 90s, spark: {application: x, epc_request: 32Gi, driver: {memory: 8g}}}]\n"
    )
    dumped = _load(text + workload).environment.model_dump()
    assert dumped["kms"]["ehsm"]["register"] is False
    assert dumped["images"]["custom"]["enclave_size"] == "16G"
    assert dumped["workloads"][0]["deadline"] == "90s"
    assert dumped["workloads"][0]["spark"]["driver"]["memory"] == "8g"
    assert dumped["workloads"][0]["spark"]["epc_request"] == 32 << 30


def test_a_number_where_text_is_wanted_is_taken_as_it_is_spelt() -> None:
    text = HEAD + "enclave: {gramine: 1.5}\n" + IMAGES.replace("ppml/custom", "ppml/custom, tag: 1.10")
    text += (
        "workloads: [{name: a, spark: {application: x, arguments: [1e3, true, 0x10], env: {A: 4}, conf: {b: 0.60}}}]\n"
    )
    environment = _load(text).environment
    assert environment.images is not None
    spark = environment.workloads[0].spark
    assert spark is not None
    assert environment.enclave.gramine == "1.5"
    assert environment.images.custom.tag == "1.10"
    assert spark.arguments == ("1e3", "true", "0x10")
    assert (spark.env, spark.conf) == ({"A": "4"}, {"b": "0.60"})


def test_variables_are_evaluated_whatever_their_order_and_keep_their_types() -> None:
    text = HEAD + (
        'vars: {tag: "{{ release }}-x", release: "2.3", port: 8043, hosts: [a, "{{ tag }}"], on: true}\n'
        'client: {driver_port: "{{ port + 1 }}"}\n'
        'attestation: {require_success: "{{ on }}"}\n'
        'docker: {proxy: {no_proxy: "{{ hosts }}"}}\n'
        'cluster: {context: "{{ tag }} of {{ port }}"}\n'
    )
    environment = _load(text).environment
    assert environment.vars["hosts"] == ["a", "2.3-x"]
    assert environment.client.driver_port == 8044
    assert environment.attestation.require_success is True
    assert environment.docker.proxy is not None
    assert environment.docker.proxy.no_proxy == ("a", "2.3-x")
    assert environment.cluster.context == "2.3-x of 8043"


def test_an_integer_from_an_expression_serves_as_text() -> None:
    text = HEAD + IMAGES + 'vars: {n: 3000}\nworkloads: [{name: a, spark: {application: x, arguments: ["{{ n }}"]}}]\n'
    spark = _load(text).environment.workloads[0].spark
    assert spark is not None
    assert spark.arguments == ("3000",)


def test_a_section_may_be_left_out_by_an_expression() -> None:
    assert _load(HEAD + 'vars: {nothing: null}\npccs: "{{ nothing }}"\n').environment.pccs is None


def test_variables_of_the_command_line_take_the_type_of_what_is_declared() -> None:
    text = (
        HEAD
        + 'vars: {release: "1", port: 1}\nclient: {driver_port: "{{ port }}"}\ncluster: {context: "{{ release }}"}\n'
    )
    environment = _load(text, release="2", port="8043").environment
    assert (environment.cluster.context, environment.client.driver_port) == ("2", 8043)


def test_a_variable_of_the_command_line_must_be_declared() -> None:
    with pytest.raises(InputError) as caught:
        _load(HEAD + "vars: {release: 1}\n", relase="2")
    assert str(caught.value) == (
        "error[undefined-variable]: a variable is not declared\n  is   --var relase\n  fix  did you mean `release`?"
    )


def test_a_long_chain_of_variables_is_no_recursion() -> None:
    chain = "".join(f'  v{n}: "{{{{ v{n + 1} }}}}"\n' for n in range(3000))
    assert _load(f"{HEAD}vars:\n{chain}  v3000: end\n").environment.vars["v0"] == "end"


def test_one_mistake_in_a_variable_is_one_error() -> None:
    with pytest.raises(InputError) as caught:
        _load(
            HEAD + 'vars: {a: "{{ b.c }}", b: {}}\nclient: {driver_port: "{{ a }}"}\ncluster: {namespace: "{{ a }}"}\n'
        )
    assert [d.code for d in caught.value.diagnostics] == ["wrong-expression"]


def test_paths_begin_at_the_folder_of_the_file() -> None:
    folder = Path("deep")
    (folder / "base").mkdir(parents=True)
    (folder / "ppml.yaml").write_text(QUICKSTART)
    assert load(folder / "ppml.yaml").folder == folder


VALID = parse_yaml((HERE.parents[1] / "examples/reference/cluster.yaml").read_text(), shown_as="f").value
ODD: list[object] = [None, True, 0, -1, 1.5, "", "x y", "{{ release }}", "{{ nothing }}", "{{", [], {}, [[]], {"a": {}}]


def _paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict | list):
        for step, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _paths(member, (*path, step))


def _with(value: Any, path: tuple[str | int, ...], wrong: object) -> Any:
    if not path:
        return wrong
    copy = copy_of(value)
    copy[path[0]] = _with(value[path[0]], path[1:], wrong)
    return copy


def _faults(data: object) -> tuple[Diagnostic, ...]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ppml.yaml"
        file.write_text(json.dumps(data))
        try:
            load(file)
        except InputError as error:
            return error.diagnostics
    return ()


@given(st.sampled_from(sorted(_paths(VALID), key=str)[1:]), st.sampled_from(ODD))
def test_whatever_stands_at_any_key_gives_an_environment_or_faults_with_places(
    path: tuple[str | int, ...], odd: object
) -> None:
    assert all(fault.at for fault in _faults(_with(VALID, path, odd)))


@pytest.mark.parametrize(
    ("asked", "image"),
    [
        ("{}", "reference-8g:2.3.0-SNAPSHOT"),
        ("{tag: latest}", "reference:latest"),
        ("{size: 16g, log: all}", "reference-16g-all:2.3.0-SNAPSHOT"),
        ("{size: 64g, log: all}", "reference-64g-all:2.3.0-SNAPSHOT"),
        ("{size: 4g, attestation: none}", "noattest-4g:2.3.0-SNAPSHOT"),
    ],
)
def test_the_catalogue_names_the_images_of_the_guide(asked: str, image: str, tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_text(f"version: 1\nname: demo\nimages: {{catalogue: {asked}}}\n")
    images = load(tmp_path / "ppml.yaml").environment.images
    assert images is not None
    name = f"intelanalytics/bigdl-ppml-trusted-bigdata-gramine-{image}"
    assert f"{images.signed.name}:{images.signed.tag}" == name


def test_latest_is_there_in_one_shape_alone(tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_text("version: 1\nname: demo\nimages: {catalogue: {size: 16g, tag: latest}}\n")
    with pytest.raises(InputError, match=r"is   \{size: 16g, log: error, attestation: dcap, tag: latest\}"):
        load(tmp_path / "ppml.yaml")

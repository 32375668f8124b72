"""`workloads[].spark`: one submission of an application to Spark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field

from ppmlctl.protection import Tee
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.kind import InTheOpen, Kind
from ppmlctl.spec.names import Boolean, Integer, JavaClass, Label, VariableName
from ppmlctl.spec.section import Section, refusal
from ppmlctl.spec.size import EpcSize, JvmSize, Size
from ppmlctl.spec.traits import Trait

if TYPE_CHECKING:
    from ppmlctl.spec.environment import Environment

IMAGE_VARIABLES = ("SPARK_HOME", "SPARK_VERSION", "BIGDL_HOME")
"""What may stand as ${NAME} in a location: set in the image's configuration, so no shell is asked."""

_VARIABLE = re.compile(r"\$\{?(\w*)\}?")
_FILLED_IN = re.compile(r"\$\{\w+\}")
_OF_PROCESSES = re.compile(r"spark\.(kubernetes\.driverEnv|executorEnv|kubernetes\.(driver|executor)\.secretKeyRef)\.")
"""Settings that set a variable of the driver or of executors."""
_OF_EXECUTORS = re.compile(r"spark\.executor\.(extra|default)JavaOptions")
"""Settings that are words of the executors' command; the driver's are in a file, where its pod is not the client."""


def _word(text: str) -> str:
    if not text or re.search(r"\s", text):
        why = "the image splits the command that runs in the enclave at blanks"
        fix = "put the value into a file that the application reads"
        found = f"{len(text.split())} words"
        raise refusal(
            "blank-in-word", "a word of the submission is empty or holds a blank", found=found, why=why, fix=fix
        )
    return text


def _location(text: str) -> str:
    if text.startswith("-") or "," in text:
        why = "spark-submit takes a - at the start for an option, and a comma for the end of a location"
        fix = "name one file, as local:///path or a URL; rename it if need be"
        raise refusal("wrong-location", "a location has a wrong form", found=text, why=why, fix=fix)
    for name in _VARIABLE.findall(text):
        if name not in IMAGE_VARIABLES or f"${{{name}}}" not in text:
            fix = f"only ${{{'}, ${'.join(IMAGE_VARIABLES)}}} are offered, in braces"
            raise refusal("unknown-image-variable", "a location names an unknown variable", found=text, fix=fix)
    return text


Word = Annotated[str, AfterValidator(_word)]
"""One word of a command line."""

Location = Annotated[str, AfterValidator(_word), AfterValidator(_location)]
"""A file as Spark finds it: `local://` in the image, or a URL of a shared file system."""


class Process(Section):
    """`driver` and `executor`"""

    memory: Annotated[JvmSize, Trait.MEMORY] = Field(
        Size("1g"), description="Spark's memory setting: the pod's request, before the overhead."
    )
    cores: Integer = Field(1, description="CPU cores.", ge=1, le=1024)
    jvm_memory: Annotated[JvmSize | None, Trait.HEAP] = Field(
        None,
        description="Heap of the JVM inside the enclave. In driver pods and executors 1g or more: images start Java "
        "there with -Xms1G. Default: half of the enclave's size.",
    )


class Executor(Process):
    """`executor`"""

    instances: Integer = Field(1, description="Number of executors.", ge=1, le=10000)


class Security(Section):
    """`security`. Each is on by default where `keys` is declared, and off where not."""

    rpc_auth: Boolean | None = Field(None, description="Authenticates Spark's own connections.")
    rpc_encryption: Boolean | None = Field(None, description="Encrypts them; needs rpc_auth.")
    io_encryption: Boolean | None = Field(None, description="Encrypts what Spark writes to local disks.")
    tls: Boolean | None = Field(None, description="TLS for Spark's web pages.")


class EncryptedFs(Section):
    """`encrypted_fs`"""

    data_key: Label = Field(description="The key of `kms.ehsm.data_keys` that opens it, inside the enclave alone.")


class OnSpark(Kind):
    """What every kind has whose processes are a driver of Spark's and its executors."""

    keeps_secrets: ClassVar[str] = (
        "keep it in a Kubernetes secret and say `spark.kubernetes.driver.secretKeyRef.NAME: secret:key` in `conf`"
    )

    tee: Annotated[Tee, Trait.TEE] = Field(
        "sgx",
        description="What protects it: sgx (an enclave in each process), or tdx (the nodes are trust domains; mode "
        "cluster only).",
    )
    jars: Annotated[tuple[Location, ...], Trait.PROGRAM] = Field((), description="More jars for driver and executors.")
    env: Annotated[dict[VariableName, str], Trait.VARIABLES] = Field(
        {}, description="Environment of driver and executors; no secrets."
    )
    driver: Process = Field(Process(), description="The driver.")
    executor: Executor = Field(Executor(), description="The executors.")
    epc_request: Annotated[EpcSize | None, Trait.ENCLAVE_PAGES] = Field(
        None, description="Enclave page cache that each pod asks for. Default: the enclave's size; less is an error."
    )
    security: Security = Field(Security(), description="Spark's own authentication and encryption.")
    encrypted_fs: Annotated[EncryptedFs | None, Trait.ENCRYPTED_FOLDER] = Field(
        None,
        description="Makes /ppml/encrypted-fsd an encrypted folder of driver and executors, kept in `encrypted-fsd` of "
        "their shared data.",
    )
    conf: Annotated[dict[Word, Word], Trait.SETTINGS] = Field({}, description="More settings of Spark.")

    @property
    def processes(self) -> tuple[str, ...]:
        """Fields with those that there are."""
        return ("driver", "executor")

    def with_defaults(self, environment: Environment) -> Self:
        return self.model_copy(update={"security": Security(**security_of(self, environment))})

    def variables(self, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        """Settings set variables too."""
        yield from super().variables(path)
        for setting in self.conf:
            if found := _OF_PROCESSES.match(setting):
                yield (*path, "conf", setting), setting[found.end() :]

    def jar_words(self, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        """Variables of locations are filled in before."""
        for index, jar in enumerate(self.jars):
            yield (*path, "jars", index), _FILLED_IN.sub("", jar)


class Spark(OnSpark):
    """`spark`"""

    own_words: ClassVar[tuple[str, ...]] = ("SparkSubmit", "--class", "--conf", "spark-submit")

    mode: Literal["local", "local-sgx", "client", "cluster"] = Field(
        "cluster", description="Where the driver runs: in the client (local, client), the client's enclave, or a pod."
    )
    main_class: Annotated[JavaClass | None, Trait.PROGRAM] = Field(
        None, description="Class to start; none for Python applications."
    )
    application: Annotated[Location, Trait.PROGRAM] = Field(description="The application: a jar or a Python file.")
    arguments: Annotated[tuple[Word, ...], Trait.WORDS] = Field((), description="The application's arguments.")

    @property
    def processes(self) -> tuple[str, ...]:
        return ("driver", "executor") if self.mode in {"client", "cluster"} else ("driver",)

    @property
    def in_the_open(self) -> InTheOpen | None:
        """In local mode the driver is all there is, outside of the client's enclave."""
        return InTheOpen("mode", "say `mode: local-sgx`, `client` or `cluster`") if self.mode == "local" else None

    @property
    def enclosed(self) -> tuple[str, ...]:
        if self.tee == "tdx" or self.mode == "local":
            return ()
        return ("driver",) if self.mode == "local-sgx" else ("driver", "executor")

    @property
    def started_by_entrypoint(self) -> tuple[str, ...]:
        """A driver that submits is started without it."""
        return tuple(name for name in self.enclosed if name == "executor" or self.mode == "cluster")

    @property
    def expected_log(self) -> str | None:
        """What Spark's own example says in the end."""
        return "Pi is roughly" if self.main_class == "org.apache.spark.examples.SparkPi" else None

    def command_words(self, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        """Variables of locations are filled in before; in cluster mode the driver's settings are in a file."""
        if self.main_class:
            yield (*path, "main_class"), self.main_class
        yield (*path, "application"), _FILLED_IN.sub("", self.application)
        for index, argument in enumerate(self.arguments):
            yield (*path, "arguments", index), argument
        yield from self.jar_words(path)
        for name, value in self.conf.items():
            if self.mode != "cluster" or _OF_EXECUTORS.fullmatch(name):
                yield (*path, "conf", name), value


def security_of(spark: OnSpark, environment: Environment) -> dict[str, bool]:
    """Spark's security settings, each as said, or on where there are keys for it."""
    said = {name: getattr(spark.security, name) for name in Security.model_fields}
    return {name: environment.keys is not None if value is None else value for name, value in said.items()}

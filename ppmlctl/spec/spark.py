"""`workloads[].spark`: one submission of an application to Spark."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ppmlctl.protection import Tee
from ppmlctl.spec.names import Boolean, Integer, JavaClass, Label, VariableName
from ppmlctl.spec.section import Section, refusal
from ppmlctl.spec.size import EpcSize, JvmSize, Size

IMAGE_VARIABLES = ("SPARK_HOME", "SPARK_VERSION", "BIGDL_HOME")
"""What may stand as ${NAME} in a location: set in the image's configuration, so no shell is asked."""

_VARIABLE = re.compile(r"\$\{?(\w*)\}?")


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

    memory: JvmSize = Field(Size("1g"), description="Spark's memory setting: the pod's request, before the overhead.")
    cores: Integer = Field(1, description="CPU cores.", ge=1, le=1024)
    jvm_memory: JvmSize | None = Field(
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


class Spark(Section):
    """`spark`"""

    mode: Literal["local", "local-sgx", "client", "cluster"] = Field(
        "cluster", description="Where the driver runs: in the client (local, client), the client's enclave, or a pod."
    )
    tee: Tee = Field(
        "sgx",
        description="What protects it: sgx (an enclave in each process), or tdx (the nodes are trust domains; mode "
        "cluster only).",
    )
    main_class: JavaClass | None = Field(None, description="Class to start; none for Python applications.")
    application: Location = Field(description="The application: a jar or a Python file.")
    arguments: tuple[Word, ...] = Field((), description="The application's arguments.")
    jars: tuple[Location, ...] = Field((), description="More jars for driver and executors.")
    env: dict[VariableName, str] = Field({}, description="Environment of driver and executors; no secrets.")
    driver: Process = Field(Process(), description="The driver.")
    executor: Executor = Field(Executor(), description="The executors.")
    epc_request: EpcSize | None = Field(
        None, description="Enclave page cache that each pod asks for. Default: the enclave's size; less is an error."
    )
    security: Security = Field(Security(), description="Spark's own authentication and encryption.")
    encrypted_fs: EncryptedFs | None = Field(
        None,
        description="Makes /ppml/encrypted-fsd an encrypted folder of driver and executors, kept in `encrypted-fsd` of "
        "their shared data.",
    )
    conf: dict[Word, Word] = Field({}, description="More settings of Spark.")

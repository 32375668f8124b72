"""`workloads[].announcement`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from ppmlctl.protection import Tee
from ppmlctl.spec.key_path import KeyPath
from ppmlctl.spec.kind import InTheOpen, Kind
from ppmlctl.spec.names import VariableName
from ppmlctl.spec.section import Section
from ppmlctl.spec.size import EpcSize, JvmSize, Size
from ppmlctl.spec.traits import Trait, marked


class Speaker(Section):
    """`speaker`"""

    memory: Annotated[JvmSize, Trait.MEMORY] = Field(Size("1g"), description="Memory.")
    heap: Annotated[JvmSize | None, Trait.HEAP] = Field(None, description="Heap in the enclave.")


class Folder(Section):
    """`folder`"""

    data_key: str = Field(description="The key of `kms.ehsm.data_keys` that opens it.")


class Announcement(Kind):
    """`announcement`"""

    keeps_secrets: ClassVar[str] = "leave it out"

    words: Annotated[tuple[str, ...], Trait.WORDS] = Field((), description="What is said.")
    program: Annotated[str, Trait.PROGRAM] = Field("echo", description="Who says it.")
    tee: Annotated[Tee, Trait.TEE] = Field("sgx", description="What protects it.")
    env: Annotated[dict[VariableName, str], Trait.VARIABLES] = Field({}, description="Its variables.")
    settings: Annotated[dict[str, str], Trait.SETTINGS] = Field({}, description="Its settings.")
    speaker: Speaker = Field(Speaker(), description="The process.")
    pages: Annotated[EpcSize | None, Trait.ENCLAVE_PAGES] = Field(None, description="Enclave page cache.")
    folder: Annotated[Folder | None, Trait.ENCRYPTED_FOLDER] = Field(None, description="An encrypted folder.")

    @property
    def in_the_open(self) -> InTheOpen | None:
        return None

    @property
    def enclosed(self) -> tuple[str, ...]:
        return ("speaker",) if self.tee == "sgx" else ()

    @property
    def started_by_entrypoint(self) -> tuple[str, ...]:
        return self.enclosed

    def command_words(self, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
        for place, words in marked(self, Trait.WORDS, path):
            yield from (((*place, index), word) for index, word in enumerate(words))

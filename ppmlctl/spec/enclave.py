"""`enclave:` who signs the enclave, and what is refused before signing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ppmlctl.spec.names import FilePath
from ppmlctl.spec.section import Section


class Signer(Section):
    """`enclave.signer`"""

    key: FilePath = Field(
        "keys/enclave-key.pem",
        description="RSA-3072 key with exponent 3 in PEM. Made (0600) when absent, unless the lockfile knows another.",
    )


class Enclave(Section):
    """`enclave`"""

    signer: Signer = Field(Signer(), description="Who signs the enclave.")
    gramine: Literal["auto", "1.3.1", "1.5", "1.7", "1.9"] = Field(
        "auto", description="Gramine's version in the image; auto finds it by the loader's content."
    )
    measure: Literal["verify", "trust"] = Field(
        "verify",
        description="verify: MRENCLAVE is computed here, and another value is not signed. trust: it is signed.",
    )
    debug: Literal["forbid", "allow"] = Field(
        "forbid", description="Whether an enclave with the debug flag may be signed."
    )
    findings: dict[str, Literal["ignore", "warn", "error"]] = Field(
        {},
        description="What a finding in the manifest means, by its name: any insecure__… setting, allowed_files (that "
        "cover code), env_passthrough, file_check_policy, sgx_debug. Without a word, warn.",
    )

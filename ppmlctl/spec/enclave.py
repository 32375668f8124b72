"""`enclave:` who signs the enclave, and what is refused before signing."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ppmlctl.spec.duration import Duration
from ppmlctl.spec.names import Argument, FilePath
from ppmlctl.spec.section import Choice, Section

DEFAULT_KEY = "enclave-key.pem"
"""In the folder of keys."""


class Signer(Choice):
    """`enclave.signer`: a key file, or a command that asks whoever holds the key; neither means the default file."""

    alternatives: ClassVar[tuple[str, ...]] = ("key", "command")
    may_be_empty: ClassVar[bool] = True

    key: FilePath | None = Field(
        None,
        description="RSA-3072 key with exponent 3 in PEM. Made (0600) when absent, unless the lockfile knows another. "
        f"Default: {DEFAULT_KEY} in `keys.folder`.",
    )
    command: tuple[Argument, ...] | None = Field(
        None,
        description="Program and arguments of an external signer, run without a shell in ppml.yaml's folder: the 256 "
        "bytes to sign on its standard input, a raw RSASSA-PKCS1-v1_5 SHA-256 signature (384 bytes, big-endian) on its "
        "standard output. No secrets in it.",
        min_length=1,
    )
    public_key: FilePath | None = Field(None, description="Public key of `command`, in PEM.")
    time_limit: Duration = Field(Duration("60s"), description="How long `command` may take.")


class Enclave(Section):
    """`enclave`"""

    signer: Signer = Field(Signer(), description="Who signs the enclave.")
    gramine: Literal["auto", "1.3.1", "1.5", "1.7", "1.9"] = Field(
        "auto", description="Gramine's version in the image; auto finds it by the loader's content."
    )
    manifest: Literal["here", "build"] = Field(
        "here",
        description="Who makes the manifest that is measured: ppmlctl, from the base's template and Makefile; or "
        "`make` in a build on the base with a throw-away key (builder: docker), whose result is checked here.",
    )
    measure: Literal["verify", "trust"] = Field(
        "verify",
        description="verify: MRENCLAVE is computed here, and an image or a build that says another value is refused. "
        "trust: what it says is taken.",
    )
    debug: Literal["forbid", "allow"] = Field(
        "forbid", description="Whether an enclave with the debug flag may be signed."
    )
    findings: dict[str, Literal["ignore", "warn", "error"]] = Field(
        {},
        description="What a finding in the manifest means, by its name: any insecure__… setting, allowed_files (that "
        "cover code), env_passthrough, file_check_policy, sgx_debug. Without a word, warn.",
    )

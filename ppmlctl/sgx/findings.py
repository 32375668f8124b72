"""What in a manifest makes its enclave unusable or its measurement say less than it seems to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.manifest import enclave_settings, is_power_of_two, sgx_table

_WHY_INSECURE = {
    "insecure__use_cmdline_argv": "the host chooses the arguments of the program, and MRENCLAVE does not show it",
    "insecure__use_host_env": "the host sets environment variables of the program, and MRENCLAVE does not show it",
    "insecure__disable_aslr": "attackers know where everything lies in the enclave's memory",
    "insecure__enclave_log_level": "log lines may carry data out of the enclave",
}
_WHY_ANY_INSECURE = "Gramine itself calls this setting insecure"
_FOUND_POLICY = 'sgx.file_check_policy = "allow_all_but_log"'


@dataclass(frozen=True)
class Finding:
    """One weakness. `name` is the key under which ppml.yaml's `enclave.findings` decides about it."""

    name: str
    found: str
    why: str


def findings(manifest: Mapping[str, object], version: GramineVersion) -> tuple[Finding, ...]:
    """All weaknesses in the order of their importance. Raises ManifestError."""
    return tuple(_findings(manifest, version))


def _findings(manifest: Mapping[str, object], version: GramineVersion) -> Iterator[Finding]:
    settings, sgx = enclave_settings(manifest, version), sgx_table(manifest)
    if not is_power_of_two(settings.enclave_size):
        found = f"sgx.enclave_size is {settings.enclave_size} bytes"
        yield Finding("enclave_size", found, "the CPU takes only powers of two; Gramine's signing tool does not say so")
    if settings.attributes.is_debug:
        yield Finding("sgx_debug", "sgx.debug is on", "a debugger can read the enclave: it protects nothing")
    if sgx.get("file_check_policy") == "allow_all_but_log":
        why = "every file of the host may be opened, so MRENCLAVE does not cover what the program reads"
        yield Finding("file_check_policy", _FOUND_POLICY, why)
    for table, key in _insecure_keys(manifest):
        yield Finding(key, f"{table}.{key} is on", _WHY_INSECURE.get(key, _WHY_ANY_INSECURE))


def _insecure_keys(manifest: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for table, members in manifest.items():
        if isinstance(members, Mapping):
            yield from ((table, key) for key, value in members.items() if key.startswith("insecure__") and value)

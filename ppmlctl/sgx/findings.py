"""What in a manifest makes its enclave unusable or its measurement say less than it seems to.

Source: "Manifest syntax" of Gramine's documentation at v1.3.1 to v1.9; Intel SDM Vol. 3D, ECREATE.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ppmlctl.sgx.gramine import GramineVersion
from ppmlctl.sgx.manifest import enclave_settings, is_power_of_two, sgx_table
from ppmlctl.sgx.toml_places import Place, Places

INSECURE = "insecure__"
"""How the names of settings begin that Gramine itself calls insecure; each is the name of its finding."""

NAMES = ("enclave_size", "sgx_debug", "file_check_policy", "allowed_files", "env_passthrough")
"""Names of findings that are no setting's own name."""

_WHY_INSECURE = {
    "insecure__use_cmdline_argv": "the host chooses the arguments of the program, and MRENCLAVE does not show it",
    "insecure__use_host_env": "the host sets environment variables of the program, and MRENCLAVE does not show it",
    "insecure__disable_aslr": "attackers know where everything lies in the enclave's memory",
    "insecure__enclave_log_level": "log lines may carry data out of the enclave",
    "insecure__allow_eventfd": "the host can forge or swallow the events that the program waits for",
    "insecure__rpc_thread_num": "threads outside of the enclave make its system calls, a way that was never reviewed",
    "insecure__keys": "the key of encrypted files stands in the manifest, where everyone with the image reads it",
    "insecure__protected_files_key": "the key of encrypted files stands in the manifest, where everyone reads it",
}
_WHY_ANY_INSECURE = "Gramine itself calls this setting insecure"
_FOUND_POLICY = 'sgx.file_check_policy = "allow_all_but_log"'

_LIBRARIES = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec")
_CODE_FOLDERS = ("/opt", *(f"{prefix}/{name}" for prefix in ("", "/usr", "/usr/local") for name in _LIBRARIES))
"""Where programs and libraries lie (FHS 3.0)."""
_CODE_ENDING = re.compile(r"\.(so(\.[0-9]+)*|jar|class|py|pyc|pyz|sh|pl|rb|js|wasm)$")


@dataclass(frozen=True)
class Finding:
    """One weakness. `name` is the key under which ppml.yaml's `enclave.findings` decides about it."""

    name: str
    found: str
    why: str
    key: tuple[str, ...] = field(default=(), compare=False)
    """The key in the manifest, and the text in its value, by which `place` finds it."""
    text: str | None = field(default=None, compare=False)

    def place(self, places: Places) -> Place | None:
        """Where it stands in the manifest or in the template it came from; None where a default is to blame."""
        return places.of(self.key, self.text)


def findings(manifest: Mapping[str, object], version: GramineVersion) -> tuple[Finding, ...]:
    """All weaknesses in the order of their importance. Raises ManifestError."""
    return tuple(_findings(manifest, version))


def _findings(manifest: Mapping[str, object], version: GramineVersion) -> Iterator[Finding]:
    settings, sgx = enclave_settings(manifest, version), sgx_table(manifest)
    if not is_power_of_two(settings.enclave_size):
        found = f"sgx.enclave_size is {settings.enclave_size} bytes"
        why = "the CPU takes only powers of two; Gramine's signing tool does not say so"
        yield Finding("enclave_size", found, why, ("sgx", "enclave_size"))
    if settings.attributes.is_debug:
        why = "a debugger can read the enclave: it protects nothing"
        yield Finding("sgx_debug", "sgx.debug is on", why, ("sgx", "debug"))
    if sgx.get("file_check_policy") == "allow_all_but_log":
        why = "every file of the host may be opened, so MRENCLAVE does not cover what the program reads"
        yield Finding("file_check_policy", _FOUND_POLICY, why, ("sgx", "file_check_policy"))
    yield from _allowed_code(sgx)
    for key in _insecure_keys(manifest, ()):
        yield Finding(key[-1], f"{'.'.join(key)} is on", _WHY_INSECURE.get(key[-1], _WHY_ANY_INSECURE), key)
    yield from _passed_through(manifest)


def _insecure_keys(table: Mapping[str, object], prefix: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        if key.startswith(INSECURE) and value:
            yield (*prefix, key)
        elif isinstance(value, Mapping):
            yield from _insecure_keys(value, (*prefix, key))


def _passed_through(manifest: Mapping[str, object]) -> Iterator[Finding]:
    loader = manifest.get("loader")
    environment = loader.get("env") if isinstance(loader, Mapping) else None
    why = "the host sets this variable of the program, and MRENCLAVE does not show its value"
    for name, value in environment.items() if isinstance(environment, Mapping) else ():
        if isinstance(value, Mapping) and value.get("passthrough") is True:
            found = f"loader.env.{name} is passed through from the host"
            yield Finding("env_passthrough", found, why, ("loader", "env", name))


def _allowed_code(sgx: Mapping[str, object]) -> Iterator[Finding]:
    """Allowed files are neither measured nor hashed: fine for data, not for what the program runs."""
    allowed = sgx.get("allowed_files")
    trusted = [_path(uri) for uri in _uris(sgx.get("trusted_files"))]
    why = "the host may put any code there: the program runs it, and MRENCLAVE does not show it"
    for uri in _uris(allowed):
        path = _path(uri)
        if _holds_code(path) or any(_covers(path, file) for file in trusted):
            found = f"sgx.allowed_files has {uri}, which covers code"
            yield Finding("allowed_files", found, why, ("sgx", "allowed_files"), uri)


def _uris(entries: object) -> Iterator[str]:
    """Also of the form before v1.2, a table of names; and of trusted files, which may be tables."""
    members = entries.values() if isinstance(entries, Mapping) else entries if isinstance(entries, list) else ()
    for member in members:
        uri = member.get("uri") if isinstance(member, Mapping) else member
        if isinstance(uri, str):
            yield uri


def _path(uri: str) -> str:
    return posixpath.normpath(uri.removeprefix("file:") or ".").replace("//", "/")


def _holds_code(path: str) -> bool:
    system = any(_covers(folder, path) or _covers(path, folder) for folder in _CODE_FOLDERS)
    return system or _CODE_ENDING.search(path) is not None


def _covers(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")

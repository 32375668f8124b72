"""Intel SGX as Gramine uses it: SIGSTRUCT, MRENCLAVE, manifests. Pure; the outside is one Protocol, `Tree`.

Three modules are not re-exported, because they load libraries that those who only measure need not pay for:
`ppmlctl.sgx.signing_key` (cryptography), `ppmlctl.sgx.template` and `ppmlctl.sgx.bigdl` (Jinja2). Import these by their
own names.
"""

from __future__ import annotations

from ppmlctl.sgx.attributes import Attributes
from ppmlctl.sgx.comparison import Difference, Enclave, Part, differences
from ppmlctl.sgx.content_tree import ContentTree
from ppmlctl.sgx.detection import DetectedGramine, detect_gramine, places_of_traces
from ppmlctl.sgx.encrypted_mounts import data_key_folders
from ppmlctl.sgx.errors import (
    GramineVersionError,
    LoaderError,
    MakefileError,
    ManifestError,
    MeasurementError,
    SgxError,
    SigningKeyError,
    SigstructError,
    TreeError,
    UndefinedVariableError,
)
from ppmlctl.sgx.findings import Finding, findings
from ppmlctl.sgx.gramine import VERSIONS, GramineVersion, gramine_version
from ppmlctl.sgx.gramine_paths import GraminePaths, find_gramine
from ppmlctl.sgx.layout import Layout, parse_offsets
from ppmlctl.sgx.manifest import EnclaveSettings, enclave_settings, is_power_of_two, parse_size, read_manifest
from ppmlctl.sgx.manifest_expansion import expand_manifest
from ppmlctl.sgx.measurement import Measurement, measure
from ppmlctl.sgx.measurement_cache import MeasurementCache
from ppmlctl.sgx.sigstruct import GivenSignature, Signer, Sigstruct, mr_signer_of
from ppmlctl.sgx.toml_places import Places
from ppmlctl.sgx.tree import Entry, FolderTree, Kind, Tree
from ppmlctl.sgx.trusted_file_check import ChangedFile, changed_trusted_files, trusted_file_paths

__all__ = [
    "VERSIONS",
    "Attributes",
    "ChangedFile",
    "ContentTree",
    "DetectedGramine",
    "Difference",
    "Enclave",
    "EnclaveSettings",
    "Entry",
    "Finding",
    "FolderTree",
    "GivenSignature",
    "GraminePaths",
    "GramineVersion",
    "GramineVersionError",
    "Kind",
    "Layout",
    "LoaderError",
    "MakefileError",
    "ManifestError",
    "Measurement",
    "MeasurementCache",
    "MeasurementError",
    "Part",
    "Places",
    "SgxError",
    "Signer",
    "SigningKeyError",
    "Sigstruct",
    "SigstructError",
    "Tree",
    "TreeError",
    "UndefinedVariableError",
    "changed_trusted_files",
    "data_key_folders",
    "detect_gramine",
    "differences",
    "enclave_settings",
    "expand_manifest",
    "find_gramine",
    "findings",
    "gramine_version",
    "is_power_of_two",
    "measure",
    "mr_signer_of",
    "parse_offsets",
    "parse_size",
    "places_of_traces",
    "read_manifest",
    "trusted_file_paths",
]

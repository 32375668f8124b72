"""What SGX, TDX, attestation and the encrypted folder need of a pod or a container. Pure, and said here alone."""

from ppmlctl.protection.access import (
    AESM_SOCKET,
    NOTHING,
    ROLES,
    TDX_DEVICE,
    Access,
    Device,
    DevicePlugin,
    Role,
    Tee,
    access_of,
)
from ppmlctl.protection.addresses import host_and_port
from ppmlctl.protection.attestation import ATTESTING_ACCOUNT, OF_ENTRYPOINT, Attestation, attestation_environment
from ppmlctl.protection.encrypted_fs import (
    DATA_KEY,
    ENCRYPTED_FOLDER,
    KEY_ACCOUNT,
    KEY_CLIENT,
    KEYS_FOLDER,
    PRIMARY_KEY,
    STORED_FOLDER,
    EncryptedFs,
    encrypted_environment,
    encrypted_variables,
    folder_mounts,
    key_volume,
)
from ppmlctl.protection.in_pods import container_fields, for_playbooks, host_volumes

__all__ = [
    "AESM_SOCKET",
    "ATTESTING_ACCOUNT",
    "DATA_KEY",
    "ENCRYPTED_FOLDER",
    "KEYS_FOLDER",
    "KEY_ACCOUNT",
    "KEY_CLIENT",
    "NOTHING",
    "OF_ENTRYPOINT",
    "PRIMARY_KEY",
    "ROLES",
    "STORED_FOLDER",
    "TDX_DEVICE",
    "Access",
    "Attestation",
    "Device",
    "DevicePlugin",
    "EncryptedFs",
    "Role",
    "Tee",
    "access_of",
    "attestation_environment",
    "container_fields",
    "encrypted_environment",
    "encrypted_variables",
    "folder_mounts",
    "for_playbooks",
    "host_and_port",
    "host_volumes",
    "key_volume",
]

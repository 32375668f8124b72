"""The encrypted folder of driver and executors, which Gramine opens with a data key that EHSM unwraps inside.

The image's `encrypted-fsd.sh` demands the account as `APP_ID` and `API_KEY`; the key client that it starts reads the
same as `APPID` and `APIKEY`, and ends without them. Of the key in base64 it takes 15 characters, which are 90 bits,
whatever the key's length; a newline makes them Gramine's 16. Source: upstream `ppml/base/encrypted-fsd.sh` and
`bash.manifest.template`, `python/ppml/src/bigdl/ppml/kms/ehsm/{client,caller}.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ppmlctl.kubernetes.pod_parts import Manifest, Volumes, of_secret, plain
from ppmlctl.protection.addresses import host_and_port

ENCRYPTED_FOLDER = "/ppml/encrypted-fsd"
STORED_FOLDER = "encrypted-fsd"
"""Below the shared data: what is in it is ciphertext there, and plain below ENCRYPTED_FOLDER in the enclave alone."""
KEYS_FOLDER = "/ppml/encrypted_keys"
PRIMARY_KEY, DATA_KEY = "encrypted_primary_key", "encrypted_data_key"
"""Files below KEYS_FOLDER and keys of a data key's Secret: the id of the key that wraps, and the wrapped one."""
KEY_CLIENT = "/ppml/kms/client.py"
"""What the script starts to have the data key unwrapped. No image of BigDL's is known to have it."""
KEY_ACCOUNT = {"APP_ID": "app_id", "API_KEY": "api_key", "APPID": "app_id", "APIKEY": "api_key"}
"""Variables with the account, and where its Secret has each."""


@dataclass(frozen=True)
class EncryptedFs:
    """What opens the encrypted folder: EHSM (`url` is host:port), and the Secrets with its account and the data key."""

    url: str
    account: str
    secret: str
    data_key: str = ""
    """Its name, for people and for the client container's folders."""
    ca: str | None = None
    """PEM text of the certificates by which EHSM is trusted; or `fingerprint`, the SHA-256 of its own, in hex digits;
    or, `insecure`, nothing. Else the image's authorities are."""
    fingerprint: str | None = None
    insecure: bool = False


def encrypted_variables(encrypted: EncryptedFs, keys_folder: str = KEYS_FOLDER) -> dict[str, str]:
    """What `encrypted-fsd.sh` reads, without the account. EHSM's port is never left to upstream's default, 3000.

    By what EHSM is trusted is read by our own key client alone.
    """
    host, port = host_and_port(encrypted.url)
    trust = {
        "PPMLCTL_EHSM_CA": encrypted.ca,
        "PPMLCTL_EHSM_FINGERPRINT": (encrypted.fingerprint or "").lower().removeprefix("sha256:").replace(":", ""),
        "PPMLCTL_EHSM_INSECURE": "true" if encrypted.insecure else None,
    }
    return {
        **{name: value for name, value in trust.items() if value},
        "ENCRYPTED_FSD": "true",
        "EHSM_URL": host,
        "EHSM_PORT": port,
        "EHSM_PRIMARY_KEY": f"{keys_folder}/{PRIMARY_KEY}",
        "EHSM_DATA_KEY": f"{keys_folder}/{DATA_KEY}",
    }


def encrypted_environment(encrypted: EncryptedFs | None) -> list[Manifest]:
    """What `encrypted-fsd.sh` reads, with the account from its Secret."""
    if encrypted is None:
        return []
    return [*plain(encrypted_variables(encrypted)), *of_secret(encrypted.account, KEY_ACCOUNT)]


def key_volume(encrypted: EncryptedFs | None) -> Volumes:
    """The wrapped data key, as files."""
    return {"data-key": (KEYS_FOLDER, {"secret": {"secretName": encrypted.secret}})} if encrypted else {}


def folder_mounts(encrypted: EncryptedFs | None, *, has_data: bool) -> list[Manifest]:
    """The encrypted folder out of the volume `data`; without that it is the container's own, and goes with it."""
    if encrypted is None or not has_data:
        return []
    return [{"name": "data", "mountPath": ENCRYPTED_FOLDER, "subPath": STORED_FOLDER}]

"""The encrypted folder of driver and executors, which Gramine opens with a data key that EHSM unwraps inside.

The image's `encrypted-fsd.sh` demands the account as `APP_ID` and `API_KEY`; the key client that it starts reads the
same as `APPID` and `APIKEY`, and ends without them. Of the key in base64 it takes 15 characters, which are 90 bits,
whatever the key's length; a newline makes them Gramine's 16. Source: upstream `ppml/base/encrypted-fsd.sh` and
`bash.manifest.template`, `python/ppml/src/bigdl/ppml/kms/ehsm/{client,caller}.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ppmlctl.files import read_bytes
from ppmlctl.spark.submission import EncryptedFs, Submission, host_and_port

Manifest = dict[str, Any]

ENCRYPTED_FOLDER = "/ppml/encrypted-fsd"
STORED_FOLDER = "encrypted-fsd"
"""Below the shared data: what is in it is ciphertext there, and plain below ENCRYPTED_FOLDER in the enclave alone."""
KEYS_FOLDER = "/ppml/encrypted_keys"
PRIMARY_KEY, DATA_KEY = "encrypted_primary_key", "encrypted_data_key"
"""Files below KEYS_FOLDER and keys of a data key's Secret: the id of the key that wraps, and the wrapped one."""
KEY_CLIENT = "/ppml/kms/client.py"
"""What the script starts to have the data key unwrapped. No image of BigDL's is known to have it."""
ACCOUNT = {"APP_ID": "app_id", "API_KEY": "api_key", "APPID": "app_id", "APIKEY": "api_key"}
"""Variables with the account, and where its Secret has each."""


def key_client_program() -> bytes:
    """The key client that goes into images which have none."""
    return read_bytes(Path(__file__).with_name("key_client.py"))


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


def account_references(encrypted: EncryptedFs) -> list[Manifest]:
    """The account from its Secret."""
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": encrypted.account, "key": key}}}
        for name, key in ACCOUNT.items()
    ]


def key_volume(encrypted: EncryptedFs) -> dict[str, tuple[str, Manifest]]:
    """The wrapped data key, as files."""
    return {"data-key": (KEYS_FOLDER, {"secret": {"secretName": encrypted.secret}})}


def folder_mounts(submission: Submission) -> list[Manifest]:
    """The encrypted folder out of the shared data; without those it is the container's own, and goes with it."""
    if submission.encrypted is None or not (submission.claim or submission.data):
        return []
    return [{"name": "data", "mountPath": ENCRYPTED_FOLDER, "subPath": STORED_FOLDER}]

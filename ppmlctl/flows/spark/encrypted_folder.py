"""Refusals of a workload whose encrypted folder would be a plain one, or that nothing would open."""

from __future__ import annotations

from collections.abc import Collection

from ppmlctl.diagnostics import Diagnostic, InputError
from ppmlctl.protection import ENCRYPTED_FOLDER, KEY_CLIENT
from ppmlctl.unknown import Unknown


def refuse_plain_folder(workload: str, folders: Collection[str] | Unknown | None) -> None:
    """`folders`: what the manifest encrypts with a data key. A plan may not know that yet; an apply does."""
    if folders is None or isinstance(folders, Unknown) or ENCRYPTED_FOLDER in folders:
        return
    entry = f'path = "{ENCRYPTED_FOLDER}", uri = "file:{ENCRYPTED_FOLDER}", key_name = "sgx_data_key"'
    raise InputError(
        Diagnostic(
            "encrypted-folder-plain",
            "the image's manifest does not encrypt the folder of a workload",
            found=f"{workload}: {ENCRYPTED_FOLDER} is no encrypted mount with the key sgx_data_key",
            why="what the workload writes there would lie in clear in the shared data",
            fix=f'add to fs.mounts of the base\'s template: {{ type = "encrypted", {entry} }}',
        )
    )


def refuse_no_key_client(workload: str, image: object, has_client: object) -> None:
    """Images that ppmlctl signs are given one."""
    if has_client is not False:
        return
    raise InputError(
        Diagnostic(
            "key-client-missing",
            "the image lacks the program that fetches the data key",
            found=f"{workload}: {image} has no {KEY_CLIENT}, which its encrypted-fsd.sh starts",
            why="its pods would end before the workload begins",
            fix="say images.base and images.custom instead of images.catalogue: what is signed here is given one",
        )
    )

"""`ppmlctl enclave sign` writes what the real signer writes; `digest` and `attach` do the same in two steps."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from enclave_command import Command, key_file
from sgx.gramine_vectors import MR_SIGNERS, VECTORS, key

_DATE = ["--date", "2024-02-29"]


@pytest.mark.parametrize(
    "name",
    [
        "v1.3.1/debug-1g-16/hand-loader",
        pytest.param("v1.3.1/huge-16g-1024/tiny-packed", marks=pytest.mark.long),
        "v1.5/dcap-tree/hand-based",
        "v1.7/cpu-required/hand-based",
        "v1.9/dcap-tree/hand-loader",
    ],
)
def test_it_signs_bit_for_bit_as_gramine_does(name: str, enclave: Command, tmp_path: Path) -> None:
    enclave.vector = VECTORS[name]
    written = tmp_path / "out" / "bash.sig"

    told = enclave.json("sign", *enclave.files, "--key", key_file(tmp_path), *_DATE, "--output", written)
    assert written.read_bytes() == enclave.vector.sigstruct
    assert told == {
        "mr_enclave": enclave.vector.mr_enclave,
        "mr_signer": MR_SIGNERS["first"],
        "gramine": enclave.vector.manifest.version.name,
        "date": "2024-02-29",
        "output": str(written),
    }


def test_without_a_date_the_bytes_do_not_depend_on_the_day(enclave: Command, tmp_path: Path) -> None:
    enclave.json("sign", *enclave.files, "--key", key_file(tmp_path), "--output", tmp_path / "bash.sig")
    assert enclave.json("inspect", tmp_path / "bash.sig")["date"] == "1980-01-01"


def test_the_two_steps_give_the_same_with_openssl_between_them(enclave: Command, tmp_path: Path) -> None:
    part, signature, public, written = (tmp_path / name for name in ("part", "signature", "public.pem", "bash.sig"))
    told = enclave.json("digest", *enclave.files, *_DATE, "--output", part)
    assert len(part.read_bytes()) == 256
    assert subprocess.check_output(["sha256sum", part]).decode().split()[0] == told["sha256"]

    enclave.json("key", key_file(tmp_path), "--public", public)
    subprocess.run(["openssl", "dgst", "-sha256", "-sign", key_file(tmp_path), "-out", signature, part], check=True)
    arguments = ["--signed-part", part, "--signature", signature, "--public-key", public, "--output", written]
    told = enclave.json("attach", *arguments)
    assert told == {"mr_enclave": enclave.vector.mr_enclave, "mr_signer": MR_SIGNERS["first"], "output": str(written)}
    assert written.read_bytes() == enclave.vector.sigstruct


@pytest.fixture
def attached(enclave: Command, tmp_path: Path) -> dict[str, Path]:
    """Files of a second step that would succeed, by option."""
    files = {name: tmp_path / name for name in ("signed-part", "signature", "public-key", "output")}
    enclave.json("digest", *enclave.files, "--output", files["signed-part"])
    files["signature"].write_bytes(key("first").sign(files["signed-part"].read_bytes()))
    files["public-key"].write_bytes(key("first").public_pem())
    return files


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "signature",
            b"\1" * 383,
            "error[signature-wrong]: the signature cannot be attached\n  is   {signature} has 383",
        ),
        (
            "signature",
            b"\1" * 384,
            "error[signature-wrong]: the signature cannot be attached\n  is   {signature} is no",
        ),
        (
            "signature",
            b"\xff" * 384,
            "error[signature-wrong]: the signature cannot be attached\n  is   {signature} is no",
        ),
        (
            "signed-part",
            b"",
            "error[signed-part-wrong]: this is no signed part\n  is   {signed-part} has 0 bytes, not 256",
        ),
        (
            "signed-part",
            bytes(256),
            "error[signed-part-wrong]: this is no signed part\n  is   {signed-part}: wrong header",
        ),
        (
            "public-key",
            b"no key",
            "error[signing-key-wrong]: enclave signing key cannot be used\n  is   {public-key}: ",
        ),
        ("public-key", key("second").public_pem(), "error[signature-wrong]: the signature cannot be attached\n  is"),
    ],
)
def test_what_does_not_fit_is_not_attached(
    name: str, content: bytes, message: str, attached: dict[str, Path], enclave: Command
) -> None:
    attached[name].write_bytes(content)
    _, err = enclave.text(
        "attach", *[text for option, path in attached.items() for text in (f"--{option}", path)], code=1
    )
    assert err.startswith(message.format(**{option: str(path) for option, path in attached.items()}))
    assert not attached["output"].exists()


def test_a_signature_over_another_enclave_is_told_whole(attached: dict[str, Path], enclave: Command) -> None:
    attached["signature"].write_bytes(key("first").sign(b"another"))
    _, err = enclave.text(
        "attach", *[text for option, path in attached.items() for text in (f"--{option}", path)], code=1
    )
    assert err == (
        "error[signature-wrong]: the signature cannot be attached\n"
        f"  is   {attached['signature']} is no signature over {attached['signed-part']} by {attached['public-key']}\n"
        "  why  RSASSA-PKCS1-v1_5 with SHA-256 over the signed part is needed, 384 bytes, big-endian as RSA libraries "
        "give it\n"
        "  fix  openssl dgst -sha256 -sign KEY -out SIGNATURE SIGNED_PART\n"
    )


def test_a_key_that_others_can_read_signs_with_a_warning(enclave: Command, tmp_path: Path) -> None:
    file = key_file(tmp_path)
    file.chmod(0o644)
    _, err = enclave.text("sign", *enclave.files, "--key", file, "--output", tmp_path / "bash.sig")
    assert err.startswith("warning[signing-key-readable]: enclave signing key can be read by others\n")


@pytest.mark.parametrize("content", [b"", b"-----BEGIN RSA PRIVATE KEY-----\n", b"\xff" * 100])
def test_what_is_no_key_signs_nothing(content: bytes, enclave: Command, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)
    file.chmod(0o600)
    _, err = enclave.text("sign", *enclave.files, "--key", file, "--output", tmp_path / "bash.sig", code=1)
    assert err == (
        "error[signing-key-wrong]: enclave signing key cannot be used\n"
        f"  is   {file}: the signing key is no readable private key in PEM, or the passphrase is wrong\n"
        "  why  SGX takes RSA-3072 keys with exponent 3, in PEM without a passphrase\n"
        "  fix  ppmlctl enclave key --make\n"
    )
    assert not (tmp_path / "bash.sig").exists()

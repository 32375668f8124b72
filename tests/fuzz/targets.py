"""The parsers that read what others wrote, each as one function of bytes, with valid inputs to start from.

A target returns for what it takes, and raises its own error for what it refuses. Anything else is a defect.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.serialization import Encoding
from dcap.quote_samples import SANDBOX_AT
from sgx.elf_writer import quickstart_loader
from sgx.gramine_vectors import MANIFESTS, VECTORS, elf, key

from ppmlctl.dcap import QuoteError, QuoteUntrustedError, parse_quote, parse_signature_data, quote_bytes
from ppmlctl.dcap.certificates import Certificate, verify_chain
from ppmlctl.dcap.pck_extension import parse_pck_extension
from ppmlctl.dcap.qe_identity import QeIdentity
from ppmlctl.dcap.tcb_info import TcbInfo
from ppmlctl.sandbox.ehsm.platform import TCB, Platform
from ppmlctl.sandbox.ehsm.quoting import Quoting
from ppmlctl.secret import Secret
from ppmlctl.sgx import (
    VERSIONS,
    ContentTree,
    GramineVersionError,
    LoaderError,
    ManifestError,
    Places,
    SigningKeyError,
    Sigstruct,
    SigstructError,
    changed_trusted_files,
    differences,
    enclave_settings,
    findings,
    measure,
    parse_offsets,
    read_manifest,
)
from ppmlctl.sgx.comparison import Enclave
from ppmlctl.sgx.elf import parse_loader
from ppmlctl.sgx.errors import MeasurementError
from ppmlctl.sgx.layout import PAGE, UPSTREAM_NAMES, Layout
from ppmlctl.sgx.signing_key import SigningKey, public_modulus

_MANIFEST = b"[sgx]\nenclave_size = '4M'\nthread_num = 1\nnonpie_binary = true\n"
_LARGEST_MEASURED = 1 << 22


@dataclass(frozen=True)
class Target:
    """`refusals` are the errors that a wrong input may end with."""

    run: Callable[[bytes], None]
    refusals: tuple[type[Exception], ...]
    seeds: Callable[[], Iterator[bytes]]

    def check(self, content: bytes) -> None:
        """Runs it; raises what is no refusal."""
        with suppress(*self.refusals):
            self.run(content)


def _sigstruct(content: bytes) -> None:
    sigstruct = Sigstruct.from_bytes(content)
    assert sigstruct.to_bytes() == content
    assert len(sigstruct.mr_enclave) == len(sigstruct.mr_signer) == 64
    assert sigstruct.attributes.is_debug in (True, False)
    str(sigstruct.date)
    with suppress(SigstructError):
        assert Sigstruct.from_signed_part(sigstruct.signed_part()).mr_enclave == sigstruct.mr_enclave
    sigstruct.verify()


def _manifest(content: bytes) -> None:
    manifest = read_manifest(content)
    places = Places(content.decode())
    for version in VERSIONS:
        with suppress(ManifestError):
            enclave_settings(manifest, version)
            for finding in findings(manifest, version):
                finding.place(places)
    with suppress(ManifestError):
        changed_trusted_files(content, ContentTree({}))
    differences(Enclave(content), Enclave(_MANIFEST))


def _loader(content: bytes) -> None:
    loader = parse_loader(content)
    for segment in loader.segments:
        assert all(len(page) == PAGE for page in loader.file_pages(segment))
    differences(Enclave(loader=content), Enclave(loader=quickstart_loader()))
    if sum(segment.end - segment.start for segment in loader.segments) < _LARGEST_MEASURED:
        measure(_MANIFEST, content, VERSIONS[0])


def _offsets(content: bytes) -> None:
    layout = parse_offsets(content.decode(errors="replace"))
    assert layout.page_size == PAGE


def _key(content: bytes) -> None:
    for read in (lambda: SigningKey.from_pem(Secret(content)).modulus, lambda: public_modulus(content)):
        with suppress(SigningKeyError):
            assert read().bit_length() == 3072


def _quote(content: bytes) -> None:
    with suppress(QuoteError):
        quote_bytes(content)
    quote = parse_quote(content)
    assert parse_quote(quote.to_bytes()) == quote
    parse_signature_data(quote)


def _quotes() -> Iterator[bytes]:
    """The sandbox's, the real ones that are at hand, and the frames of TDX's."""
    with TemporaryDirectory() as folder:
        quote = Quoting(Path(folder) / "quoting", SANDBOX_AT.timestamp).quote()
    yield quote
    head, keys, report = quote[8:48], quote[436:564], quote[564:]
    inner = keys + struct.pack("<HI", 6, len(report)) + report
    data = struct.pack("<I", len(inner)) + inner
    yield struct.pack("<HHI", 4, 2, 0x81) + head + bytes(584) + data
    yield struct.pack("<HHI", 5, 2, 0x81) + head + struct.pack("<HI", 3, 648) + bytes(648) + data
    real = os.environ.get("PPMLCTL_REAL_QUOTES")
    if real:
        yield from ((Path(real) / name).read_bytes() for name in ("sgx_quote", "tdx_quote"))


def _certificate(content: bytes) -> None:
    found = Certificate.read("a certificate", content, "")
    with suppress(QuoteUntrustedError):
        verify_chain((found, found), (), SANDBOX_AT)


def _extension(content: bytes) -> None:
    assert len(parse_pck_extension(content).components) == 16


def _collateral(content: bytes) -> None:
    text = content.decode(errors="replace")
    for parse in (TcbInfo.parse, QeIdentity.parse):
        with suppress(QuoteUntrustedError):
            parse(text)


def _collaterals() -> Iterator[bytes]:
    with TemporaryDirectory() as folder:
        collateral = json.loads(Quoting(Path(folder) / "quoting", SANDBOX_AT.timestamp).collateral())
    yield from (collateral[name].encode() for name in ("tcb_info", "qe_identity"))


def _certificates() -> Iterator[bytes]:
    """Those of the sandbox's platform, its processor's first."""
    platform = Platform.make(SANDBOX_AT)
    for signer in (platform.pck, platform.processor_ca, platform.tcb_signing):
        yield signer.certificate.public_bytes(Encoding.DER)


TARGETS = {
    "sigstruct": Target(
        _sigstruct, (SigstructError,), lambda: (vector.sigstruct for vector in list(VECTORS.values())[::10])
    ),
    "manifest": Target(
        _manifest,
        (ManifestError,),
        lambda: (m.manifest_sgx.encode() for m in MANIFESTS.values() if len(m.manifest_sgx) < 1 << 14),
    ),
    "loader": Target(
        _loader,
        (LoaderError, MeasurementError),
        lambda: (elf(name) for name in ("tiny-packed", "tiny-separate", "hand-odd")),
    ),
    "offsets": Target(
        _offsets,
        (GramineVersionError,),
        lambda: iter(["".join(f"{n} = {getattr(Layout(), ours):#x}\n" for n, ours in UPSTREAM_NAMES.items()).encode()]),
    ),
    "key": Target(
        _key, (SigningKeyError,), lambda: iter([key("first").to_pem().reveal_bytes(), key("first").public_pem()])
    ),
    "quote": Target(_quote, (QuoteError,), _quotes),
    "certificate": Target(_certificate, (QuoteUntrustedError,), _certificates),
    "pck-extension": Target(_extension, (QuoteError,), lambda: iter([TCB.extension().value])),
    "collateral": Target(_collateral, (), _collaterals),
}


def write_seeds(name: str, folder: Path) -> None:
    """Puts the valid inputs of a target into a folder, as fuzzers take them."""
    for number, seed in enumerate(TARGETS[name].seeds()):
        (folder / str(number)).write_bytes(seed)

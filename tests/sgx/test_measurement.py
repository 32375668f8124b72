from __future__ import annotations

import hashlib
import struct

import pytest
from elf_writer import EXECUTE, PAGE, READ, WRITE, WrittenSegment, write_elf
from gramine_vectors import DAY, EACH_VECTOR, Vector, elf, key
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.sgx import ManifestError, MeasurementError, SgxError, Sigstruct, gramine_version, measure
from ppmlctl.sgx.page_hash import PageHash

_V1_3 = gramine_version("1.3.1")
_MANIFEST = b"[sgx]\nenclave_size = '4M'\nthread_num = 1\nnonpie_binary = true\n"


def _loader(*, address: int = 0, memory_size: int = PAGE) -> bytes:
    return write_elf([WrittenSegment(0, address, bytes(200), memory_size, READ | EXECUTE)], entry=address)


@EACH_VECTOR
def test_measures_and_signs_bit_for_bit_as_gramine_does(vector: Vector) -> None:
    measurement = measure(vector.manifest.manifest_sgx.encode(), elf(vector.elf), vector.manifest.version)

    assert measurement.mr_enclave == vector.mr_enclave
    attributes, fields = measurement.attributes, vector.fields
    assert attributes.flags == int(fields["attribute_flags"], 16)
    assert attributes.flags_mask == int(fields["flags_mask"], 16)
    assert attributes.xfrm == int(fields["attribute_xfrm"], 16)
    assert attributes.xfrm_mask == int(fields["xfrm_mask"], 16)
    assert (attributes.misc_select, attributes.misc_mask) == (fields["misc_select"], fields["misc_mask"])
    assert (measurement.isv_prod_id, measurement.isv_svn) == (fields["isv_prod_id"], fields["isv_svn"])
    unsigned = Sigstruct.unsigned(measurement, vector.manifest.version, DAY)
    assert unsigned.signed_by(key("first")).to_bytes() == vector.sigstruct


def test_a_stripped_loader_measures_differently() -> None:
    loader = bytearray(_loader())
    loader[40:48] = struct.pack("<Q", 0x1234)  # e_shoff, which strip(1) changes

    assert measure(_MANIFEST, bytes(loader), _V1_3).mr_enclave != measure(_MANIFEST, _loader(), _V1_3).mr_enclave


def test_a_comment_in_the_manifest_changes_the_measurement() -> None:
    assert measure(_MANIFEST + b"#\n", _loader(), _V1_3).mr_enclave != measure(_MANIFEST, _loader(), _V1_3).mr_enclave


@pytest.mark.parametrize(
    ("manifest", "loader"),
    [
        (b"sgx.enclave_size = '256K'\nsgx.nonpie_binary = true", _loader()),
        (b"sgx.enclave_size = '256M'\nsgx.thread_num = 100_000_000", _loader()),
        (_MANIFEST, _loader(memory_size=16 << 20)),
    ],
    ids=["small enclave", "many threads", "large loader"],
)
def test_refuses_what_does_not_fit_into_the_enclave(manifest: bytes, loader: bytes) -> None:
    with pytest.raises(MeasurementError, match="not large enough"):
        measure(manifest, loader, _V1_3)


@pytest.mark.parametrize(
    ("sgx", "records"),
    [
        ("enclave_size = '100000G'", 26214428944),
        ("enclave_size = '130000G'\nthread_num = 300_000_000", 2194078720144),
    ],
    ids=["size", "threads"],
)
def test_an_enclave_that_would_take_days_to_measure_is_refused_at_once(sgx: str, records: int) -> None:
    with pytest.raises(MeasurementError) as refused:
        measure(f"[sgx]\n{sgx}\nnonpie_binary = true\n".encode(), _loader(), _V1_3)
    assert str(refused.value) == f"the enclave would be larger than any machine's memory: {records} records to hash"


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (_MANIFEST.replace(b"\n", b"\r\n"), "the manifest has CRLF line ends, which Gramine's tools never write"),
        (_MANIFEST + b"nonpie_binary = true\n", "the manifest is no TOML: Cannot overwrite a value"),
        (_MANIFEST + b"[sgx]\n", "the manifest is no TOML: Cannot declare ('sgx',) twice"),
        (_MANIFEST + b"# \xff\n", "the manifest is not UTF-8 text"),
        (b"\xef\xbb\xbf" + _MANIFEST, "the manifest is no TOML: Invalid statement"),
        (_MANIFEST + b"a = " + b"[" * 5000, "the manifest is nested too deeply"),
        (_MANIFEST + b".".join([b"a"] * 100_000) + b" = 1", "the manifest is nested too deeply"),
        (_MANIFEST + b"[" + b" . ".join([b"'a'"] * 100) + b"]", "the manifest is nested too deeply"),
        (_MANIFEST + b"isvsvn = 0x" + b"f" * 5000, "the manifest has a number of more than 64 bits"),
        (_MANIFEST[:-5], "the manifest is no TOML: Invalid value"),
    ],
    ids=[
        "CRLF",
        "key twice",
        "table twice",
        "Latin-1",
        "byte order mark",
        "nested",
        "dotted",
        "header",
        "number",
        "cut off",
    ],
)
def test_refuses_a_manifest_that_no_tool_wrote(manifest: bytes, message: str) -> None:
    with pytest.raises(ManifestError) as refused:
        measure(manifest, _loader(), _V1_3)
    assert str(refused.value).startswith(message)


def test_refuses_a_loader_linked_into_the_stacks() -> None:
    with pytest.raises(MeasurementError, match="reaches into the stacks"):
        measure(_MANIFEST, _loader(address=(4 << 20) - PAGE), _V1_3)


def test_refuses_a_loader_linked_below_the_lowest_address() -> None:
    with pytest.raises(MeasurementError, match="not large enough"):
        measure(_MANIFEST, _loader(address=PAGE), _V1_3)


@given(st.lists(st.binary(min_size=PAGE, max_size=PAGE), max_size=3), st.integers(0, 300), st.integers(0, 9000))
def test_blocks_of_records_hash_like_single_records(content: list[bytes], zeros: int, free: int) -> None:
    pages = PageHash(1 << 32, 4)
    pages.add(0x7000, 0x203, content, (len(content) + zeros) * PAGE)
    pages.add_unmeasured(0x900_0000, 0x207, free * PAGE)

    reference = hashlib.sha256(struct.pack("<8sLQ44x", b"ECREATE", 4, 1 << 32))
    for number, page in enumerate(content + [bytes(PAGE)] * zeros):
        offset = 0x7000 + number * PAGE
        reference.update(struct.pack("<8sQQ40x", b"EADD", offset, 0x203))
        for chunk in range(0, PAGE, 256):
            reference.update(struct.pack("<8sQ48x", b"EEXTEND", offset + chunk) + page[chunk : chunk + 256])
    for number in range(free):
        reference.update(struct.pack("<8sQQ40x", b"EADD", 0x900_0000 + number * PAGE, 0x207))
    assert pages.hexdigest() == reference.hexdigest()


@given(manifest=st.binary(max_size=64), loader=st.binary(max_size=200))
def test_garbage_is_refused_with_the_packages_own_error(manifest: bytes, loader: bytes) -> None:
    with pytest.raises(SgxError):
        measure(manifest, loader, _V1_3)


@given(st.integers(0, 199), st.integers(1, 255))
def test_a_loader_with_one_wrong_byte_is_measured_or_refused(place: int, xor: int) -> None:
    loader = bytearray(write_elf([WrittenSegment(0, 0, bytes(200), 2 * PAGE, READ | WRITE)], entry=0))
    loader[place] ^= xor
    try:
        measure(_MANIFEST, bytes(loader), _V1_3)
    except SgxError:
        return

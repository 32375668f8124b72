from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppmlctl.sgx import ManifestError, enclave_settings, gramine_version, is_power_of_two, parse_size, read_manifest
from ppmlctl.sgx.attributes import FLAG_DEBUG, MISC_EXINFO, XFRM_BITS


@pytest.mark.parametrize(
    ("text", "size"),
    [("256M", 256 << 20), ("16G", 16 << 30), ("4K", 4096), ("4096", 4096), ("0x10M", 16 << 20), ("0b1G", 1 << 30)],
)
def test_sizes_are_read_as_gramine_reads_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "16g", "16m", "16GB", "16 G", "1.5G", "-1G", "010M", "G", "1T", 4096, None, "9" * 99]
)
def test_other_sizes_are_refused(text: object) -> None:
    with pytest.raises(ManifestError, match=r"is no size: a string such as 512M or 16G, with K, M or G in upper case$"):
        parse_size(text)


@given(st.text(max_size=20))
def test_any_text_is_a_size_or_refused(text: str) -> None:
    try:
        assert parse_size(text) >= 0
    except ManifestError:
        return


def test_powers_of_two() -> None:
    assert [size for size in range(-1, 17) if is_power_of_two(size)] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("sgx.enclave_size = '0'", "sgx.enclave_size '0' is no enclave size: whole pages of 4096 bytes, at most 2^47"),
        (
            "sgx.enclave_size = '4097'",
            "sgx.enclave_size '4097' is no enclave size: whole pages of 4096 bytes, at most 2^47",
        ),
        (
            "sgx.enclave_size = '999999999G'",
            "sgx.enclave_size '999999999G' is no enclave size: whole pages of 4096 bytes, at most 2^47",
        ),
        ("sgx.max_threads = 0", "sgx.max_threads 0 is no whole number from 1 to 34359738368"),
        ("sgx.max_threads = '4'", "sgx.max_threads '4' is no whole number from 1 to 34359738368"),
        ("sgx.isvsvn = 65536", "sgx.isvsvn 65536 is no whole number from 0 to 65535"),
        ("sgx.isvprodid = true", "sgx.isvprodid True is no whole number from 0 to 65535"),
        ("sgx.edmm_enable = 'yes'", "sgx.edmm_enable is neither true nor false"),
        ("sgx.cpu_features = 1", "sgx.cpu_features is not a table"),
        ("sgx.cpu_features.avx = 'maybe'", "sgx.cpu_features.avx has a value that Gramine does not allow"),
        ("sgx.cpu_features.mpx = 'unspecified'", "sgx.cpu_features.mpx has a value that Gramine does not allow"),
        (
            "sgx.use_exinfo = true\nsgx.require_exinfo = true",
            "sgx.require_exinfo and sgx.use_exinfo say the same thing; Gramine refuses both at once",
        ),
        ("sgx = 1", "sgx is not a table"),
    ],
)
def test_refuses_what_gramine_or_the_cpu_would_refuse(manifest: str, message: str) -> None:
    with pytest.raises(ManifestError) as refused:
        enclave_settings(read_manifest(manifest), gramine_version("1.7"))
    assert str(refused.value) == message


def test_an_empty_manifest_means_the_defaults() -> None:
    settings = enclave_settings({}, gramine_version("1.3.1"))
    assert (settings.enclave_size, settings.threads, settings.nonpie, settings.edmm) == (256 << 20, 4, False, False)


@pytest.mark.parametrize(("version", "size"), [("1.3.1", 256 << 20), ("1.4", 256 << 20), ("1.5", 1024 << 30)])
def test_edmm_enlarges_the_default_from_v1_5_on(version: str, size: int) -> None:
    settings = enclave_settings({"sgx": {"edmm_enable": True}}, gramine_version(version))
    assert settings.enclave_size == size
    assert settings.edmm is (version != "1.3.1")


@pytest.mark.parametrize(("version", "is_debug"), [("1.3.1", True), ("1.5", True), ("1.6", False), ("1.9", False)])
def test_a_debug_switch_that_is_a_number_counts_until_v1_5(version: str, *, is_debug: bool) -> None:
    attributes = enclave_settings({"sgx": {"debug": 1}}, gramine_version(version)).attributes
    assert bool(attributes.flags & FLAG_DEBUG) is attributes.is_debug is is_debug


@pytest.mark.parametrize(
    ("version", "key"),
    [("1.3.1", "support_exinfo"), ("1.5", "require_exinfo"), ("1.7", "require_exinfo"), ("1.9", "use_exinfo")],
)
def test_each_version_has_its_key_for_exception_information(version: str, key: str) -> None:
    attributes = enclave_settings({"sgx": {key: True}}, gramine_version(version)).attributes
    assert attributes.misc_select == MISC_EXINFO


def test_a_feature_that_is_disabled_after_a_wider_one_was_required_is_off_but_checked() -> None:
    features = {"avx": "required", "avx512": "disabled"}
    attributes = enclave_settings({"sgx": {"cpu_features": features}}, gramine_version("1.9")).attributes

    assert attributes.xfrm == 0x3
    assert attributes.xfrm_mask & XFRM_BITS["avx512"] == XFRM_BITS["avx512"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff", "the manifest is not UTF-8 text"),
        (b"a = [" + b"[" * 100_000, "the manifest is nested too deeply"),
        (b"a", "the manifest is no TOML: "),
        (b"a = " + b"9" * 5000, "the manifest is no TOML: "),
    ],
    ids=["no text", "deep", "no value", "long number"],
)
def test_what_is_no_toml_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ManifestError) as refused:
        read_manifest(content)
    assert str(refused.value).startswith(message)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_manifest_or_refused(content: bytes) -> None:
    try:
        enclave_settings(read_manifest(content), gramine_version("1.5"))
    except ManifestError:
        return

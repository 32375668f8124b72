"""Reading layouts that other tools wrote."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layout_folder import DOCKER_MANIFEST, INDEX, LayoutFolder, gzipped

from ppmlctl.oci import ImageError, Layout, digest_of, parse_index
from ppmlctl.oci.descriptor import parse_manifest


@pytest.fixture
def made(tmp_path: Path) -> LayoutFolder:
    return LayoutFolder(tmp_path / "layout")


def test_files_are_read_from_the_layer_that_has_the_last_word(made: LayoutFolder) -> None:
    lower, upper = gzipped(a=b"old", b=b"kept", c=b"gone"), gzipped(a=b"new", link="/b", **{".wh.c": b""})
    layout = Layout(made.index(made.image(lower, upper)))
    assert layout.read_files(["a", "/b", "c", "link", "d"]) == {"a": b"new", "/b": b"kept", "link": b"kept"}


def test_no_file_is_read_that_has_more_bytes_than_may_be(made: LayoutFolder) -> None:
    layout = Layout(made.index(made.image(gzipped(a=b"1" * 11, b=b"1" * 10))))
    assert layout.read_files(["b"], most=10) == {"b": b"1" * 10}
    with pytest.raises(ImageError, match="a has 11 bytes, more than 10"):
        layout.read_files(["a"], most=10)


def test_an_index_inside_the_index_is_followed_for_this_platform(made: LayoutFolder) -> None:
    arm = made.image(gzipped(a=b"arm"), platform={"os": "linux", "architecture": "arm64"})
    amd = made.image(gzipped(a=b"amd"), platform={"os": "linux", "architecture": "amd64"}, media_type=DOCKER_MANIFEST)
    nested = made.blob(json.dumps({"manifests": [arm, amd]}).encode(), INDEX)
    assert Layout(made.index(nested)).read_files(["a"]) == {"a": b"amd"}


def test_two_images_in_one_layout_are_refused(made: LayoutFolder) -> None:
    folder = made.index(made.image(gzipped(a=b"1")), made.image(gzipped(a=b"2")))
    with pytest.raises(ImageError, match="holds 2 images for linux/amd64 where one is wanted"):
        Layout(folder)


def test_a_blob_with_another_content_than_its_digest_says_is_refused(made: LayoutFolder) -> None:
    folder = made.index(image := made.image())
    (folder / "blobs" / "sha256" / image["digest"].removeprefix("sha256:")).write_bytes(b"{}")
    with pytest.raises(ImageError, match="has another digest"):
        Layout(folder)


def test_a_folder_without_the_marker_is_no_layout(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="has no file oci-layout"):
        Layout(tmp_path)


@pytest.mark.parametrize(
    "layer",
    [b"", b"no tar", gzip.compress(b"x" * 2000, mtime=0), gzipped(a=b"1" * 5000)[:-20]],
    ids=["empty", "no tar", "no tar inside", "cut short"],
)
def test_a_damaged_layer_is_an_image_error(made: LayoutFolder, layer: bytes) -> None:
    layout = Layout(made.index(made.image(layer)))
    with pytest.raises(ImageError):
        layout.read_files(["a"])


keys = st.sampled_from(["manifests", "layers", "config", "digest", "mediaType", "size", "platform", "annotations"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(digest_of(b"")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_index_or_manifest_is_read_or_refused_by_an_image_error(content: bytes) -> None:
    for parse in (parse_index, parse_manifest):
        with suppress(ImageError):
            parse(content, "here")

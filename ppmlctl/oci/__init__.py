"""OCI images as values: what they are made of, their exact bytes, and reading the layouts that hold them."""

from ppmlctl.oci.config import ImageConfig, environment_of
from ppmlctl.oci.descriptor import CONFIG, LAYER, MANIFEST, Descriptor, Manifest, index_bytes, parse_index
from ppmlctl.oci.digest import canonical_digest, digest_of, digest_of_stream, is_digest
from ppmlctl.oci.entry import Entry, File, Folder, Symlink, file_of_bytes, file_of_source, image_path
from ppmlctl.oci.faults import ImageError
from ppmlctl.oci.file_digests import FileDigests
from ppmlctl.oci.folder import entries_of_folder
from ppmlctl.oci.labels import ENVIRONMENT, INPUTS, TASK
from ppmlctl.oci.layer import EPOCH, write_layer
from ppmlctl.oci.layer_reading import BoundedMember
from ppmlctl.oci.layout import INDEX_FILE, MARKER, MARKER_CONTENT, Layout, blob_path
from ppmlctl.oci.recipe import Ingredients, Recipe, entries_digest, gather

__all__ = [
    "CONFIG",
    "ENVIRONMENT",
    "EPOCH",
    "INDEX_FILE",
    "INPUTS",
    "LAYER",
    "MANIFEST",
    "MARKER",
    "MARKER_CONTENT",
    "TASK",
    "BoundedMember",
    "Descriptor",
    "Entry",
    "File",
    "FileDigests",
    "Folder",
    "ImageConfig",
    "ImageError",
    "Ingredients",
    "Layout",
    "Manifest",
    "Recipe",
    "Symlink",
    "blob_path",
    "canonical_digest",
    "digest_of",
    "digest_of_stream",
    "entries_digest",
    "entries_of_folder",
    "environment_of",
    "file_of_bytes",
    "file_of_source",
    "gather",
    "image_path",
    "index_bytes",
    "is_digest",
    "parse_index",
    "write_layer",
]

"""Writes, inspects and removes the OCI image layouts that ppmlctl makes on this machine.

A layout is written in the order in which its parts refer to each other: blobs under their digests, then index.json in
one rename. Until then the old image is whole, from then on the new one is; blobs that nothing refers to go last.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ppmlctl.clients.oci.blobs import Blobs
from ppmlctl.diagnostics import Diagnostic, EngineError
from ppmlctl.effects import Effect, Effects
from ppmlctl.failpoint import failpoint
from ppmlctl.files import read_bytes, sync_folder, write_atomic
from ppmlctl.oci import (
    CONFIG,
    ENVIRONMENT,
    INDEX_FILE,
    MANIFEST,
    MARKER,
    MARKER_CONTENT,
    Descriptor,
    FileDigests,
    ImageError,
    Ingredients,
    Layout,
    Manifest,
    blob_path,
    index_bytes,
    parse_index,
)

REFERENCE = "org.opencontainers.image.ref.name"
"""The image's name within its layout (image-spec v1.1, annotations.md)."""


@dataclass(frozen=True)
class ImageSummary:
    """What a layout folder holds. `faults` says which blobs are missing or damaged: such a layout must be rewritten."""

    digest: str
    reference: str
    annotations: Mapping[str, str]
    layers: tuple[str, ...]
    faults: tuple[str, ...] = ()


class OciClient:
    """The layouts of this machine. Errors of the file system are EngineErrors."""

    def __init__(self, effects: Effects, digests: FileDigests) -> None:
        self._effects = effects
        self.digests = digests

    def remember(self) -> None:
        """Keeps what was learnt about files for the next run, where writing is allowed at all."""
        if self._effects.writes_allowed:
            self.digests.save()

    def inspect(self, folder: Path) -> ImageSummary | None:
        """What the layout at `folder` holds, its blobs compared with their digests; None where there is no image.

        Raises EngineError for a folder that ppmlctl did not write, or whose index is damaged.
        """
        with self._effects.operation(Effect.READ, "inspect layout"), _explained(folder):
            descriptor = _own_image(folder)
            if descriptor is None:
                return None
            try:
                manifest = Layout(folder).manifest
            except ImageError as error:
                return _summary(descriptor, (), tuple(d.found for d in error.diagnostics))
            blobs = (manifest.config, *manifest.layers)
            faults = tuple(fault for blob in blobs if (fault := self._fault(folder, blob)))
            self.remember()
            return _summary(descriptor, manifest.layers, faults)

    def write(self, folder: Path, made_of: Ingredients, reference: str, annotations: Mapping[str, str]) -> ImageSummary:
        """Makes `folder` hold exactly the image of `made_of`, under the name `reference`.

        `annotations` must hold ENVIRONMENT. A crash leaves the older image or this one. Raises EngineError for a folder
        that ppmlctl did not write and for what the file system refuses; ImageError for a damaged base.
        """
        with self._effects.operation(Effect.WRITE, "write layout"), _explained(folder):
            _own_image(folder)
            _refuse_own_base(folder, made_of)
            write_atomic(folder / MARKER, MARKER_CONTENT)
            blobs = Blobs(folder)
            blobs.prepare()
            manifest = self._put_image(folder, blobs, made_of)
            named = {**annotations, REFERENCE: reference}
            descriptor = replace(blobs.put(manifest.to_bytes(), MANIFEST), annotations=named)
            write_atomic(folder / INDEX_FILE, index_bytes([descriptor]))
            layers = [layer.digest for layer in manifest.layers]
            blobs.keep_only({descriptor.digest, manifest.config.digest, *layers})
            return _summary(descriptor, manifest.layers)

    def remove(self, folder: Path) -> None:
        """Removes the layout. A folder that holds other things stays, with only those; nothing there is fine.

        Raises EngineError for a layout that ppmlctl did not write.
        """
        with self._effects.operation(Effect.WRITE, "remove layout"), _explained(folder):
            _own_image(folder)
            if not folder.is_dir():
                return
            for begun in _begun(folder):
                begun.unlink()
            (folder / INDEX_FILE).unlink(missing_ok=True)
            failpoint(f"after removal of {INDEX_FILE}")
            shutil.rmtree(folder / "blobs", ignore_errors=True)
            (folder / MARKER).unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
                sync_folder(folder.parent)

    def _put_image(self, folder: Path, blobs: Blobs, made_of: Ingredients) -> Manifest:
        for layer in made_of.copied:
            self._copy(folder, blobs, made_of, layer)
        written = [blobs.put_layer(entries) for entries in made_of.written]
        config = blobs.put(made_of.config_text(written), CONFIG)
        return Manifest(config, (*made_of.copied, *written))

    def _copy(self, folder: Path, blobs: Blobs, made_of: Ingredients, layer: Descriptor) -> None:
        if made_of.source is None or not self._fault(folder, layer):
            return
        source = made_of.source.blob_path(layer)
        if not blobs.copy(source, layer.digest):
            raise _failure(folder, f"{source} is damaged: its content has another digest", "write the base again")

    def _fault(self, folder: Path, blob: Descriptor) -> str:
        try:
            found = self.digests.of(blob_path(folder, blob.digest))
        except OSError as error:
            return f"{blob.digest}: {error.strerror}"
        return "" if found == blob.digest else f"{blob.digest}: the blob's content has another digest"


def _own_image(folder: Path) -> Descriptor | None:
    """The image in a layout that ppmlctl wrote; None for no folder, an empty one, or a layout that was only begun."""
    if not folder.exists() or (folder.is_dir() and set(folder.iterdir()) == set(_begun(folder))):
        return None
    if not (folder / MARKER).is_file():
        raise _foreign(folder, "it is no OCI image layout")
    if not (folder / INDEX_FILE).is_file():
        return None
    manifests = parse_index(read_bytes(folder / INDEX_FILE), str(folder / INDEX_FILE))
    if len(manifests) != 1 or ENVIRONMENT not in manifests[0].annotations:
        raise _foreign(folder, f"its image has no annotation {ENVIRONMENT}")
    return manifests[0]


def _begun(folder: Path) -> list[Path]:
    """What a crash can leave beside the blobs."""
    return [*folder.glob(f".{MARKER}.*.tmp"), *folder.glob(f".{INDEX_FILE}.*.tmp")]


def _refuse_own_base(folder: Path, made_of: Ingredients) -> None:
    if made_of.base is not None and folder.resolve().is_relative_to(made_of.base.resolve()):
        raise _failure(folder, "it is or lies inside the base of the image", "give the image a folder outside its base")


def _summary(descriptor: Descriptor, layers: tuple[Descriptor, ...], faults: tuple[str, ...] = ()) -> ImageSummary:
    names = tuple(layer.digest for layer in layers)
    return ImageSummary(
        descriptor.digest, descriptor.annotations.get(REFERENCE, ""), descriptor.annotations, names, faults
    )


def _foreign(folder: Path, found: str) -> EngineError:
    return EngineError(
        Diagnostic(
            "image-folder-foreign",
            "the image's folder holds something that ppmlctl did not write",
            found=f"{folder}: {found}",
            why="writing the image would destroy it",
            fix="give the image another folder, or remove this one",
        )
    )


def _failure(folder: Path, found: str, fix: str = "") -> EngineError:
    title = "an image layout could not be read or written"
    return EngineError(Diagnostic("image-layout-failed", title, found=f"{folder}: {found}", fix=fix))


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failure(folder, error.strerror or str(error)) from error

"""What an image is made of, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ppmlctl.oci.config import ImageConfig, config_bytes, environment_of
from ppmlctl.oci.descriptor import CONFIG, Descriptor, Manifest, parse_object
from ppmlctl.oci.digest import canonical_digest, digest_of, digest_of_stream
from ppmlctl.oci.entry import Entry, File, Symlink, by_path
from ppmlctl.oci.file_digests import FileDigests
from ppmlctl.oci.folder import entries_of_folder
from ppmlctl.oci.layer import write_layer
from ppmlctl.oci.layout import MARKER, Layout
from ppmlctl.oci.tree import Tree, laid_over


@dataclass(frozen=True)
class Recipe:
    """A base, files over it, and how its containers start.

    `base` is a folder that is the root file system, an OCI layout, or None for an empty image.
    """

    base: Path | None = None
    files: tuple[File, ...] = ()
    config: ImageConfig = field(default_factory=ImageConfig)


@dataclass(frozen=True)
class Ingredients:
    """A recipe whose base was looked at: layers to copy, layers to write, and the configuration to build on."""

    base: Path | None
    source: Layout | None
    """The base, where it is a layout."""
    copied: tuple[Descriptor, ...]
    written: tuple[tuple[Entry, ...], ...]
    config: ImageConfig

    def config_text(self, written: Sequence[Descriptor]) -> bytes:
        """The image's configuration, once the layers to write are known by their digests."""
        base = self.source.config() if self.source else None
        return config_bytes(self.config, base, [layer.digest for layer in written])

    def digest(self) -> str:
        """The digest that the image will have. Reads all files of the layers to write."""
        written = [write_layer(layer, _Nowhere()) for layer in self.written]
        config = self.config_text(written)
        described = Descriptor(CONFIG, digest_of(config), len(config))
        return digest_of(Manifest(described, (*self.copied, *written)).to_bytes())

    def environment(self) -> dict[str, str]:
        """The variables that the image will set."""
        return environment_of(parse_object(self.config_text(()), "config"))

    def size(self) -> int:
        """Bytes of the files that `digest` would read."""
        sources = [entry.source for layer in self.written for entry in layer if isinstance(entry, File)]
        return sum(source.stat().st_size for source in sources if source)

    def inputs(self, digests: FileDigests) -> str:
        """A digest of all that the image's bytes depend on. Reads only files that `digests` does not know."""
        return canonical_digest(
            {
                "base": self.source.descriptor.digest if self.source else None,
                "layers": [entries_digest(layer, digests) for layer in self.written],
                "config": asdict(self.config),
            }
        )


class _Nowhere:
    """Takes a layer that only its digest is wanted of."""

    def write(self, data: bytes) -> int:
        return len(data)


def gather(recipe: Recipe) -> Ingredients:
    """Looks at the base and lays the files over it. Reads; writes nothing.

    A folder becomes one layer and the files another one, so files that change leave the base's layer as it was.
    Raises ImageError for a base or a path that no image can be made of.
    """
    if recipe.base is not None and (recipe.base / MARKER).is_file():
        layout = Layout(recipe.base)
        over = tuple(laid_over(recipe.files, layout.tree())) if recipe.files else ()
        return Ingredients(recipe.base, layout, layout.manifest.layers, _filled(over), recipe.config)
    root = tuple(entries_of_folder(recipe.base)) if recipe.base else ()
    over = tuple(laid_over(recipe.files, Tree.of_entries(root)))
    return Ingredients(recipe.base, None, (), _filled(root, over), recipe.config)


def entries_digest(entries: Iterable[Entry], digests: FileDigests) -> str:
    """Names what a layer of `entries` would hold, without writing it. Reads only files that `digests` does not know."""
    return canonical_digest([_input(entry, digests) for entry in sorted(entries, key=by_path)])


def _filled(*layers: tuple[Entry, ...]) -> tuple[tuple[Entry, ...], ...]:
    return tuple(layer for layer in layers if layer)


def _input(entry: Entry, digests: FileDigests) -> Iterable[object]:
    # A name that is not UTF-8 has surrogates, which JSON in UTF-8 cannot hold.
    path = entry.path.encode(errors="surrogateescape").hex()
    if isinstance(entry, File):
        return ["file", path, entry.executable, _content(entry, digests)]
    if isinstance(entry, Symlink):
        return ["link", path, entry.target.encode(errors="surrogateescape").hex()]
    return ["folder", path]


def _content(file: File, digests: FileDigests) -> str:
    if file.source is not None:
        return digests.of(file.source)
    with file.open() as stream:
        return digest_of_stream(stream)

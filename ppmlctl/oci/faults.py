"""What can be wrong with the parts an image is made of."""

from __future__ import annotations

from ppmlctl.diagnostics import Diagnostic, InputError


class ImageError(InputError):
    """A base, a path or a layout that no image can be made of."""


def special_file(path: str, kind: str) -> Diagnostic:
    return Diagnostic(
        "image-special-file",
        "an image can hold only files, folders and symbolic links",
        found=f"{path} is a {kind}",
        fix="remove it from the base folder",
    )


def unreadable(path: str, reason: str) -> Diagnostic:
    return Diagnostic(
        "image-file-unreadable",
        "a file of the image cannot be read",
        found=f"{path}: {reason}",
        fix="make it readable for the user who runs ppmlctl",
    )


def no_base(place: str) -> ImageError:
    title = "the base of an image is not there"
    found = f"{place} is neither a folder nor an OCI layout"
    return ImageError(Diagnostic("image-base-missing", title, found=found))


def bad_path(path: str, reason: str) -> ImageError:
    title = "a path inside an image is not usable"
    return ImageError(Diagnostic("image-path-invalid", title, found=f"{path!r}: {reason}"))


def path_conflict(path: str, reason: str) -> ImageError:
    title = "two parts of an image claim the same path"
    return ImageError(Diagnostic("image-path-conflict", title, found=f"{path}: {reason}"))


def bad_layout(place: str, reason: str) -> ImageError:
    return ImageError(
        Diagnostic(
            "image-layout-invalid",
            "an OCI image layout cannot be read",
            found=f"{place}: {reason}",
            fix="write the layout again with the tool that made it",
        )
    )

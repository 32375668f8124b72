"""`images.catalogue:` the public demo images of BigDL PPML, a closed list.

Source: the guide of `ppml/trusted-bigdata`, "Build Docker Images": sizes, log levels, `noattest` for images without
attestation, and `reference:latest`, its recommended default. Its section on TDX names one image more than its list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from ppmlctl.spec.section import Section, refusal

_REPOSITORY = "intelanalytics/bigdl-ppml-trusted-bigdata-gramine"
_SNAPSHOT = "2.3.0-SNAPSHOT"


@dataclass(frozen=True)
class _Shape:
    """What one image is asked for by; `name` ends its repository."""

    name: str
    size: str
    log: str
    attestation: str
    tag: str = _SNAPSHOT
    remark: str = ""
    is_listed: bool = True

    def __str__(self) -> str:
        tag = "" if self.tag == _SNAPSHOT else f", tag: {self.tag}"
        shape = f"{{size: {self.size}, log: {self.log}, attestation: {self.attestation}{tag}}}"
        return f"{shape}  {self.remark}".rstrip()


_SHAPES = (
    _Shape("reference", "8g", "error", "dcap", "latest", "the guide's own default"),
    *(_Shape(f"reference-{size}", size, "error", "dcap") for size in ("4g", "8g", "16g")),
    *(_Shape(f"reference-{size}-all", size, "all", "dcap") for size in ("4g", "8g", "16g")),
    _Shape(
        "reference-64g-all",
        "64g",
        "all",
        "dcap",
        remark="of the section on TDX, not in the guide's list of images",
        is_listed=False,
    ),
    *(_Shape(f"noattest-{size}", size, "error", "none") for size in ("4g", "8g", "16g")),
)


class Catalogue(Section):
    """`images.catalogue`"""

    size: Literal["4g", "8g", "16g", "64g"] = Field(
        "8g",
        description="Size of the enclave. 64g goes with `log: all` alone: the guide's section on TDX names that image, "
        "its list of images does not.",
    )
    log: Literal["error", "all"] = Field("error", description="Gramine's log level.")
    attestation: Literal["dcap", "none"] = Field("dcap", description="Remote attestation of the enclave.")
    tag: Literal["2.3.0-SNAPSHOT", "latest"] = Field(
        "2.3.0-SNAPSHOT",
        description="Tag of the image. `latest` is the guide's own default: 8g, error, dcap. Both move; which image "
        "one gave is in the lockfile, by its digest.",
    )

    @model_validator(mode="after")
    def _is_listed(self) -> Catalogue:
        if self._shape is None:
            asked = _Shape("", self.size, self.log, self.attestation, self.tag)
            raise refusal(
                "catalogue-shape",
                "the catalogue has no image of this shape",
                found=str(asked),
                fix="\n".join(["use one of:", *map(str, _SHAPES)]),
            )
        return self

    @property
    def _shape(self) -> _Shape | None:
        asked = (self.size, self.log, self.attestation, self.tag)
        return next((one for one in _SHAPES if (one.size, one.log, one.attestation, one.tag) == asked), None)

    @property
    def name(self) -> str:
        """The image's repository."""
        return f"{_REPOSITORY}-{self._shape.name if self._shape else 'none'}"  # validation lets no such case through

    @property
    def is_in_the_list(self) -> bool:
        """Whether the guide's list of images has it."""
        return self._shape is not None and self._shape.is_listed

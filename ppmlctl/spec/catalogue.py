"""`images.catalogue:` the public demo images of BigDL PPML, a closed list.

Source: the guide of `ppml/trusted-bigdata`, "Build Docker Images": sizes, log levels, and `noattest` for images without
attestation.
"""

from __future__ import annotations

from itertools import product
from typing import Literal

from pydantic import Field, model_validator

from ppmlctl.spec.section import Section, refusal

_REPOSITORY = "intelanalytics/bigdl-ppml-trusted-bigdata-gramine"
_TAG = "2.3.0-SNAPSHOT"
_SIZES = ("4g", "8g", "16g")
_SUFFIXES = {
    ("error", "dcap"): "reference-{size}",
    ("all", "dcap"): "reference-{size}-all",
    ("error", "none"): "noattest-{size}",
}
"""Names by log level and attestation; each is there in every size."""


class Catalogue(Section):
    """`images.catalogue`"""

    size: Literal["4g", "8g", "16g"] = Field("8g", description="Size of the enclave.")
    log: Literal["error", "all"] = Field("error", description="Gramine's log level.")
    attestation: Literal["dcap", "none"] = Field("dcap", description="Remote attestation of the enclave.")

    @model_validator(mode="after")
    def _is_listed(self) -> Catalogue:
        if (self.log, self.attestation) not in _SUFFIXES:
            shapes = [
                f"{{size: {size}, log: {log}, attestation: {attestation}}}"
                for (log, attestation), size in product(_SUFFIXES, _SIZES)
            ]
            raise refusal(
                "catalogue-shape",
                "the catalogue has no image of this shape",
                found=f"{{size: {self.size}, log: {self.log}, attestation: {self.attestation}}}",
                fix="\n".join(["use one of:", *shapes]),
            )
        return self

    @property
    def name(self) -> str:
        """The image's repository."""
        return f"{_REPOSITORY}-{_SUFFIXES[self.log, self.attestation].format(size=self.size)}"

    @property
    def tag(self) -> str:
        """The tag that all of them have. It moves."""
        return _TAG

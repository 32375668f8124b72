"""`pccs:` the service that caches Intel's collateral for quotes."""

from __future__ import annotations

from pydantic import Field

from ppmlctl.spec.names import FilePath, HttpsUrl
from ppmlctl.spec.section import Section


class Pccs(Section):
    """`pccs`"""

    url: HttpsUrl = Field(description="Scheme, host and port; the image adds the path.")
    ca: FilePath | None = Field(None, description="Certificates to trust it by. Default: the system's.")

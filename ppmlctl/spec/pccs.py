"""`pccs:` the service that caches Intel's collateral for quotes."""

from __future__ import annotations

from pydantic import Field

from ppmlctl.spec.names import FilePath, HttpsUrl
from ppmlctl.spec.section import Section


class Pccs(Section):
    """`pccs`"""

    url: HttpsUrl = Field(description="Scheme, host and port; the API's path is added. Pods get it as PCCS_URL.")
    ca: FilePath | None = Field(
        None,
        description="Certificates that ppmlctl trusts it by; pods trust their image's. Default: the system's.",
    )

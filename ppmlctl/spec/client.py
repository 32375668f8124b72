"""`client:` what submits workloads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ppmlctl.spec.names import AbsolutePath, Integer
from ppmlctl.spec.section import Section


class Client(Section):
    """`client`"""

    via: Literal["job", "container"] = Field(
        "job", description="job: a Kubernetes Job submits. container: `docker run` on this machine."
    )
    address: str | None = Field(
        None,
        description="Address of this machine that pods reach; needed by a container in Spark's client mode.",
        min_length=1,
    )
    driver_port: Integer = Field(
        54321, description="Port of the client that pods reach in client mode.", ge=1, le=65535
    )
    data: AbsolutePath | None = Field(None, description="Folder of the machine or node, mounted at /ppml/data.")

"""What submits a run, as its kind of workload has it: files, words, variables, a pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ppmlctl.kubernetes.objects import Manifest


class Program(Protocol):
    """What a submitter starts, once. It leads the run itself where no pod of its own does."""

    def files(self) -> Mapping[str, str]:
        """Texts by their names; `submit.sh` among them is the script that is started."""

    def pod(self) -> Manifest:
        """The spec of the pod that a Job runs it in, with the volumes of kubernetes/admission.py."""

    def words(self, api_server: str, folder: str) -> list[str]:
        """Arguments of the script in the client container, which has the files in `folder`."""

    def environment(self) -> Mapping[str, str]:
        """Its variables in the client container; no secret."""

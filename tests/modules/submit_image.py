"""An image that stands in for BigDL's on a real node: `bash` in it writes its words and ends as it is told."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

SUBMIT_IMAGE = "ppml/module-submit:1"

_BASH = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int count, char **words) {
  int status = 0;
  for (int place = 1; place < count; place++) {
    puts(words[place]);
    fflush(stdout);
    if (!strncmp(words[place], "exit=", 5)) status = atoi(words[place] + 5);
    if (!strcmp(words[place], "tell-password")) {
      char password[64] = "";
      FILE *file = fopen("/ppml/spark-secret/secret", "r");
      if (file && fgets(password, sizeof password, file)) printf("password %s\\n", password);
    }
    if (!strcmp(words[place], "for-long")) sleep(600);
  }
  return status;
}
"""


def build_submit_image(folder: Path) -> None:
    """Builds SUBMIT_IMAGE at the engine whose images the node uses; skips where one of the tools is missing."""
    compiler = shutil.which("gcc")
    if compiler is None or not os.environ.get("DOCKER_HOST"):
        pytest.skip("gcc and DOCKER_HOST are needed to build an image for the node")
    import docker

    (folder / "bash.c").write_text(_BASH)
    subprocess.run([compiler, "-static", "-Os", "-s", "-o", "bash", "bash.c"], cwd=folder, check=True)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY bash /bin/bash\nENV PATH=/bin\n")
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name in ("Dockerfile", "bash"):
            archive.add(folder / name, arcname=name)
    context.seek(0)
    engine = docker.from_env()
    try:
        engine.images.build(fileobj=context, custom_context=True, tag=SUBMIT_IMAGE, rm=True)
    finally:
        engine.close()

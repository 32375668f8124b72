"""A server's script as the first process of a container: what is told to end is handed on, and waited for."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from ppmlctl.flows.spark.submit_script import SERVER_SCRIPT

ALONE = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--fork", "--pid", "--mount-proc"]
PROGRAM = """\
#!/usr/bin/env python3
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print("ended in good order", flush=True), sys.exit(143)))
print("began", *sys.argv[1:], sep="|", flush=True)
while True:
    signal.pause()
"""


@pytest.mark.skipif(
    subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode != 0,
    reason="processes cannot be given a namespace of their own here",
)
def test_it_ends_in_good_order_when_its_container_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/spark-submit").write_text(PROGRAM)
    (tmp_path / "bin/spark-submit").chmod(0o755)
    assert "cd /ppml || exit 1\n" in SERVER_SCRIPT
    (tmp_path / "submit.sh").write_text(SERVER_SCRIPT.replace("cd /ppml || exit 1\n", ""))
    environment = {**os.environ, "SPARK_HOME": str(tmp_path), "PPMLCTL_ENCLAVE": "false"}
    words = [*ALONE, "--kill-child", "bash", str(tmp_path / "submit.sh"), "a", "b c"]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "began|a|b c\n"
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGTERM)
        told, _ = running.communicate(timeout=60)
    assert (told, running.returncode) == ("ended in good order\n", 143)

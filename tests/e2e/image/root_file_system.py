"""The heavy part of the base image: Debian with a JRE by debootstrap, and Spark from PyPI, as one tarball that is kept.

The tarball's name holds a digest of this file and of the examples' sources, so as long as they stay it is made once.
What changes more often, the scripts, is laid over it by `build.py`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

SPARK_VERSION = "3.1.3"
SPARK_HOME = f"ppml/spark-{SPARK_VERSION}"
SUITE = "bullseye"  # the last Debian with Java 11 and Python 3.9, which are the newest that Spark 3.1 runs on
PACKAGES = ("openjdk-11-jre-headless", "python3", "tini", "openssl", "make")
MIRROR = os.environ.get("PPMLCTL_E2E_MIRROR", "http://deb.debian.org/debian")

_EXAMPLES = Path(__file__).resolve().parent / "examples"
_TOOLS = {"debootstrap": "debootstrap", "javac": "default-jdk-headless"}
_LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt/lists")
_KEPT_TARBALLS = 2
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can hold

Say = Callable[[str], None]


class RootFileSystemError(RuntimeError):
    """Something that the tarball needs is missing here, or a step of it failed."""


def cache_folder() -> Path:
    """Where tarballs are kept between builds."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ppmlctl-e2e"


def root_digest() -> str:
    """Twelve hexadecimal digits that name what `root_tarball` makes."""
    digest = hashlib.sha256()
    for source in (Path(__file__).resolve(), *sorted(_EXAMPLES.rglob("*.java"))):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:12]


def root_tarball(say: Say) -> Path:
    """The tarball, made in some two minutes where it is not kept yet. Raises RootFileSystemError."""
    kept = cache_folder() / f"root-{root_digest()}.tar"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(kept.with_suffix(".lock")):
        if not kept.is_file():
            _make(kept, say)
    return kept


def _make(tarball: Path, say: Say) -> None:
    if os.getuid() != 0:
        raise RootFileSystemError("debootstrap needs root")
    _install_tools(say)
    with tempfile.TemporaryDirectory(prefix="root-", dir=tarball.parent) as scratch:
        root = Path(scratch, "root")
        _debian(root, say)
        _spark(root, Path(scratch, "download"), say)
        _examples_jar(root, Path(scratch, "classes"), say)
        say(f"packing {tarball.name}")
        unfinished = Path(scratch, "root.tar")
        _run("tar", "--numeric-owner", "-cf", str(unfinished), "-C", str(root), ".")
        unfinished.rename(tarball)
    newest_first = sorted(tarball.parent.glob("root-*.tar"), key=lambda kept: kept.stat().st_mtime, reverse=True)
    for old in newest_first[_KEPT_TARBALLS:]:
        old.unlink()


def _install_tools(say: Say) -> None:
    missing = sorted(package for tool, package in _TOOLS.items() if shutil.which(tool) is None)
    if missing:
        say(f"installing {' '.join(missing)}")
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing)


def _debian(root: Path, say: Say) -> None:
    say(f"debootstrap {SUITE} with {' '.join(PACKAGES)}")
    _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root), MIRROR)
    for left_out in _LEFT_OUT:
        shutil.rmtree(root / left_out)
    (root / "opt/jdk8").symlink_to("/usr/lib/jvm/java-11-openjdk-amd64")
    (root / "etc/resolv.conf").unlink()


def _spark(root: Path, download: Path, say: Say) -> None:
    """PyPI's source archive of pyspark, laid out as Spark's own distribution is."""
    say(f"pyspark {SPARK_VERSION} from PyPI")
    _run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=pyspark",
         "-d", str(download), f"pyspark=={SPARK_VERSION}")  # fmt: skip
    (archive,) = download.iterdir()
    with tarfile.open(archive) as opened:
        opened.extractall(download, filter="data")
    source, home = download / f"pyspark-{SPARK_VERSION}", root / SPARK_HOME
    for name in ("bin", "sbin", "jars", "data", "licenses"):
        shutil.move(source / "deps" / name, home / name)
    shutil.move(source / "deps/examples", home / "examples/src/main/python")
    shutil.move(source / "lib", home / "python/lib")
    shutil.move(source / "pyspark", home / "python/pyspark")
    shutil.move(source / "README.md", home / "README.md")
    for script in (*(home / "bin").iterdir(), *(home / "sbin").iterdir()):
        script.chmod(0o755)
    (home / "bin/spark-submit").rename(home / "bin/spark-submit-original")


def _examples_jar(root: Path, classes: Path, say: Say) -> None:
    """The jar that PyPI's archive lacks, from the sources in this folder."""
    say("javac the examples")
    sources = [str(source) for source in sorted(_EXAMPLES.rglob("*.java"))]
    _run("javac", "-proc:none", "--release", "11", "-cp", f"{root / SPARK_HOME}/jars/*", "-d", str(classes), *sources)
    jar = root / SPARK_HOME / f"examples/jars/spark-examples_2.12-{SPARK_VERSION}.jar"
    jar.parent.mkdir(parents=True)
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as opened:
        for member in sorted(classes.rglob("*.class")):
            name = zipfile.ZipInfo(str(member.relative_to(classes)), _FIRST_DATE)
            opened.writestr(name, member.read_bytes(), zipfile.ZIP_DEFLATED)


def _run(*words: str) -> None:
    """Raises RootFileSystemError with the last lines of what a failing command said."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    try:
        ended = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=environment
        )
    except FileNotFoundError as missing:
        raise RootFileSystemError(f"{words[0]} is missing") from missing
    if ended.returncode != 0:
        last = "\n".join(ended.stdout.splitlines()[-15:])
        raise RootFileSystemError(f"{words[0]} ended with {ended.returncode}:\n{last}")

"""Dockerfiles that only BuildKit builds are known by their text; those of the classic builder pass."""

from __future__ import annotations

import pytest

from ppmlctl.clients.docker import first_need
from ppmlctl.clients.docker.buildkit import Need


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (
            "# syntax=docker/dockerfile:1\nFROM scratch\nCOPY <<EOF /hello\ngood day\nEOF\n",
            1,
            "# syntax=docker/dockerfile:1",
        ),
        ("# escape=`\n# Syntax = docker/dockerfile:1.7\nFROM a\n", 2, "# syntax=docker/dockerfile:1.7"),
        ("FROM a\nRUN --mount=type=cache,target=/root/.cache pip install x\n", 2, "RUN --mount"),
        ("FROM a\nrun --network=none true\n", 2, "RUN --network"),
        ("FROM a\nRUN \\\n  --mount=type=secret,id=s \\\n  cat /run/secrets/s\n", 2, "RUN --mount"),
        ("# escape=`\nFROM a\nRUN `\n  --security=insecure true\n", 3, "RUN --security"),
        ("FROM a\nONBUILD RUN --mount=type=cache,target=/c true\n", 2, "RUN --mount"),
        ("FROM a\nCOPY --link a /a\n", 2, "COPY --link"),
        ("FROM a\nCOPY --chown=1:1 --chmod=755 a /a\n", 2, "COPY --chmod"),
        ("FROM a\nCOPY --parents a/b /\n", 2, "COPY --parents"),
        ("FROM a\nCOPY --exclude=*.md . /\n", 2, "COPY --exclude"),
        ("FROM a\nADD --checksum=sha256:00 https://example.com/a /a\n", 2, "ADD --checksum"),
        ("FROM a\nADD https://example.com/a.git#v1 /a\n", 2, "ADD https://example.com/a.git#v1"),
        ("FROM a\nADD git@example.com:a/b.git /a\n", 2, "ADD git@example.com:a/b.git"),
        ("FROM a\n\n# note\nRUN <<EOF\nset -e\nEOF\n", 4, "RUN <<EOF"),
        ("FROM a\nRUN python3 <<-'END'\nprint()\nEND\n", 2, "RUN <<-'END'"),
        ("FROM a\nCOPY <<one <<two /x/\n", 2, "COPY <<one"),
        ("FROM --platform=$BUILDPLATFORM golang\n", 1, "FROM with $BUILDPLATFORM"),
        ("FROM image-${TARGETARCH}\n", 1, "FROM with $TARGETARCH"),
    ],
)
def test_what_needs_buildkit_is_found_with_its_line(text: str, line: int, what: str) -> None:
    assert first_need(text) == Need(line, what)


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nCOPY --from=b --chown=1:1 /a /a\nADD --chown=1:1 a /a\n",
        "FROM --platform=linux/amd64 a AS b\nRUN test $((1<<3)) -eq 8\n",
        'FROM a\nRUN ["sh", "-c", "cat <<EOF"]\nCMD ["--mount", "x"]\n',
        "FROM a\nRUN pip install --mount x\nRUN bash -c 'cat <<< word'\n",
        "FROM a\n# syntax=docker/dockerfile:1\nRUN true\n",
        "# comment\n# syntax=docker/dockerfile:1\nFROM a\n",
        "ARG TARGETARCH=amd64\nFROM image-$TARGETARCH\n",
        "FROM a\nADD https://example.com/a.tar.gz /a\nLABEL note='--link <<EOF'\n",
        "# escape=`\nFROM a\nCOPY a `\n  b /\n",
        "",
    ],
)
def test_what_the_classic_builder_knows_passes(text: str) -> None:
    assert first_need(text) is None


def test_a_platform_that_is_given_as_an_argument_passes() -> None:
    assert first_need("FROM --platform=$BUILDPLATFORM a\n", {"BUILDPLATFORM": "linux/amd64"}) is None

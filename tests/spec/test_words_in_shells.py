"""The rule of `shell-in-word`, held to real shells: what it lets through arrives as it is written."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppmlctl.spec.rules.command_words import _as_pattern, _changed

CHARACTERS = st.sampled_from([*map(chr, range(33, 127)), "é", "日"])
PIECES = st.one_of(CHARACTERS, st.sampled_from(["~/", "=~", ":~", "..", "{a,b}", "--", "s3a://x/"]))
WORDS = st.lists(st.lists(PIECES, min_size=1, max_size=6).map("".join), min_size=1, max_size=30)


def through_the_variable(words: list[str]) -> str:
    """As `secured_argvs` starts the command of an enclave."""
    return shell("true && $sgx_command", " ".join(["printf <%s>", *words]))


def through_the_script(words: list[str]) -> str:
    """As the entrypoint does after an attestation: a line of a script."""
    return shell(
        "echo $sgx_command >>temp_command_file; sgx_command='bash temp_command_file'; $sgx_command",
        " ".join(["printf", "'<%s>'", *words]),
    )


def shell(script: str, command: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("a", "b", "x=1"):
            (Path(folder) / name).touch()
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "sgx_command": command}
        done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, check=False)
        return done.stdout.decode() + done.stderr.decode()


@settings(deadline=None)
@given(WORDS)
def test_words_that_are_let_through_arrive_as_they_are(words: list[str]) -> None:
    as_words = [word for word in words if not [*_as_pattern(word)]]
    assert through_the_variable(["-", *as_words]) == "".join(f"<{word}>" for word in ("-", *as_words))
    in_script = [word for word in words if not [*_changed(word)]]
    assert through_the_script(["-", *in_script]) == "".join(f"<{word}>" for word in ("-", *in_script))


@pytest.mark.parametrize("word", ["?", "[ab]", "*"])
def test_a_pattern_that_is_refused_would_have_been_files(word: str) -> None:
    assert [*_as_pattern(word)]
    assert through_the_variable([word]) != f"<{word}>"


@pytest.mark.parametrize(
    "word", ["a&b", "a;b", "$HOME", "`x`", "it's", 'a"b', "a\\b", "~", "x=~/a", "{a,b}", "a|b", "#a"]
)
def test_a_word_that_is_refused_in_a_script_would_have_changed(word: str) -> None:
    assert [*_changed(word)]
    assert through_the_script([word]) != f"<{word}>"

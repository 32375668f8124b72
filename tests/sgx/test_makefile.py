from __future__ import annotations

import os
import subprocess
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ppmlctl.sgx import MakefileError
from ppmlctl.sgx.image_programs import ImagePrograms
from ppmlctl.sgx.makefile import Makefile, read_makefile

_COMMAND_LINE = {"SGX": "1", "G_SGX_SIZE": "8G", "G_LOG_LEVEL": "error"}
_ENVIRONMENT = {"PYTHON_HOME": "/usr/lib/python3.7", "EMPTY": ""}
_ENDS = {
    "/image/bin/bash": "/image/bin/bash",
    "/image/bin/cc": "/image/bin/x86_64-linux-gnu-gcc-9",
    "/image/bin/tcc": "/image/bin/tcc",
}
_PROGRAMS = ImagePrograms("/nothing:/image/bin", lambda paths: {path: _ENDS[path] for path in paths if path in _ENDS})
_RULE = "bash.manifest:\n\tgramine-manifest "


def _read(text: str | bytes, environment: Mapping[str, str] = _ENVIRONMENT) -> Makefile:
    content = text if isinstance(text, bytes) else text.encode()
    return read_makefile(content, "bash.manifest", _COMMAND_LINE, environment, _PROGRAMS.printed)


def _values(text: str) -> dict[str, str | None]:
    read = _read(text)
    return {name: read.value_of(name) for name in sorted(read.names)}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with a `gramine-manifest` that writes its words, one a line, and an image's two programs."""
    programs = {
        "gramine-manifest": '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done > words\n',
        "bin/bash": "#!/bin/sh\n",
        "bin/cc": "#!/bin/sh\necho x86_64-linux-gnu\n",
    }
    (tmp_path / "bin").mkdir()
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def _by_make(folder: Path, text: str) -> dict[str, str]:
    """What make itself gives to `gramine-manifest`."""
    (folder / "Makefile").write_text(text)
    (folder / "words").write_text("")
    path = f"{folder}:{folder}/bin:{os.environ['PATH']}"
    arguments = [f"{name}={value}" for name, value in _COMMAND_LINE.items()]
    environment = {**_ENVIRONMENT, "PATH": path}
    done = subprocess.run(
        ["make", "-B", *arguments, "bash.manifest"], cwd=folder, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    words = (folder / "words").read_text().split("\n")[:-1]
    given = (word.removeprefix("-D").partition("=") for word in words if word.startswith("-D"))
    return {name: value for name, _, value in given}


_FORMS = {
    "defaults": "A ?= one\nA ?= two\nB = $(A)/b\n",
    "command line": "G_SGX_SIZE = 1G\nG_LOG_LEVEL ?= all\nA = $(G_SGX_SIZE)\nB = $(G_LOG_LEVEL)\n",
    "override": "override G_SGX_SIZE = 1G\nA = $(G_SGX_SIZE)\n",
    "environment": "PYTHON_HOME ?= /usr/lib/python3.9\nA = $(PYTHON_HOME)\nEMPTY ?= full\nB = [$(EMPTY)]\n",
    "environment overridden": "PYTHON_HOME = /usr/lib/python3.9\nA = $(PYTHON_HOME)\n",
    "quotes": "A ?= \"16G\"\nB = 'x y'\n",
    "quotes within": "A = \"one 'two'\"\nB = a'b'\"c\"\\d\n",
    "later values": "A = $(LATER)\nLATER = late\nB := $(LATER)\nLATER = later\n",
    "too early": "B := [$(LATER)]\nLATER = late\n",
    "appended": "A = one\nA += two\nA := '$(A)'\nB := x\nB += $(C)\nB := '$(B)'\nC = y\n",
    "nested": "NAME = A_NAME\nA_NAME = found\nA = $($(NAME))\nB = ${A}$(subst)x\n",
    "one letter": "x = letter\nA = $x\nB = $(x)$(x)\n",
    "continued": "A = one\\\n   two\\\nthree\nA := '$(A)'\nB = \\\n  second\n",
    "comments": "# A = no\nA = yes # B = no\n# going on \\\nA = still a comment\nB = a\\#b\n",
    "dollars": "A = '$(B)'\nB = b\n",
    "conditions": (
        "ifeq ($(SGX),1)\nA = sgx\nelse\nA = direct\nendif\nifneq ($(SGX), 1)\nB = no\n"
        "else ifeq '$(A)' 'sgx'\nB = yes\nelse\nB = neither\nendif\n"
    ),
    "conditions in conditions": (
        "ifdef NOTHING\nifdef SGX\nA = 1\nelse\nA = 2\nendif\nelse\n"
        "ifndef EMPTY\nA = 3\nelse\nA = 4\nendif\nendif\nB =\n"
    ),
    "a condition with brackets": "ifeq ((a),(a))\nA = x\nendif\nB =\n",
    "programs": "A = /lib/$(shell $(CC) -dumpmachine)\nB = b\n",
    "defined elsewhere": "define LONG\nA = no\nendef\nA = yes\nundefine B\nexport A\nunexport B\n",
    "other rules": "all: bash.manifest\n.PHONY: all\nclean:\n\trm -f $(shell ls)\nA = a\nB = $(RM)\nB := '$(B)'\n",
    "what nobody asks for": "UNUSED = $(shell date)\nOTHER := $(wildcard *)\nA = a\nB = b\n",
    "spaces": "A   =    a   \nB:=b\n",
    "bars": "A = 'a;b|c'\nB = \"x > y\"\n",
}


@pytest.mark.parametrize("form", _FORMS.values(), ids=_FORMS.keys())
def test_variables_are_what_make_itself_gives(made: Path, form: str) -> None:
    text = f"{form}{_RULE}-Da=$(A) \\\n\t\t-D b=$(B) --define=c=$(G_SGX_SIZE) $< >$@\n"
    text = text.replace("--define=", "-D")
    words = _by_make(made, text.replace("-D b=", "-Db="))
    assert _values(text) == words


def test_the_folder_of_a_program_is_looked_for_in_the_images_path() -> None:
    assert _values(f"{_RULE}-Dexecdir=$(shell dirname $(shell which bash))\n") == {"execdir": "/image/bin"}


@pytest.mark.parametrize(
    "call",
    [
        "gramine-manifest -Da=1 x y",
        "@gramine-manifest -Da=1 x y",
        "cd . && gramine-manifest '-Da=1' x >y && echo -Db=2",
        "/usr/local/bin/gramine-manifest --define a=1 < x > y; echo -Db=2",
        "gramine-manifest $(MORE)",
        'gramine-manifest "-Da=1" $< >$@',
    ],
)
def test_the_call_is_found_in_its_recipe(call: str) -> None:
    assert _values(f"MORE = -Da=1 --verbose\nbash.manifest: bash.manifest.template\n\techo\n\t{call}\n") == {"a": "1"}


def test_of_several_calls_the_one_for_this_manifest_counts() -> None:
    other = "python.manifest:\n\tgramine-manifest -Da=2\n"
    assert _values(f"{other}{_RULE}-Da=1\n") == {"a": "1"}
    with pytest.raises(MakefileError, match="gramine-manifest is called 2 times, in lines 2, 4"):
        _read(other + other.replace("python", "java"))


@pytest.mark.parametrize(
    ("form", "message", "line"),
    [
        ("A = $(shell ls)\n", "the value is computed by a shell command, which is not run: ls", 1),
        (
            "B = 1\nA := $(shell which bash; ls)\n",
            "the value is computed by a shell command, which is not run: which bash; ls",
            2,
        ),
        ("A != ls\n", "the value is computed by make: A != ls", 1),
        ("A = $(wildcard *.c)\n", "the value is computed by make's function wildcard", 1),
        ("A = $(B:.c=.o)\n", "the value is computed by make: $(B:.c=.o)", 1),
        ("A = $(shell which zsh)\n", "the image has no program zsh in its PATH (/nothing:/image/bin)", 1),
        (
            "A = $(shell tcc -dumpmachine)\n",
            "the name of the compiler /image/bin/tcc, which is /image/bin/tcc, does not tell its machine",
            1,
        ),
        ("A = $$HOME\n", "the value is left to the shell: $HOME", 3),
        ("A = `ls`\n", "the value is left to the shell: `ls`", 3),
        ("A = one two\n", "the value is more than one word: one two", 3),
        ('A = "open\n', 'quotes are not closed: "open', 3),
        ("A = $(B\n", "a reference is not closed: $(B", 1),
        ("A = $(B)\nB = x$(A)\n", "A is defined by itself", 1),
        ("define A\nx\nendef\n", "the value is of several lines (define)", 1),
        ("bash.manifest: A = 1\n", "the value is another one for bash.manifest", 1),
    ],
)
def test_a_value_that_is_computed_is_refused_when_it_is_asked_for(form: str, message: str, line: int) -> None:
    read = _read(f"{form}bash.manifest:\n\tgramine-manifest -Da=$(A) -Db=b\n")
    assert read.value_of("b") == "b"
    with pytest.raises(MakefileError) as refused:
        read.value_of("a")
    assert (str(refused.value), refused.value.variable) == (message, "a")
    assert refused.value.line == (line if line != 3 else form.count("\n") + 2)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("include other.mk\n", "it includes another file: include other.mk", 1),
        ("-include other.mk\n", "it includes another file: -include other.mk", 1),
        (
            "ifeq ($(shell uname),Linux)\nA = 1\nendif\n",
            "the value is computed by a shell command, which is not run: uname",
            1,
        ),
        ("\n$(eval A = 1)\n", "a line that only make could read: $(eval A = 1)", 2),
        ("$(NAME)_B = 1\n", "an assignment that only make could read: $(NAME)_B = 1", 1),
        ("A = 1\nifdef A\nB = 2\n", "a conditional has no endif", 2),
        ("A = 1\ndefine B\nendif\n", "a define has no endef", 2),
        ("endif\n", "a conditional ends or goes on that did not begin", 1),
        ("ifeq a b\n", "a condition that only make could read: a b", 1),
        ("\nA = \0\n", "it holds a NUL byte", 2),
        ("#" * (10 << 20), "it has 10485760 bytes, more than 1048576", None),
        ("all:\n\techo\n", "no recipe calls gramine-manifest, which is given the template's variables", None),
        (f"{_RULE}-Da\n", "gramine-manifest is given what is no NAME=VALUE: -Da", 2),
    ],
)
def test_a_makefile_that_only_make_could_read_is_refused(text: str, message: str, line: int | None) -> None:
    with pytest.raises(MakefileError) as refused:
        _read(text)
    assert (str(refused.value), refused.value.line) == (message, line)


def test_a_variable_that_is_given_twice_is_refused() -> None:
    read = _read(f"{_RULE}-Da=1 \\\n\t-Db=2 \\\n\t-Da=3\n")
    assert read.value_of("b") == "2"
    with pytest.raises(MakefileError, match=r"^a is given 2 times, in lines 2, 4$") as refused:
        read.value_of("a")
    assert (refused.value.line, refused.value.variable) == (4, "a")


def test_values_that_multiply_are_refused() -> None:
    rows = "".join(f"V{n} = $(V{n + 1})$(V{n + 1})\n" for n in range(40))
    for last in ("", "x"):
        with pytest.raises(MakefileError, match=r"name each other more than|has more than"):
            _read(f"{rows}V40 = {last}\n{_RULE}-Da=$(V0)\n").value_of("a")


def test_references_without_end_are_refused() -> None:
    deep = "$(" * 5_000 + ")" * 5_000
    with pytest.raises(MakefileError, match="nested too deeply"):
        _read(f"{_RULE}-Da={deep}\n").value_of("a")


_MANY = 200_000
MANY = {
    "spaces": f"A ={' ' * _MANY}1\n{_RULE}-Da=$(A)\n",
    "words": f"all:\n\t{'a ' * _MANY}\n{_RULE}-Da=1\n",
    "references": f"all:\n\t{'$(A) ' * _MANY}\n{_RULE}-Da=1\n",
}


@pytest.mark.parametrize("kind", MANY)
def test_a_makefile_of_one_long_line_is_gone_through_once(kind: str) -> None:
    assert _values(MANY[kind]) == {"a": "1"}


def test_values_that_are_long_together_are_refused_before_they_are_put_together() -> None:
    text = f"A := {'a' * 60_000}\nB = {'$(A)' * 15_000}\n{_RULE}-Da=$(B)\n"
    tracemalloc.start()
    try:
        with pytest.raises(MakefileError, match="has more than 65536 characters"):
            _read(text).value_of("a")
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


@given(st.text("A=$()# \t\n\\:?+'\"{}ifeq-Dgramne;", max_size=60))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_a_makefile_or_refused(text: str) -> None:
    try:
        read = _read(f"{text}\n{_RULE}-Da=$(A) {text}\n")
        for name in read.names:
            read.value_of(name)
    except MakefileError:
        return

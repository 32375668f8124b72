import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ppmlctl.diagnostics import InputError
from ppmlctl.spec import yaml_source
from ppmlctl.spec.yaml_source import parse_yaml, read_yaml

BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

FAULTS = {
    "an unclosed bracket": (
        "a: [b\nc: d\n",
        """\
        error[yaml-invalid]: the file is no valid YAML
          at   ppml.yaml:2:2
          is   while parsing a flow sequence from line 1; expected ',' or ']', but got ':'
          fix  mend the line, or quote the value""",
    ),
    "an unclosed quote": (
        "a: 'x\n",
        """\
        error[yaml-invalid]: the file is no valid YAML
          at   ppml.yaml:2:1
          is   while scanning a quoted scalar from line 1; found unexpected end of stream
          fix  mend the line, or quote the value""",
    ),
    "a colon in a plain value": (
        "a: b: c\n",
        """\
        error[yaml-invalid]: the file is no valid YAML
          at   ppml.yaml:1:5
          is   mapping values are not allowed here
          fix  mend the line, or quote the value""",
    ),
    "a tab": (
        "a:\n\tb: 1\n",
        """\
        error[yaml-tab]: a tab indents a line
          at   ppml.yaml:2:1
          is   a tab in line 2
          fix  indent with blanks""",
    ),
    "a tab after a line with blanks": (
        "a:\n  b: 1\n\tc: 2\n",
        """\
        error[yaml-tab]: a tab indents a line
          at   ppml.yaml:3:1
          is   a tab in line 3
          fix  indent with blanks""",
    ),
    "a control character": (
        "a: \x00\n",
        """\
        error[yaml-character]: the file holds a control character
          at   ppml.yaml:1:4
          fix  remove the character, or write it escaped in double quotes""",
    ),
    "half of a character": (
        'a: x\nb: ["\\U0001F511", "\\uD800"]\n',
        """\
        error[yaml-half-character]: an escape writes half of a character
          at   ppml.yaml:2:19
          is   \\uD800 to \\uDFFF name halves of characters in UTF-16
          why  no file, no variable and no server can hold one
          fix  write the character itself, or its number: \\U0001F511""",
    ),
    "the end of a text": (
        'a: x\nb: ["/keys\\0/of", 1]\n',
        """\
        error[yaml-nul]: an escape writes the NUL character
          at   ppml.yaml:2:5
          is   \\0 or \\x00
          why  no path, no name and no variable can hold one
          fix  remove it""",
    ),
    "nothing": (
        "",
        """\
        error[yaml-empty]: the file is empty
          at   ppml.yaml:1:1
          is   no value
          fix  begin with `version: 1`; `ppmlctl init` writes a first file""",
    ),
    "comments only": (
        "# later\n",
        """\
        error[yaml-empty]: the file is empty
          at   ppml.yaml:1:1
          is   no value
          fix  begin with `version: 1`; `ppmlctl init` writes a first file""",
    ),
    "a list": (
        "- a\n",
        """\
        error[yaml-top-level]: the file must hold a mapping
          at   ppml.yaml:1:1
          is   a list
          fix  begin with `version: 1`""",
    ),
    "two documents": (
        "a: 1\n---\nb: 2\n",
        """\
        error[yaml-many-documents]: the file holds more than one document
          at   ppml.yaml:2:1
          is   a second `---`
          fix  keep one document in one file""",
    ),
    "a key twice": (
        "a: 1\nb: {c: 1, c: 2}\na: 2\n",
        """\
        error[yaml-duplicate-key]: a key stands twice in one mapping
          at   ppml.yaml:2:11
          is   `c` in line 2 and again in line 2
          why  only one of them could count
          fix  remove one, or join them
        error[yaml-duplicate-key]: a key stands twice in one mapping
          at   ppml.yaml:3:1
          is   `a` in line 1 and again in line 3
          why  only one of them could count
          fix  remove one, or join them""",
    ),
    "a number as a key": (
        "8080: x\n",
        """\
        error[yaml-key]: a key is not text
          at   ppml.yaml:1:1
          is   the number 8080
          fix  quote the key: "8080\"""",
    ),
    "a list as a key": (
        "? [a]\n: b\n",
        """\
        error[yaml-key]: a key is not text
          at   ppml.yaml:1:3
          is   a list
          fix  use plain text as the key""",
    ),
    "an expression without quotes": (
        "tag: {{ release }}\n",
        """\
        error[yaml-key]: an expression stands without quotes
          at   ppml.yaml:1:7
          is   {{ without quotes opens a YAML mapping
          fix  quote it: "{{ name }}\"""",
    ),
    "a tag of Python's": (
        "a: !!python/object/apply:os.system [id]\n",
        """\
        error[yaml-tag]: a value has a tag
          at   ppml.yaml:1:4
          is   a tag (!name) that is not offered
          why  tags can make a reader run code; plain values are enough here
          fix  remove the tag""",
    ),
    "a tag of one's own": (
        "a: !vault x\n",
        """\
        error[yaml-tag]: a value has a tag
          at   ppml.yaml:1:4
          is   a tag (!name) that is not offered
          why  tags can make a reader run code; plain values are enough here
          fix  remove the tag""",
    ),
    "a number with a leading zero": (
        "mode: 0644\n",
        """\
        error[yaml-number]: a number begins with a zero
          at   ppml.yaml:1:7
          is   0644
          why  some readers take it as octal, others as decimal
          fix  write "0644" for text, or 0o644 for an octal number""",
    ),
    "a merge key": (
        "a: &a {b: 1}\nc: {<<: *a}\n",
        """\
        error[yaml-merge-key]: merge keys are not offered
          at   ppml.yaml:2:5
          is   <<
          why  YAML 1.2 has no merge key
          fix  write the keys out, or share values through `vars`""",
    ),
    "an alias without anchor": (
        "a: *x\n",
        """\
        error[yaml-alias]: an alias has no value
          at   ppml.yaml:1:4
          is   *x names no anchor above it
          fix  put &x before the value it should stand for""",
    ),
    "an alias inside its anchor": (
        "a: &x [*x]\n",
        """\
        error[yaml-alias]: an alias has no value
          at   ppml.yaml:1:8
          is   *x stands inside the value &x itself
          fix  remove the alias""",
    ),
    "an alias bomb": (
        BOMB,
        """\
        error[yaml-alias-bomb]: aliases stand for too many values
          at   ppml.yaml:5:29
          is   more than 100,000 values behind aliases
          why  a few lines of aliases of aliases could fill the memory
          fix  write the values out, or share them through `vars`""",
    ),
    "deep nesting": (
        "a: " + "[" * 100_000,
        """\
        error[yaml-too-deep]: the file nests too deep
          at   ppml.yaml:1:53
          is   more than 50 mappings or lists inside one another
          fix  nest less; nothing that ppmlctl reads needs more than a dozen levels""",
    ),
    "deep nesting by indentation": (
        "".join(f"{'  ' * depth}a:\n" for depth in range(60)),
        """\
        error[yaml-too-deep]: the file nests too deep
          at   ppml.yaml:51:101
          is   more than 50 mappings or lists inside one another
          fix  nest less; nothing that ppmlctl reads needs more than a dozen levels""",
    ),
}


def _dedented(text: str) -> str:
    return "\n".join(line.removeprefix("        ") for line in text.splitlines())


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_one_message(name: str) -> None:
    text, message = FAULTS[name]
    with pytest.raises(InputError) as caught:
        parse_yaml(text, shown_as="ppml.yaml")
    assert str(caught.value) == _dedented(message)


def _message(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_yaml(path, shown_as="ppml.yaml")
    return str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert _message(tmp_path / "ppml.yaml") == (
        "error[yaml-missing]: the file does not exist\n"
        "  at   ppml.yaml:1:1\n"
        "  is   ppml.yaml\n"
        "  fix  make it (`ppmlctl init` writes a first ppml.yaml), or name another: --file FILE"
    )


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    assert _message(tmp_path) == (
        "error[yaml-unreadable]: the file cannot be read\n"
        "  at   ppml.yaml:1:1\n"
        "  is   Is a directory\n"
        "  fix  make it a file that you may read"
    )


def test_a_file_of_10_megabytes_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_bytes(b"a: b\n" * 2_000_000)
    assert _message(tmp_path / "ppml.yaml") == (
        "error[yaml-too-large]: the file is too large\n"
        "  at   ppml.yaml:1:1\n"
        "  is   more than 1,048,576 bytes\n"
        "  fix  split it, or move large values into files of their own"
    )


def test_a_file_that_is_not_utf8_is_refused_at_its_byte(tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_bytes(b"a: b\nc: \xe9t\xe9\n")
    assert _message(tmp_path / "ppml.yaml") == (
        "error[yaml-not-utf8]: the file is not UTF-8\n"
        "  at   ppml.yaml:2:4\n"
        "  is   byte 0xe9 at offset 8\n"
        "  fix  save it as UTF-8"
    )


def test_a_byte_order_mark_and_windows_lines_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "ppml.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read_yaml(tmp_path / "ppml.yaml", shown_as="ppml.yaml").value == {"a": 1, "b": 2}


def test_a_playbook_is_a_list() -> None:
    assert parse_yaml("- name: x\n", shown_as="site.yaml", top="list").value == [{"name": "x"}]


SCALARS = {
    "yes": "yes",
    "true": True,
    "FALSE": False,
    "~": None,
    "null": None,
    "1": 1,
    "-1": -1,
    "0o17": 15,
    "0xff": 255,
    "1.10": 1.1,
    "1e3": 1000.0,
    "-.inf": float("-inf"),
    "1_000": "1_000",
    "12:30:45": "12:30:45",
    "2024-01-01": "2024-01-01",
    '"1"': "1",
    "'true'": "true",
    "!!str 1": "1",
    "9" * 5000: "9" * 5000,
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    read = parse_yaml(f"a: {text}\n", shown_as="ppml.yaml").value["a"]
    assert (type(read), read) == (type(value), value)


EVERYWHERE = """\
a: 1
é: {b: 'two', c: [x, y]}
list:
  - name: first
    conf: {spark.a: "{{ v }}"}
text: |
  lines
empty:
shared: &s {k: v}
again: *s
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("a",), "1:4  a", "1:1  a"),
        (("é", "b"), "2:8  é.b", "2:5  é.b"),
        (("é", "c", 1), "2:22  é.c[1]", "2:22  é.c[1]"),
        (("list", 0, "name"), "4:11  list[0].name", "4:5  list[0].name"),
        (("list", 0, "conf", "spark.a"), "5:21  list[0].conf['spark.a']", "5:12  list[0].conf['spark.a']"),
        (("list", 0, "missing", "deeper"), "4:5  list[0].missing.deeper", "4:5  list[0].missing.deeper"),
        (("text",), "6:7  text", "6:1  text"),
        (("empty",), "8:1  empty", "8:1  empty"),
        (("again", "k"), "9:16  again.k", "9:13  again.k"),
        (("missing",), "1:1  missing", "1:1  missing"),
    ],
)
def test_every_place_can_be_found(path: tuple[str | int, ...], value: str, key: str) -> None:
    document = parse_yaml(EVERYWHERE, shown_as="f")
    assert (str(document.locate(path)), str(document.locate_key(path))) == (f"f:{value}", f"f:{key}")


def test_a_place_inside_a_scalar_counts_its_quote_and_not_its_folds() -> None:
    document = parse_yaml('a: xy {{\nb: "xy {{"\nc: >\n  xy\n  {{\n', shown_as="f")
    assert [document.locate((key,), 3).column for key in "abc"] == [7, 8, 4]


def test_spelling_is_kept_for_plain_scalars_only() -> None:
    document = parse_yaml("a: 1.10\nb: '1.10'\nc: {}\n", shown_as="f")
    assert [document.spelling((key,)) for key in "abcd"] == ["1.10", None, None, None]


def _read(text: str) -> object:
    try:
        document = parse_yaml(text, shown_as="f")
    except InputError as error:
        return [(d.code, d.at) for d in error.diagnostics]
    return document.value


@given(st.text(alphabet=st.sampled_from("ab1:-[]{}'\"\n\t &*!|>#%@~é.,"), max_size=60))
def test_any_text_gives_a_value_or_an_input_error(text: str) -> None:
    _read(text)


@given(st.text(alphabet=st.sampled_from("ab:-[]{}'\" \n&*#é,"), max_size=40))
@example("*-:")
def test_both_parsers_give_the_same(text: str) -> None:
    if yaml_source.fast_parser() is None:
        pytest.skip("libyaml's parser is not installed")
    fast = _read(text)
    yaml_source.fast_parser.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_source, "fast_parser", lambda: None)
        slow = _read(text)
    assert fast == slow


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc.-", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", min_size=1), JSON_VALUES, min_size=1))
def test_json_is_read_as_what_it_is(value: dict[str, object]) -> None:
    assert parse_yaml(json.dumps(value), shown_as="f").value == value

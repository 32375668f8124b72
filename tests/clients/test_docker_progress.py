"""The engine's stream of events, as lines."""

from __future__ import annotations

import pytest

from ppmlctl.clients.docker.progress import Progress

TEXT = "before\nhttp://user:password@proxy\r\nafter\n"


@pytest.mark.parametrize("cut", range(len(TEXT) + 1))
def test_a_secret_is_masked_wherever_the_engine_cut_the_output(cut: int) -> None:
    told: list[str] = []
    progress = Progress(told.append, lambda text: text.replace("password", "(secret)"))
    progress.follow([{"stream": TEXT[:cut]}, {"stream": TEXT[cut:]}])
    assert told == ["before", "http://user:(secret)@proxy", "after"]
    assert progress.last_lines == told


def test_a_line_that_was_begun_is_told_before_the_error() -> None:
    progress = Progress(lambda _line: None)
    progress.follow([{"stream": "half a line"}, {"error": "it failed"}])
    assert (progress.last_lines, progress.error) == (["half a line"], "it failed")


def test_a_line_without_an_end_is_not_kept_whole() -> None:
    told: list[str] = []
    progress = Progress(told.append)
    progress.follow([{"stream": "x" * 700_000}] * 3 + [{"stream": "\nnext\n"}])
    assert told == ["(a line of more than 1048576 characters)", "next"]


def test_what_was_begun_is_told_where_the_stream_breaks_off() -> None:
    def broken():
        yield {"stream": "half a line"}
        raise ConnectionError

    told: list[str] = []
    with pytest.raises(ConnectionError):
        Progress(told.append).follow(broken())
    assert told == ["half a line"]

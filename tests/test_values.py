"""Lines and protected spans of a text: what is remembered, or kept as numbers, is what the text itself says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shanben import values
from shanben.values import Memory, Span, Text, overlaps


class Guarded:
    """Finds a pattern as a protected span."""

    def __init__(self, pattern: str, *, by_line: bool) -> None:
        self._pattern, self.by_line = re.compile(pattern), by_line
        self.asked: list[str] = []

    def __call__(self, content: str) -> Sequence[Span]:
        self.asked.append(content)
        return [Span(*m.span()) for m in self._pattern.finditer(content) if m.group()]


def guards() -> dict[str, Callable[[str], Sequence[Span]]]:
    return {
        "figure": Guarded(r"\d+(?:\.\d+)?", by_line=True),
        "word": Guarded("[a-z]+", by_line=True),
        "block": Guarded(r"<[^>]*>", by_line=False),
    }


@given(st.text("甲1.a\n<>", max_size=40), st.integers(0, 40), st.integers(0, 6), st.integers(1, 7), st.integers(1, 30))
def test_a_stretch_is_covered_as_the_whole_text_says(
    content: str, start: int, more: int, which: int, most: int
) -> None:
    start = min(start, len(content))
    end = min(start + more, len(content))
    kinds = tuple(kind for n, kind in enumerate(("figure", "word", "block")) if which >> n & 1)
    memory = Memory()
    memory.most = most  # it forgets in between
    text = Text(content, guards=guards(), memory=memory)
    plain = Text.of(content, **guards())
    for at in range(start, end + 1):
        right = any(overlaps(plain.protected(kind), at, end) for kind in kinds)
        assert text.covers(kinds, at, end) == right
        assert text.covers(kinds, at, end) == right, "what is remembered says the same"


def test_what_a_line_says_is_looked_at_once() -> None:
    content = "春天来了。\n全市共有企业2300家。\n" * 50
    text = Text.of(content, **(found := guards()))
    for at in range(0, len(content), 5):
        text.covers(("figure", "word"), at, at)
    figure = found["figure"]
    assert isinstance(figure, Guarded)
    assert sorted(set(figure.asked)) == sorted(figure.asked)


@pytest.mark.parametrize("content", ["", "\n", "甲", "甲\n", "\n\n 甲乙\n\t\n丙", "甲\r\n乙"])
def test_lines_kept_as_numbers_are_the_same(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Text.of(content)
    monkeypatch.setattr(values, "_LONG", 0)
    long = Text.of(content)
    assert not isinstance(long.lines, tuple)
    assert tuple(long.lines) == tuple(short.lines)
    assert tuple(long.filled_lines) == tuple(short.filled_lines)
    assert [long.lines[n] for n in range(len(long.lines))] == list(short.lines)
    assert long.lines[-1] == short.lines[-1]
    assert tuple(long.lines[1:3]) == tuple(short.lines[1:3])
    assert [long.place(at) for at in range(len(content) + 1)] == [short.place(at) for at in range(len(content) + 1)]

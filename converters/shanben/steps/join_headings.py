r"""Join headings that stand on two lines: a bare number and its title, or one title marked twice.

`篇1：` or `第一章` alone on a line names the line below it. A converter that saw a heading of two printed
lines writes `#` before each, or leaves the second as a short line that begins with a blank. A heading marked with `#`
gets an empty line below it: once the sign is gone, nothing else would part it from its text.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import regex

from shanben.lazy import lazy_regex
from shanben.ledger import Change, Finding
from shanben.steps import Step
from shanben.steps._lines import TERMINAL, ends_open, is_numbered, width
from shanben.values import Span, Text

_LABEL = lazy_regex(
    r"[ \t\u3000]*(?:\#{1,6}[ ]*)?(?:篇[〇零一二三四五六七八九十0-9]{1,3}[:：]|第[〇零○一二两兩三四五六七八九十百千0-9]{1,7}[编編卷部篇章节節回集])[ \t\u3000]*",
    regex.VERSION1,
)
_SAID = lazy_regex("[。！？!?…][”’」』]")
"""The end of what somebody said (`「嗯。」`): no title holds it."""
_HASHES = lazy_regex(r"(#{1,6})[ \t]+")


class Params(NamedTuple):
    """longest: a title is no wider than this, in full-width cells."""

    longest: float = 45.0


def join_headings(text: Text, params: Params) -> Iterator[Finding]:
    r"""Join a heading's two lines.

    >>> [c.before for c in join_headings(Text.of("篇1：\n深入学习会议精神\n\n正文。"), Params())]
    ['\n']
    >>> [c.before for c in join_headings(Text.of("## 二、提高地方\n## 立法质量\n\n正文。"), Params())]
    ['\n## ']
    """
    content = text.content
    joined_at = -1
    for a, b in itertools.pairwise(text.filled_lines):
        if content[a.start : a.end].lstrip(" \t\u3000")[:1] not in "#篇第":
            continue
        if joined_at != a.start and (change := _joint(content, a, b, params)):
            yield change
            joined_at = b.start
        elif b.start == a.end + 1 and content[b.start] not in "# \t\u3000" and _HASHES.match(content, a.start, a.end):
            yield Change(a.end, "\n", "\n\n", reason="a heading ends here")


def _joint(content: str, a: Span, b: Span, params: Params) -> Change | None:
    """Give the change that makes one heading of two lines, None if they are not one."""
    first, second = content[a.start : a.end], content[b.start : b.end]
    if width(second) > params.longest or second.rstrip()[-1] in TERMINAL or _SAID.search(second):
        return None
    start = a.start + len(first.rstrip())
    lead = len(second) - len(second.lstrip(" \t\u3000"))
    if _LABEL.fullmatch(first) and not is_numbered(second):
        return Change(start, content[start : b.start + lead], "" if first.rstrip()[-1] in "：:" else " ")
    one, two = _HASHES.match(first), _HASHES.match(second)
    if not one or not is_numbered(first[one.end() :]) or not ends_open(first):
        return None
    if two and two.group(1) == one.group(1) and not is_numbered(second[two.end() :]):
        return Change(start, content[start : b.start + two.end()], "")
    if not two and second[:1] == " " and lead == 1 and not is_numbered(second):
        return Change(start, content[start : b.start + lead], "")
    return None


STEP = Step("join-headings", join_headings, Params, needs=frozenset("#篇第"))

"""What a rule says about the frames of web pages, and the quick look whether a text may have one at all."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import regex

from shanben.lazy import lazy_re

FLAGS = regex.VERSION1
_PATTERNS = (
    "signs", "paths", "inside", "feet", "near", "lists", "facts", "stamps", "keep", "shapes", "abstracts", "keywords",
)  # fmt: skip
"""Parameters that hold patterns."""
SHOWING = 60
"""A line that shows a page has no more characters, unless it is a menu."""
BARS = 4
"""So many bars make a long line a menu."""
BRIEF, FEW_TEXTS = 4_000, 8
"""In so many characters, and so many texts of a run, each word is looked for by itself first: to put them into one pattern takes
as long as some ten such looks."""
_texts = itertools.count()
SENTENCE = 30
"""A line that is longer and ends as a sentence shows a page only by two of its words."""
_SENTENCE_END = lazy_re("""[。；，,;！!？?]['"”’」』）)】]*$""")


class Params(NamedTuple):
    """Vocabularies: words, ends of words, and patterns matched from the beginning of a line without its blanks.

    Words. words: controls that no text has on a line of its own. weak: controls only beside others. menu: columns of
    sites; further ones are known by their ``endings``, names of sites by ``sites``.
    Patterns. signs: lines of a page's frame. paths: where a page stands in its site. inside: lines of frame between
    paragraphs, too (posts of a forum, sections of a wiki). feet: lines of a site's foot. near: lines that belong to a
    frame when they stand in one. lists: headings over links to other pages. facts: lines that say something about the
    text. stamps: facts without a label; named groups of stamps and feet (``date``, ``publisher``) become metadata.
    keep: lines that stay. abstracts: beginnings of an abstract; below one, ``keywords`` stay, too.
    Words that count. three, two, one: words anywhere in a line and their points for the frame; against: words of
    authors, a point each for the text; shapes: patterns anywhere in a line, two points each. A word that the text
    itself uses counts nothing.
    First of all. marks: strings of which a page has one in each of ``certain`` short lines; in a text that has not,
    and no lines that are ``words``, nothing is looked for. Without any marks all texts are looked through.
    Numbers. certain: how many certain lines make a frame. title: up to how many characters a line between two lines
    of frame is no title. weights: a file that `shanben train-frame` wrote; empty: the one that comes with Shanben.
    """

    words: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    menu: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    feet: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    three: tuple[str, ...] = ()
    two: tuple[str, ...] = ()
    one: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    abstracts: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    certain: int = 2
    title: int = 10
    weights: str = ""


def patterns_of(params: Params) -> Iterator[str]:
    """Give all patterns among the parameters."""
    for name in _PATTERNS:
        yield from getattr(params, name)


def check_patterns(params: Params) -> None:
    """Raise ValueError for a pattern that is none, naming it."""
    for name in _PATTERNS:
        for pattern in getattr(params, name):
            try:
                regex.compile(pattern, FLAGS)
            except regex.error as error:
                raise ValueError(f"'{pattern}' under {name} is no valid pattern: {error}") from None


@lru_cache(maxsize=8)
def _marks(marks: tuple[str, ...]) -> re.Pattern[str]:
    """Compile strings as one pattern; of many strings `re` finds one several times faster than `regex`."""
    return re.compile("|".join(map(re.escape, sorted(filter(None, marks)))))


@lru_cache(maxsize=8)
def _controls(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(words)


def _shows(line: str, marks: re.Pattern[str]) -> bool:
    if not marks.search(line):
        return False
    said = line.strip()
    return len(said) <= SENTENCE or not _SENTENCE_END.search(said) or len(set(marks.findall(said))) > 1


def _is_wide(line: str) -> bool:
    """Tell whether a long line is a menu, or a short one with blanks between its parts."""
    return line.count("|") >= BARS or (
        len(line) <= 2 * SHOWING and "    " in line and len(" ".join(line.split())) <= SHOWING
    )


def may_be_page(content: str, params: Params) -> bool:
    r"""Tell whether enough short lines of a text look like a page's to look at it at all; else it has no frame.

    >>> few = Params(words=("登录",), marks=("首页", "版权"))
    >>> [may_be_page(text, few) for text in ("回到首页\n版权所有\n", "首页\n春天\n", "登录\n首页\n")]
    [True, False, True]
    """
    if not params.marks:
        return True
    lines = [line for line in content.split("\n") if 0 < len(line) <= SHOWING or _is_wide(line)]
    near = "\n".join(lines)
    brief = len(near) <= BRIEF and next(_texts) < FEW_TEXTS
    marked = not brief or any(map(near.__contains__, params.marks))
    marks = _marks(params.marks) if marked else None
    words, found = _controls(params.words), 0
    for line in lines:
        if (marks and _shows(line, marks)) or line.strip() in words:
            found += 1
            if found >= params.certain:
                return True
    return False

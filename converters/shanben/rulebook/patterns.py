"""From what a rule file says to the pattern that is searched for. Patterns are compiled when they are first used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from functools import lru_cache

import regex

from shanben.rulebook.schema import Rule
from shanben.tools.pattern_code import Code, made_of

PATTERN_FLAGS = regex.VERSION1 | regex.MULTILINE
MOST_READY = 32
"""Rulebooks of whose patterns the code is at hand."""
_ready: deque[Mapping[str, Code]] = deque(maxlen=MOST_READY)


@lru_cache(maxsize=8192)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Compile a pattern of a rule file on its first use, or make it from its code where that is known."""
    code = next(filter(None, (codes.get(pattern) for codes in _ready)), None)
    return regex.compile(pattern, PATTERN_FLAGS) if code is None else made_of(pattern, code)


def remember(codes: Mapping[str, Code]) -> None:
    """Take over what patterns were compiled to before; it is looked up when they are used."""
    _ready.appendleft(codes)


def full_pattern(rule: Rule) -> str:
    """Give the pattern that is searched for: match with its context. Empty for a rule without `match`.

    >>> from shanben.rulebook.schema import Place
    >>> full_pattern(Rule("a", "replace", "punctuation", Place("f", 1, 1), "x", match=",", before="甲|乙"))
    '(?<=(?:甲|乙))(?:,)'
    """
    return joined(rule.match, rule.before, rule.after) if rule.match else ""


@lru_cache(maxsize=8192)
def joined(match: str, before: str, after: str) -> str:
    """Give one pattern for a match between its contexts."""
    return "".join(piece for _, piece in assembled(match, before, after))


def assembled(match: str, before: str, after: str) -> Iterator[tuple[str, str]]:
    """Give the whole pattern of a rule in pieces, each with the key that it comes from or an empty text."""
    if before:
        yield from (("", "(?<=(?:"), ("before", before), ("", "))"))
    yield from (("", "(?:"), ("match", match), ("", ")"))
    if after:
        yield from (("", "(?=(?:"), ("after", after), ("", "))"))

"""From what a rule file says to the pattern that is searched for. Patterns are compiled when they are first used."""

from __future__ import annotations

import copyreg
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import regex

from shanben.rulebook.schema import Rule

PATTERN_FLAGS = regex.VERSION1 | regex.MULTILINE
_ANY = regex.compile(".")


Code = tuple[Any, ...]
"""What a pattern was compiled to, in plain values."""
MOST_READY = 32
"""Rulebooks of whose patterns the code is at hand."""
_ready: deque[Mapping[str, Code]] = deque(maxlen=MOST_READY)


@lru_cache(maxsize=8192)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Compile a pattern of a rule file on its first use, or make it from its code where that is known."""
    code = next(filter(None, (codes.get(pattern) for codes in _ready)), None)
    return regex.compile(pattern, PATTERN_FLAGS) if code is None else _made(pattern, code)


def code_of(pattern: str) -> Code | None:
    """Give what a pattern is compiled to, as pickle would keep it; None where that is not of the shape we know.

    It goes with this version of `regex` and this kind of machine.
    """
    try:
        _, data = _reduced(compiled(pattern))
        _, flags, code, groups, _, lists, indexes, *required = data
        if lists or indexes or not isinstance(code, bytes):
            return None
        kept = (flags, b64encode(code).decode(), dict(groups), *required)
        return kept if _reduced(_made(pattern, kept))[1] == data else None
    except (KeyError, TypeError, ValueError):
        return None


def _made(pattern: str, code: Code) -> regex.Pattern[str]:
    make, _ = _reduced(_ANY)
    flags, words, groups, *required = code
    names = {number: name for name, number in groups.items()}
    made: regex.Pattern[str] = make(pattern, flags, b64decode(words), groups, names, {}, [], *required)
    return made


def _reduced(pattern: regex.Pattern[str]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Give what makes a compiled pattern, and of what, as pickle is told."""
    reduced: Any = copyreg.dispatch_table[regex.Pattern](pattern)
    return reduced[0], reduced[1]


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

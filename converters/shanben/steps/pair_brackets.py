"""Make both brackets of a pair full-width where the pair stands in Chinese text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import regex

from shanben.lazy import lazy_regex
from shanben.ledger import Change, Finding
from shanben.steps import Step
from shanben.values import Text

_BRACKET = lazy_regex(r"[()（）]")
_HAN = lazy_regex(r"[\p{Han}〇○]", regex.VERSION1)
_CHINESE_BEFORE = lazy_regex(r"[\p{Han}〇○”’》）」』]", regex.VERSION1)
_CHINESE_AFTER = lazy_regex(r"[~～\p{Han}〇○，。、；：！？“‘《（）》」』”’,;:]", regex.VERSION1)
_STOP_AFTER = lazy_regex(r"[.!?](?=[ ]?(?:\p{Han}|$))", regex.VERSION1)
_ARGUMENTS = lazy_regex(r"[A-Za-z][0-9']?(?:, ?[A-Za-z0-9][0-9']?)+")
_COPOLYMER = lazy_regex(r"-[a-z]{1,5}-")
_YEAR = lazy_regex(r"(?:1[89]|20)\d\d|[1-9]\d{2,3} ?[-–—―－~～]{1,2} ?(?:[1-9]\d{1,3})?")
_GUARDED = ("url", "email", "code", "phone")


class Params(NamedTuple):
    """longest: a pair that holds more characters is taken for two brackets that have nothing to do with each other."""

    longest: int = 600


def pair_brackets(text: Text, params: Params) -> Iterator[Finding]:
    """Widen half-width brackets in pairs.

    A pair is widened when it holds Chinese text, when its other half is wide already, or when it holds a Latin
    word or a year inside a Chinese sentence. `(1)`, `f(x)`, `(a,b)`, smileys, names of substances (`4-(二甲氨基)吡啶`) and
    brackets without a partner stay.

    >>> [(c.start, c.after) for c in pair_brackets(Text.of("党委(党组)和GDP(f(x))，见(1)"), Params())]
    [(2, '（'), (5, '）')]
    """
    for span in text.lines:
        line = text.content[span.start : span.end]
        if "(" not in line and ")" not in line:
            continue
        waiting: list[int] = []
        for m in _BRACKET.finditer(line):
            at = m.start()
            if text.covers(_GUARDED, span.start + at, span.start + at + 1):
                continue
            if m.group() in "(（":
                waiting.append(at)
            elif waiting:
                opening = waiting.pop()
                if at - opening <= params.longest and _is_chinese(line, opening, at):
                    for place, wide in ((opening, "（"), (at, "）")):
                        if line[place] != wide:
                            yield Change(span.start + place, line[place], wide)


def _is_chinese(line: str, opening: int, closing: int) -> bool:
    inside = line[opening + 1 : closing]
    if line[opening] == "（" or line[closing] == "）":
        return any(c.isalnum() for c in inside)
    before, after = line[opening - 1 : opening] if opening else "", line[closing + 1 : closing + 2]
    if _HAN.search(inside):
        return not (before == "-" or after == "-" or _COPOLYMER.search(inside))
    is_word = (
        bool(inside)
        and not _ARGUMENTS.fullmatch(inside)
        and (inside[0].isalpha() or bool(_YEAR.fullmatch(inside) and after))
    )
    return (
        is_word
        and bool(_CHINESE_BEFORE.match(before))
        and (not after or bool(_CHINESE_AFTER.match(after)) or bool(_STOP_AFTER.match(line, closing + 1)))
    )


STEP = Step("pair-brackets", pair_brackets, Params, needs=frozenset("()"))

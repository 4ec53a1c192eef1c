"""Undo a wrong decoding that was saved as text, where it can be undone exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import regex

from shanben.lazy import lazy_re, lazy_regex
from shanben.ledger import Change, Finding
from shanben.steps import Step
from shanben.values import Text

_RUN = lazy_regex(r"[^\x00-\x7f]+(?:[ ]?[^\x00-\x7f]+)*")
_WESTERN = lazy_regex(r"[\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2122]+")
_GOOD = lazy_regex(r"[\p{Han}\u3000-\u303f\uff01-\uff5e“”‘’…—·]+", regex.VERSION1)
_COMMON = range(0xB0A1, 0xD7FA)
"""The 3,755 most common characters in the order of GB 2312."""


class Params(NamedTuple):
    """shortest: characters that a damaged stretch must have; fewer may be good text that looks damaged."""

    shortest: int = 4


def mojibake(text: Text, params: Params) -> Iterator[Finding]:
    """Repair stretches whose bytes, read with another encoding, are Chinese text through and through.

    >>> [c.after for c in mojibake(Text.of("标题：浣犲ソ浣犲ソ"), Params())]
    ['你好你好']
    >>> list(mojibake(Text.of("中国人民，浣犲"), Params()))
    []
    """
    for m in _runs(text):
        if text.covers(("url", "code"), *m.span()):
            continue
        if _WESTERN.fullmatch(m.group()):
            pieces: Iterator[tuple[int, str]] = iter([(m.start(), m.group())])
        else:
            pieces = _chinese_pieces(m.group(), m.start())
        for start, piece in pieces:
            good = _repaired(piece) if len(piece) >= params.shortest else ""
            if good:
                yield Change(start, piece, good)


_EDGES = r"，。、；：！？（）《》“”‘’「」『』【】\s"
_EDGE = lazy_regex(f"[{_EDGES}]+")
_DAMAGED_WESTERN = lazy_re(
    r"[\xa1-\xff][\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2122]"
)
"""Two neighbours that stand in each text whose bytes were read as a Western encoding."""


_PART_OF_UTF_8 = lazy_re("[\xe4-\xe9][\x80-\xbf]")
"""The first two bytes of a Chinese character in UTF-8, read as a Western encoding."""


@cache
def _first_of_damaged() -> frozenset[str]:
    """Give the characters whose two bytes of GBK begin a good character of UTF-8: damaged Chinese begins so."""
    leads = (0xC2, *range(0xE2, 0xEA), 0xEF, 0xF0)
    return frozenset("".join(bytes((a, b)).decode("gbk", "ignore") for a in leads for b in range(0x80, 0xC0)))


@cache
def _damaged_chinese() -> re.Pattern[str]:
    """Give the pattern of such a character where a piece begins."""
    return re.compile(rf"[{''.join(sorted(_first_of_damaged()))}](?<![^\x00-\x7f{_EDGES}].)")


def _runs(text: Text) -> Iterator[regex.Match[str]]:
    """Give the runs of characters beyond ASCII, of the lines in which something may be damaged."""
    content = text.content
    places = [m.start() for m in _DAMAGED_WESTERN.finditer(content)]
    if not _first_of_damaged().isdisjoint(content):
        places += [m.start() for m in _damaged_chinese().finditer(content)]
    passed = -1
    for place in sorted(places):
        if place > passed:
            line = text.lines[text.line_at(place)]
            yield from _RUN.finditer(content, line.start, line.end)
            passed = line.end


def _chinese_pieces(run: str, start: int) -> Iterator[tuple[int, str]]:
    """Cut a run at marks: what stands between two marks was damaged as one."""
    at = 0
    for m in [*_EDGE.finditer(run), None]:
        end = m.start() if m else len(run)
        if end > at:
            yield start + at, run[at:end]
        at = m.end() if m else end


def _repaired(piece: str) -> str:
    """Give the good text that was damaged into ``piece``; empty where there is none or more than one."""
    found = set()
    for wrong, right in (("gbk", "utf-8"), ("cp1252", "utf-8"), ("latin-1", "utf-8"), ("latin-1", "gbk")):
        if (wrong == "gbk") == bool(_WESTERN.fullmatch(piece)):
            continue
        try:
            good = piece.encode(wrong).decode(right)
            exact = good.encode(right).decode(wrong) == piece
        except UnicodeError:
            continue
        if exact and _GOOD.fullmatch(good) and (right == "utf-8" or (_is_common(good) and not _was_utf_8(piece))):
            found.add(good)
    return found.pop() if len(found) == 1 else ""


def _was_utf_8(piece: str) -> bool:
    r"""Tell whether a piece was damaged from UTF-8 and has lost bytes since: it cannot come back, from GBK neither.

    >>> [_was_utf_8(s) for s in ("\xe5\xb1\xe5\xbc\xe3\xa1", "\xc4\xe3\xba\xc3")]
    [True, False]
    """
    return 4 * len(_PART_OF_UTF_8.findall(piece)) > len(piece)


def _is_common(good: str) -> bool:
    """Tell whether a text has only frequent characters: any two bytes above A0 are some character of GB 2312."""
    codes = [int.from_bytes(c.encode("gbk"), "big") for c in good]
    return len(good) >= 3 and all(code in _COMMON for code in codes)


_WESTERN_FIRST = frozenset(map(chr, range(0xA1, 0x100)))
STEP = Step("mojibake", mojibake, Params, needs=_WESTERN_FIRST | _first_of_damaged())

"""Find the printed lines of a text: its lines, and the stretches between spaces where line ends were lost."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from shanben.lazy import lazy_regex

if TYPE_CHECKING:
    import regex

ROW = lazy_regex(r"\S(?:[^\n]*\S)?")
"""A line that is not empty, without the blanks at its ends."""
_BLANK = lazy_regex(r"(?<=\S) (?=\S)")
_HAN = lazy_regex(r"\p{Han}")
_TORN = lazy_regex(r"[a-z]- [a-z]")
_NARROWEST, _WIDEST = 7, 60
_RUN, _BROKEN = 12, 0.55
"""So many of a run of lines must be broken within a sentence: where headings stand between paragraphs, half are."""
_DRAWN = lazy_regex(
    r"^[ \t]*+(?:```|~~~|\|[^\n]*\|[ \t]*+$|\+[-=+]{3,}\+[ \t]*+$|[┌├└┏┣┗╔╠╚][─━═┬┼┴┳╋┻╦╬╩]{3,})", re.MULTILINE
)
"""A line of a table that is drawn with signs, or one that fences code in."""
_CODE = lazy_regex(
    r"^[ \t]*+(?:```|~~~|\$ [a-z./]|\+[-=+]{3,}\+[ \t]*+$|(?:sudo|git|pip3?|npm|apt(?:-get)?|docker|curl) [a-z-]|#[ \t]*$)",
    re.MULTILINE,
)
"""A line that fences code in, a command, the border of a table as programs draw it, or an empty comment."""
_MANY = 4
"""So many such lines are no chance."""
_OUTLINE = lazy_regex(r"(?:^[ \t]*\d{1,2}(?:\.\d{1,2}){1,3}[.．]?[ \u3000][^\n]*\n){5}", re.MULTILINE)
"""Lines in a row that are numbered 1.1, 1.2, … as contents."""
_ENDS = lazy_regex(r"""[。！？!?…；;：:.][”’」』"'\)）\]】]*+$""")


def cells(text: str) -> float:
    """Give the width of a text in full-width cells: ASCII counts a half, all else one.

    >>> cells("全年增长5.6%")
    6.0
    """
    if text.isascii():
        return 0.5 * len(text)
    return len(text) - 0.5 * len(text.encode("ascii", "ignore"))


def ends_sentence(text: str) -> bool:
    """Tell whether a line ends with a mark that can end a paragraph."""
    return _ENDS.search(text[-12:]) is not None


class Piece(NamedTuple):
    """One printed line ``[start, end)`` of the text; ``row`` is the number of the text line that it stands in."""

    start: int
    end: int
    row: int


def measure(widths: Iterable[float]) -> tuple[float, float]:
    """Give the measure that most of the widths keep to, in full-width cells, and the share of them that do."""
    known = [w for w in widths if w > 0]
    shown = Counter(round(w) for w in known if _NARROWEST <= w <= _WIDEST)
    if not shown:
        return 0.0, 0.0
    near = {v: sum(n for u, n in shown.items() if v - 2 <= u <= v + 1) for v in shown}
    value = max(near, key=lambda v: (near[v], v))
    full = sorted(w for w in known if value - 2.5 <= w <= value + 1.5)
    return full[int(len(full) * 0.75)], len(full) / len(known)


def printed_lines(text: str) -> tuple[Sequence[Piece], float]:
    """Give the printed lines, and the measure of those that spaces join (0: spaces are just spaces).

    They are asked for again and again: to judge of what kind a text is, and to put columns in order.
    """
    return _seen_before(text) if len(text) <= _REMEMBERED else _printed_lines(text)


_REMEMBERED = 50_000
"""Characters of a text whose printed lines are remembered."""


def _printed_lines(text: str) -> tuple[Sequence[Piece], float]:
    rows = [(m.start(), m.end()) for m in ROW.finditer(text)]
    inner: list[float] = []
    for start, end in rows:
        edges = [start - 1, *(c for c in _blanks(text, start, end) if not _between_words(text, c)), end]
        inner += [cells(text[a + 1 : b]) for a, b in itertools.pairwise(edges[1:-1])]
    width, share = measure(inner)
    if len(inner) * share < 6 or share < 0.22:
        width = 0.0
    pieces = []
    for row, (start, end) in enumerate(rows):
        line = text[start:end]
        cuts = _blanks(text, start, end) if width and cells(line) >= width + 2 else []
        if not cuts or len(_HAN.findall(line)) < 0.3 * len(line):
            pieces.append(Piece(start, end, row))
        else:
            pieces += [Piece(a, b, row) for a, b in _cut(text, start, end, cuts, width)]
    return tuple(pieces), width


_seen_before = lru_cache(maxsize=2)(_printed_lines)


def is_typed(text: str) -> bool:
    r"""Tell whether a text was typed in the order it has: tables drawn with signs, fenced code, contents numbered 1.1.

    >>> is_typed("| 甲 | 乙 |\n|---|---|\n| 丙 | 丁 |\n| 戊 | 己 |"), is_typed("发展思想，把保障 |\n各级政府 |\n")
    (True, False)
    """
    return _has_many(_DRAWN, text) or _OUTLINE.search(text) is not None


def holds_code(text: str) -> bool:
    r"""Tell whether a text is a manual with code in it: its short lines are no buttons of a page.

    >>> holds_code("安装：\n```\ngit clone x\n```\n运行：\n$ python a.py\n"), holds_code("首页 | 登录\n花都开了。\n")
    (True, False)
    """
    return _has_many(_CODE, text)


def _has_many(pattern: regex.Pattern[str], text: str) -> bool:
    return sum(1 for _ in itertools.islice(pattern.finditer(text), _MANY)) == _MANY


def may_hold_columns(text: str, pieces: Sequence[Piece], width: float, least: int) -> bool:
    """Tell whether enough lines are broken at a common width for columns to be possible at all."""
    if len(_TORN.findall(text)) >= 5:  # hyphens of line ends, in the middle of lines
        return True
    if len(pieces) < least or is_typed(text) or holds_code(text):
        return False
    lines = [text[p.start : p.end] for p in pieces]
    if 2 * len(set(lines)) < len(lines):  # the same few lines again and again are no prose
        return False
    widths = [0.0 if ends_sentence(t) else cells(t) for t in lines]
    run = min(_RUN, len(widths))
    broken = [w >= _NARROWEST for w in widths]
    if all(sum(broken[at : at + run]) < _BROKEN * run for at in range(len(widths) - run + 1)):
        return False
    if width:
        return True
    open_ended = [w for w in widths if w >= _NARROWEST]
    if len(open_ended) < max(6, 0.25 * len(lines)):
        return False
    _, share = measure(open_ended)
    return share >= 0.3 or sum(w > 30 for w in open_ended) >= 6


def _blanks(text: str, start: int, end: int) -> list[int]:
    return [m.start() for m in _BLANK.finditer(text, start, end)]


def _between_words(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at + 1]
    return before.isascii() and before.isalnum() and after.isascii() and after.isalnum()


def _cut(text: str, start: int, end: int, cuts: Sequence[int], width: float) -> list[tuple[int, int]]:
    """Choose the spaces that were line ends: all lines but the last about as wide as the measure."""
    starts = [start, *(c + 1 for c in cuts)]
    ends = [*cuts, end]
    best = [0.0] + [float("inf")] * len(starts)
    back = [0] * (len(starts) + 1)
    for j in range(1, len(starts) + 1):
        for i in range(j - 1, max(-1, j - 15), -1):
            piece = text[starts[i] : ends[j - 1]]
            wide = cells(piece)
            if wide > width + 3 and j - i > 1:
                break
            if j == len(starts):
                cost = 0.0 if wide <= width + 2 else 5.0
            else:
                cost = min(((width - 0.5 - wide) / 1.3) ** 2 / 2, 6.0)
                if i == 0:
                    cost = min(cost, ((width - 2.5 - wide) / 1.3) ** 2 / 2)
                if wide < width - 2.6 and ends_sentence(piece):
                    cost = min(cost, 2.5)
            if best[i] + cost + 0.3 < best[j]:
                best[j], back[j] = best[i] + cost + 0.3, i
    found = []
    j = len(starts)
    while j:
        found.append((starts[back[j]], ends[j - 1]))
        j = back[j]
    return found[::-1]

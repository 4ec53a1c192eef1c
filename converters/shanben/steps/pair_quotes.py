r"""Turn straight quotes in Chinese text into opening and closing ones.

Quotes come in pairs, so in a sound paragraph the first opens, the second closes. In a damaged one (a line
lost or displaced) counting turns all that follow the wrong way. So each quote is also judged by its
neighbours (`："` opens, `。"` closes), and the cheapest reading of the whole paragraph is taken. Where two
readings cost nearly the same, the quote stays straight and is reported: a quote the wrong way round looks
right at a glance.

Text in Traditional characters gets the corner brackets 「」『』 that Taiwan and Hong Kong use, unless it has curly quotes.
Curly quotes that cannot be right as they stand (both of a pair the same, or a pair reversed) are read anew.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import regex

from shanben.lazy import lazy_re, lazy_regex
from shanben.ledger import Change, Finding, Suggestion
from shanben.steps import Step
from shanben.steps._lines import ends_open, is_han
from shanben.values import Text

DOUBLE, SINGLE = '"＂', "'＇"
_DOUBLES = lazy_regex('["＂“”「」]')
_SINGLES = lazy_regex("['＇‘’『』]")
_TRADITIONAL = lazy_re(  # of plain classes of many characters `re` is ten times as fast
    "[們這個來說對會學國時後為過還裡樣點問開關沒讓從見聽話經長門車書現發實動電無與東將產業應級區縣辦農認計議論語請讀課調談證識變邊運進選達遠連鄉總統結給終組織續網線練約紅細純紙級緊]"
)
_SIMPLIFIED = lazy_re(
    "[们这个来说对会学国时后为过还里样点问开关没让从见听话经长门车书现发实动电无与东将产业应级区县办农认计议论语请读课调谈证识变边运进选达远连乡总统结给终组织续网线练约红细纯纸级紧]"
)
_OPENING, _CURLY = "“‘「『", "“‘「『”’」』"
_TURNED = lazy_re(f"[{_CURLY}\n]")
MOST = 2000
"""Quotes of one kind in one line; a line with more is no paragraph, and its quotes stay."""
_RULE = lazy_regex("[\"＂'＇]{4}|.[\"＂'＇]{4}|..[\"＂'＇]{4}|...[\"＂'＇]{4}")
_PRIME = lazy_regex(r"(?:.|^)[A-Za-z]'[('=]|[A-Za-z]''[('=]", regex.VERSION1)
_LATIN = lazy_regex(r"[A-Za-z0-9]")
_OPENS_AFTER = frozenset("（(《〈【[「『—：:“‘")
_CLOSES_AFTER = frozenset("。！？；!?;…")
_OPENS_BEFORE = frozenset("（(《〈【[「『“‘")
_CLOSES_BEFORE = frozenset("，。、；：！？）》〉】,.;:!?)]…—」』”’")
_LINKS = frozenset("与和及或、至到—-的")
_PART = 1 << 16
_AGAINST = 4.0
"""What one neighbour costs that leaves no doubt, in `_costs`."""
_GUARDED = ("url", "email", "code", "measure")


class Params(NamedTuple):
    """Costs of the same kind as those in `_costs`.

    unpaired: two quotes of one direction in a row. margin: how much dearer the second best reading must be
    before a quote is turned. longest: characters a quotation holds before its length speaks against it.
    traditional: the four quotes of a Traditional text that has no curly ones.
    """

    unpaired: float = 4.0
    margin: float = 1.5
    longest: int = 400
    traditional: str = "「」『』"


def pair_quotes(text: Text, params: Params) -> Iterator[Finding]:
    r"""Pair the straight quotes of each paragraph that holds Chinese text.

    >>> t = Text.of("落实\"'小快灵'立法要走在前列\"要求")
    >>> [(c.start, c.after) for c in pair_quotes(t, Params())]
    [(2, '“'), (15, '”'), (3, '‘'), (7, '’')]
    """
    if _come_out_even(text.content):
        return
    lines = []
    kinds = _kinds(text.content, params.traditional)
    for span in text.lines:
        line = text.content[span.start : span.end]
        if not is_han(line):
            continue
        for straight, every, marks in kinds:
            if any(quote in line for quote in straight) or any(mark in line for mark in marks):
                places = _places(text, span.start, line, every)
                lines.append(_Quotes(span.start, line, straight, marks, places))
    lines = _with_reversed(lines)
    if not any(q.is_reversed or any(q.line[at] in q.straight for at in q.places) for q in lines):
        return
    settled = True
    while settled:  # a quote that is settled settles its neighbours; each turn settles at least one
        words = _words(lines, params)
        settled = False
        for index, quotes in enumerate(lines):
            found = [f for f in _pair(quotes, words, params) if isinstance(f, Change)]
            yield from found
            if found:
                settled = True
                turned = {f.start - quotes.base: f.after for f in found}
                line = "".join(turned.get(i, c) for i, c in enumerate(quotes.line))
                lines[index] = quotes._replace(line=line, is_reversed=False)
    for quotes in lines:
        yield from _pair(quotes, words, params)


def _come_out_even(content: str) -> bool:
    """Tell at a glance that nothing is to be done: no quote is straight, and in each line they open and close by turns."""
    if any(quote in content for quote in DOUBLE + SINGLE):
        return False
    quotes = "".join(_TURNED.findall(content))
    return all(
        not "".join(c for c in quotes if c in pair or c == "\n").replace(pair, "").strip("\n")
        for pair in ("“”", "‘’", "「」", "『』")
    )


def _kinds(content: str, traditional: str) -> tuple[tuple[str, regex.Pattern[str], str], ...]:
    """Give the two kinds of quotes: the straight forms, all forms, and the pair that the text has or should have."""
    pairs = ("“”", "‘’")
    if _is_traditional(content) and content.count("「") >= max(content.count("“"), content.count("”")):
        pairs = (traditional[:2], traditional[2:])
    elif content.count("「") > 2 * content.count("“") and '"' in content:
        pairs = ("「」", "『』")
    return (DOUBLE, _DOUBLES, pairs[0]), (SINGLE, _SINGLES, pairs[1])


def _is_traditional(content: str) -> bool:
    """Tell whether a text is written in Traditional characters; a few of them may be names in another."""
    found = _count(_TRADITIONAL, content)
    return found >= 3 and found > 3 * _count(_SIMPLIFIED, content)


def _count(characters: re.Pattern[str], content: str) -> int:
    """Count characters part by part, so that no list of all of them is made."""
    return sum(len(characters.findall(content, at, at + _PART)) for at in range(0, len(content), _PART))


class _Quotes(NamedTuple):
    """The quotes of one kind in one line: where they stand in it, and what they look like."""

    base: int
    line: str
    straight: str
    marks: str
    places: tuple[int, ...]
    is_reversed: bool = False


def _with_reversed(lines: Sequence[_Quotes]) -> list[_Quotes]:
    """Tell in which lines the quotes cannot be right. A quotation may go on from one line to the next."""
    told = list(lines)
    for marks in {quotes.marks for quotes in lines}:
        numbers = [n for n, quotes in enumerate(lines) if quotes.marks == marks and quotes.places]
        found = ["".join(lines[n].line[at] for at in lines[n].places) for n in numbers]
        for k, n in enumerate(numbers):
            goes_on = found[k - 1][-1] == marks[0] if k else lines[n].places[0] == 0
            left_open = k + 1 < len(found) and found[k + 1][0] == marks[1]
            whole = marks[0] * (goes_on and found[k][0] == marks[1]) + found[k]
            whole += marks[1] * (left_open and found[k][-1] == marks[0])
            wrong = _stand_wrong(found[k], marks) and not _take_turns(whole, marks)
            told[n] = lines[n]._replace(is_reversed=wrong or _belie_their_neighbours(lines[n], found[k]))
    return told


def _take_turns(found: str, marks: str) -> bool:
    """Tell whether quotes open and close by turns, the first one opening; the last may wait for the next line."""
    return found == (marks * len(found))[: len(found)]


def _belie_their_neighbours(quotes: _Quotes, found: str) -> bool:
    """Tell whether quotes that do not take turns stand against what is beside them: `曰：”`, `“。`."""
    if _take_turns(found, quotes.marks) or not all(mark in quotes.marks for mark in found):
        return False
    bare, nothing = quotes._replace(is_reversed=True), _Words(frozenset(), frozenset())
    return any(_is_against(bare, i, nothing, opens=mark == quotes.marks[0]) for i, mark in enumerate(found))


def _is_against(quotes: _Quotes, index: int, words: _Words, *, opens: bool) -> bool:
    """Tell whether what is beside a quote speaks against this reading.

    After a comma or a dash a quotation may close (“好，”他说), and it may begin with a dash or an ellipsis.
    """
    at = quotes.places[index]
    if quotes.line[at + 1 : at + 2] in ("—", "…") if opens else quotes.line[at - 1 : at] in ("，", ",", "—"):
        return False
    return _costs(quotes, index, words)[not opens] >= _AGAINST


def _stand_wrong(found: str, marks: str) -> bool:
    """Tell whether the quotes of a line, an even number of one form, cannot be right: one closes that was not opened,
    or reverse."""
    if len(found) % 2 or any(mark in _CURLY and mark not in marks for mark in found):
        return False
    depth = 0
    for mark in found:
        depth += {marks[0]: 1, marks[1]: -1}.get(mark, 0)
        if depth < 0:
            return True
    return depth > 0 and all(mark in marks for mark in found)


class _Words(NamedTuple):
    """How quotations begin and end where the text leaves no doubt: two characters each."""

    begin: frozenset[str]
    end: frozenset[str]


def _places(text: Text, base: int, line: str, every: regex.Pattern[str]) -> tuple[int, ...]:
    """Give the quotes of a line that are marks of quotation; none when there are too many for a paragraph."""
    places = tuple(
        m.start()
        for m in every.finditer(line)
        if not _RULE.match(line, max(0, m.start() - 3))
        and not _is_apostrophe(line, m.start())
        and not _is_doubled(line, m.start())
        and not text.covers(_GUARDED, base + m.start(), base + m.end())
        and _in_chinese(line, m.start())
    )
    return places if len(places) <= MOST else ()


def _words(lines: Sequence[_Quotes], params: Params) -> _Words:
    """Collect how quotations begin and end from all quotes that their own line settles."""
    begin, end = set(), set()
    nothing = _Words(frozenset(), frozenset())
    for quotes in lines:
        for at, (opening, closing) in zip(quotes.places, _readings(quotes, nothing, params), strict=True):
            if opening - closing <= -params.margin:
                begin.add(quotes.line[at + 1 : at + 3])
            elif closing - opening <= -params.margin:
                end.add(quotes.line[max(0, at - 2) : at])
    return _Words(frozenset(w for w in begin if len(w) == 2), frozenset(w for w in end if len(w) == 2))


def _pair(quotes: _Quotes, words: _Words, params: Params) -> Iterator[Finding]:
    readings = _readings(quotes, words, params)
    if quotes.is_reversed and not _is_sound(quotes, readings, words):
        quotes = quotes._replace(is_reversed=False)
    for at, (opening, closing) in zip(quotes.places, readings, strict=True):
        if quotes.line[at] not in quotes.straight and not quotes.is_reversed:
            continue
        mark = quotes.marks[0] if opening < closing else quotes.marks[1]
        gain = round(abs(opening - closing), 2)
        if mark == quotes.line[at]:
            continue
        if gain >= params.margin:
            yield Change(quotes.base + at, quotes.line[at], mark, gain=gain)
        else:
            reason = "quotes do not come out even here: opening or closing?"
            yield Suggestion(quotes.base + at, quotes.line[at], mark, reason, gain=gain)


def _is_sound(quotes: _Quotes, readings: Sequence[tuple[float, float]], words: _Words) -> bool:
    """Tell whether quotes open and close by turns, none against its neighbours.

    Nothing less may turn quotes that the text has already. Of an odd number the first may close what an earlier line
    opened.
    """
    first = 0
    if len(readings) % 2 and readings[0][1] < readings[0][0]:
        first = 1
    for index, (opening, closing) in enumerate(readings):
        opens = opening < closing
        if opens != (index % 2 == first) or _is_against(quotes, index, words, opens=opens):
            return False
    return True


def _is_apostrophe(line: str, at: int) -> bool:
    """Tell whether a single quote stands inside or after a Latin word or number (it's, 5'10, f'(x))."""
    if line[at] not in "'’＇":
        return False
    if _PRIME.match(line, max(0, at - 2), at + 2):
        return True
    before, after = line[at - 1 : at], line[at + 1 : at + 2]
    return bool(_LATIN.match(before)) and bool(_LATIN.match(after))


def _is_doubled(line: str, at: int) -> bool:
    """Tell whether two single quotes stand together in the place of a double one (''好'')."""
    return line[at] in SINGLE and line[at] in (line[at - 1 : at], line[at + 1 : at + 2])


def _in_chinese(line: str, at: int) -> bool:
    """Tell whether Chinese text stands near the quote: within 12 characters on either side."""
    return is_han(line[max(0, at - 12) : at]) or is_han(line[at + 1 : at + 13])


def _costs(quotes: _Quotes, index: int, words: _Words) -> tuple[float, float]:
    """Give what it costs to read a quote as opening and as closing, from its neighbours alone."""
    line, places, at = quotes.line, quotes.places, quotes.places[index]
    opening = closing = 0.0
    if line[at] in _CURLY:
        weight = 0.5 if quotes.is_reversed else 100.0
        opening, closing = (0.0, weight) if line[at] in _OPENING else (weight, 0.0)
        if not quotes.is_reversed:
            return opening, closing
    before, after = line[at - 1 : at] if at else "", line[at + 1 : at + 2]
    if not before or before.isspace():
        closing += 0.5 if before else 3.0
    elif before in _OPENS_AFTER or before in "，、,":
        closing += 4.0
    elif before in _CLOSES_AFTER:
        opening += 4.0 if not after or after in _CLOSES_BEFORE else 1.5
    if not after or after.isspace():
        opening += 0.5 if after else 3.0
    elif after in _CLOSES_BEFORE:
        opening += 4.0
    elif after in _OPENS_BEFORE:
        closing += 1.0
    # Few quotations end in 的 or begin with it.
    if before and before in "的是为于以在把从到叫称做成":
        closing += 1.0
    if after and after in "的是等为和与之":
        opening += 1.0
    # `质"与"效`: between two quotations stands a link, never inside one.
    if index + 1 < len(places) and line[at + 1 : places[index + 1]] in _LINKS:
        opening += 2.0
    if index and line[places[index - 1] + 1 : at] in _LINKS:
        closing += 2.0
    if line[at + 1 : at + 3] in words.begin:
        closing += 2.5
    if line[max(0, at - 2) : at] in words.end:
        opening += 2.5
    return opening, closing


def _inside(line: str, start: int, end: int, params: Params) -> float:
    """Give what speaks against ``line[start:end]`` as a quotation: length, and marks that part clauses."""
    content = line[start:end]
    cost = min(1.5, 0.05 * len(content)) + (0.5 if any(m in content[:-1] for m in "，；。,;") else 0.0)
    return cost + (1.0 if len(content) > params.longest else 0.0)


def _readings(quotes: _Quotes, words: _Words, params: Params) -> list[tuple[float, float]]:
    """Give, for each quote, the cost of the best whole reading with it opening and with it closing.

    Two-state shortest path, forwards and backwards; a step between equal directions costs `unpaired`, and so
    do a first quote that closes and a last one that opens (less where the line stops in the middle of
    a sentence, so that the end of the quotation may be lost).
    """
    places, line = quotes.places, quotes.line
    costs = [_costs(quotes, i, words) for i in range(len(places))]
    inside = [_inside(line, a + 1, b, params) for a, b in itertools.pairwise(places)]
    left_open = 0.7 * params.unpaired if ends_open(line) else params.unpaired

    n, alike = len(costs), params.unpaired
    forward: list[tuple[float, float]] = []
    for i, (opening, closing) in enumerate(costs):
        if i:
            opened, closed = forward[-1]
            ahead = min(opened + alike, closed), min(opened + inside[i - 1], closed + alike)
        else:
            ahead = 0.0, alike
        forward.append((ahead[0] + opening, ahead[1] + closing))
    backward = [(left_open, 0.0)] * n
    for i in range(n - 2, -1, -1):
        (opening, closing), (opened, closed) = costs[i + 1], backward[i + 1]
        backward[i] = (
            min(alike + opening + opened, inside[i] + closing + closed),
            min(opening + opened, alike + closing + closed),
        )
    return [(f[0] + b[0], f[1] + b[1]) for f, b in zip(forward, backward, strict=True)]


STEP = Step("pair-quotes", pair_quotes, Params, needs=frozenset(DOUBLE + SINGLE + "“”"))

r"""Join paragraphs that a column or page end broke in two.

A paragraph that stops in the middle of a sentence may go on in the next one, or its end may be lost. Two
halves are joined only on evidence: a mark that cannot stand at a border, an open quotation, or a word across
the border that the text uses elsewhere. Without it the border is reported and stays.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from operator import add
from typing import NamedTuple

import regex

from shanben.lazy import lazy_regex
from shanben.ledger import Change, Finding, Suggestion
from shanben.steps import Step
from shanben.steps._lines import MID_SENTENCE, NO_LINE_START, TERMINAL, ends_open, is_han, is_numbered, width
from shanben.values import Text

_CLAUSE = lazy_regex(r"[，。；！？、,;!?]")
_FUNCTION = frozenset("的了是在和与及或等把被对向从以为上下中这那个不一要有")
_PAIRS = (("“", "”"), ("《", "》"), ("（", "）"), ("「", "」"), ("『", "』"))
_HAN = lazy_regex(r"[\p{Han}〇]", regex.VERSION1)
_HEADING = 60.0
_FEW_WORDS = 400
_RECORDS, _OFTEN = 6, 2
"""So many paragraphs without a stop and without any sign that they go on, and more than so often as those with a word across: a
text of remarks or messages, line by line, that use the same words. On a page that was cut words stand across many borders."""


class Params(NamedTuple):
    """Widths in full-width cells.

    narrowest: a first half narrower than this may as well be a line of a column, of verse or of a list.
    shortest: a second half narrower than this is taken only when it ends a sentence. sightings: how often a word
    of two characters across the border must stand elsewhere in the text.
    """

    narrowest: float = 30.0
    shortest: float = 12.0
    sightings: int = 3


def join_paragraphs(text: Text, params: Params) -> Iterator[Finding]:
    r"""Join two halves of a paragraph where the evidence is enough.

    >>> t = Text.of("这次会议的内容很多，包括加强管理、\n\n提高效率，以及明年的各项工作安排。")
    >>> [(c.start, c.before) for c in join_paragraphs(t, Params(narrowest=12))]
    [(17, '\n\n')]
    """
    borders = list(_borders(text, params))
    sightings = _sightings(text.content, {w for b in borders for w in _words_across(b.before, b.after)})
    found = [(_mark(b), _word(b, sightings, params), _end(b, params)) for b in borders]
    bare = sum(not any(signs) for signs in found)
    records = bare >= _RECORDS and bare > _OFTEN * sum(bool(word) for mark, word, _ in found if not mark)
    for border, (mark, word, short) in zip(borders, found, strict=True):
        end, gap = border.end, border.gap
        if evidence := mark or ("" if records else word or short):
            yield Change(end, gap, "", reason=evidence)
        else:
            yield Suggestion(end, gap, "", "the paragraph stops in the middle of a sentence")


class _Border(NamedTuple):
    """Two lines that may be halves of one paragraph: their texts, and the blanks and line ends between them."""

    before: str
    after: str
    end: int
    gap: str


def _borders(text: Text, params: Params) -> Iterator[_Border]:
    for a, b in itertools.pairwise(text.filled_lines):
        before, after = text.content[a.start : a.end], text.content[b.start : b.end]
        if before.rstrip()[-1] in TERMINAL:
            continue
        if not _may_be_halves(before, after, params):
            continue
        end = a.start + len(before.rstrip())
        gap = text.content[end : b.start + len(after) - len(after.lstrip())]
        yield _Border(before.rstrip(), after.lstrip(), end, gap)


def _words_across(before: str, after: str) -> list[str]:
    """Give the words of four, three and two characters that stand across the border, the longest first."""
    words = [before[-cut:] + after[: length - cut] for length in (4, 3, 2) for cut in range(1, length)]
    return [w for w in words if not _CLAUSE.search(w) and _HAN.match(w) and _HAN.match(w[-1])]


def _sightings(content: str, words: set[str]) -> Counter[str]:
    """Count how often each word stands in the text: a few one by one, many in one pass for each length."""
    if len(words) <= _FEW_WORDS:
        return Counter({word: _count(content, word) for word in words})
    found: Counter[str] = Counter()
    for length in {len(w) for w in words}:
        pieces: Iterable[str] = content
        for further in range(1, length):
            pieces = map(add, pieces, content[further:])
        found.update(filter(words.__contains__, pieces))
    return found


def _count(content: str, word: str) -> int:
    """Count the places of a word, those that overlap, too."""
    count, at = 0, content.find(word)
    while at >= 0:
        count, at = count + 1, content.find(word, at + 1)
    return count


def _may_be_halves(before: str, after: str, params: Params) -> bool:
    if not (is_han(before[-4:]) and is_han(after[:4])):  # other scripts: nothing is known of their words here
        return False
    if not ends_open(before) or is_numbered(after) or after[:1] in "\u3000\t#" or after[:2] == "  ":
        return False
    if is_numbered(before) and width(before) < _HEADING:  # a heading, not a sentence that was cut
        return False
    if before.lstrip()[:1] == "#" or not _CLAUSE.search(before) or width(before) < params.narrowest:
        return False
    tail_only = width(after) < params.shortest
    return bool(_CLAUSE.search(after)) and (not tail_only or not ends_open(after))


def _mark(border: _Border) -> str:
    """Say which mark shows that the halves belong together; empty if none does."""
    before, after = border.before, border.after
    if before[-1] in MID_SENTENCE:
        return f"it stops after {before[-1]}"
    if after[0] in NO_LINE_START:
        return f"the next begins with {after[0]}, which no line may"
    for opener, closer in _PAIRS:
        if before.rfind(opener) > before.rfind(closer) and 0 <= after.find(closer) < 40:
            first_open = after.find(opener)
            if first_open < 0 or after.find(closer) < first_open:
                return f"{opener} is open and closed in the next"
    return ""


def _word(border: _Border, sightings: Counter[str], params: Params) -> str:
    """Say which word across the border shows that the halves belong together; empty if none does."""
    before, after = border.before, border.after
    if not _HAN.match(before[-1]) or not _HAN.match(after[0]):
        return ""
    for word in _words_across(before, after):
        wanted = {4: 1, 3: 2}.get(len(word), params.sightings)
        if sightings[word] >= wanted and not (len(word) == 2 and _FUNCTION & set(word)):
            return f"{word} stands elsewhere in the text"
    return ""


def _end(border: _Border, params: Params) -> str:
    """Say that the second half is the end of a sentence and no more; empty if it is not."""
    before, after = border.before, border.after
    if not _HAN.match(before[-1]) or not _HAN.match(after[0]):
        return ""
    short = width(after) < params.shortest and not ends_open(after) and len(after) > 1
    return "the next is the short end of a sentence" if short else ""


STEP = Step("join-paragraphs", join_paragraphs, Params)

r"""Join lines that the page broke and the author did not.

Two traces of lost line ends are known. OCR services often leave a *space* where a printed line ended; files
that were typed or exported to a fixed measure keep a *line end* there. Either is told from what an author
meant by geometry: printed lines are all about equally wide. A space or line end that does not end a full
line is left alone, so `第一章 总则`, `不忘初心 牢记使命`, verse, lists and headings stay as they are. In doubt
(a text too short to show its measure) nothing is joined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import regex

from shanben.ledger import Change, Finding, Suggestion
from shanben.steps import Step
from shanben.steps._lines import begins_indented, ends_open, is_han, is_numbered, width
from shanben.values import Span, Text

_SPACE = regex.compile(r"(?<=\S) (?=\S)")
_SENTENCE_ENDS = "。！？!?"
_WORD_END = regex.compile(r"[A-Za-z0-9]$")
_WORD_START = regex.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Params:
    """Widths in full-width cells.

    tolerance: how far a printed line may fall short of or go over its measure. narrowest, widest: measures
    that are believed. evidence: full lines that a text must show before anything is joined.
    """

    tolerance: float = 2.6
    narrowest: float = 7.0
    widest: float = 60.0
    evidence: int = 6


def join_lines(text: Text, params: Params) -> Iterator[Finding]:
    r"""Join lost line ends, be they spaces or line ends.

    >>> page = "常委会深刻领悟这项决定的意义切 实增强各方面的意识坚定各种的 自信做到各方面的维护和提高站 位把握方位找准定位中谱写新篇 开新局又把各项工作逐一落到实 处努力让群众满意"
    >>> [c.start for c in join_lines(Text.of(page), Params(evidence=4)) if isinstance(c, Change)]
    [15, 30, 45, 60, 75]
    >>> list(join_lines(Text.of("不忘初心 牢记使命"), Params()))
    []
    """
    yield from _spaces(text, params)
    yield from _line_ends(text, params)


# --- spaces where lines ended ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A text line cut at its single spaces: `cuts` are the offsets of the spaces, `widths` of the pieces."""

    span: Span
    cuts: tuple[int, ...]
    widths: tuple[float, ...]

    @property
    def measure(self) -> float:
        """Give the measure that the inner pieces show; 0 when there are too few to tell."""
        return median(self.widths[1:-1]) if len(self.widths) >= 5 else 0.0


def _rows(text: Text) -> list[_Row]:
    rows = []
    for span in text.lines:
        line = text.content[span.start : span.end]
        if " " not in line or not is_han(line):
            continue
        cuts = tuple(span.start + m.start() for m in _SPACE.finditer(line))
        if cuts:
            edges = (span.start - 1, *cuts, span.end)
            pieces = [text.content[a + 1 : b] for a, b in zip(edges, edges[1:], strict=False)]
            rows.append(_Row(span, cuts, tuple(map(width, pieces))))
    return rows


def _measures(rows: Sequence[_Row], params: Params) -> list[float]:
    """Give the measures of the columns that the text was printed in, the most frequent first.

    A measure counts when enough inner pieces lie within the tolerance of it, most of the inner pieces of the
    whole text are explained by one, and they end where no sentence does (a list of short words has its
    pieces all alike, too, but seldom as wide as a column).
    """
    inner = [w for row in rows for w in row.widths[1:-1] if params.narrowest <= w <= params.widest]
    shown = Counter(round(row.measure) for row in rows for _ in row.widths[1:-1] if row.measure)
    measures: list[float] = []
    for value, _ in sorted(shown.items(), key=lambda item: (-item[1], item[0])):
        if not params.narrowest <= value <= params.widest:
            continue
        near = [w for w in inner if abs(w - value) <= params.tolerance]
        if len(near) >= params.evidence and not any(abs(value - m) <= 1 for m in measures):
            measures.append(median(near))
    explained = sum(any(abs(w - m) <= params.tolerance for m in measures) for w in inner)
    everything = sum(len(row.widths[1:-1]) for row in rows)
    return measures if inner and explained >= 0.6 * everything else []


def _spaces(text: Text, params: Params) -> Iterator[Finding]:
    rows = _rows(text)
    measures = _measures(rows, params)
    if not measures:
        return
    for row in rows:
        line = text.content[row.span.start : row.span.end]
        if len(row.cuts) >= 3 or any(mark in line for mark in "。！？；;!?"):
            yield from _paragraph_spaces(text, row, measures, params)
        else:
            yield from _heading_spaces(text, row, measures, params)


def _is_word_gap(content: str, cut: int) -> bool:
    """Tell whether the space parts two Latin words or numbers, and so is needed even at a line end."""
    return bool(_WORD_END.search(content, max(0, cut - 1), cut) and _WORD_START.match(content, cut + 1))


def _join(content: str, cut: int) -> Iterator[Finding]:
    if not _is_word_gap(content, cut):
        yield Change(cut, " ", "")


def _paragraph_spaces(text: Text, row: _Row, measures: Sequence[float], params: Params) -> Iterator[Finding]:
    """Fill printed lines from the left: a space where one is full is a line end, one inside a line is not."""
    measure = row.measure or min(measures, key=lambda m: abs(m - max(row.widths[:-1])))
    if not any(abs(measure - m) <= 2 * params.tolerance for m in measures):
        return
    filled = 0.0
    first = True
    for cut, piece in zip(row.cuts, row.widths[:-1], strict=True):
        filled = filled + 0.5 + piece if filled else piece
        short = measure - params.tolerance - (2.0 if first else 0.0)  # room for the indent of the first line
        ended = text.content[cut - 1] in _SENTENCE_ENDS
        if ended and (filled < short or is_numbered(text.content[cut + 1 : cut + 9])):
            # A sentence that ends in a short line, or before a number, ended its paragraph.
            yield Change(cut, " ", "\n", reason="a paragraph ended here")
            filled, first = 0.0, True
        elif filled >= short:
            yield from _join(text.content, cut)
            filled, first = 0.0, False
        elif _is_sentence_gap(text.content, cut):
            # Not a full line, but no author parts a word or a clause like this in running text.
            yield Suggestion(cut, " ", "", f"a space after {filled:g} cells, where lines have {measure:g}")


def _is_sentence_gap(content: str, cut: int) -> bool:
    return is_han(content[cut - 1]) and is_han(content[cut + 1])


def _heading_spaces(text: Text, row: _Row, measures: Sequence[float], params: Params) -> Iterator[Finding]:
    """A heading is set wider than the text, so its lines need not be full. It was broken when it is too long
    for one line and shows by its commas that its clauses are not parted by spaces."""
    line = text.content[row.span.start : row.span.end]
    widest = max(measures)
    if sum(row.widths) <= min(measures) or max(row.widths) > widest + params.tolerance:
        return
    for cut, piece in zip(row.cuts, row.widths[:-1], strict=True):
        if piece < params.narrowest:  # `第一章 总则`, `## 二、…`: a number parted from its title
            continue
        if any(mark in line for mark in "，,、。") or abs(piece - widest) <= params.tolerance:
            yield from _join(text.content, cut)
        else:
            yield Suggestion(cut, " ", "", "a line end or a space between two phrases: the heading does not tell")


# --- line ends to a fixed measure --------------------------------------------------------------------------


def _measure_of_lines(lines: Sequence[str], params: Params) -> float:
    """Give the fixed measure of hard-wrapped lines, 0 if the text shows none.

    Lines that are followed by a line (not by an empty one) are looked at: most of them must be full, and
    most full ones must stop in the middle of a sentence.
    """
    followed = [a for a, b in zip(lines, lines[1:], strict=False) if a.strip() and b.strip()]
    if len(followed) < params.evidence:
        return 0.0
    widths = [width(line.rstrip()) for line in followed]
    measure = sorted(widths)[int(0.95 * (len(widths) - 1))]
    if not params.narrowest <= measure <= params.widest:
        return 0.0
    full = [line for line, w in zip(followed, widths, strict=True) if measure - params.tolerance <= w <= measure + 1]
    open_ended = sum(ends_open(line) for line in full)
    if len(full) < max(params.evidence, 0.6 * len(followed)) or open_ended < 0.6 * len(full):
        return 0.0
    return measure


def _line_ends(text: Text, params: Params) -> Iterator[Finding]:
    lines = [text.content[s.start : s.end] for s in text.lines]
    measure = _measure_of_lines(lines, params)
    if not measure:
        return
    indents = any(begins_indented(line) for line in lines if line.strip())
    marked = {text.line_at(mark.start) for mark in text.marks}
    for index, (line, following) in enumerate(zip(lines, lines[1:], strict=False)):
        if not line.strip() or not following.strip() or {index, index + 1} & marked:
            continue
        w = width(line.rstrip())
        if begins_indented(following) or not measure - params.tolerance <= w <= measure + 1:
            continue
        if is_numbered(following) and not ends_open(line):
            continue
        if not indents and not ends_open(line) and not _has_blank_lines(lines):
            continue
        end = text.lines[index].end
        tail = line.rstrip()
        before = line[len(tail) :] + "\n"
        glue = " " if _WORD_END.search(tail) and _WORD_START.match(following) else ""
        yield Change(end - len(line) + len(tail), before, glue)


def _has_blank_lines(lines: Sequence[str]) -> bool:
    return any(not line.strip() for line in lines[1:-1])


STEP = Step("join-lines", join_lines, Params)

r"""Join lines that the page broke and the author did not.

Two traces of lost line ends are known. OCR services often leave a *space* where a printed line ended; files
that were typed or exported to a fixed measure keep a *line end* there. Either is told from what an author
meant by geometry: printed lines are all about equally wide. A space or line end that does not end a full
line is left alone, so `第一章 总则`, `不忘初心 牢记使命`, verse, lists and headings stay as they are. In doubt
(a text too short to show its measure, or one whose spaces stand at any distance) nothing is joined.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shanben.lazy import lazy_re, lazy_regex
from shanben.ledger import Change, Finding, Suggestion
from shanben.steps import Step
from shanben.steps._lines import begins_indented, ends_open, is_drawn, is_han, is_numbered, width
from shanben.values import Span, Text

_MARK = lazy_regex(r"[，。、；：！？,.;:!?]")
_SPACE = lazy_regex(r"(?<=\S) (?=\S)")
_SENTENCE_ENDS = "。！？!?"
_PHRASE = 14.0
"""Cells: shorter pieces without any mark in the whole line are names or slogans, not prose."""
_EXACT, _NEAR, _AROUND, _SHARP = 1.25, 0.09, 6.25, 0.65
"""Cells, and a share of the measure: printed lines lie so near to it. Of all pieces, or of those around the measure, so many do; where an
author parts clauses, names or Latin words by spaces it is half of them at most."""
_LEAST_FILLED, _WITH_ROOM = 6, 0.08
"""Lines that show how a text was broken, and the share of them that may have had room: headings of just that width."""
_FIGURES = lazy_regex(r"[0-9]+")
_WORD_END = lazy_regex(r"[A-Za-z0-9]$")
_WORD = lazy_regex(r"[A-Za-z0-9][A-Za-z0-9'’.-]*")
_HAN = lazy_regex(r"\p{Han}")
_LATIN = lazy_re("[A-Za-z0-9]+")
_PIECE = lazy_regex(r"[“‘（《「『【〈(]*(?:[A-Za-z0-9`][!-~]*|——|……|.)[，。、；：！？”’」』）》】〉%]*")
"""What a printer sets as one: a word, or a character with the marks that cling to it."""
_ITEM = lazy_regex(r"[ \t]*[（(]?([0-9]{1,3}|[一二三四五六七八九十])[）)、.．]")
_NUMERALS = "一二三四五六七八九十"
_BORDER = lazy_regex(r"\p{Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Han}")


def _median(widths: Sequence[float]) -> float:
    """Give the median; `statistics` takes longer to import than to give it."""
    ordered = sorted(widths)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


class Params(NamedTuple):
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
    apart = _sets_words_apart(text.content)
    yield from _spaces(text, params, apart=apart)
    yield from _line_ends(text, params, apart=apart)


def _sets_words_apart(content: str) -> bool:
    """Tell whether the author sets a blank round Latin words and numbers (`使用 Debian 系統`): those end no line.

    >>> _sets_words_apart("在 Linux 上執行 make 來編譯 C 程式，需要 GCC 12 以上版本。" * 2)
    True
    """
    found = blanks = 0
    for m in _LATIN.finditer(content):
        start, end = m.span()
        for beside in (content[max(0, start - 2) : start][::-1], content[end : end + 2]):
            blank = beside[:1] == " "
            if _HAN.match(beside, blank):
                found, blanks = found + 1, blanks + blank
    return found >= 12 and blanks >= 0.5 * found


# --- spaces where lines ended ------------------------------------------------------------------------------


class _Row(NamedTuple):
    """A text line with single spaces. ``pieces``: the widths between those spaces that are taken as evidence; ``again``:
    which of the pieces say what another said, but for the figures, as `补充点评 2008年1月28日` does."""

    span: Span
    cuts: tuple[int, ...]
    pieces: tuple[float, ...]
    again: tuple[bool, ...]

    @property
    def measure(self) -> float:
        """Give the measure that the inner pieces show; 0 when there are too few to tell."""
        return _median(self.pieces[1:-1]) if len(self.pieces) >= 5 else 0.0

    @property
    def full(self) -> tuple[float, ...]:
        """Give the widths of the pieces that would be full lines: the inner ones, and the first with its indent.

        Two pieces of one width are more likely a pair of phrases (a slogan, a couplet) than a broken line.
        """
        return self.lines(2.0)

    def lines(self, indent: float) -> tuple[float, ...]:
        """Give the same with the indent that first lines have here, which may be none."""
        if len(self.pieces) < 2 or (len(self.pieces) == 2 and abs(self.pieces[0] - self.pieces[1]) <= 1):
            return ()
        widths = (self.pieces[0] + indent if self.pieces[0] >= 10 else 0.0, *self.pieces[1:-1])
        return tuple(0.0 if again else w for w, again in zip(widths, self.again, strict=False))


def _rows(text: Text, *, only_chinese: bool) -> list[_Row]:
    """Cut lines at their spaces; ``only_chinese``: not beside a Latin word or a number, where authors set some."""
    rows = []
    seen: set[str] = set()
    for span in text.lines:
        line = text.content[span.start : span.end]
        if " " not in line or not is_han(line):
            continue
        cuts = tuple(span.start + m.start() for m in _SPACE.finditer(line))
        if cuts:
            edges = (
                span.start - 1,
                *(c for c in cuts if not only_chinese or _is_chinese_gap(text.content, c)),
                span.end,
            )
            said = [text.content[a + 1 : b] for a, b in itertools.pairwise(edges)]
            pieces = tuple(map(width, said))
            if _MARK.search(line) or _median(pieces) >= _PHRASE:
                folded = [_FIGURES.sub("0", piece) for piece in said]
                rows.append(_Row(span, cuts, pieces, tuple(piece in seen for piece in folded)))
                seen.update(folded)
    return rows


def _is_chinese_gap(content: str, cut: int) -> bool:
    return is_han(content[cut - 1]) and is_han(content[cut + 1])


def _measures(rows: Sequence[_Row], params: Params) -> tuple[list[float], float]:
    """Give the measures of the columns that the text was printed in, the most frequent first, and how much of the
    text they explain (0..1; nothing if the widths are not sharp). Where first lines have no indent, theirs are bare.

    A measure counts when enough pieces lie within the tolerance of it; a piece may hold several lines.
    """
    full = [w for row in rows for w in row.full if w]
    bare = [w for row in rows for w in row.lines(0.0) if w]
    measures = _shown(full, params)
    if not measures or not (_is_sharp(full, measures) or _is_sharp(bare, measures)):
        measures, full = _shown(bare, params), bare
        if not measures or not _is_sharp(bare, measures):
            return measures, 0.0
    explained = sum(any(_is_whole(w, m, params) for m in measures) for w in full)
    return measures, explained / len(full)


def _shown(full: Sequence[float], params: Params) -> list[float]:
    """Give the measures that enough widths lie at, the most frequent first."""
    shown = Counter(round(w) for w in full if params.narrowest <= w <= params.widest)
    measures: list[float] = []
    for value, _ in sorted(shown.items(), key=lambda item: (-item[1], item[0])):
        near = [w for w in full if abs(w - value) <= params.tolerance]
        apart = all(abs(value - n * m) > params.tolerance for m in measures for n in (1, 2, 3))
        if len(near) >= params.evidence and apart:
            measures.append(_median(near))
    return measures


def _is_sharp(full: Sequence[float], measures: Sequence[float]) -> bool:
    """Tell whether widths keep close to their measures: with a few measures any widths lie within some tolerance."""
    exact = sum(any(abs(w - m) <= min(_EXACT, _NEAR * m) for m in measures) for w in full)
    first = sum(abs(w - measures[0]) <= min(_EXACT, _NEAR * measures[0]) for w in full)
    around = sum(abs(w - measures[0]) <= _AROUND for w in full)
    return exact >= _SHARP * len(full) or first >= _SHARP * around


def _is_whole(w: float, measure: float, params: Params) -> bool:
    """Tell whether a piece is as wide as one to four full lines."""
    lines = max(1, round(w / measure))
    return lines <= 4 and abs(w - lines * measure) <= params.tolerance * lines**0.5


def _spaces(text: Text, params: Params, *, apart: bool) -> Iterator[Finding]:
    rows = _rows(text, only_chinese=apart)
    measures, explained = _measures(rows, params)
    if explained < 0.8 and not apart:  # perhaps because the author set spaces round Latin words
        chinese_rows = _rows(text, only_chinese=True)
        chinese_measures, chinese_explained = _measures(chinese_rows, params)
        if chinese_explained > explained:
            rows, measures, explained = chinese_rows, chinese_measures, chinese_explained
    if explained < 0.6:
        return
    for row in rows:
        if apart:
            row = row._replace(cuts=tuple(c for c in row.cuts if _is_chinese_gap(text.content, c)))
        line = text.content[row.span.start : row.span.end]
        if len(row.cuts) >= 3 or any(mark in line for mark in "。！？；;!?"):
            yield from _paragraph_spaces(text, row, measures, params)
        else:
            yield from _heading_spaces(text, row, measures, params)


def _paragraph_spaces(text: Text, row: _Row, measures: Sequence[float], params: Params) -> Iterator[Finding]:
    """Fill printed lines from the left: a space where one is full is a line end, one inside a line is not."""
    content = text.content
    measure = row.measure
    if not measure or all(abs(measure - m) > 2 * params.tolerance for m in measures):
        shown = _median(row.full) if any(row.full) else measures[0]
        measure = min(measures, key=lambda m: abs(m - shown))
    start, first = row.span.start, True
    for index, cut in enumerate(row.cuts):
        filled = width(content[start:cut])
        short = measure - params.tolerance - (2.0 if first else 0.0)  # room for the indent of the first line
        if word := _WORD.match(content, cut + 1):
            short -= min(width(word.group()), 8.0)  # a word that is not broken leaves its line short
        ended = content[cut - 1] in _SENTENCE_ENDS
        if (
            ended
            and (filled < short or is_numbered(content[cut + 1 : cut + 9]))
            and not (filled >= short and _goes_on_counting(content[row.span.start : cut], content[cut + 1 : cut + 9]))
            and _is_chinese_gap_or_number(content, cut)
        ):
            # A sentence that ends in a short line, or before a number, ended its paragraph.
            yield Change(cut, " ", "\n", reason="a paragraph ended here")
            start, first = cut + 1, True
        elif filled >= short and not _is_better_ahead(text, row, index, start, measure):
            if not _is_word_gap(content, cut):
                yield Change(cut, " ", "")
            start, first = cut + 1, False
        elif _is_chinese_gap(content, cut):
            # Not a full line, but an author seldom parts words like this in running text.
            yield Suggestion(cut, " ", "", f"a space after {filled:g} cells, where lines have {measure:g}")


def _goes_on_counting(before: str, after: str) -> bool:
    """Tell whether ``after`` begins with an item whose forerunner stands inside ``before``, where no line begins.

    >>> _goes_on_counting("结：1.打结。2.结成之物。", "3.比喻"), _goes_on_counting("1.打结。", "2.结成之物")
    (True, False)
    """
    m = _ITEM.match(after)
    if not m:
        return False
    number = m.group(1)
    last = _NUMERALS[_NUMERALS.index(number) - 1] if number in _NUMERALS else str(int(number) - 1)
    sign = m.group()[-1]
    at = before.rfind(f"{last}{sign}")
    inner = before[at - 1 : at].strip("（(") or before[at - 2 : at - 1]
    return at > 1 and not (inner.isspace() or inner.isdigit())


def _is_better_ahead(text: Text, row: _Row, index: int, start: int, measure: float) -> bool:
    """Tell whether this space stands beside a Latin word and the line goes on to one that does not."""
    content = text.content
    if _is_chinese_gap(content, row.cuts[index]):
        return False
    for cut in row.cuts[index + 1 : index + 4]:
        if width(content[start:cut]) > measure + 1:
            return False
        if _is_chinese_gap(content, cut):
            return True
    return False


def _is_chinese_gap_or_number(content: str, cut: int) -> bool:
    return _is_chinese_gap(content, cut) or is_numbered(content[cut + 1 : cut + 9])


def _is_word_gap(content: str, cut: int) -> bool:
    """Tell whether the space parts two Latin words or numbers, and so is needed even at a line end."""
    return bool(_WORD_END.search(content, max(0, cut - 1), cut) and _WORD.match(content, cut + 1))


def _heading_spaces(text: Text, row: _Row, measures: Sequence[float], params: Params) -> Iterator[Finding]:
    """Judge a short line, such as a heading, whose lines need not be full since it is set in larger type.

    It was broken when it is too long for one line and shows by its commas that its clauses are not parted by
    spaces.
    """
    content = text.content
    line = content[row.span.start : row.span.end]
    widest = max(measures)
    edges = (row.span.start - 1, *row.cuts, row.span.end)
    widths = [width(content[a + 1 : b]) for a, b in itertools.pairwise(edges)]
    if sum(widths) <= 0.8 * min(measures) or max(widths) > widest + params.tolerance:
        return
    for cut, piece in zip(row.cuts, widths, strict=False):
        if piece < params.narrowest:  # `第一章 总则`, `## 二、…`: a number parted from its title
            continue
        if any(mark in line for mark in "，,、。") or abs(piece - widest) <= params.tolerance:
            if not _is_word_gap(content, cut):
                yield Change(cut, " ", "")
        else:
            yield Suggestion(cut, " ", "", "a line end or a space between two phrases: the heading does not tell")


# --- line ends to a fixed measure --------------------------------------------------------------------------


def _measure_of_lines(lines: Sequence[str], params: Params) -> float:
    """Give the fixed measure of hard-wrapped lines, 0 if the text shows none.

    Lines that are followed by a line (not by an empty one) are looked at: most of them must be full, and
    most full ones must stop in the middle of a sentence.
    """
    followed = [
        a
        for a, b in itertools.pairwise(lines)
        if a.strip() and b.strip() and not begins_indented(b) and not is_numbered(b) and not is_drawn(a)
    ]
    # Where indents or empty lines show paragraphs, a line that follows another within one is a printed line.
    least = params.evidence
    if any(begins_indented(line) for line in lines if line.strip()):
        least = 2
    elif _has_blank_lines(lines):
        least = 4
    if len(followed) < least:
        return 0.0
    widths = [width(line.rstrip()) for line in followed]
    measure = sorted(widths)[int(0.95 * (len(widths) - 1))]
    if not params.narrowest <= measure <= params.widest:
        return 0.0
    full = [line for line, w in zip(followed, widths, strict=True) if measure - params.tolerance <= w <= measure + 1]
    open_ended = sum(ends_open(line) for line in full)
    if sum(_is_prose(line) for line in full) < 0.4 * len(full):  # verse and lists have lines of one width, too
        return 0.0
    if not any(mark in line for line in lines for mark in _SENTENCE_ENDS + "."):  # no sentence, no prose
        return 0.0
    if not _last_lines_are_short(lines, measure - params.tolerance):  # records of one length: a list of addresses
        return 0.0
    share = 0.6 if len(full) >= params.evidence else 0.9
    if len(full) < max(least, share * len(followed)) or open_ended < 0.6 * len(full):
        return 0.0
    return measure


def _last_lines_are_short(lines: Sequence[str], short: float) -> bool:
    """Tell whether most paragraphs of several lines end before the measure, as those that were printed do."""
    lasts = []
    for before, line, after in zip(lines, lines[1:], [*lines[2:], ""], strict=False):
        ends = not after.strip() or begins_indented(after)
        if ends and line.strip() and before.strip() and not begins_indented(line):
            lasts.append(width(line.rstrip()) < short)
    return len(lasts) < 2 or sum(lasts) >= 0.5 * len(lasts)


def _is_prose(line: str) -> bool:
    """Tell whether a line holds a mark inside, or is not Chinese (whose words are parted by spaces)."""
    return not is_han(line) or _MARK.search(line.strip()[1:-1]) is not None


def _line_ends(text: Text, params: Params, *, apart: bool) -> Iterator[Finding]:
    lines = [text.content[s.start : s.end] for s in text.lines]
    measure = _measure_of_lines(lines, params)
    if not measure:
        return
    indents = any(begins_indented(line) for line in lines if line.strip())
    blank_lines = _has_blank_lines(lines)
    short_ends = sum(_ends_short(line, measure, params) for line in lines[:-1]) > 1
    filled = _are_filled(lines, measure, params)
    first = 0
    for index, (line, following) in enumerate(itertools.pairwise(lines)):
        start, first = first, index + 1
        if not line.strip() or not following.strip() or is_drawn(line) or is_drawn(following):
            continue
        w = width(line.rstrip())
        full = measure - params.tolerance <= w <= measure + 1
        if filled and not ends_open(line) and _has_room(line, following, measure):
            continue
        if begins_indented(following) or not (full or (filled and ends_open(line) and 0.6 * measure <= w <= measure)):
            continue
        if (
            is_numbered(following)
            and not ends_open(line)
            and not _goes_on_counting("".join(lines[start : index + 1]), following)
        ):
            continue
        if not (indents or blank_lines or short_ends or ends_open(line) or filled):
            continue  # nothing in this text shows where paragraphs end
        first = start
        end = text.lines[index].end
        tail = line.rstrip()
        blanks = line[len(tail) :] + "\n"
        glue = " " if _WORD_END.search(tail) and _WORD.match(following) else ""
        if apart and _BORDER.match(tail[-1:] + following.lstrip()[:1]):
            glue = " "
        yield Change(end - len(line) + len(tail), blanks, glue)


def _has_room(line: str, following: str, measure: float) -> bool:
    """Tell whether what the next line begins with had room in this one: then it was no printer that broke it."""
    piece = _PIECE.match(following.lstrip())
    return piece is not None and width(line.rstrip()) + width(piece.group()) <= measure


def _are_filled(lines: Sequence[str], measure: float, params: Params) -> bool:
    """Tell whether lines that stop in the middle of a sentence had no room for more, so that room shows an end."""
    pairs = [
        (a, b)
        for a, b in itertools.pairwise(lines)
        if b.strip() and ends_open(a) and measure - params.tolerance <= width(a.rstrip()) <= measure + 1
    ]
    return len(pairs) >= _LEAST_FILLED and sum(_has_room(a, b, measure) for a, b in pairs) <= _WITH_ROOM * len(pairs)


def _ends_short(line: str, measure: float, params: Params) -> bool:
    """Tell whether a line shows the end of a paragraph: a sentence ends in it, well before the measure."""
    return bool(line.strip()) and not ends_open(line) and width(line.rstrip()) < measure - 2 * params.tolerance


def _has_blank_lines(lines: Sequence[str]) -> bool:
    return any(not line.strip() for line in lines[1:-1])


STEP = Step("join-lines", join_lines, Params)

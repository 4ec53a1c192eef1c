"""How one place of a text is named so that nothing else is meant: the words around it, as few as will do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shanben.ledger import Change, Finding, Ledger, OffsetMap, Origins, Pass, Suggestion, apply_changes
from shanben.report.compare import Comparison
from shanben.rulebook.schema import Place, Suppression
from shanben.suppressions import Refusals
from shanben.values import Span, Text

SHORTEST = 6
"""Characters that a quotation has at least, if the text has so many: one should be able to find it by eye."""
WIDEST = 240
"""Characters on each side up to which a place is looked at to tell it from its likes."""
_NOWHERE = Place("review", 1, 1)


@dataclass(frozen=True, slots=True)
class Context:
    """A stretch of a text with what stands on both sides of it."""

    before: str
    at: str
    after: str

    @property
    def text(self) -> str:
        """Give all three together."""
        return self.before + self.at + self.after


def only_here(text: str, start: int, end: int, *, least: int = SHORTEST, margin: int = 0) -> Context | None:
    """Give the stretch ``[start, end)`` with as much around it as makes it stand only once; None if nothing does.

    On both sides at least ``margin`` characters are kept, as far as there are so many.

    >>> only_here("甲乙丙，甲乙丁", 5, 6, least=1)
    Context(before='', at='乙', after='丁')
    >>> only_here("甲乙甲乙", 0, 0, least=2)
    Context(before='', at='', after='甲乙甲')
    """
    at = text[start:end]
    for left, right in _widths(text, start, end, least):
        left, right = max(left, min(margin, start)), max(right, min(margin, len(text) - end))
        found = Context(text[start - left : start], at, text[end : end + right])
        if found.text and _once(text, found.text):
            return _narrowed(text, found, least, margin)
    return None


def _once(text: str, words: str) -> bool:
    first = text.find(words)
    return first >= 0 and text.find(words, first + 1) < 0


def _widths(text: str, start: int, end: int, least: int) -> Iterator[tuple[int, int]]:
    """Give widths to try, growing on both sides: first within the line, then beyond."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    most_left, most_right = start - line_start, line_end - end
    for wide in range(WIDEST + 1):
        left, right = min(wide, most_left), min(wide, most_right)
        if end - start + left + right >= min(least, end - start + most_left + most_right):
            yield left, right
        if wide >= max(most_left, most_right):
            break
    for wide in (*range(1, 40), *range(40, 40 * WIDEST, 40)):
        left, right = min(start, most_left + wide), min(len(text) - end, most_right + wide)
        yield left, right
        if left == start and right == len(text) - end:
            return


def _narrowed(text: str, found: Context, least: int, margin: int) -> Context:
    """Take away what is not needed, from the longer side first."""
    sides = [found.before, found.after]
    stuck: set[int] = set()
    while len(stuck) < 2:
        side = max({0, 1} - stuck, key=lambda n: len(sides[n]))
        shorter = list(sides)
        shorter[side] = sides[0][1:] if side == 0 else sides[1][:-1]
        words = shorter[0] + found.at + shorter[1]
        if len(sides[side]) <= margin or len(words) < least or not _once(text, words):
            stuck.add(side)
        else:
            sides = shorter
    return Context(sides[0], found.at, sides[1])


# --- changes of the ledger -----------------------------------------------------------------------------------


def clean_span(told: Comparison, number: int) -> Span | None:
    """Give where an entry stands in the clean text, from its first piece to its last; None if it has no piece."""
    at, first, last = 0, -1, -1
    for row in told.rows:
        for piece in row:
            end = at + len(piece.after)
            if number in piece.entries and (piece.after or first < 0):
                first = at if first < 0 or first == last else first
                last = end
            at = end
    return Span(first, last) if first >= 0 else None


def text_before(source_text: str, passes: Sequence[Pass], number: int) -> str:
    """Give the text that the pass ``number`` was handed."""
    text = source_text
    for p in passes[:number]:
        text = apply_changes(text, p.changes, unit=p.unit)
    return text


def refusals(source_text: str, ledger: Ledger, unit: str, change: tuple[int, int]) -> Iterator[Suppression]:
    """Give suppressions that name a change of the ledger, by its pass and its number, the clearest first.

    All of them refuse, of what the ledger tells, this change alone.
    """
    number, index = change
    c = ledger.passes[number].changes[index]
    given = text_before(source_text, ledger.passes, number)
    for s in _named(source_text, given, _origin(source_text, ledger.passes, number, c), Span(c.start, c.end), unit):
        if touched(source_text, ledger, s) == {change}:
            yield s


def _origin(source_text: str, passes: Sequence[Pass], number: int, c: Change) -> Span:
    """Give the stretch of the source that a change speaks of."""
    origins = Origins(passes)
    start = min(origins.of(c.start, number), len(source_text))
    if not c.before:
        return Span(start, start)
    last = origins.of(c.end - 1, number)
    return Span(start, max(start, min(last + 1, len(source_text))))


def note_refusals(source_text: str, clean: str, note: tuple[str, int, int], f: Suggestion) -> Iterator[Suppression]:
    """Give suppressions that name a suggestion of a unit by its place in the source or in the clean text."""
    unit, line, column = note
    source = Text.of(source_text)
    start = min(source.lines[min(line, len(source.lines)) - 1].start + column - 1, len(source_text))
    there = source_text.startswith(f.before, start)
    end = start + len(f.before) if there else start + 1
    at = min(f.start, len(clean))
    here = Span(at, at + len(f.before) if clean.startswith(f.before, at) else at) if at >= 0 else None
    yield from _named(source_text, clean, Span(start, min(end, len(source_text))), here, unit)


def _named(source_text: str, given: str, origin: Span, here: Span | None, unit: str) -> Iterator[Suppression]:
    """Give suppressions by words of the source, then by words of the text that the rule was given."""
    for text, span in ((source_text, origin), (given, here)):
        if not text or span is None:
            continue
        start, end = _short(text, span)
        found = only_here(text, start, end)
        if found is None:
            continue
        if "\n" not in found.text and len(found.text) <= 40:
            yield Suppression(unit, "", _NOWHERE, found.text)
        yield Suppression(unit, "", _NOWHERE, found.at, found.before, found.after)


def _short(text: str, span: Span) -> tuple[int, int]:
    """Give one line of a stretch, and something where the stretch is empty: a suppression must quote a text."""
    start, end = span.start, span.end
    while start < end - 1 and text[start] in "\n ":
        start += 1
    line_end = text.find("\n", start + 1, end)
    end = min(line_end if line_end > start else end, start + 40)
    if start >= end:
        start, end = (start, start + 1) if start < len(text) and not start else (start - 1, start)
    return start, end


def touched(source_text: str, ledger: Ledger, suppression: Suppression) -> set[tuple[int, int]]:
    """Give the changes of the ledger that a suppression would have refused, by pass and number."""
    account = Refusals.of((suppression,), source_text)
    found = set()
    text = source_text
    for number, p in enumerate(ledger.passes):
        if p.unit == suppression.rule:
            changes: list[Finding] = list(p.changes)
            numbers = {id(c): n for n, c in enumerate(changes)}
            stay = {id(c) for c in account.part(p.unit, changes, Text(text), number)}
            found |= {(number, n) for key, n in numbers.items() if key not in stay}
        account.passed(p.changes)
        text = apply_changes(text, p.changes, unit=p.unit)
    return found


def forward(passes: Sequence[Pass], offset: int) -> int:
    """Follow a character of the source into the clean text."""
    for p in passes:
        offset = OffsetMap(p.changes).forward(offset)
    return offset

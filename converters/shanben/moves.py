r"""What was moved, from where to where, and how sure that is: as values, and as a picture (SVG or HTML).

`read_moves` follows every character of the source through all passes of a ledger, so that a place is always one of
the source, whatever other rules did before and after. Nothing here reads or writes a file.

>>> from shanben.ledger import Change, Ledger, Pass
>>> from shanben.values import Decoding
>>> move = Pass("column-order", "layout", "", 1, (Change(3, "丙丙\n", "丙丙\n", to=9, gain=20.0),))
>>> ledger = Ledger("", 0, Decoding("utf-8", 1.0), "", "", passes=(move,))
>>> told = moves_of("甲甲\n丙丙\n乙乙\n", ledger)
>>> [(b.line, b.target, b.text, b.new) for b in told.blocks]
[(2, None, '丙丙', Context(before='乙乙', after=''))]
>>> [told.lines[i].text for i in told.order]
['甲甲', '乙乙', '丙丙']
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Literal
from unicodedata import east_asian_width

from shanben.lazy import lazy_re
from shanben.ledger import Ledger, Pass, Suggestion, apply_changes
from shanben.pipeline import Cleaned
from shanben.steps._lines import is_han
from shanben.values import Text
from shanben.writers._data import data

UNIT = "column-order"
"""The unit that moves text. Its suggestions are told here even when it moved nothing."""
CUT = "cut:"
"""A suggestion whose reason begins so marks a place where text was lost for good."""
STRONG = 15.0
"""Nats from which a gain counts as strong: on trial, every move of so much was right."""
COLOURS = 6
STRIDE = 12
"""So far apart, in lines of the source, two lines may stand that follow one another in one column."""
CONTEXT = 12
"""Characters of the lines before and after that are shown."""

Certainty = Literal["strong", "weak"]


@dataclass(frozen=True, slots=True)
class Context:
    """The end of what stands before a place and the beginning of what stands behind it."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StripLine:
    """A printed line of the source: what stands between two line ends, lost line ends, or edges of moved text.

    ``block`` is the number of the block with which it moved, 0 if it stayed. ``strand`` counts the columns that
    were woven into one another; 0 outside of such stretches. ``removed``: not in the reading order, because
    another rule took the line out.
    """

    start: int
    line: int
    column: int
    text: str
    opens: bool = True
    block: int = 0
    strand: int = 0
    colour: int = -1
    removed: bool = False

    @property
    def place(self) -> str:
        """Give the line, and the column unless the piece opens its line."""
        return str(self.line) if self.opens else f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class MovedBlock:
    """Adjacent lines that moved together. Places are those of the source, from 1.

    ``target`` is the place before which the block was put; None: behind all else. ``gain`` is that of the
    weakest of its changes. Blocks of one ``group`` are lines of one column that had been read across.
    """

    number: int
    group: int
    unit: str
    round: int
    line: int
    column: int
    target: tuple[int, int] | None
    lines: int
    text: str
    old: Context
    new: Context
    gain: float | None
    reason: str

    @property
    def certainty(self) -> Certainty:
        """Tell how sure the move is."""
        return certainty(self.gain)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A move that was not made, for want of evidence, or a place where text was ``cut`` for good.

    ``rows`` are the lines that it is about, ``target_row`` the one before which they would go. A gap stands before
    its line (``behind`` the last one, at the end); not ``in_source``: there another line stands before that line.
    """

    unit: str
    line: int
    column: int
    target: tuple[int, int] | None
    text: str
    context: Context
    gain: float | None
    reason: str
    cut: bool
    rows: tuple[int, ...] = ()
    target_row: int | None = None
    behind: bool = False
    in_source: bool = True


@dataclass(frozen=True, slots=True)
class MovePicture:
    """All that is told about moved text. ``order`` holds indices of ``lines``, in reading order."""

    name: str
    lines: tuple[StripLine, ...]
    order: tuple[int, ...]
    blocks: tuple[MovedBlock, ...]
    proposals: tuple[Proposal, ...]

    @property
    def suggestions(self) -> tuple[Proposal, ...]:
        """Give the moves that were not made."""
        return tuple(p for p in self.proposals if not p.cut)

    @property
    def cuts(self) -> tuple[Proposal, ...]:
        """Give the places where text was lost for good."""
        return tuple(p for p in self.proposals if p.cut)

    @property
    def groups(self) -> tuple[tuple[MovedBlock, ...], ...]:
        """Give the blocks by group, in order."""
        found: dict[int, list[MovedBlock]] = {}
        for b in self.blocks:
            found.setdefault(b.group, []).append(b)
        return tuple(tuple(g) for g in found.values())

    @property
    def moved_lines(self) -> int:
        """Count the lines that moved."""
        return sum(1 for s in self.lines if s.block)

    def by(self, unit: str) -> MovePicture:
        """Give only what one unit did."""
        blocks = tuple(b for b in self.blocks if b.unit == unit)
        numbers = {b.number for b in blocks} | {0}
        return replace(
            self,
            blocks=blocks,
            lines=tuple(
                s if s.block in numbers else replace(s, block=0, colour=s.colour if s.strand else -1)
                for s in self.lines
            ),
            proposals=tuple(p for p in self.proposals if p.unit == unit),
        )

    def numbered(self) -> dict[int, MovedBlock]:
        """Give the blocks by number."""
        return {b.number: b for b in self.blocks}

    def tells(self, unit: str, kind: str) -> bool:
        """Tell whether a change or suggestion is told here, so that it need not be told elsewhere."""
        return kind == "move" or (kind == "suggestion" and any(p.unit == unit for p in self.proposals))

    def headline(self) -> str:
        """Say in one sentence what was done.

        >>> MovePicture("a.txt", (), (), (), ()).headline()
        'No line was moved.'
        """
        parts = []
        if self.blocks:
            parts.append(
                f"{_count(len(self.blocks), 'block')} moved ({self.moved_lines:,} of {_count(len(self.lines), 'line')})"
            )
        if self.suggestions:
            parts.append(f"{_count(len(self.suggestions), 'suggestion')} not carried out")
        if self.cuts:
            parts.append(f"text cut for good at {_count(len(self.cuts), 'place')}")
        said = "; ".join(parts)
        return (said if self.blocks else f"No line was moved{'; ' if said else ''}{said}") + "."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def certainty(gain: float | None) -> Certainty:
    """Tell how sure a move of this gain is; one without a number counts as weak.

    >>> certainty(15.0), certainty(14.9), certainty(None)
    ('strong', 'weak', 'weak')
    """
    return "strong" if gain is not None and gain >= STRONG else "weak"


def nats(gain: float | None) -> str:
    """Show a gain.

    >>> nats(31.44), nats(None)
    ('31.4 nats', 'no gain given')
    """
    return "no gain given" if gain is None else f"{gain:.1f} nats"


def ends(text: str, most: int = 2 * CONTEXT + 4) -> tuple[str, str]:
    """Give the first and last words of a block; the last are empty where the first already say it all.

    >>> ends("甲乙丙"), ends("一二三四五六七八九十", 6)
    (('甲乙丙', ''), ('一二三', '九十'))
    """
    if len(text) <= most:
        return text, ""
    return text[: most // 2].rstrip(), text[-(most // 2 - 1) :].lstrip()


# --- following the characters ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Run:
    """Characters of a later text and the stretch of the source from which they come.

    Where ``length`` and ``width`` agree they correspond one by one; else the text was rewritten there.
    ``block`` is the provisional number of the move that brought them.
    """

    length: int
    source: int
    width: int
    block: int = 0


class _Rope:
    """The text of one moment as runs."""

    def __init__(self, runs: Iterable[_Run]) -> None:
        self.runs: list[_Run] = []
        for r in runs:
            last = self.runs[-1] if self.runs else None
            if (
                last and last.block == r.block and last.source + last.width == r.source
                and last.length == last.width and r.length == r.width
            ):  # fmt: skip
                self.runs[-1] = _Run(last.length + r.length, last.source, last.width + r.width, last.block)
            elif r.length:
                self.runs.append(r)
        self._starts = [0, *accumulate(r.length for r in self.runs)]

    def cut(self, start: int, end: int) -> list[_Run]:
        """Give the runs of ``[start, end)``."""
        found = []
        index = max(0, bisect_right(self._starts, start) - 1)
        while index < len(self.runs) and self._starts[index] < end:
            r, at = self.runs[index], self._starts[index]
            skip, stop = max(0, start - at), min(r.length, end - at)
            if stop > skip:
                own = r.length == r.width
                whole = stop - skip == r.length
                if own or whole:
                    found.append(_Run(stop - skip, r.source + skip, r.width if whole else stop - skip, r.block))
                else:
                    found.append(_Run(stop - skip, r.source, 0, r.block))
            index += 1
        return found

    def source(self, offset: int) -> int:
        """Give the place in the source of the character at ``offset``; the end behind the last one."""
        index = bisect_right(self._starts, offset) - 1
        if index >= len(self.runs):
            return max((r.source + r.width for r in self.runs), default=0)
        r = self.runs[index]
        return r.source + min(offset - self._starts[index], max(r.width - 1, 0))


@dataclass(frozen=True, slots=True)
class _Arrival:
    """One moved stretch: where it was and where it went, in the texts before and after the pass."""

    change: int
    start: int
    end: int
    at: int


def _follow(rope: _Rope, p: Pass, length: int, first: int) -> tuple[_Rope, list[_Arrival]]:
    """Give the rope after a pass, and its moves; they are numbered from ``first``."""
    edits: list[tuple[int, int, int, int]] = []  # start, characters out, characters in, index of the move or -1
    for i, c in enumerate(p.changes):
        if c.to is None:
            edits.append((c.start, len(c.before), len(c.after), -1))
        else:
            edits += [(c.start, len(c.before), 0, -1), (c.to, 0, len(c.before), i)]
    edits.sort(key=lambda e: (e[0], e[1] > 0))  # as `apply_changes` sorts them
    runs: list[_Run] = []
    arrivals: list[_Arrival] = []
    at = place = 0
    for start, out, into, move in edits:
        runs += rope.cut(at, start)
        place += start - at
        at = start + out
        if move >= 0:
            c = p.changes[move]
            runs += [replace(r, block=first + move) for r in rope.cut(c.start, c.end)]
            arrivals.append(_Arrival(move, c.start, c.end, place))
        elif out == into:
            runs += rope.cut(start, at)
        elif into:
            old = rope.cut(start, at)
            one = old[0] if len(old) == 1 else _Run(0, rope.source(start), 0, old[0].block if old else 0)
            runs.append(_Run(into, one.source, one.width if one.width != into else 0, one.block))
        place += into
    runs += rope.cut(at, length)
    return _Rope(runs), sorted(arrivals, key=lambda a: a.start)


def _blank(text: str, start: int, end: int) -> bool:
    return start >= end or text[start:end].isspace()


def _together(arrivals: Sequence[_Arrival], before: str, after: str) -> list[list[_Arrival]]:
    """Put moves together that stand side by side before and after, with nothing but blanks between them."""
    blocks: list[list[_Arrival]] = []
    for a in arrivals:
        if blocks:
            last = blocks[-1][-1]
            gone = last.at + last.end - last.start
            if gone <= a.at and _blank(before, last.end, a.start) and _blank(after, gone, a.at):
                blocks[-1].append(a)
                continue
        blocks.append([a])
    return blocks


def _tail(text: str, offset: int) -> str:
    line = text[max(0, offset - 20 * CONTEXT) : offset].rstrip().rsplit("\n", 1)[-1].lstrip()
    return line if len(line) <= CONTEXT else "…" + line[-CONTEXT:].lstrip()


def _head(text: str, offset: int) -> str:
    line = text[offset : offset + 20 * CONTEXT].lstrip().split("\n", 1)[0].rstrip()
    return line if len(line) <= CONTEXT else line[:CONTEXT].rstrip() + "…"


def _around(text: str, start: int, end: int) -> Context:
    return Context(_tail(text, start), _head(text, end))


def _skip_blanks(text: str, offset: int) -> int:
    found = re.compile(r"\S").search(text, offset)
    return found.start() if found else offset


# --- values ------------------------------------------------------------------------------------------------


def read_moves(cleaned: Cleaned, source_text: str) -> MovePicture:
    """Tell what was moved in a cleaned document, given its decoded source."""
    return moves_of(source_text, cleaned.ledger, name=cleaned.source.name)


def moves_of(source_text: str, ledger: Ledger, *, name: str = "") -> MovePicture:
    """Tell what was moved, from the decoded source and its ledger alone. Raises LedgerError if they do not fit."""
    source = Text.of(source_text)
    text, rope = source_text, _Rope([_Run(len(source_text), 0, len(source_text))])
    ordered = rope
    count = 1
    found: list[tuple[MovedBlock, list[int], list[tuple[int, int]]]] = []
    units = {UNIT}
    for p in ledger.passes:
        after = apply_changes(text, p.changes, unit=p.unit)
        later, arrivals = _follow(rope, p, len(text), count)
        for block in _together(arrivals, text, after):
            start, end = block[0].start, block[-1].end
            start = min(_skip_blanks(text, start), end)
            new = block[0].at, block[-1].at + block[-1].end - block[-1].start
            changes = [p.changes[a.change] for a in block]
            gains = [c.gain for c in changes if c.gain is not None]
            to = changes[0].to or 0
            aim = _skip_blanks(text, to)
            found.append((
                MovedBlock(
                    number=0, group=0, unit=p.unit, round=p.round,
                    line=source.place(rope.source(start))[0], column=source.place(rope.source(start))[1],
                    target=source.place(rope.source(aim)) if aim < len(text.rstrip()) else None,
                    lines=0, text=text[start:end].rstrip(),
                    old=_around(text, start, end), new=_around(after, *new),
                    gain=min(gains, default=None),
                    reason="; ".join(dict.fromkeys(c.reason for c in changes if c.reason)),
                ),
                [count + a.change for a in block],
                [(r.source, r.source + r.width) for r in rope.cut(start, end)],
            ))  # fmt: skip
        if arrivals:
            units.add(p.unit)
            ordered = later
            count += len(p.changes)
        text, rope = after, later
    if len(found) == 0:
        ordered = rope
    spans = _printed_lines(source)
    lines, order = _strip(source, spans, ordered, {t: i for i, (_, tags, _) in enumerate(found, 1) for t in tags})
    lines = _strands(lines, order)
    lines, blocks = _numbered(lines, found, spans)
    proposals = _proposals(ledger, units, text, rope, source, lines, order)
    return MovePicture(name, lines, order, blocks, proposals)


_SPACE = lazy_re(r"(?<=\S) (?=\S)")


def _printed_lines(source: Text) -> list[tuple[int, int]]:
    """Give the lines of the print: the lines of the text, cut where a single space is all that is left of a line end.

    A space is that between Han characters at about the distance that most such spaces have; the measure is
    taken from the document. This is for the eye only: moved text is shown at its own edges in any case.
    """
    cuts: dict[int, list[int]] = {}
    inner: list[int] = []
    for i, span in enumerate(source.lines):
        line = source.content[span.start : span.end]
        if " " in line and is_han(line):
            here = [m.start() for m in _SPACE.finditer(line) if is_han(line[m.start() - 1] + line[m.start() + 1])]
            cuts[i] = here
            inner += [b - a - 1 for a, b in pairwise(here)]
    from statistics import median

    measure = median(inner) if len(inner) >= 6 else 0
    lines = []
    for i, span in enumerate(source.lines):
        start = span.start
        for at in cuts.get(i, ()) if 7 <= measure <= 60 else ():
            if span.start + at - start >= 0.6 * measure:
                lines.append((start, span.start + at))
                start = span.start + at + 1
        lines.append((start, span.end))
    return lines


def _strip(
    source: Text, spans: Sequence[tuple[int, int]], rope: _Rope, blocks: dict[int, int]
) -> tuple[tuple[StripLine, ...], tuple[int, ...]]:
    """Give the lines in source order, and the reading order."""
    content = source.content
    runs = [r for r in rope.runs if r.width and not _blank(content, r.source, r.source + r.width)]
    ranks = {id(r): i for i, r in enumerate(sorted(runs, key=lambda r: r.source))}
    chunks: list[tuple[int, int, int]] = []  # start, end, block: stretches that stand as they stood
    last = -2
    for r in runs:
        rank, block = ranks[id(r)], blocks.get(r.block, 0)
        if chunks and rank == last + 1 and chunks[-1][2] == block:
            chunks[-1] = (chunks[-1][0], r.source + r.width, block)
        else:
            chunks.append((r.source, r.source + r.width, block))
        last = rank
    starts = [s for s, _ in spans]
    parts: list[list[tuple[int, int]]] = [[] for _ in spans]  # of each line: where a part begins, which it is
    blocks_of: list[int] = []  # of each part, in reading order
    for start, end, block in chunks:
        index = max(0, bisect_right(starts, start) - 1)
        while index < len(spans) and spans[index][0] < end:
            a, b = max(start, spans[index][0]), min(end, spans[index][1])
            if not _blank(content, a, b):
                parts[index].append((a, len(blocks_of)))
                blocks_of.append(block)
            index += 1
    pieces: list[tuple[int, int, int, bool]] = [(0, 0, 0, False)] * len(blocks_of)
    for (first, end), here in zip(spans, parts, strict=True):
        # What was taken out within a line is shown with the part beside it.
        edges = [first, *(a for a, _ in sorted(here)[1:]), end]
        for (a, b), (_, which) in zip(pairwise(edges), sorted(here), strict=False):
            pieces[which] = (a, b, blocks_of[which], False)
    gone = [(a, b, 0, True) for i, (a, b) in enumerate(spans) if not parts[i] and not _blank(content, a, b)]
    lines = []
    by_source = sorted([*pieces, *gone])
    for a, b, block, removed in by_source:
        start = _skip_blanks(content, a)
        line, column = source.place(start)
        opens = _blank(content, source.lines[line - 1].start, start)
        text = content[start:b].rstrip()
        lines.append(StripLine(start, line, column, text, opens, block, removed=removed))
    index_of = {piece: i for i, piece in enumerate(by_source)}
    return tuple(lines), tuple(index_of[piece] for piece in pieces)


def _strands(lines: Sequence[StripLine], order: Sequence[int]) -> tuple[StripLine, ...]:
    """Colour the lines: columns woven into one another by column, other moved blocks in turn."""
    strands: list[list[int]] = []
    for i in order:
        if strands and 0 < i - strands[-1][-1] <= STRIDE:
            strands[-1].append(i)
        else:
            strands.append([i])
    strand_of = {i: n for n, s in enumerate(strands) if len(s) >= 3 for i in s}
    # Columns are woven where lines of the two follow one another again and again; a block that only went
    # somewhere else makes two such changes.
    sequence = [(i, strand_of.get(i, -1)) for i in sorted(order)]
    switches: dict[tuple[int, int], int] = {}
    for (_, a), (_, b) in pairwise(sequence):
        if a != b and -1 not in (a, b):
            switches[min(a, b), max(a, b)] = switches.get((min(a, b), max(a, b)), 0) + 1
    woven: dict[int, list[int]] = {}
    for at, (i, n) in enumerate(sequence):
        near = {m for _, m in sequence[max(0, at - 2) : at + 3]} - {n, -1}
        if n >= 0 and any(switches.get((min(n, m), max(n, m)), 0) >= 3 for m in near):
            woven.setdefault(n, []).append(i)
    coloured: dict[int, tuple[int, int]] = {}
    busy = [-1] * COLOURS  # the last line of the strand that has this colour
    for number, (_, members) in enumerate(sorted(woven.items(), key=lambda w: min(w[1])), 1):
        first, last = min(members), max(members)
        colour = next((c for c in range(COLOURS) if busy[c] < first), busy.index(min(busy)))
        busy[colour] = last
        coloured |= dict.fromkeys(members, (number, colour))
    result, turn, colours = [], 0, dict[int, int]()
    for i, line in enumerate(lines):
        strand, colour = coloured.get(i, (0, -1))
        if line.block and not strand:
            if line.block not in colours:
                colours[line.block] = turn % COLOURS
                turn += 1
            colour = colours[line.block]
        result.append(replace(line, strand=strand, colour=colour))
    return tuple(result)


def _numbered(
    lines: Sequence[StripLine],
    found: Sequence[tuple[MovedBlock, list[int], list[tuple[int, int]]]],
    spans: Sequence[tuple[int, int]],
) -> tuple[tuple[StripLine, ...], tuple[MovedBlock, ...]]:
    """Number the blocks in the order in which they are told: group by group, in source order."""
    starts = [line.start for line in lines]
    strands: dict[int, int] = {}
    for line in lines:
        if line.block and line.strand:
            strands.setdefault(line.block, line.strand)
    keyed: dict[tuple[str, int, int, int], list[tuple[int, int]]] = {}
    for i, (b, _, stretches) in enumerate(found, 1):
        first = min((s for s, _ in stretches), default=0)
        strand = strands.get(i, 0)
        keyed.setdefault((b.unit, b.round, strand, 0 if strand else i), []).append((first, i))
    numbers: dict[int, int] = {}
    blocks: list[MovedBlock] = []
    for group, members in enumerate(sorted((sorted(m) for m in keyed.values()), key=lambda m: m[0]), 1):
        for _, i in members:
            b, _, stretches = found[i - 1]
            numbers[i] = len(blocks) + 1
            touched = {
                j
                for s, e in stretches
                for j in range(max(0, bisect_right(starts, s) - 1), bisect_left(starts, e))
                if starts[j] + len(lines[j].text) > s
            }
            blocks.append(replace(b, number=numbers[i], group=group, lines=max(1, len(touched))))
    return tuple(replace(s, block=numbers.get(s.block, 0)) for s in lines), tuple(blocks)


def _proposals(
    ledger: Ledger,
    units: set[str],
    text: str,
    rope: _Rope,
    source: Text,
    lines: Sequence[StripLine],
    order: Sequence[int],
) -> tuple[Proposal, ...]:
    """Give the suggestions of the units that move, with the lines that they are about."""
    starts = [line.start for line in lines]
    before = dict(zip(order[1:], order, strict=False))

    def row(offset: int) -> int | None:
        """Give the line that holds this character of the last text."""
        if not lines:
            return None
        return max(0, bisect_right(starts, rope.source(offset)) - 1)

    proposals = []
    for note in ledger.notes:
        f = note.finding
        if not isinstance(f, Suggestion) or note.unit not in units:
            continue
        cut = f.reason.startswith(CUT)
        start, end, to = _aim(f)
        start = min(_skip_blanks(text, start), max(start, end)) if f.before.strip() else _skip_blanks(text, start)
        end = max(end, start)
        start, end = min(start, len(text)), min(end, len(text))
        behind = cut and not text[start:].strip()
        if behind:
            start = end = len(text.rstrip())
        rows = {row(i) for i in range(start, end) if not text[i].isspace()} if end > start else {row(start)}
        about = tuple(sorted(r for r in rows if r is not None))
        line, column = source.place(rope.source(start)) if text else (note.line, note.column)
        aim = None if to is None else _skip_blanks(text, to)
        proposals.append(
            Proposal(
                note.unit, line, column,
                source.place(rope.source(aim)) if aim is not None and aim < len(text) else None,
                text[start:end].rstrip(), _around(text, start, end), f.gain,
                f.reason.removeprefix(CUT).strip() if cut else f.reason, cut,
                about,
                None if aim is None else len(lines) if aim >= len(text.rstrip()) else row(aim),
                behind, not about or behind or before.get(about[0], -1) == about[0] - 1,
            )
        )  # fmt: skip
    return tuple(sorted(proposals, key=lambda p: (p.line, p.column)))


def _aim(suggestion: Suggestion) -> tuple[int, int, int | None]:
    """Give start and end of the suggested block, and the place before which it would go, if that is said.

    It is said by showing one stretch in two orders: before AB, after BA.
    """
    start, before, after = suggestion.start, suggestion.before, suggestion.after
    if before != after and len(before) == len(after):
        first = (before + before).find(after)
        if 0 < first <= len(before) // 2:
            return start, start + first, start + len(before)
        if first > 0:
            return start + first, start + len(before), start
    return start, start + len(before), None


def as_values(picture: MovePicture) -> dict[str, object]:
    """Give moves, suggestions and cuts as plain values, for machines."""

    def place(at: tuple[int, int] | None) -> dict[str, int] | None:
        return None if at is None else {"line": at[0], "column": at[1]}

    def proposal(p: Proposal) -> dict[str, object]:
        return {
            "unit": p.unit, "line": p.line, "column": p.column, "target": place(p.target), "text": p.text,
            "before": p.context.before, "after": p.context.after, "gain": p.gain, "reason": p.reason,
        }  # fmt: skip

    return {
        "moves": [
            {
                "number": b.number, "group": b.group, "unit": b.unit, "round": b.round,
                "line": b.line, "column": b.column, "target": place(b.target), "lines": b.lines, "text": b.text,
                "old": {"before": b.old.before, "after": b.old.after},
                "new": {"before": b.new.before, "after": b.new.after},
                "gain": b.gain, "certainty": b.certainty, "reason": b.reason,
            }
            for b in picture.blocks
        ],
        "move_suggestions": [proposal(p) for p in picture.suggestions],
        "cuts": [proposal(p) for p in picture.cuts],
    }  # fmt: skip


# --- the picture -------------------------------------------------------------------------------------------

MOST_THREADS = 6000
"""So many threads are drawn; the others are counted in the legend."""
BEND = 0.38
MOST_PRINTED = 240
"""Up to so many lines the SVG prints the text of every line; above, it labels what moved."""


def shown(text: str, most: int = 0) -> str:
    r"""Give a text fit for markup: one line, control and bidi characters by number, escaped, at most ``most`` long.

    >>> shown("甲\u202e<b>\x07 乙\n丙")
    '甲\\u202e&lt;b&gt;\\u0007 乙 丙'
    >>> shown("一二三四五六七八", 5)
    '一二…七八'
    """
    if most and len(text) > most:
        text = text[: most // 2] + "…" + text[len(text) - (most - 1) // 2 :]
    flat = "".join(" " if c.isspace() else c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return html.escape(flat)


def _cells(text: str) -> float:
    """Give the width in em of a sans-serif face, on the safe side."""
    return sum(1.0 if east_asian_width(c) in "WFA" else 0.66 if c.isupper() else 0.58 for c in text)


def _fit(text: str, em: float) -> str:
    """Shorten a text in its middle to ``em``, as printed: control characters take six places."""
    text = re.sub(r"\s+", " ", text[:2000] if len(text) <= 2000 else text[:1000] + "…" + text[-1000:]).strip()
    wide = [1.0 if c == " " else _cells(c) if c.isprintable() else 3.7 for c in text]
    if sum(wide) <= em:
        return text
    head = tail = 0
    used = 1.0
    while True:
        grow_head = head <= 2 * tail
        index = head if grow_head else len(text) - 1 - tail
        used += wide[index]
        if used > em or head + tail >= len(text):
            break
        head, tail = (head + 1, tail) if grow_head else (head, tail + 1)
    return text[:head] + "…" + (text[len(text) - tail :] if tail else "")


def _n(value: float) -> str:
    """Write a coordinate.

    >>> _n(3.14159), _n(2.0), _n(-0.001)
    ('3.14', '2', '0')
    """
    said = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if said == "-0" else said


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things stand. Each strip lies between two abscissae; row i of it begins at ``top + i * step``."""

    left: tuple[float, float]
    right: tuple[float, float]
    top: float
    step: float

    def y(self, row: float) -> float:
        return self.top + row * self.step

    def bend(self, y0: float, y1: float) -> str:
        """Give the path from a place on the left strip to one on the right."""
        a, b = self.left[1], self.right[0]
        return f"M{_n(a)} {_n(y0)}{self.curve(a, y0, b, y1)}"

    @staticmethod
    def curve(a: float, y0: float, b: float, y1: float) -> str:
        """Give the same from where the pen stands, in either direction; not too soft, or threads run into bundles."""
        return f"C{_n(a + (b - a) * BEND)} {_n(y0)} {_n(b - (b - a) * BEND)} {_n(y1)} {_n(b)} {_n(y1)}"


@dataclass(frozen=True, slots=True)
class _Thread:
    """Lines that stand side by side in both orders: rows ``left`` on the left are rows ``right`` on the right."""

    left: int
    right: int
    count: int
    block: int
    colour: int


def _threads(picture: MovePicture) -> list[_Thread]:
    threads: list[_Thread] = []
    for right, left in enumerate(picture.order):
        line = picture.lines[left]
        if threads:
            t = threads[-1]
            if (t.left + t.count, t.block, t.colour) == (left, line.block, line.colour):
                threads[-1] = replace(t, count=t.count + 1)
                continue
        threads.append(_Thread(left, right, 1, line.block, line.colour))
    return threads


def _rects(boxes: Iterable[tuple[float, float, float, float]]) -> str:
    """Give one path for many rectangles (x, y, width, height)."""
    return "".join(f"M{_n(x)} {_n(y)}h{_n(w)}v{_n(h)}h{_n(-w)}z" for x, y, w, h in boxes)


def _stays(frame: _Frame, threads: Sequence[_Thread]) -> list[str]:
    """Draw the bands of what stayed."""
    bands = []
    for t in threads:
        if t.block:
            continue
        a, b = frame.left[1], frame.right[0]
        y0, y1 = frame.y(t.left), frame.y(t.right)
        z0, z1 = frame.y(t.left + t.count), frame.y(t.right + t.count)
        tone = f' k c{t.colour}"' if t.colour >= 0 else '"'
        bands.append(f'<path class="stay{tone} d="{frame.bend(y0, y1)}V{_n(z1)}{frame.curve(b, z1, a, z0)}z"/>')
    return bands


def _drawn_threads(frame: _Frame, picture: MovePicture, threads: Sequence[_Thread], widest: float) -> list[str]:
    """Draw what moved: full lines for strong moves, hollow ones for weak moves, the weak above the strong."""
    blocks = picture.numbered()
    moved = [t for t in threads if t.block]
    moved.sort(key=lambda t: (blocks[t.block].certainty == "weak", t.left))
    drawn = []
    crowd = " crowd" if len(moved) > 1000 else " many" if len(moved) > 150 else ""
    for t in moved[:MOST_THREADS]:
        b = blocks[t.block]
        size = min(widest, max(0.8 if crowd else 1.4, t.count * frame.step * 0.8))
        path = frame.bend(frame.y(t.left + t.count / 2), frame.y(t.right + t.count / 2))
        title = f"<title>{_title(b)}</title>"
        if b.certainty == "weak":
            size = max(size, 2.6)
            drawn.append(
                f'<g class="c{t.colour} a{b.number}{crowd}">{title}<path class="thread weak" stroke-width="{_n(size)}" d="{path}"/>'
                f'<path class="thread weak core" stroke-width="{_n(size - 1.8 if size > 2.8 else 1)}" d="{path}"/></g>'
            )
        else:
            drawn.append(
                f'<g class="c{t.colour} a{b.number}{crowd}">{title}<path class="thread strong" stroke-width="{_n(size)}" d="{path}"/></g>'
            )
    return drawn


def _title(b: MovedBlock) -> str:
    where = "to the end" if b.target is None else f"to before {b.target[0]}:{b.target[1]}"
    reason = f"; {shown(b.reason, 200)}" if b.reason else ""
    return f"{b.line}:{b.column} {where}, {nats(b.gain)}{reason}: {shown(b.text, 120)}"


def _zigzag(x0: float, x1: float, y: float, step: float = 4) -> str:
    """Give a torn edge."""
    count = max(2, round((x1 - x0) / step))
    width = (x1 - x0) / count
    teeth = "".join(f"L{_n(x0 + width * (i + 1))} {_n(y + (2.2 if i % 2 == 0 else -2.2))}" for i in range(count))
    return f"M{_n(x0)} {_n(y)}{teeth}"


def _doubts(frame: _Frame, picture: MovePicture) -> list[str]:
    """Draw suggestions as dashed lines to where the text would go (or straight on), and gaps as torn edges."""
    right_of = {left: right for right, left in enumerate(picture.order)}
    drawn = []
    for p in picture.proposals[:MOST_THREADS]:
        rows = [r for r in p.rows if r in right_of] or list(p.rows)
        if not rows:
            continue
        first, last = rows[0], rows[-1]
        at = right_of.get(first, 0)
        if p.cut:
            edges = _zigzag(*frame.right, frame.y(at + p.behind))
            if p.in_source:
                edges = _zigzag(*frame.left, frame.y(first + p.behind)) + edges
            drawn.append(
                f"<g><title>cut for good at {p.line}:{p.column}: {shown(p.reason, 200)}</title>"
                f'<path class="cut" d="{edges}"/></g>'
            )
            continue
        y0 = frame.y((first + last + 1) / 2)
        if p.target_row is None:
            y1 = frame.y(at + (last - first + 1) / 2)
        else:
            y1 = frame.y(right_of.get(p.target_row, len(picture.order)))
        height = max(2.0, (last - first + 1) * frame.step)
        box = (
            f"M{_n(frame.left[0])} {_n(y0 - height / 2)}H{_n(frame.left[1])}V{_n(y0 + height / 2)}H{_n(frame.left[0])}z"
        )
        drawn.append(
            f"<g><title>suggestion, not carried out, {p.line}:{p.column}, {nats(p.gain)}; {shown(p.reason, 200)}: "
            f'{shown(p.text, 120)}</title><path class="maybe" d="{box}{frame.bend(y0, y1)}"/></g>'
        )
    return drawn


def _minimap(frame: _Frame, picture: MovePicture) -> list[str]:
    """Draw both strips without words: a bar for each line, as long as the line."""
    widths = [min(_cells(s.text[:400]), 400) for s in picture.lines]
    measure = max(1.0, sorted(widths)[int(len(widths) * 0.95)] if widths else 1.0)
    groups: dict[str, list[tuple[float, float, float, float]]] = {}
    gap = frame.step * 0.25 if frame.step >= 2 else 0
    for strip, rows in ((frame.left, range(len(picture.lines))), (frame.right, picture.order)):
        room = strip[1] - strip[0]
        taken: dict[str, float] = {}
        for row, i in enumerate(rows):
            s = picture.lines[i]
            tone = "gone" if s.removed else f"k c{s.colour}" if s.colour >= 0 else ""
            height = max(frame.step - gap, 1.6 if s.colour >= 0 and not s.strand else 0.5)
            y = frame.y(row) + gap / 2
            if frame.step < 0.5 and y < taken.get(tone, -1.0):
                continue  # many lines share this point of the paper: one bar stands for them
            taken[tone] = y + height * 0.8
            groups.setdefault(tone, []).append((strip[0], y, room * max(0.04, min(1.0, widths[i] / measure)), height))
    return [f'<path class="bars {tone}" d="{_rects(boxes)}"/>' for tone, boxes in sorted(groups.items())]


def _printed(frame: _Frame, picture: MovePicture) -> list[str]:
    """Draw both strips with the text of each line."""
    parts = []
    blocks = picture.numbered()
    size = 12
    for strip, rows, inward in ((frame.left, range(len(picture.lines)), 1), (frame.right, picture.order, 0)):
        x0, x1 = strip
        for row, i in enumerate(rows):
            s = picture.lines[i]
            y = frame.y(row)
            parts.append("<g>")
            if len(s.text) > 24:
                parts.append(f"<title>{s.line}:{s.column} {shown(s.text, 400)}</title>")
            if s.colour >= 0:
                edge = x1 - 4 if inward else x0
                parts.append(
                    f'<rect class="row c{s.colour}" x="{_n(x0)}" y="{_n(y + 0.5)}" width="{_n(x1 - x0)}" height="{_n(frame.step - 1)}"/>'
                )
                if s.block:
                    parts.append(
                        f'<rect class="edge c{s.colour}" x="{_n(edge)}" y="{_n(y + 0.5)}" width="4" height="{_n(frame.step - 1)}"/>'
                    )
            base = y + frame.step * 0.73
            bold = " h" if s.block else ""
            parts.append(f'<text class="s e{bold}" font-size="10" x="{_n(x0 + 46)}" y="{_n(base)}">{s.place}</text>')
            tone = ' class="gone"' if s.removed else ""
            room = (x1 - x0 - 62) / size
            if s.block and not inward:
                gain = blocks[s.block].gain
                said = "?" if gain is None else f"{gain:.1f}"
                parts.append(f'<text class="s e" font-size="10" x="{_n(x1 - 6)}" y="{_n(base)}">{said}</text>')
                room -= 3
            parts.append(
                f'<text{tone} font-size="{size}" x="{_n(x0 + 54)}" y="{_n(base)}">{shown(_fit(s.text, room))}</text></g>'
            )
    return parts


@dataclass(frozen=True, slots=True)
class _Label:
    """Words beside a strip, and how urgently they are wanted: the least certain first."""

    y: float
    words: str
    note: str
    tone: str
    want: float


def _placed(labels: Sequence[_Label], top: float, bottom: float, step: float) -> list[tuple[_Label, float]]:
    """Give each label a place of its own, near where it wants to be; drop the surest if there is no room for all."""
    room = max(1, int((bottom - top) / step) + 1)
    kept = sorted(sorted(labels, key=lambda one: (one.want, one.y))[:room], key=lambda one: one.y)
    places: list[float] = []
    for one in kept:
        places.append(max(one.y, places[-1] + step if places else top))
    limit = bottom
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], limit)
        limit = places[i] - step
    return list(zip(kept, places, strict=True))


def _labels(frame: _Frame, picture: MovePicture) -> tuple[list[_Label], list[_Label]]:
    """Give the labels of the left and of the right strip: one for each group of blocks, suggestion and gap."""
    left_of: dict[int, list[int]] = {}
    for i, s in enumerate(picture.lines):
        if s.block:
            left_of.setdefault(s.block, []).append(i)
    right_of = {left: right for right, left in enumerate(picture.order)}
    lefts, rights = [], []
    for group in picture.groups:
        rows = sorted(i for b in group for i in left_of.get(b.number, ()))
        if not rows:
            continue
        line = picture.lines[rows[0]]
        tone = f"c{line.colour}"
        gains = [b.gain for b in group if b.gain is not None]
        want = min(gains, default=0.0)
        places = f"{line.place}–{picture.lines[rows[-1]].place}" if len(rows) > 1 else line.place
        words = f"{places}  {_fit(line.text, 14)}"
        note = nats(min(gains, default=None))
        if len(group) > 1:
            note = f"{len(rows)} lines, ≥ {note}"
        lefts.append(_Label(frame.y(rows[0] + 0.5), words, note, tone, want))
        target = sorted(right_of[i] for i in rows if i in right_of)
        if target:
            rights.append(_Label(frame.y(target[0] + 0.5), words, note, tone, want))
    for p in picture.proposals:
        rows = list(p.rows)
        if not rows:
            continue
        kind = "cut" if p.cut else "doubt"
        at = p.rows[0] if p.rows[0] in right_of else 0
        want = -2.0 if p.cut else -1.0
        if p.cut:
            if p.in_source:
                lefts.append(_Label(frame.y(rows[0] + p.behind), f"{p.line}:{p.column}  cut for good", "", kind, want))
            rights.append(
                _Label(frame.y(right_of.get(at, 0) + p.behind), f"cut for good  {_fit(p.reason, 15)}", "", kind, want)
            )
            continue
        words = f"{picture.lines[rows[0]].place}  {_fit(p.text or p.context.after, 14)}"
        lefts.append(_Label(frame.y(rows[0] + 0.5), words, f"? {nats(p.gain)}", kind, want))
        goal = None if p.target_row is None else right_of.get(p.target_row, len(picture.order))
        if goal is not None:
            rights.append(_Label(frame.y(goal), f"? {words}", nats(p.gain), kind, want))
    return lefts, rights


def _drawn_labels(frame: _Frame, picture: MovePicture, bottom: float) -> tuple[list[str], int]:
    parts, dropped = [], 0
    step = 15.0
    for side, labels in zip((0, 1), _labels(frame, picture), strict=True):
        placed = _placed(labels, frame.top + 4, max(bottom, frame.top + 5), step)
        dropped = max(dropped, len(labels) - len(placed))
        x = frame.left[0] - 28 if side == 0 else frame.right[1] + 28
        for one, y in placed:
            near = frame.left[0] if side == 0 else frame.right[1]
            knee = near - 8 if side == 0 else near + 8
            end = " e" if side == 0 else ""
            tone = " ct" if one.tone == "cut" else ""
            lead = one.tone if one.tone.startswith("c") and one.tone != "cut" else ""
            parts.append(
                f'<path class="lead {lead}" d="M{_n(near)} {_n(one.y)}H{_n(knee)}L{_n(x + (6 if side == 0 else -6))} {_n(y)}"/>'
            )
            note = f'<tspan class="s" font-size="10">  {shown(one.note)}</tspan>' if one.note and side else ""
            parts.append(
                f'<text class="{(tone + end).strip()}" font-size="12" x="{_n(x)}" y="{_n(y + 4)}">{shown(one.words)}{note}</text>'
            )
    return parts, dropped


def _legend(picture: MovePicture, x: float, y: float, dropped: int) -> list[str]:
    weak = sum(1 for b in picture.blocks if b.certainty == "weak")
    samples: list[tuple[str, str]] = [
        (
            '<path class="thread strong c0" stroke-width="4" d="M{a} {y}H{b}"/>',
            f"strong, {STRONG:.0f} nats or more ({len(picture.blocks) - weak})",
        ),
        (
            '<path class="thread weak c0" stroke-width="5" d="M{a} {y}H{b}"/><path class="thread weak core" stroke-width="2.4" d="M{a} {y}H{b}"/>',
            f"weak ({weak})",
        ),
        ('<path class="maybe" d="M{a} {y}H{b}"/>', f"suggestion, not carried out ({len(picture.suggestions)})"),
        ("ZIGZAG", f"text cut for good ({len(picture.cuts)})"),
        ('<path class="stay" d="M{a} {t}H{b}v12H{a}z"/>', "stayed"),
    ]
    parts = []
    for sample, words in samples:
        drawn = (
            f'<path class="cut" d="{_zigzag(x, x + 28, y)}"/>'
            if sample == "ZIGZAG"
            else sample.format(a=_n(x), b=_n(x + 28), y=_n(y), t=_n(y - 6))
        )
        parts.append(f'{drawn}<text font-size="12" x="{_n(x + 34)}" y="{_n(y + 4)}">{words}</text>')
        x += 34 + _cells(words) * 12 + 18
    hints = []
    if len(picture.blocks) > MOST_THREADS:
        hints.append(f"the first {MOST_THREADS:,} threads are drawn")
    if dropped:
        hints.append(f"{dropped:,} of the surest moves have no label here; the list of moves names them")
    if hints:
        parts.append(f'<text class="s" font-size="11" x="40" y="{_n(y + 24)}">{"; ".join(hints)}</text>')
    return parts


def to_svg(picture: MovePicture) -> str:
    """Draw the document as two strips, source order and reading order, with a thread for each moved block.

    Up to MOST_PRINTED lines all text is printed; a longer document becomes a map with labels.
    """
    count = max(len(picture.lines), 1)
    prints = len(picture.lines) <= MOST_PRINTED
    width, top = 1040.0, 108.0
    if prints:
        frame = _Frame((30, 400), (640, 1010), top, 18)
        body = [*_stays(frame, _threads(picture)), *_printed(frame, picture)]
        body += _drawn_threads(frame, picture, _threads(picture), 3.6) + _doubts(frame, picture)
        bottom, dropped = frame.y(count), 0
    else:
        lefts, rights = (len(one) for one in _labels(_Frame((0, 0), (0, 0), 0, 1), picture))
        height = min(2400.0, max(900.0, min(count * 3.0, 1600.0), max(lefts, rights) * 16.0))
        frame = _Frame((352, 422), (618, 688), top, height / count)
        bottom = frame.y(count)
        words, dropped = _drawn_labels(frame, picture, bottom)
        body = [*_stays(frame, _threads(picture)), *_minimap(frame, picture)]
        body += _drawn_threads(frame, picture, _threads(picture), 7) + _doubts(frame, picture) + words
    heads = [
        f'<text class="h" font-size="18" x="30" y="34">Moved text: {shown(_fit(picture.name or "text", 44))}</text>',
        f'<text class="s" font-size="13" x="30" y="54">{shown(picture.headline())}</text>',
        *_legend(picture, 30, 72, dropped),
        f'<text class="s h" font-size="11" x="{_n(frame.left[0])}" y="{_n(top - 6)}">in the source</text>',
        f'<text class="s h" font-size="11" x="{_n(frame.right[0])}" y="{_n(top - 6)}">in reading order</text>',
    ]
    height = bottom + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="moves" role="img" aria-labelledby="moves-title moves-desc" '
        f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}">\n'
        f"{_said(picture)}<style>{_style()}</style>\n"
        f'<rect class="page" width="100%" height="100%"/>\n' + "\n".join([*heads, *body]) + "\n</svg>\n"
    )


def _style() -> str:
    return data("moves.css").decode()


def _said(picture: MovePicture) -> str:
    """Give title and description for those who do not see the picture."""
    first = "; ".join(_title(b) for b in picture.blocks[:5])
    more = f"; and {len(picture.blocks) - 5} more" if len(picture.blocks) > 5 else ""
    described = (
        f"Left the lines as they stand in the source, right in reading order. {shown(picture.headline())} {first}{more}"
    )
    name = shown(picture.name or "text", 80)
    return f'<title id="moves-title">Moved text: {name}</title><desc id="moves-desc">{described.strip()}</desc>\n'


# --- the page ----------------------------------------------------------------------------------------------

AROUND = 3
"""Lines before and after a moved line that are not folded away."""
LONGEST = 600
"""Characters of one line that the page shows."""
MOST_LINKED = 150
"""Up to so many blocks light up together wherever they stand on the page."""


def to_html(picture: MovePicture) -> str:
    """Write one page that needs neither network nor JavaScript: a map, the list of moves, both texts."""
    parts = {
        "name": shown(picture.name or "text", 120),
        "headline": shown(picture.headline()),
        "shared": _style(),
        "rules": _lighting(picture),
        "svg": _map(picture),
        "legend": _key(picture),
        "told": "\n".join([*_move_list(picture), *_doubt_list(picture), *_texts(picture)]),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], data("moves.html").decode())


def _lighting(picture: MovePicture) -> str:
    """Let a block, its two places and its thread light up together under the pointer, the keyboard or a link."""
    if len(picture.blocks) > MOST_LINKED:
        return ""
    rules = []
    for b in picture.blocks:
        here = f".moves:has(.b{b.number}:is(:hover, :focus-within, :target))"
        rules.append(
            f"{here} .ln.b{b.number} {{ background: color-mix(in srgb, var(--k) 34%, transparent); }}\n"
            f"{here} .a{b.number} path {{ stroke: var(--ink); stroke-width: 4; stroke-opacity: 1; }}\n"
        )
    return "".join(rules)


def _map(picture: MovePicture) -> str:
    """Draw the strips without words, small enough to stand beside the texts."""
    count = max(len(picture.lines), 1)
    height = min(720.0, max(count * 6.0, min(count * 12.0, 160.0)))
    frame = _Frame((12, 92), (268, 348), 10, height / count)
    threads = _threads(picture)
    body = [*_stays(frame, threads), *_minimap(frame, picture)]
    body += _drawn_threads(frame, picture, threads, 5) + _doubts(frame, picture)
    return (
        f'<svg class="moves" role="img" aria-labelledby="moves-title moves-desc" viewBox="0 0 360 {_n(height + 20)}" '
        f'preserveAspectRatio="xMidYMin meet">\n{_said(picture)}<rect class="page" width="100%" height="100%"/>\n'
        + "\n".join(body)
        + "\n</svg>"
    )


def _key(picture: MovePicture) -> str:
    weak = sum(1 for b in picture.blocks if b.certainty == "weak")
    line = '<path class="{c}" stroke-width="{w}" d="M0 6H28"/>'
    samples = [
        (line.format(c="thread strong c0", w=4), f"strong, {STRONG:.0f} nats or more ({len(picture.blocks) - weak})"),
        (line.format(c="thread weak c0", w=5) + line.format(c="thread weak core", w=2.4), f"weak ({weak})"),
        (line.format(c="maybe", w=1.6), f"suggestion, not carried out ({len(picture.suggestions)})"),
        (f'<path class="cut" d="{_zigzag(0, 28, 6)}"/>', f"text cut for good ({len(picture.cuts)})"),
        ('<path class="stay" d="M0 0h28v12H0z"/>', "stayed"),
    ]
    items = "".join(f'<li><svg viewBox="0 0 28 12" aria-hidden="true">{s}</svg>{w}</li>' for s, w in samples)
    return f'<ul class="key">{items}</ul>'


def _language(picture: MovePicture) -> str:
    """Give the attribute that lets a browser choose Han shapes, where the text is Chinese."""
    sample = "".join(s.text[:40] for s in picture.lines[:50])
    return ' lang="zh"' if sum(map(is_han, sample)) * 3 > len(sample) else ""


def _context(name: str, context: Context, text: str, language: str) -> str:
    first, last = ends(text)
    block = shown(first) + (f" <i>…</i> {shown(last)}" if last else "")
    before = shown(context.before) or "<i>beginning</i>"
    after = shown(context.after) or "<i>end</i>"
    return f'<dt>{name}</dt><dd{language}><bdi dir="ltr">{before} <mark>{block}</mark> {after}</bdi></dd>'


def _move_list(picture: MovePicture) -> list[str]:
    parts = ['<h2 id="moves">Moves</h2>']
    if not picture.blocks:
        return [*parts, "<p>No line was moved.</p>"]
    first_left: dict[int, int] = {}
    colours: dict[int, int] = {}
    for i, s in enumerate(picture.lines):
        if s.block:
            first_left.setdefault(s.block, i)
            colours.setdefault(s.block, s.colour)
    language = _language(picture)

    def entry(b: MovedBlock) -> str:
        at = first_left.get(b.number)
        old, new = f"{b.line}:{b.column}", "the end" if b.target is None else f"before {b.target[0]}:{b.target[1]}"
        if at is not None:
            old, new = f'<a href="#s{at}">{old}</a>', f'<a href="#r{at}">{new}</a>'
        return (
            f'<li id="m{b.number}" class="b{b.number} {b.certainty} c{colours.get(b.number, 0)}">'
            f'<p class="where">{old} → {new} · {_count(b.lines, "line")} · <b>{nats(b.gain)}</b> ({b.certainty})</p>'
            f'<dl class="ctx">{_context("was", b.old, b.text, language)}{_context("now", b.new, b.text, language)}</dl>'
            + (f'<p class="why">{shown(b.reason)}</p>' if b.reason else "")
            + "</li>"
        )

    parts.append('<ol class="list">')
    for group in picture.groups:
        if len(group) == 1:
            parts.append(entry(group[0]))
            continue
        parts += [
            f'<li class="group c{colours.get(group[0].number, 0)}"><details><summary>{group_words(group)}</summary><ol class="list">',
            *map(entry, group),
            "</ol></details></li>",
        ]
    return [*parts, "</ol>"]


def group_words(group: Sequence[MovedBlock]) -> str:
    """Say what blocks of one column have in common: count, places, gains."""
    gains = sorted(b.gain for b in group if b.gain is not None)
    span = "no gain given" if not gains else f"{gains[0]:.1f} to {gains[-1]:.1f} nats each"
    places = ", ".join(str(b.line) for b in group[:3]) + (" …" if len(group) > 4 else ",") + f" {group[-1].line}"
    weak = sum(1 for b in group if b.certainty == "weak")
    doubt = f", {weak} of them weak" if weak else ""
    return f"{len(group)} blocks of one column ({sum(b.lines for b in group)} lines): lines {places}; {span}{doubt}"


def _doubt_list(picture: MovePicture) -> list[str]:
    parts: list[str] = []
    language = _language(picture)
    for title, found in (("Suggestions, not carried out", picture.suggestions), ("Cut for good", picture.cuts)):
        if not found:
            continue
        parts += [f"<h2>{title}</h2>", '<ol class="list">']
        for p in found:
            at = f"{p.line}:{p.column}"
            if p.rows:
                at = f'<a href="#s{p.rows[0]}">{at}</a>'
            where = at if p.target is None else f"{at} → before {p.target[0]}:{p.target[1]}"
            gain = "" if p.cut and p.gain is None else f" · <b>{nats(p.gain)}</b>"
            context = _context("here", p.context, "gap" if p.cut and not p.text else p.text, language)
            parts.append(
                f'<li class="{"lost" if p.cut else "doubt"}"><p class="where">{where}{gain}</p>'
                f'<dl class="ctx">{context}</dl><p class="why">{shown(p.reason)}</p></li>'
            )
        parts.append("</ol>")
    return parts


def _texts(picture: MovePicture) -> list[str]:
    """Write both texts, what stayed folded away."""
    parts = ['<div class="texts">']
    language = _language(picture)
    doubted = {r for p in picture.suggestions for r in p.rows}
    torn = {p.rows[0]: p for p in picture.cuts if p.rows}
    order_of = {left: right for right, left in enumerate(picture.order)}
    blocks = picture.numbered()
    for side, title, rows in (
        ("s", "In the source", range(len(picture.lines))),
        ("r", "In reading order", picture.order),
    ):
        parts.append(f'<section aria-labelledby="{side}-head"><h2 id="{side}-head">{title}</h2><div{language}>')
        gaps = {i: p for i, p in torn.items() if side == "r" or p.in_source}
        wanted = [
            picture.lines[i].colour >= 0 or picture.lines[i].removed or i in doubted or i in gaps
            or (side == "r" and row > 0 and i != rows[row - 1] + 1)
            for row, i in enumerate(rows)
        ]  # fmt: skip
        open_rows = _spread(wanted, AROUND)
        row = 0
        while row < len(rows):
            stop = row
            while stop < len(rows) and not open_rows[stop]:
                stop += 1
            lines = [
                _text_line(picture, side, i, i in doubted, gaps.get(i), order_of, blocks)
                for i in rows[row : max(stop, row + 1)]
            ]
            if stop - row > 4:
                a, b = picture.lines[rows[row]], picture.lines[rows[stop - 1]]
                parts.append(
                    f'<details class="fold"><summary lang="en">{a.place} to {b.place}: {stop - row:,} lines stayed</summary>'
                )
                parts += [*lines, "</details>"]
            else:
                parts += lines
            row = max(stop, row + 1)
        if side == "s" and not picture.lines:
            parts.append("<p>The text is empty.</p>")
        parts.append("</div></section>")
    return [*parts, "</div>"]


def _spread(wanted: Sequence[bool], reach: int) -> list[bool]:
    """Give True wherever one of ``wanted`` is at most ``reach`` places away.

    >>> _spread([False, False, False, True, False], 1)
    [False, False, True, True, True]
    """
    total = [0, *accumulate(map(int, wanted))]
    return [total[min(len(wanted), i + reach + 1)] > total[max(0, i - reach)] for i in range(len(wanted))]


def _text_line(
    picture: MovePicture,
    side: str,
    index: int,
    doubted: bool,
    gap: Proposal | None,
    order_of: dict[int, int],
    blocks: dict[int, MovedBlock],
) -> str:
    s = picture.lines[index]
    tone = f" c{s.colour}" if s.colour >= 0 else ""
    number, tag = s.place, ""
    if s.block:
        b = blocks[s.block]
        tone += f" mv b{s.block} {b.certainty}"
        other = "r" if side == "s" else "s"
        goes = "to its place in reading order" if side == "s" else "to its place in the source"
        arrow = "→" if side == "s" else "←"
        number = f'<a href="#{other}{index}" aria-label="line {s.place}, {goes}">{s.place} {arrow}</a>'
        first = side == "r" and (
            order_of[index] == 0 or picture.lines[picture.order[order_of[index] - 1]].block != s.block
        )
        if first:
            tag = f'<a class="tag" lang="en" href="#m{s.block}">{nats(b.gain)}</a>'
    if doubted:
        tone += " doubted"
    if s.removed:
        tone += " gone"
        tag = '<span class="tag" lang="en">taken out by another rule</span>'
    edge = "" if gap is None else f'<p class="torn" lang="en">cut for good: {shown(gap.reason, 200)}</p>'
    over, under = ("", edge) if gap and gap.behind else (edge, "")
    anchor = f' id="{side}{index}"' if tone else ""
    text = shown(s.text, LONGEST)
    return f'{over}<div class="ln{tone}"{anchor}><span class="no">{number}</span><bdi class="tx" dir="ltr">{text}{tag}</bdi></div>{under}'


PICTURES: dict[str, Callable[[MovePicture], str]] = {".svg": to_svg, ".html": to_html, ".htm": to_html}
"""How a picture is written, by the suffix of its file."""

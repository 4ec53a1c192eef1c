r"""A ledger told as one comparison: rows of source and clean text, each change at its place on both sides.

The passes of a ledger speak of ever new texts. Here every character is followed through all of them, so that a
piece of text names the changes that made it, and source and clean text can be laid side by side.

>>> from shanben.ledger import Change, Ledger, Pass
>>> from shanben.values import Decoding
>>> comma = Pass("han-comma", "punctuation", "", 1, (Change(1, ",", "，"),))
>>> told = compare("甲,乙\n丙", Ledger("", 0, Decoding("utf-8", 1.0), "", "", passes=(comma,)))
>>> [[(p.before, p.after, p.entries) for p in row] for row in told.rows]
[[('甲', '甲', ()), (',', '，', (0,)), ('乙\n', '乙\n', ())], [('丙', '丙', ())]]
>>> told.entries[0].unit, told.entries[0].line, told.entries[0].column
('han-comma', 1, 2)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Literal, NamedTuple

from shanben.errors import LedgerError
from shanben.ledger import Capture, Change, Ledger, OffsetMap, Pass, Suggestion, apply_changes
from shanben.values import Text

Kind = Literal["substitute", "supply", "delete", "move", "captured", "suggestion", "suppressed"]
LAST_PHASE = "edition"
"""The phase of what is only laid out for the editions; notes and marks speak of the text before it."""
NOTE, REFUSAL = -1, -2
LONG_ROW = 1600
"""Characters of one side from which a row is cut into several."""


class Entry(NamedTuple):
    """One change, captured fact, suggestion, or change that the work refuses. Line and column are those of the source, from 1.

    ``gain`` is in nats. ``field`` is the Dublin Core term of a captured fact. ``origin`` says where the ledger has it:
    a change by its pass and its number in that; a note by NOTE, a suppression by REFUSAL, and its number there.
    """

    kind: Kind
    unit: str
    phase: str
    round: int
    line: int
    column: int
    before: str
    after: str
    reason: str = ""
    gain: float | None = None
    field: str = ""
    origin: tuple[int, int] = (-1, -1)


class Piece(NamedTuple):
    """A stretch of a row: what stands in the source, what in the clean text, and the entries that speak of it.

    Moved text is two pieces: one with an empty ``after`` where it was, one with an empty ``before`` where it went.
    """

    before: str
    after: str
    entries: tuple[int, ...] = ()


Row = tuple[Piece, ...]


class RowMark(NamedTuple):
    """What a rule said of the line with which a row begins: a heading, a byline, …"""

    row: int
    kind: str
    level: int
    unit: str


class Comparison(NamedTuple):
    """Source and clean text in rows. All ``before`` together are the source, all ``after`` the clean text.

    ``entries`` stand in the order in which the rows name them first. ``continued`` are rows that are cut off from
    the paragraph above them only because it is long.
    """

    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    marks: tuple[RowMark, ...] = ()
    continued: frozenset[int] = frozenset()


# --- following the characters ------------------------------------------------------------------------------


class _Run(NamedTuple):
    """A stretch of a text on its way: kept from the source (``group`` −1), or ``text`` that a group of changes wrote.

    ``source`` is where it comes from, or where it was put in. An empty text marks the place of a deletion.
    """

    length: int
    source: int
    group: int = -1
    moves: tuple[int, ...] = ()
    text: str = ""

    def part(self, start: int, end: int) -> _Run:
        if (start, end) == (0, self.length):
            return self
        if self.group < 0:
            return self._replace(length=end - start, source=self.source + start)
        return self._replace(length=end - start, text=self.text[start:end])


class _Gone(NamedTuple):
    """A stretch of the source that a group of changes took away."""

    source: int
    length: int
    group: int
    moves: tuple[int, ...]


class _Edit(NamedTuple):
    start: int
    end: int
    text: str
    change: int
    arrives: bool = False
    leaves: bool = False


def _edits(change: Change, index: int) -> Iterator[_Edit]:
    """Give what a change does, without what it leaves as it was.

    >>> [e[:3] for e in _edits(Change(0, "  甲", "甲"), 0)], [e[:3] for e in _edits(Change(3, "(a)", "（a）"), 0)]
    ([(0, 2, '')], [(3, 4, '（'), (5, 6, '）')])
    """
    before, after = change.before, change.after
    if change.to is not None:
        yield _Edit(change.start, change.end, "", index, leaves=True)
        yield _Edit(change.to, change.to, "", index, arrives=True)
    elif len(before) == len(after) and before != after:
        start = 0
        while start < len(before):
            end = start
            while end < len(before) and before[end] != after[end]:
                end += 1
            if end > start:
                yield _Edit(change.start + start, change.start + end, after[start:end], index)
            start = end + 1
    else:
        most = min(len(before), len(after))
        head = next((i for i in range(most) if before[i] != after[i]), most)
        tail = next((i for i in range(most - head) if before[-1 - i] != after[-1 - i]), most - head)
        yield _Edit(change.start + head, change.end - tail, after[head : len(after) - tail], index)


class _Walk:
    """All runs of the text at one moment; `after` gives those behind the next pass."""

    def __init__(self, length: int) -> None:
        self.runs: list[_Run] = [_Run(length, 0)] if length else []
        self.gone: list[_Gone] = []
        self.entries: list[Entry] = []
        self._parents: list[int] = []

    def root(self, group: int) -> int:
        """Give the group into which a group was taken up."""
        while self._parents[group] != group:
            self._parents[group] = self._parents[self._parents[group]]
            group = self._parents[group]
        return group

    def new_entry(self, entry: Entry) -> int:
        """Add an entry; its number is that of its group."""
        self.entries.append(entry)
        self._parents.append(len(self._parents))
        return len(self._parents) - 1

    def members(self) -> dict[int, list[int]]:
        """Give the entries of each group that was not taken up by another."""
        found: dict[int, list[int]] = {}
        for number in range(len(self._parents)):
            found.setdefault(self.root(number), []).append(number)
        return found

    def take(self, p: Pass, number: int, source: Text) -> None:
        """Go on to the text behind the pass ``p``, which is the one with this number."""
        runs = self.runs
        ends = list(accumulate(r.length for r in runs))
        starts = [0, *ends[:-1]] if ends else []
        first = len(self.entries)
        for n, c in enumerate(p.changes):
            at = min(_source_of(runs, starts, ends, c.start), len(source.content))
            line, column = source.place(at)
            self.new_entry(
                Entry(c.kind, p.unit, p.phase, p.round, line, column, c.before, c.after, c.reason, c.gain,
                      origin=(number, n))
            )  # fmt: skip
        edits = sorted(
            (e for i, c in enumerate(p.changes) for e in _edits(c, first + i)), key=lambda e: (e.start, e.end > e.start)
        )
        homes = {e.change: (e.start, e.end) for e in edits if e.leaves}
        out: list[_Run] = []
        index = skip = 0  # the next run, and how much of it is behind us
        for e in edits:
            # What ends at the edit stands before it, places of deletions too.
            stop = bisect_right(ends, e.start, index)
            index, skip = _copy(runs, starts, out, index, skip, stop, e.start)
            if e.arrives:
                a, b = homes[e.change]
                inner: list[_Run] = []
                i = bisect_right(ends, a)
                j = bisect_left(starts, b, i)
                for k in range(i, j):
                    lo, hi = max(0, a - starts[k]), min(runs[k].length, b - starts[k])
                    inner.append(runs[k].part(lo, hi))
                out += [r._replace(moves=(*r.moves, e.change)) for r in inner]
                continue
            removed: list[_Run] = []
            if e.end > e.start:
                index, skip = _copy(runs, starts, removed, index, skip, bisect_left(starts, e.end, index), e.end)
            if not e.leaves:
                out.append(self._written(e, removed, out, runs[index] if index < len(runs) else None, skip))
        _copy(runs, starts, out, index, skip, len(runs), ends[-1] if ends else 0)
        self.runs = out

    def _written(
        self, e: _Edit, removed: Sequence[_Run], out: Sequence[_Run], following: _Run | None, skip: int
    ) -> _Run:
        """Take ``removed`` away for good and give the run that stands there now."""
        last = out[-1] if out else None
        together = bool(removed) and all(r.moves == removed[0].moves for r in removed)
        for r in removed:
            if r.group < 0:
                self.gone.append(_Gone(r.source, r.length, e.change, r.moves))
            else:
                for taken_up in (r.group, *(() if together else r.moves)):
                    self._parents[self.root(taken_up)] = self.root(e.change)
        if removed:
            source = removed[0].source
            moves = removed[0].moves if together else ()
        else:
            source = last.source + (last.length if last.group < 0 else 0) if last else 0
            if following is not None and following.group < 0 and not following.moves:
                source = following.source + skip
            moves = last.moves if last and following and last.moves == following.moves else ()
        return _Run(len(e.text), source, e.change, moves, e.text)


def _copy(
    runs: Sequence[_Run], starts: Sequence[int], out: list[_Run], index: int, skip: int, stop: int, to: int
) -> tuple[int, int]:
    """Add the runs from ``index`` to ``stop``, cut at the offset ``to``; give where to go on."""
    if skip and index < stop:
        out.append(runs[index].part(skip, min(runs[index].length, to - starts[index])))
        if to < starts[index] + runs[index].length:
            return index, to - starts[index]
        index, skip = index + 1, 0
    if index < stop:
        out += runs[index:stop]
        last = runs[stop - 1]
        over = starts[stop - 1] + last.length - to
        if over > 0:
            out[-1] = last.part(0, last.length - over)
            return stop - 1, last.length - over
        index = stop
    if index < len(runs) and starts[index] + skip < to:
        out.append(runs[index].part(skip, to - starts[index]))
        skip = to - starts[index]
    return index, skip


def _source_of(runs: Sequence[_Run], starts: Sequence[int], ends: Sequence[int], offset: int) -> int:
    index = bisect_right(ends, offset)
    if index < len(runs):
        r = runs[index]
        return r.source + (offset - starts[index] if r.group < 0 else 0)
    return max((r.source + (r.length if r.group < 0 else 0) for r in runs[-1:]), default=0)


# --- notes -------------------------------------------------------------------------------------------------


class _Note(NamedTuple):
    """An entry that changes nothing, and the stretch that it is about, in the source or in the clean text."""

    start: int
    end: int
    entry: int


def _notes(
    walk: _Walk, ledger: Ledger, source: Text, clean: str, later: Sequence[OffsetMap]
) -> tuple[list[_Note], list[_Note]]:
    """Give what is told of places of the source, and suggestions by their place in the clean text."""
    phases = {p.unit: p.phase for p in ledger.passes}
    captured, suggested = [], []
    for number, note in enumerate(ledger.notes):
        f = note.finding
        if isinstance(f, Capture):
            entry = Entry("captured", note.unit, phases.get(note.unit, ""), 0, note.line, note.column, f.value, f.value,
                          field=f.field, origin=(NOTE, number))  # fmt: skip
            captured.append(_Note(*_stretch(source, note.line, note.column, f.value), walk.new_entry(entry)))
        elif isinstance(f, Suggestion):
            start, end = f.start, f.start + max(1, len(f.before)) - 1
            for places in later:
                start, end = places.forward(start), places.forward(end)
            start = max(0, min(start, len(clean) - 1))
            entry = Entry("suggestion", note.unit, phases.get(note.unit, ""), 0, note.line, note.column, f.before,
                          f.after, f.reason, f.gain, origin=(NOTE, number))  # fmt: skip
            suggested.append(_Note(start, min(max(start, end) + 1, len(clean)), walk.new_entry(entry)))
    for number, s in enumerate(ledger.suppressed):
        entry = Entry("suppressed", s.unit, phases.get(s.unit, ""), 0, s.line, s.column, s.before, s.after, s.reason,
                      origin=(REFUSAL, number))  # fmt: skip
        captured.append(_Note(*_stretch(source, s.line, s.column, s.before), walk.new_entry(entry)))
    return sorted(captured), sorted(suggested)


def _stretch(source: Text, line: int, column: int, words: str) -> tuple[int, int]:
    """Give where ``words`` stand in the source; where they do not stand at that place, one character of it."""
    content = source.content
    start = source.lines[min(max(line, 1), len(source.lines)) - 1].start + max(column, 1) - 1
    length = len(words) if words and content.startswith(words, start) else 1
    start = max(0, min(start, len(content) - 1))
    return start, min(start + length, len(content))


# --- rows --------------------------------------------------------------------------------------------------


class _Span(NamedTuple):
    """The source and the clean text of one row."""

    source: int
    source_end: int
    clean: int
    clean_end: int


def _paragraphs(text: str) -> list[int]:
    """Give where the paragraphs of a text begin; blank lines belong to what stands above them.

    >>> _paragraphs("甲\\n\\n乙\\r\\n丙")
    [0, 3, 6]
    """
    starts, at = [], 0
    for line in text.splitlines(keepends=True):
        if not line.isspace():
            starts.append(at)
        at += len(line)
    return [0, *starts[1:]]


def _links(
    walk: _Walk, source: str, starts: Sequence[int], clean_starts: Sequence[int]
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Give pairs of paragraphs, source and clean, that have unmoved text in common, in order."""
    lost: dict[int, list[_Gone]] = {}
    for g in sorted(walk.gone):
        if not g.moves:
            lost.setdefault(walk.root(g.group), []).append(g)
    limit, limits = len(source), []
    for r in reversed(walk.runs):
        limits.append(limit)
        if r.group < 0 and not r.moves:
            limit = r.source
    at = done = 0
    for r, bound in zip(walk.runs, reversed(limits), strict=True):
        if r.moves:
            pass
        elif r.group >= 0:
            if not r.text.isspace() and r.text:
                for g in lost.get(walk.root(r.group), ()):
                    if done <= g.source and g.source + g.length <= bound:
                        yield bisect_right(starts, g.source) - 1, bisect_right(clean_starts, at) - 1
                        last = g.source + g.length - 1, at + r.length - 1
                        yield bisect_right(starts, last[0]) - 1, bisect_right(clean_starts, last[1]) - 1
        else:
            block = bisect_right(starts, r.source) - 1
            while block < len(starts) and starts[block] < r.source + r.length:
                low = max(r.source, starts[block])
                high = min(r.source + r.length, starts[block + 1] if block + 1 < len(starts) else len(source))
                stretch = source[low:high]
                if bare := stretch.strip():
                    first = low + len(stretch) - len(stretch.lstrip())
                    for place in (first, first + len(bare) - 1):
                        yield block, bisect_right(clean_starts, at + place - r.source) - 1
                block += 1
            done = r.source + r.length
        at += r.length


def _spans(walk: _Walk, source: str, clean: str) -> list[_Span]:
    """Give the rows: paragraphs that have unmoved text in common stand in one row, all others each alone."""
    starts, clean_starts = _paragraphs(source), _paragraphs(clean)
    rows: list[tuple[int, int, int, int]] = []  # first and behind-the-last paragraph on either side
    for a, b in _links(walk, source, starts, clean_starts):
        if rows and (a < rows[-1][1] or b < rows[-1][3]):
            a0, a1, b0, b1 = rows[-1]
            rows[-1] = a0, max(a1, a + 1), b0, max(b1, b + 1)
        else:
            rows.append((a, a + 1, b, b + 1))
    starts.append(len(source))
    clean_starts.append(len(clean))
    spans, a, b = [], 0, 0
    for a0, a1, b0, b1 in [*rows, (len(starts) - 1, len(starts) - 1, len(clean_starts) - 1, len(clean_starts) - 1)]:
        spans += [_Span(starts[i], starts[i + 1], clean_starts[b], clean_starts[b]) for i in range(a, a0)]
        spans += [_Span(starts[a0], starts[a0], clean_starts[i], clean_starts[i + 1]) for i in range(b, b0)]
        if a1 < len(starts):
            spans.append(_Span(starts[a0], starts[a1], clean_starts[b0], clean_starts[b1]))
        a, b = a1, b1
    return [s for s in spans if s.source < s.source_end or s.clean < s.clean_end] or [_Span(0, 0, 0, 0)]


class _Left(NamedTuple):
    """A stretch of the source. ``source`` ≥ 0 in ``kept``: it stands in the clean text where it stood."""

    start: int
    text: str
    kept: bool
    group: int
    entries: tuple[int, ...]


class _Right(NamedTuple):
    """A stretch of the clean text; ``source`` is its place there if it is kept."""

    start: int
    text: str
    kept: bool
    group: int
    entries: tuple[int, ...]
    source: int


def _cut(start: int, length: int, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Give the parts of a stretch between ``cuts``, as offsets within it."""
    inside = cuts[bisect_right(cuts, start) : bisect_left(cuts, start + length)]
    return list(pairwise([0, *(c - start for c in inside), length]))


class _Cover:
    """Which notes lie over a stretch that no note's edge cuts."""

    def __init__(self, notes: Sequence[_Note]) -> None:
        self._notes = notes
        self._starts = [n.start for n in notes]
        self._widest = list(accumulate((n.end for n in notes), max))

    def over(self, start: int, end: int) -> tuple[int, ...]:
        """Give the entries of the notes over ``[start, end)``."""
        found = []
        index = bisect_left(self._starts, end) - 1
        while index >= 0 and self._widest[index] > start:
            if self._notes[index].end > start:
                found.append(self._notes[index].entry)
            index -= 1
        return tuple(found)


def _sides(
    walk: _Walk, source: str, spans: Sequence[_Span], captured: Sequence[_Note], suggested: Sequence[_Note]
) -> tuple[list[_Left], list[_Right]]:
    """Give all stretches of both texts, cut at rows and notes, each with its entries."""
    members = {root: tuple(found) for root, found in walk.members().items()}
    before = sorted({e for n in captured for e in n[:2]} | {s.source for s in spans})
    after = sorted({e for n in suggested for e in n[:2]} | {s.clean for s in spans})
    facts, hints = _Cover(captured), _Cover(suggested)
    lefts, rights = [], []
    for g in walk.gone:
        said = (*members[walk.root(g.group)], *g.moves)
        for a, b in _cut(g.source, g.length, before):
            place = g.source + a
            found = (*said, *facts.over(place, g.source + b))
            lefts.append(_Left(place, source[place : g.source + b], False, walk.root(g.group), found))
    at = 0
    for r in walk.runs:
        if r.group >= 0:
            group = walk.root(r.group)
            for a, b in _cut(at, r.length, after) if r.length else [(0, 0)]:
                found = (*members[group], *r.moves, *(hints.over(at + a, at + b) if b > a else ()))
                rights.append(_Right(at + a, r.text[a:b], False, group, found, r.source))
        else:
            offsets = {a for a, _ in _cut(r.source, r.length, before)} | {a for a, _ in _cut(at, r.length, after)}
            for a, b in pairwise(sorted(offsets | {r.length})):
                place, text = r.source + a, source[r.source + a : r.source + b]
                found = (*r.moves, *facts.over(place, place + b - a), *hints.over(at + a, at + b))
                lefts.append(_Left(place, text, not r.moves, -1, found))
                rights.append(_Right(at + a, text, not r.moves, -1, found, place))
        at += r.length
    lefts.sort(key=lambda one: one.start)
    return lefts, rights


def _homes(
    rights: Sequence[_Right], spans: Sequence[_Span], lefts: Sequence[_Left], clean: str
) -> list[list[_Right]]:  # fmt: skip
    """Deal the stretches of the clean text to the rows; the place of a deletion goes where its text stood."""
    rows: list[list[_Right]] = [[] for _ in spans]
    ends = [s.clean_end for s in spans]
    begins = [s.clean for s in spans]
    sources = [s.source for s in spans]
    lost: dict[int, list[int]] = {}
    for left in lefts:
        if left.group >= 0:
            lost.setdefault(left.group, []).append(bisect_right(sources, left.start) - 1)
    for r in rights:
        if r.text:
            rows[bisect_right(ends, r.start)].append(r)
            continue
        first = last = r.start  # nothing but blanks stands between the rows that come into question
        while first > 0 and clean[first - 1].isspace():
            first -= 1
        while last < len(clean) and clean[last].isspace():
            last += 1
        low, high = bisect_left(ends, first), bisect_right(begins, last) - 1
        own = [row for row in lost.get(r.group, ()) if low <= row <= high]
        home = own[0] if own else min(bisect_right(ends, r.start), len(spans) - 1)
        rows[home].append(r)
    return rows


def _merged(lefts: Sequence[_Left], rights: Sequence[_Right]) -> Iterator[Piece]:
    """Lay the two sides of one row together."""
    i = j = 0
    while i < len(lefts) or j < len(rights):
        gap: list[_Left] = []
        while i < len(lefts) and not lefts[i].kept:
            gap.append(lefts[i])
            i += 1
        new: list[_Right] = []
        while j < len(rights) and not rights[j].kept:
            new.append(rights[j])
            j += 1
        yield from _paired(gap, new)
        if i < len(lefts) and (j >= len(rights) or lefts[i].start < rights[j].source):
            yield Piece(lefts[i].text, "", lefts[i].entries)
            i += 1
        elif j < len(rights):
            both = i < len(lefts) and lefts[i].start == rights[j].source
            yield Piece(rights[j].text if both else "", rights[j].text, rights[j].entries)
            i, j = i + both, j + 1


def _paired(gap: Sequence[_Left], new: Sequence[_Right]) -> Iterator[Piece]:
    """Put what was taken away and what came in its place together, where they are of one group."""
    i = 0
    for r in new:
        mates = [k for k in range(i, len(gap)) if gap[k].group == r.group >= 0]
        if not mates:
            yield Piece("", r.text, r.entries)
            continue
        yield from (Piece(g.text, "", g.entries) for g in gap[i : mates[0]])
        last = mates[0]
        while last + 1 < len(gap) and gap[last + 1].group == r.group:
            last += 1
        old = gap[mates[0] : last + 1]
        if any(g.entries != old[0].entries for g in old):  # a fact was found in a part of it
            yield from (Piece(g.text, "", g.entries) for g in old[:-1])
            old = old[-1:]
        said = [*(e for g in old for e in g.entries), *r.entries]
        yield Piece("".join(g.text for g in old), r.text, tuple(dict.fromkeys(said)))
        i = last + 1
    yield from (Piece(g.text, "", g.entries) for g in gap[i:])


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Join neighbours that say the same."""
    out: list[Piece] = []
    for p in pieces:
        if not (p.before or p.after or p.entries):
            continue
        last = out[-1] if out else None
        if last and last.entries == p.entries and (last.before == last.after) == (p.before == p.after):
            same_side = bool(last.before) == bool(p.before) and bool(last.after) == bool(p.after)
            if same_side and (p.before == p.after or not (p.before and p.after)):
                out[-1] = Piece(last.before + p.before, last.after + p.after, p.entries)
                continue
        out.append(p)
    return out


_ENDS = "。！？；\n.!?;"


def _short(pieces: Sequence[Piece]) -> Iterator[Row]:
    """Cut a long row into several, after a sentence where there is one."""
    row: list[Piece] = []
    size = 0
    todo = list(reversed(pieces))
    while todo:
        p = todo.pop()
        length = max(len(p.before), len(p.after))
        room = LONG_ROW - size
        if length > room and (p.before == p.after or not (p.before and p.after)):
            text = p.before or p.after
            place = max((text.rfind(e, max(0, room - 400), room) for e in _ENDS), default=-1) + 1
            place = place or max(room, 0)
            if place:
                row.append(Piece(text[:place] if p.before else "", text[:place] if p.after else "", p.entries))
            todo.append(Piece(text[place:] if p.before else "", text[place:] if p.after else "", p.entries))
            if row:
                yield tuple(row)
            row, size = [], 0
            continue
        row.append(p)
        size += length
    if row:
        yield tuple(row)


# --- all together ------------------------------------------------------------------------------------------


def compare(source_text: str, ledger: Ledger) -> Comparison:
    """Lay a decoded source and what its ledger made of it side by side. Raises LedgerError if they do not fit."""
    source = Text.of(source_text)
    walk = _Walk(len(source_text))
    clean = source_text
    for number, p in enumerate(ledger.passes):
        clean = apply_changes(clean, p.changes, unit=p.unit)
        walk.take(p, number, source)
    later = [OffsetMap(p.changes) for p in ledger.passes if p.phase == LAST_PHASE]
    captured, suggested = _notes(walk, ledger, source, clean, later)
    spans = _spans(walk, source_text, clean)
    lefts, rights = _sides(walk, source_text, spans, captured, suggested)
    homes = _homes(rights, spans, lefts, clean)
    left_starts = [one.start for one in lefts]
    rows: list[Row] = []
    first_of: list[int] = []
    continued = set()
    for span, right in zip(spans, homes, strict=True):
        left = lefts[bisect_left(left_starts, span.source) : bisect_left(left_starts, span.source_end)]
        first_of.append(len(rows))
        for number, row in enumerate(_short(_joined(_merged(left, right)))):
            if number:
                continued.add(len(rows))
            rows.append(row)
    sides = "".join(p.before for row in rows for p in row), "".join(p.after for row in rows for p in row)
    if sides != (source_text, clean):
        raise LedgerError("the comparison of source and clean text is not that of the ledger")
    ordered, numbered = _in_order(rows, walk.entries)
    return Comparison(numbered, ordered, _row_marks(ledger, later, spans, first_of), frozenset(continued))


def _in_order(rows: Sequence[Row], entries: Sequence[Entry]) -> tuple[tuple[Entry, ...], tuple[Row, ...]]:
    """Number the entries in the order in which the rows name them."""
    order: dict[int, int] = {}
    for row in rows:
        for p in row:
            for e in p.entries:
                order.setdefault(e, len(order))
    for e in range(len(entries)):
        order.setdefault(e, len(order))
    numbered = tuple(
        tuple(p if not p.entries else p._replace(entries=tuple(sorted({order[e] for e in p.entries}))) for p in row)
        for row in rows
    )
    return tuple(entries[e] for e in order), numbered


def _row_marks(
    ledger: Ledger, later: Sequence[OffsetMap], spans: Sequence[_Span], first_of: Sequence[int]
) -> tuple[RowMark, ...]:
    ends = [s.clean_end for s in spans]
    found: dict[RowMark, None] = {}
    for mark in ledger.marks:
        start = mark.start
        for places in later:
            start = places.forward(start)
        row = bisect_right(ends, start)
        if row < len(spans):
            found[RowMark(first_of[row], mark.kind, mark.level, mark.unit)] = None
    return tuple(sorted(found, key=lambda m: (m.row, m.kind, m.level, m.unit)))

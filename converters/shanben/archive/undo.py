r"""Take the changes of some rules back and keep all others, where that can be done without touching a later change.

Two texts are carried through the passes side by side, as one tape of cells: what both have, what only the text
at hand has (the new words of an undone change), what only the other text has (its old words). A change that
stays acts on what both have. Where it meets anything else, the older change is not undone, and is reported with
what holds it: nothing is guessed.

>>> from shanben.pipeline import clean
>>> cleaned = clean("会议强调,要抓好落实;守住底线.")
>>> source = cleaned.ledger.revert(cleaned.text)
>>> take_back(cleaned.ledger, cleaned.ledger.counts(), source).text == source
True
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal

from shanben.errors import LedgerError, UsageError
from shanben.ledger import Change, Ledger, OffsetMap, Pass, apply_changes
from shanben.rulebook.strict_yaml import did_you_mean

Key = tuple[int, int]
"""A change: number of its pass, number within the pass."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A change that stays although its rule was named, and the unit whose later change holds it."""

    unit: str
    change: Change
    held_by: str


@dataclass(frozen=True, slots=True)
class Undone:
    """The text without the changes, its ledger, how many changes of each rule are gone, and which had to stay.

    ``ledger`` leads from the source to ``text`` and back. Its notes keep the places that they had in the source.
    """

    text: str
    ledger: Ledger
    undone: dict[str, int]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class _Cell:
    """A stretch that both texts have, or ``old``: only the other text, or ``new``: only the text at hand."""

    text: str
    kind: Literal["both", "old", "new"] = "both"
    key: Key = (-1, -1)

    @property
    def here(self) -> int:
        """Give the length in the text at hand."""
        return 0 if self.kind == "old" else len(self.text)

    @property
    def there(self) -> int:
        """Give the length in the other text."""
        return 0 if self.kind == "new" else len(self.text)


@dataclass(frozen=True, slots=True)
class _Edit:
    """A removal or an insertion of a pass; a move is one of each."""

    start: int
    before: str
    after: str
    key: Key
    part: Literal["whole", "leaves", "arrives"] = "whole"

    @property
    def end(self) -> int:
        return self.start + len(self.before)


def take_back(ledger: Ledger, units: Iterable[str], source_text: str) -> Undone:
    """Undo the changes of ``units`` (ids of rules or steps) in the text that ``ledger`` makes of ``source_text``.

    Raises UsageError for a unit that changed nothing, LedgerError when text and ledger do not belong together.
    """
    named, known = set(units), ledger.counts()
    for unit in sorted(named - known.keys()):
        raise UsageError(
            f"{unit!r} changed nothing in this text{did_you_mean(unit, known)}",
            fix=f"rules that did: {', '.join(sorted(known)) or 'none'}",
        )
    wanted = {(n, i) for n, p in enumerate(ledger.passes) if p.unit in named for i in range(len(p.changes))}
    held: dict[Key, str] = {}
    while True:
        run = _Run(wanted, source_text)
        passes = tuple(p for n, given in enumerate(ledger.passes) if (p := run.step(n, given)).changes)
        if not run.held:
            break
        held |= run.held
        wanted -= run.held.keys()
    text = "".join(c.text for c in run.tape if c.kind != "new")
    places = OffsetMap(_as_changes(run.tape))
    result = ledger._replace(
        passes=passes,
        marks=tuple(m._replace(start=places.forward(m.start)) for m in ledger.marks),
        text_sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    )
    if result.replay(source_text) != text or result.revert(text) != source_text:
        raise LedgerError("the changes cannot be undone exactly", fix="build again with the rule at `level: off`")
    conflicts = (
        Conflict(ledger.passes[n].unit, ledger.passes[n].changes[i], unit) for (n, i), unit in sorted(held.items())
    )
    undone = Counter(ledger.passes[n].unit for n, _ in wanted)
    return Undone(text, result, dict(sorted(undone.items())), tuple(conflicts))


def _as_changes(tape: Sequence[_Cell]) -> list[Change]:
    """Give the way from the text at hand to the other text, for the places of marks."""
    changes, at = [], 0
    for cell in tape:
        if cell.kind == "old":
            changes.append(Change(at, "", cell.text))
        elif cell.kind == "new":
            changes.append(Change(at, cell.text, ""))
        at += cell.here
    return changes


class _Run:
    """One way through all passes. ``held`` are the changes that had to stay, each with the unit that holds it."""

    def __init__(self, wanted: Iterable[Key], source_text: str) -> None:
        self._wanted = set(wanted)
        self._linked: dict[Key, Key] = {}
        self.held: dict[Key, str] = {}
        self.tape: list[_Cell] = [_Cell(source_text)]

    def step(self, number: int, p: Pass) -> Pass:
        """Carry the tape through a pass; give the pass as it is for the other text, without the undone changes."""
        edits = _edits_of(number, p)
        if edits and (edits[0].start < 0 or max(e.end for e in edits) > sum(c.here for c in self.tape)):
            raise LedgerError(f"the ledger does not fit this text: {p.unit} changes what is not there")
        while met := _met(self.tape, [e for e in edits if e.key not in self._wanted]):
            self._give_up(met, p.unit)
        if not any(cell.kind != "both" for cell in self.tape) and not any(e.key in self._wanted for e in edits):
            self.tape = [_Cell(apply_changes("".join(c.text for c in self.tape), p.changes, unit=p.unit))]
            return p
        cells = _split(self.tape, edits)
        table = _Table(cells)
        cuts = [table.cuts(e) for e in edits]
        there = [0, *accumulate(c.there for c in cells)]
        moved = {e.key: cells[i:j] for e, (i, j) in zip(edits, cuts, strict=True) if e.part == "leaves"}
        starts = {e.key: there[i] for e, (i, _) in zip(edits, cuts, strict=True) if e.part == "leaves"}
        out: list[_Cell] = []
        changes: list[Change] = []
        at = 0
        for edit, (i, j) in zip(edits, cuts, strict=True):
            out += cells[at:i] if at < i else []
            taken, at = cells[max(i, at) : j], max(at, j)
            change = p.changes[edit.key[1]]
            if "".join(c.text for c in taken if c.kind != "old") != edit.before:
                raise LedgerError(f"the ledger does not fit this text: {p.unit} at offset {edit.start}")
            if edit.key in self._wanted:
                out += self._undone(edit, taken)
            elif edit.part == "whole":
                out.append(_Cell(edit.after))
                changes.append(change._replace(start=there[i]))
            elif edit.part == "arrives":
                out += moved[edit.key]
                text = "".join(c.text for c in moved[edit.key] if c.kind != "new")
                if text:
                    changes.append(change._replace(start=starts[edit.key], before=text, after=text, to=there[i]))
        self.tape = _merged(out + cells[at:])
        return p._replace(changes=tuple(changes))

    def _undone(self, edit: _Edit, taken: Sequence[_Cell]) -> list[_Cell]:
        """Give the cells of an undone edit: the old words for the other text, the new ones for the text at hand."""
        out = []
        for cell in taken:
            if cell.kind != "both":
                self._link(cell.key, edit.key)
            if cell.kind != "new":
                out.append(cell if cell.kind == "old" else _Cell(cell.text, "old", edit.key))
        return [*out, _Cell(edit.after, "new", edit.key)] if edit.after else out

    def _root(self, key: Key) -> Key:
        while key in self._linked:
            key = self._linked[key]
        return key

    def _link(self, one: Key, other: Key) -> None:
        """Note that two undone changes stand or fall together: one acted on what the other had made."""
        one, other = self._root(one), self._root(other)
        if one != other:
            self._linked[one] = other

    def _give_up(self, keys: Iterable[Key], unit: str) -> None:
        """Let changes stay, with all that hang together with them, as if they had never been undone."""
        roots = {self._root(key) for key in keys}
        gone = {c.key for c in self.tape if c.kind != "both" and self._root(c.key) in roots}
        gone |= {key for key in self._linked if self._root(key) in roots} | roots
        self.held |= {key: unit for key in gone if key in self._wanted}
        self.tape = _merged(
            _Cell(c.text) if c.kind == "new" and c.key in gone else c
            for c in self.tape
            if not (c.kind == "old" and c.key in gone)
        )


def _edits_of(number: int, p: Pass) -> list[_Edit]:
    """Give the edits of a pass in the order in which they are applied: by place, insertions before removals."""
    edits = []
    for index, c in enumerate(p.changes):
        key = (number, index)
        if c.to is None:
            edits.append(_Edit(c.start, c.before, c.after, key))
        else:
            edits += [_Edit(c.start, c.before, "", key, "leaves"), _Edit(c.to, "", c.after, key, "arrives")]
    edits.sort(key=lambda e: (e.start, len(e.before) > 0))
    return edits


def _runs(tape: Sequence[_Cell]) -> list[tuple[int, int, set[Key]]]:
    """Give the stretches of the text at hand in which the texts differ, with the changes that are undone in each."""
    runs: list[tuple[int, int, set[Key]]] = []
    at, open_run = 0, False
    for cell in tape:
        if cell.kind == "both":
            open_run = open_run and not cell.text
        elif open_run:
            runs[-1] = (runs[-1][0], at + cell.here, runs[-1][2] | {cell.key})
        else:
            runs.append((at, at + cell.here, {cell.key}))
            open_run = True
        at += cell.here
    return runs


def _met(tape: Sequence[_Cell], kept: Sequence[_Edit]) -> set[Key]:
    """Give the undone changes that an edit that stays acts on, or beside which its place is not clear."""
    runs = _runs(tape)
    ends = [end for _, end, _ in runs]
    found: set[Key] = set()
    for edit in kept:
        index = bisect_left(ends, edit.start)
        while index < len(runs) and runs[index][0] <= edit.end:
            start, end, keys = runs[index]
            if _is_met(edit, start, end):
                found |= keys
            index += 1
    return found


def _is_met(edit: _Edit, start: int, end: int) -> bool:
    if edit.part == "leaves":  # a block that moves takes along what lies in it
        at_a_rim = start == end and start in (edit.start, edit.end)
        return at_a_rim or start < edit.start < end or start < edit.end < end
    if not edit.before:
        return start == edit.start == end or start < edit.start < end
    return start < edit.end and edit.start < end


class _Table:
    """Where in the list of cells an offset of the text at hand lies."""

    def __init__(self, cells: Sequence[_Cell]) -> None:
        self._starts = [0, *accumulate(c.here for c in cells)]
        self._cells = cells

    def cuts(self, edit: _Edit) -> tuple[int, int]:
        """Give the cells ``[i, j)`` that an edit takes out; for an insertion ``i == j``."""
        i = self._cut(edit.start, last=bool(edit.before))
        return (i, max(i, self._cut(edit.end, last=False))) if edit.before else (i, i)

    def _cut(self, offset: int, *, last: bool) -> int:
        """Give the cell that begins at an offset. Of old words there, those go with the new words beside them."""
        low, high = bisect_left(self._starts, offset), bisect_right(self._starts, offset) - 1
        if low == high:
            return low
        new_before = low > 0 and self._cells[low - 1].kind == "new"
        new_after = high < len(self._cells) and self._cells[high].kind == "new"
        if new_before != new_after:
            return high if new_before else low
        return high if last else low


def _split(tape: Sequence[_Cell], edits: Sequence[_Edit]) -> list[_Cell]:
    """Cut the cells at the ends of all edits."""
    cuts = sorted({e.start for e in edits} | {e.end for e in edits})
    out, at = [], 0
    for cell in tape:
        if not cell.here:
            out.append(cell)
            continue
        inside = cuts[bisect_right(cuts, at) : bisect_left(cuts, at + cell.here)]
        ends = [0, *(cut - at for cut in inside), cell.here]
        out += [_Cell(cell.text[a:b], cell.kind, cell.key) for a, b in pairwise(ends)]
        at += cell.here
    return out


def _merged(cells: Iterable[_Cell]) -> list[_Cell]:
    """Make one cell of neighbours that both texts have, and leave out empty ones."""
    out: list[_Cell] = []
    shared: list[str] = []
    for cell in cells:
        if cell.kind == "both":
            shared.append(cell.text)
            continue
        if text := "".join(shared):
            out.append(_Cell(text))
        shared = []
        if cell.text:
            out.append(cell)
    if text := "".join(shared):
        out.append(_Cell(text))
    return out


def conflict_counts(conflicts: Iterable[Conflict]) -> Mapping[tuple[str, str], int]:
    """Count the conflicts by the rule that was named and the unit that holds its changes."""
    return Counter((c.unit, c.held_by) for c in conflicts)

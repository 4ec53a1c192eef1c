"""Find the reading order of a text: the whole search, from the printed lines to the moves.

Hypotheses, weighed in one currency (nats of joint evidence less the price of what is rare):

* the text is in order: nothing is done, and nothing is paid;
* single lines or short runs were displaced (`displaced.py`);
* columns were read across, one column line per text line (`strands.py`), or side by side in one text line
  (`cells.py`, then the same);
* blocks stand in the wrong order: columns are linked end to beginning, wherever the evidence says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from shanben.columns.cells import Cell, find_cells
from shanben.columns.displaced import Prices, put_back
from shanben.columns.evidence import Evidence, log_odds, other_script
from shanben.columns.joints import Bools, Floats, JointModel, load
from shanben.columns.lines import Piece, may_hold_columns, printed_lines
from shanben.columns.linking import link
from shanben.columns.strands import Joined, deal_best, in_order, strands_of
from shanben.resources import data_file


@dataclass(frozen=True, slots=True)
class Settings:
    """``least``: printed lines below which nothing is tried. ``price``: of any repair, in nats (see `Prices.event`).
    ``threshold``: the gain of a whole dealing that is done."""

    least: int = 8
    price: float = 9.0
    threshold: float = 15.0
    model: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """Lines that were moved together, with the evidence. ``lines`` are numbers of pieces."""

    lines: tuple[int, ...]
    gain: float
    reason: str


@dataclass(frozen=True)
class Reordered:
    """The outcome: the pieces of the text, their reading order, why, and what was left undone.

    ``order`` equals ``range(len(pieces))`` where nothing is done; ``note`` says in words why; ``hypotheses`` what was
    weighed, with its gain in nats.
    """

    source: str
    pieces: tuple[Piece, ...]
    order: tuple[int, ...]
    repairs: tuple[Repair, ...] = ()
    proposals: tuple[Repair, ...] = ()
    note: str = ""
    evidence: Evidence | None = field(default=None, repr=False, compare=False)
    hypotheses: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        """Give the text in reading order, for a quick look; the step makes moves of it."""
        if not self.order or list(self.order) == list(range(len(self.pieces))):
            return self.source
        return "\n".join(self.source[self.pieces[i].start : self.pieces[i].end] for i in self.order)


@lru_cache(maxsize=2)
def joint_model(path: str = "") -> JointModel:
    """Load the shipped model, or the one at ``path``."""
    if path:
        return load(Path(path))
    with data_file("joints.npz") as shipped:
        return load(shipped)


def reorder(text: str, settings: Settings | None = None) -> Reordered:
    """Find the reading order of a text. Cheap where there are no column lines: the model is not even loaded."""
    return _reorder(text, settings or Settings())


@lru_cache(maxsize=1)  # a text at rest is asked again under the plan of another profile
def _reorder(text: str, settings: Settings) -> Reordered:
    pieces, width = printed_lines(text)
    if not may_hold_columns(text, pieces, width, settings.least):
        return Reordered(text, tuple(pieces), tuple(range(len(pieces))), note="no column lines")
    if other_script(text) > 0.3:
        return Reordered(text, tuple(pieces), tuple(range(len(pieces))), note="a script that the model does not know")
    model = joint_model(settings.model)
    evidence = _evidence(text, pieces, model)
    right = _looking_right(evidence)
    if len(right) >= 10 and _health(evidence, right) > (0.72 if width else 0.985):
        return _put_back(text, pieces, evidence, settings)
    tried = list(_hypotheses(text, pieces, evidence, model, right))
    best = max(tried, key=lambda h: h.gain)
    if best.gain < max(settings.threshold, _GAIN_PER_PIECE * len(best.pieces)) or not _reads_well(best):
        return _put_back(text, pieces, evidence, settings)
    return Reordered(
        text,
        tuple(best.pieces),
        tuple(best.order),
        note="columns",
        evidence=best.evidence,
        hypotheses=tuple((h.name, round(h.gain, 1)) for h in tried),
    )


_GAIN_PER_PIECE = 0.1
"""Nats: the more lines are moved, the more must speak for it."""


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    """One way to read the text. ``gain``: what its joints say for it beyond those of the text as found, in nats."""

    name: str
    pieces: Sequence[Piece]
    evidence: Evidence
    order: Sequence[int]
    gain: float


_READS_WELL = 0.1
"""The least health of an order that is believed: where columns were read across it is 0.19 or more, mostly above 0.6, as
measured; verse in any order stays near 0."""


def _reads_well(best: _Hypothesis) -> bool:
    """Tell whether the joints of full lines look right in the new order. What does not read well so was no column."""
    before, after = np.array(best.order[:-1]), np.array(best.order[1:])
    full = ~best.evidence.short[before]
    if not full.any():
        return True
    right = best.evidence.score(before[full], after[full]) > _RIGHT
    return _health(best.evidence, np.asarray(right, bool)) >= _READS_WELL


def _hypotheses(
    text: str, pieces: Sequence[Piece], evidence: Evidence, model: JointModel, right: Bools
) -> Iterator[_Hypothesis]:
    """Give the ways to read a text that is not in order. All are measured by the same dealing model against the text
    in one column."""
    n = len(pieces)
    apart = _apart(text, pieces)
    base = in_order(evidence)
    order, score = link(evidence, [list(range(n))], base, kept=_kept(evidence, apart))
    yield _Hypothesis("blocks", pieces, evidence, order, score - base)
    units = _units(evidence, apart)
    if units:
        joined = Joined(evidence, units)
        dealt = deal_best(joined, list(range(joined.n)))
        strands = [[i for u in strand for i in units[u]] for strand in strands_of(dealt)]
        order, score = link(evidence, strands, dealt.score)
        yield _Hypothesis("blocks dealt", pieces, evidence, order, score - in_order(joined))
    telling = len(right) >= max(8, 0.25 * n)
    found = find_cells(text, model)
    if found:
        yield _beside(text, found, model)
        if not telling or _unexplained(found) <= _EXPLAINED:
            return
    if telling and _may_be_woven(right):
        if not found and (torn := evidence.with_torn_lines()) is not evidence:
            evidence, base = torn, in_order(torn)
        dealt = deal_best(evidence, list(range(n)))
        order, score = link(evidence, strands_of(dealt), dealt.score)
        # Columns that lines standing side by side show are no chance; an order without them must be clearly better.
        yield _Hypothesis("dealt", pieces, evidence, order, (score - base) / (1.1 if found else 1.0))


_WINDOW, _WRONG = 12, 8
"""Where columns were read across, so many joints in a row are wrong nearly without exception (12 of 12 in all cases that
were ever dealt); in a text in order of noisy print 3 to 10 may be."""


def _may_be_woven(right: Bools) -> bool:
    """Tell whether somewhere most joints in a row are wrong: only there is anything to be dealt."""
    window = min(_WINDOW, len(right))
    return bool(window and np.convolve(~right, np.ones(window), mode="valid").max() >= _WRONG / _WINDOW * window)


_EXPLAINED = 0.08
"""A share of lines outside of the columns that side-by-side cells show: above it, those columns are doubtful."""


def _unexplained(found: Sequence[Cell]) -> float:
    return sum(c.spanning for c in found) / len(found)


def _beside(text: str, found: Sequence[Cell], model: JointModel) -> _Hypothesis:
    """Give the order of cells that stand side by side: as their columns show, or dealt, where these explain little."""
    strands, pieces = _by_cells(found)
    evidence = _evidence(text, pieces, model)
    at = np.arange(evidence.n - 1)
    order, score = link(evidence, strands)
    plain = float(evidence.score(at, at + 1).sum())
    beside = _Hypothesis("cells", pieces, evidence, order, score - plain)
    if _unexplained(found) <= _EXPLAINED:
        return beside
    base = in_order(evidence)
    column_of = [-1 if c.spanning else c.region * 8 + c.column for c in sorted(found, key=lambda c: c.start)]
    dealt = deal_best(evidence, [p.row for p in pieces], column_of=column_of)
    order, score = link(evidence, strands_of(dealt), dealt.score)
    if score - base > 0.35 * beside.gain:
        return _Hypothesis("cells dealt", pieces, evidence, order, max(beside.gain, score - base))
    return beside


def _apart(text: str, pieces: Sequence[Piece]) -> Bools:
    """Tell after which pieces the text has an empty line or a page break."""
    gaps = [text[a.end : b.start] for a, b in pairwise(pieces)]
    return np.array([gap.count("\n") > 1 or "\f" in gap for gap in gaps], bool)


def _rate(scores: Floats) -> float:
    """Give what share of joints is right, if that is all that is known of them."""
    rate = 0.5
    for _ in range(12):
        right = rate / (rate + (1 - rate) * np.exp(-np.clip(scores, -8, 8)))
        rate = float(np.clip((right.sum() + 1) / (len(scores) + 2), 0.02, 0.995))
    return rate


def _kept(evidence: Evidence, apart: Bools) -> Floats:
    """Give the bonus of each joint as found: what the layout (lines together, or with a gap between) says for it."""
    at = np.arange(evidence.n - 1)
    scores = evidence.score(at, at + 1)
    kept = np.full(evidence.n, 5.0, np.float32)
    if 2 <= apart.sum() < 0.7 * len(apart):
        for which in (apart, ~apart):
            kept[:-1][which] = np.clip(log_odds(_rate(scores[which])) + 2.0, 0.5, 7.0)
    return kept


def _units(evidence: Evidence, apart: Bools) -> list[list[int]]:
    """Give the blocks that gaps part, if within blocks the text is in order; else nothing."""
    n = evidence.n
    if not 3 <= apart.sum() < 0.6 * len(apart):
        return []
    at = np.arange(n - 1)
    scores = evidence.score(at, at + 1)
    together = _rate(scores[~apart])
    if together < 0.8 and together < _rate(scores[apart]) + 0.15:
        return []
    cuts = np.nonzero(apart | (scores < -1.5))[0] + 1
    return [list(range(a, b)) for a, b in pairwise([0, *cuts.tolist(), n])]


def _put_back(text: str, pieces: Sequence[Piece], evidence: Evidence, settings: Settings) -> Reordered:
    order, done, doubtful = put_back(evidence, range(len(pieces)), Prices(event=settings.price))
    return Reordered(
        text,
        tuple(pieces),
        tuple(order),
        tuple(Repair(tuple(lines), e.gain, e.kind) for e, lines in done),
        tuple(Repair(tuple(lines), e.gain, e.kind) for e, lines in doubtful),
        note="displaced",
        evidence=evidence,
    )


def _evidence(text: str, pieces: Sequence[Piece], model: JointModel) -> Evidence:
    return Evidence([text[p.start : p.end] for p in pieces], model)


_RIGHT = 0.5
"""Nats above which a joint looks right."""


def _looking_right(evidence: Evidence) -> Bools:
    """Tell of each joint in the order found that tells anything, those of full lines, whether it looks right."""
    at = np.arange(evidence.n - 1)
    going = at[~evidence.short[:-1]]
    return np.asarray(evidence.score(going, going + 1) > _RIGHT, bool)


def _health(evidence: Evidence, right: Bools) -> float:
    """Give the share of joints that look right, against what right joints look like here."""
    by_nature, by_chance = evidence.right_joints, evidence.wrong_joints
    return (float(right.mean()) - by_chance) / max(0.1, by_nature - by_chance)


# --- from columns to a text -----------------------------------------------------------------------------------


def _by_cells(found: Sequence[Cell]) -> tuple[list[list[int]], list[Piece]]:
    """Give the strands that the cells of side-by-side lines show, and all cells as pieces."""
    found = sorted(found, key=lambda c: c.start)
    pieces = [Piece(c.start, c.end, c.row) for c in found]
    strands: dict[tuple[int, int, int], list[int]] = {}
    run = 0
    last = None
    for i in sorted(range(len(found)), key=lambda i: (found[i].row, found[i].start)):
        c = found[i]
        if c.spanning:
            if last is not None and not last.spanning:
                run += 1
            strands.setdefault((c.region, -1, run), []).append(i)
        else:
            strands.setdefault((c.region, c.column, 0), []).append(i)
        last = c
    first = {key: min(found[i].row for i in lines) for key, lines in strands.items()}
    top = {key[0]: min(first[k] for k in strands if k[0] == key[0]) for key in strands}
    ordered = sorted(strands, key=lambda k: (first[k] if k[1] < 0 else top[k[0]], k[1]))
    return [strands[k] for k in ordered], pieces

"""Deal the lines of a page onto the columns that they came from.

A page that was read across has its columns woven together: A1 B1 C1 A2 B2 C2 … . Undoing that means to say for
every line which column it continues, all lines at once, because several joints change together. The search goes
through the lines from top to bottom and keeps the best partial dealings (a beam). A state is the last line of
every open column, from left to right, and which columns have had their line in the present printed row. Its
score is the evidence of all joints made, less what irregularities cost: a column opened, a column skipped in a
row, two lines of a row in the wrong order, a line torn in two, a line that belongs to no column (a page header, a
headline, a scrap that is no text).

One open column is a text in order; the price of opening a second is the prior that nothing is wrong. All costs
are −log probabilities in nats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

import numpy as np

from shanben.columns.evidence import Evidence
from shanben.columns.joints import Bools, Floats, Ints
from shanben.lazy import lazy_regex

_NUMBER = lazy_regex(r"^\W*(?:[一二三四五六七八九十]+|[IVX]+|\d{1,2})(?:\W*$|[、）)．])")
_PAIRS = 200_000
_NODES = 50_000
"""Joints scored at once; nodes kept before those are forgotten that lead nowhere."""
_APART = -8.0
"""The score of a joint that is not considered."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What is rare costs nats. ``open``: a column begins; ``open_beside``: another one in the same row; ``swap``: two
    lines of one row out of order; ``skips``: the first, second, third row in a row that a column leaves out (after
    the third it is closed); ``resume``: it goes on after that; ``piece``: a line torn in two; ``aside``: a line of no
    column, by what it looks like (full or the end of a paragraph, short, a scrap); ``stub``: a line in a column that
    is short and ends no sentence; ``same_column``: what lines side by side tell of their columns."""

    open: float = 7.0
    open_beside: float = 2.0
    skips: tuple[float, float, float] = (3.5, 0.7, 0.3)
    resume: float = 3.0
    swap: float = 6.0
    piece: float = 2.5
    aside: float = 5.5
    aside_short: float = 4.0
    aside_scrap: float = 1.5
    stub: float = 2.0
    same_column: float = 3.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is searched: columns side by side, states kept for each number of columns, nats behind the best,
    lines back that a column may continue from."""

    columns: int = 6
    states: int = 14
    margin: float = 28.0
    reach: int = 36


@dataclass(frozen=True, slots=True)
class Dealt:
    """The result: ``before[i]`` is the line that line i continues, −1 none. ``score`` in nats; ``swaps``: how often
    lines of one row stood in another order than from left to right; ``resumed``: how often a column went on
    after it had left out a row; ``torn``: how many lines went on in a second piece."""

    before: tuple[int, ...]
    aside: tuple[bool, ...]
    score: float
    swaps: int = 0
    resumed: int = 0
    torn: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A partial dealing without its lines: how many rows each open column has skipped, from left to right, and which
    columns have had their line in this row (bits). There is one object for each (`_Moves.shape`)."""

    skips: tuple[int, ...]
    used: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class _Move:
    """What the next line makes of a shape. ``source``: the column that it continues (−1: it opens one); ``price``: in
    nats, beside that of opening a column; ``keep``: the columns that stay open, if not all; ``place``: where the line
    stands among them then; ``again``: 1: a column resumed, 2: a line torn."""

    source: int
    price: float
    shape: _Shape
    place: int
    keep: tuple[int, ...] | None = None
    swaps: int = 0
    again: int = 0

    def tails(self, tails: tuple[int, ...], line: int) -> tuple[int, ...]:
        """Give the last lines of the columns after the move."""
        if self.keep is not None:
            tails = tuple([tails[x] for x in self.keep])
        return (*tails[: self.place], line, *tails[self.place + (self.source >= 0) :])


@dataclass(frozen=True, slots=True)
class _Ways:
    """All moves that a shape allows: to go on in a column, in one with the rest of a torn line, to open one."""

    going: list[_Move]
    torn: dict[int, _Move]
    opening: list[_Move]


State = tuple[tuple[int, ...], _Shape, int, bool]
"""Last line of each column, shape, column of the line before in the same text line (−1: none), whether the line before
began a column."""
Node = tuple[int, int, int, int]
"""Node of the state before, line continued (−1 none, −2 aside), swaps and ``again`` of the move."""
Found = tuple[float, State, int, _Move | None]
"""A way to go on: score, state before, its node, move (none: the line stands aside)."""


@dataclass(frozen=True, slots=True)
class _Problem:
    """All joints that are considered: ``joints[i][d − 1]`` is the joint of lines i − d and i, with what is ``told``
    about their columns added."""

    evidence: Evidence | Joined
    rows: Sequence[int]
    limits: Limits
    joints: list[list[float]]
    told: list[list[float]]

    @classmethod
    def of(
        cls,
        evidence: Evidence | Joined,
        rows: Sequence[int],
        limits: Limits,
        column_of: Sequence[int] | None,
        same: float,
    ) -> _Problem:
        """Work out all joints once, for several searches."""
        n, reach = evidence.n, limits.reach
        b = np.repeat(np.arange(n), reach)
        a = b - np.tile(np.arange(1, reach + 1), n)
        inside = a >= 0
        table = np.full(n * reach, _APART, np.float32)
        every = np.nonzero(inside)[0]
        for begin in range(0, len(every), _PAIRS):
            part = every[begin : begin + _PAIRS]
            table[part] = evidence.score(a[part], b[part])
        told = np.zeros(n * reach, np.float32)
        if column_of is not None:
            known = np.array(column_of)
            first, second = known[a[inside]], known[b[inside]]
            told[inside] = np.where((first < 0) | (second < 0), 0.0, np.where(first == second, same, -same))
        return cls(evidence, rows, limits, (table + told).reshape(n, reach).tolist(), told.reshape(n, reach).tolist())

    def deal(self, costs: Costs) -> Dealt:
        """Deal all lines. What is told about columns guides the search; it is no evidence beside that of the joints."""
        dealt = _search(self.evidence, self.rows, self.joints, costs, self.limits)
        reach = self.limits.reach
        extra = sum(self.told[i][i - p - 1] for i, p in enumerate(dealt.before) if p >= 0 and i - p <= reach)
        return replace(dealt, score=dealt.score - extra)


def deal(
    evidence: Evidence | Joined,
    rows: Sequence[int],
    *,
    costs: Costs | None = None,
    limits: Limits | None = None,
    column_of: Sequence[int] | None = None,
) -> Dealt:
    """Deal all lines. ``rows[i]`` is the text line that piece i stands in: pieces of one are side by side.

    ``column_of`` tells columns known from elsewhere (−1: none).
    """
    costs, limits = costs or Costs(), limits or Limits()
    return _Problem.of(evidence, rows, limits, column_of, costs.same_column).deal(costs)


def _search(
    evidence: Evidence | Joined, rows: Sequence[int], joints: list[list[float]], costs: Costs, limits: Limits
) -> Dealt:
    """Go through the lines with a beam of states. ``joints[i][d − 1]`` is the joint of lines i − d and i.

    Most ways to go on are soon dropped: all get a score, but only the best are made into states.
    """
    n, reach, margin = evidence.n, limits.reach, limits.margin
    width, measure = evidence.width.tolist(), evidence.measure.tolist()
    lone, stub = _line_costs(evidence, costs)
    moves = _Moves(costs)
    nodes: list[Node] = []
    states: dict[State, tuple[float, int]] = {((), moves.shape((), 0), -1, False): (0.0, -1)}
    enough = _NODES
    for i in range(n):
        inner = i > 0 and rows[i] == rows[i - 1]
        sided = inner or (i + 1 < n and rows[i] == rows[i + 1])
        rest_of = [] if sided else [t for t in range(max(0, i - 3), i) if width[t] + width[i] < measure[i] + 1.5]
        links = joints[i]
        top = -math.inf
        found: list[Found] = []
        for state, (score, node) in states.items():
            tails, shape, last, fresh = state
            found.append((score - lone[i], state, node, None))
            ways = moves.of(shape, last if inner else -1, inner, sided)
            base = score - stub[i]
            for move in ways.going:
                d = i - tails[move.source]
                here = base + (links[d - 1] if d <= reach else _APART) - move.price
                if here > top - margin:
                    found.append((here, state, node, move))
                    if here > top:
                        top = here
            for tail in rest_of:
                rest = ways.torn.get(tails.index(tail)) if tail in tails else None
                if rest is not None:
                    far = costs.swap if tail < i - 1 else 0.0
                    here = score + links[i - tail - 1] - costs.piece + stub[tail] - far
                    found.append((here, state, node, rest))
            if shape.count < limits.columns:
                base -= (costs.open_beside if fresh else costs.open) if tails else 0.0
                if base > top - margin:
                    found += [(base - move.price, state, node, move) for move in ways.opening]
        states = _best(found, nodes, i, inner, limits)
        if len(nodes) > enough:
            nodes, states = _swept(nodes, states)
            enough = 2 * len(nodes) + _NODES
    return _traced(nodes, *max(states.values()))


def _line_costs(evidence: Evidence | Joined, costs: Costs) -> tuple[list[float], list[float]]:
    """Give for each line what it costs to leave it aside, and what it costs in a column."""
    numbers = np.array([_NUMBER.match(t) is not None for t in evidence.texts], bool)
    unfinished = evidence.short & ~evidence.ends & ~numbers
    if unfinished.mean() > 0.4 and evidence.latin.mean() > 0.5:  # merged lines hide the measure: widths tell nothing
        unfinished[:] = False
    scrap = unfinished & (evidence.width < 0.2 * evidence.measure)
    lone = np.where(scrap, costs.aside_scrap, np.where(unfinished, costs.aside_short, costs.aside))
    return lone.tolist(), np.where(unfinished, costs.stub, 0.0).tolist()


def _best(
    found: list[Found], nodes: list[Node], line: int, inner: bool, limits: Limits
) -> dict[State, tuple[float, int]]:
    """Make states of the best ways to go on, so many for each number of columns, and a node for each."""
    found.sort(key=itemgetter(0), reverse=True)
    least = found[0][0] - limits.margin
    kept = [0] * (limits.columns + 2)
    states: dict[State, tuple[float, int]] = {}
    for score, (tails, shape, last, fresh), node, move in found:
        if score < least:
            break
        if move is None:
            state = (tails, shape, last if inner else -1, fresh)
            step = (node, -2, 0, 0)
        else:
            if kept[move.shape.count] >= limits.states:
                continue
            state = (move.tails(tails, line), move.shape, -1 if move.again == 2 else move.place, move.source < 0)
            step = (node, tails[move.source] if move.source >= 0 else -1, move.swaps, move.again)
        if state not in states and kept[state[1].count] < limits.states:
            kept[state[1].count] += 1
            nodes.append(step)
            states[state] = (score, len(nodes) - 1)
    return states


def _traced(nodes: list[Node], score: float, node: int) -> Dealt:
    """Follow the nodes back to the first line."""
    before: list[int] = []
    swaps = resumed = torn = 0
    while node >= 0:
        node, tail, swapped, again = nodes[node]
        before.append(tail)
        swaps += swapped
        resumed += again & 1
        torn += again >> 1
    before.reverse()
    aside = tuple(t == -2 for t in before)
    return Dealt(tuple(max(t, -1) for t in before), aside, score, swaps, resumed, torn)


def _swept(
    nodes: list[Node], states: dict[State, tuple[float, int]]
) -> tuple[list[Node], dict[State, tuple[float, int]]]:
    """Forget the nodes that no state comes from."""
    live: set[int] = set()
    for _, node in states.values():
        while node >= 0 and node not in live:
            live.add(node)
            node = nodes[node][0]
    place = {-1: -1} | {node: k for k, node in enumerate(sorted(live))}
    kept = [(place[nodes[node][0]], *nodes[node][1:]) for node in sorted(live)]
    return kept, {state: (score, place[node]) for state, (score, node) in states.items()}


class _Moves:
    """The moves of all shapes that a search meets, each worked out once."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._straight = -math.log1p(-min(0.5, math.exp(-costs.swap)))
        self._shapes: dict[tuple[tuple[int, ...], int], _Shape] = {}
        self._ways: dict[tuple[_Shape, int, bool, bool], _Ways] = {}

    def shape(self, skips: tuple[int, ...], used: int) -> _Shape:
        """Give the one object for a shape."""
        found = self._shapes.get((skips, used))
        if found is None:
            found = self._shapes[skips, used] = _Shape(skips, used, len(skips))
        return found

    def of(self, shape: _Shape, last: int, inner: bool, sided: bool) -> _Ways:
        """Give the moves of a shape. ``inner``: the line stands beside the one before, which is in column ``last``;
        ``sided``: it stands beside any other."""
        key = (shape, last, inner, sided)
        found = self._ways.get(key)
        if found is None:
            free = [s for s in range(shape.count) if not shape.used >> s & 1]
            going = [
                self._same_row(shape, s, free, inner) if s in free else self._next_row(shape, s, free, sided)
                for s in range(last + 1, shape.count)
                if s in free or not inner
            ]
            taken = [s for s in range(shape.count) if s not in free]
            torn = {s: _Move(s, 0.0, shape, s, again=2) for s in taken}
            found = self._ways[key] = _Ways(going, torn, self._openings(shape, last, free, inner))
        return found

    def _same_row(self, shape: _Shape, s: int, free: Sequence[int], inner: bool) -> _Move:
        """Go on in a column that has no line in this row yet."""
        resumed = shape.skips[s] > 0
        swaps = 0 if inner else min(2, sum(x < s for x in free))
        price = self._costs.swap * swaps + self._straight + (self._costs.resume if resumed else 0.0)
        after = self.shape((*shape.skips[:s], 0, *shape.skips[s + 1 :]), shape.used | 1 << s)
        return _Move(s, price, after, s, swaps=swaps, again=int(resumed))

    def _next_row(self, shape: _Shape, s: int, free: Sequence[int], sided: bool) -> _Move:
        """Begin a row with a line in column s."""
        skips, price = self._row_ended(shape, free)
        open_ = [x for x, k in enumerate(skips) if k < 3]
        swaps = 0 if sided else min(2, sum(x < s for x in open_))
        place = open_.index(s)
        after = self.shape(tuple(0 if x == s else skips[x] for x in open_), 1 << place)
        keep = None if len(open_) == shape.count else tuple(open_)
        return _Move(s, price + self._costs.swap * swaps + self._straight, after, place, keep, swaps)

    def _row_ended(self, shape: _Shape, free: Sequence[int]) -> tuple[list[int], float]:
        """End a row: columns without a line in it have skipped it. After three rows they are closed."""
        skips = list(shape.skips)
        price = 0.0
        for x in free:
            price += self._costs.skips[min(skips[x], 2)]
            skips[x] += 1
        return skips, price

    def _openings(self, shape: _Shape, last: int, free: Sequence[int], inner: bool) -> list[_Move]:
        """Open a column: beside those of this row, at the right end, or at the left of a new row."""
        found = []
        skips, used = shape.skips, shape.used
        for p in sorted({max(used.bit_length(), last + 1), shape.count}):
            low, high = used & ((1 << p) - 1), (used >> p) << (p + 1)
            after = self.shape((*skips[:p], 0, *skips[p:]), low | high | 1 << p)
            found.append(_Move(-1, 0.0, after, p))
        if used and not inner:
            ended, price = self._row_ended(shape, free)
            open_ = tuple(x for x, k in enumerate(ended) if k < 3)
            found.append(_Move(-1, price, self.shape((0, *(ended[x] for x in open_)), 1), 0, open_))
        return found


class Joined:
    """Blocks of lines that stay together, to be dealt like lines: evidence about their first and last ones."""

    def __init__(self, evidence: Evidence | Joined, units: Sequence[Sequence[int]]) -> None:
        self._evidence = evidence
        self._first = np.array([u[0] for u in units])
        self._last = np.array([u[-1] for u in units])
        alone = self._first == self._last
        self.n = len(units)
        self.texts: list[str] = [evidence.texts[u[0]] if len(u) == 1 else "" for u in units]
        self.ends: Bools = evidence.ends[self._last]
        self.latin: Bools = evidence.latin[self._last]
        self.short: Bools = evidence.short[self._last] & alone
        self.measure: Floats = evidence.measure[self._last]
        self.width: Floats = np.where(alone, evidence.width[self._last], self.measure).astype(np.float32)

    def score(self, a: Ints, b: Ints) -> Floats:
        """Give the log-likelihood ratio in nats of block b[i] following block a[i]."""
        return self._evidence.score(self._last[a], self._first[b])


def in_order(evidence: Evidence | Joined) -> float:
    """Give the score of the text as found, one column, in the model of the dealing."""
    return deal(evidence, list(range(evidence.n)), limits=Limits(columns=1, reach=4)).score


def deal_best(
    evidence: Evidence | Joined,
    rows: Sequence[int],
    *,
    column_of: Sequence[int] | None = None,
    limits: Limits | None = None,
) -> Dealt:
    """Deal with regular rows and with jumbled ones; take the better, and deal again at the rates that it shows."""
    usual = Costs()
    problem = _Problem.of(evidence, rows, limits or Limits(), column_of, usual.same_column)
    if limits is None:
        # A short text can be searched more widely.
        problem = replace(problem, limits=replace(problem.limits, states=max(14, min(20, 5000 // max(1, evidence.n)))))
    tries = [(replace(usual, swap=swap), problem.deal(replace(usual, swap=swap))) for swap in (6.0, 2.5)]
    costs, dealt = max(tries, key=lambda t: t[1].score)
    return problem.deal(_at_rates(costs, dealt, evidence, torn=column_of is None))


def _at_rates(costs: Costs, dealt: Dealt, evidence: Evidence | Joined, *, torn: bool) -> Costs:
    """Give the costs that a dealing shows: a page without jumbled rows hardly has one. ``torn``: also those of lines
    torn in two, which text lines of one column line each can tell."""
    swap = _cost(dealt.swaps, evidence.n, costs.swap, 2.0)
    resume = _cost(dealt.resumed, evidence.n, costs.resume, 2.0)
    if torn:
        piece = _cost(dealt.torn, evidence.n, costs.piece, 2.0)
        costs = replace(costs, piece=max(0.7, min(3.5, piece)))
    return replace(costs, swap=max(1.5, min(7.0, swap)), resume=max(0.5, min(5.0, resume)))


def _cost(seen: int, of: int, usual: float, weight: float = 1.0) -> float:
    """Give −log of a rate, seen ``seen`` times in ``of``, with the usual cost as a prior."""
    return -math.log((seen + weight) / (of + weight * math.exp(usual)))


def strands_of(dealt: Dealt) -> list[list[int]]:
    """Give the columns as lists of lines, in the order in which they begin."""
    after = {p: i for i, p in enumerate(dealt.before) if p >= 0}
    found = []
    for i, p in enumerate(dealt.before):
        if p < 0:
            strand = [i]
            while strand[-1] in after:
                strand.append(after[strand[-1]])
            found.append(strand)
    return found

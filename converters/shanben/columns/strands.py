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

import numpy as np
import regex

from shanben.columns.evidence import Bools, Evidence
from shanben.columns.joints import Floats, Ints

_NUMBER = regex.compile(r"^\W*(?:[一二三四五六七八九十]+|[IVX]+|\d{1,2})(?:\W*$|[、）)．])")
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


State = tuple[tuple[int, ...], tuple[int, ...], int, int, bool]
"""Last line of each column, rows that each has skipped, columns used in this row (bits), column of the line before
in the same text line (−1: none), whether the line before began a column."""
Node = tuple[int, int, int, int]
"""Node of the state before, line continued (−1 none, −2 aside), swaps, 1: a column resumed, 2: a line torn."""
Reached = tuple[float, int, int, int, int]
"""Score, then as in Node."""


@dataclass(frozen=True, slots=True)
class _Problem:
    """All joints that are considered: ``joints[i][d − 1]`` is the joint of lines i and i + d, with what is ``told``
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
        a = np.repeat(np.arange(n), reach)
        b = a + np.tile(np.arange(1, reach + 1), n)
        inside = b < n
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
        extra = sum(self.told[p][i - p - 1] for i, p in enumerate(dealt.before) if p >= 0 and i - p <= reach)
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
    """Go through the lines with a beam of states. ``joints[i][d − 1]`` is the joint of lines i and i + d."""
    n, reach, margin = evidence.n, limits.reach, limits.margin
    width, measure = evidence.width.tolist(), evidence.measure.tolist()
    numbers = np.array([_NUMBER.match(t) is not None for t in evidence.texts], bool)
    unfinished = evidence.short & ~evidence.ends & ~numbers
    if unfinished.mean() > 0.4 and evidence.latin.mean() > 0.5:  # merged lines hide the measure: widths tell nothing
        unfinished[:] = False
    scrap = unfinished & (evidence.width < 0.2 * evidence.measure)
    lone = np.where(scrap, costs.aside_scrap, np.where(unfinished, costs.aside_short, costs.aside)).tolist()
    stub = np.where(unfinished, costs.stub, 0.0).tolist()
    straight = -math.log1p(-min(0.5, math.exp(-costs.swap)))
    nodes: list[Node] = []
    states: dict[State, tuple[float, int]] = {((), (), 0, -1, False): (0.0, -1)}
    enough = _NODES
    for i in range(n):
        inner = i > 0 and rows[i] == rows[i - 1]
        sided = inner or (i + 1 < n and rows[i] == rows[i + 1])
        new: dict[State, Reached] = {}
        top = -math.inf
        for (tails, skips, used, last, fresh), (score, node) in states.items():
            count = len(tails)
            if not inner:
                last = -1
            found: list[tuple[float, State, int, int, int]] = []
            found.append((score - lone[i], (tails, skips, used, last, fresh), -2, 0, 0))
            free = [s for s in range(count) if not used >> s & 1]
            base = score - stub[i]
            for s in range(count):
                tail = tails[s]
                d = i - tail
                if inner and s <= last:
                    continue
                link = joints[tail][d - 1] if d <= reach else _APART
                if score + link <= top - margin:
                    continue
                if not used >> s & 1:
                    left = 0 if inner else min(2, sum(1 for x in free if x < s))
                    here = base + link - costs.swap * left - straight
                    if skips[s]:
                        here -= costs.resume
                    if here > top - margin:
                        state = (
                            (*tails[:s], i, *tails[s + 1 :]),
                            (*skips[:s], 0, *skips[s + 1 :]),
                            used | 1 << s,
                            s,
                            False,
                        )
                        found.append((here, state, tail, left, 1 if skips[s] else 0))
                elif not inner:
                    # The rest of a line that was torn in two.
                    if not sided and d <= 3 and width[tail] + width[i] < measure[i] + 1.5:
                        here = score + link - costs.piece + stub[tail] - (costs.swap if d > 1 else 0.0)
                        state = ((*tails[:s], i, *tails[s + 1 :]), skips, used, -1, False)
                        found.append((here, state, tail, 0, 2))
                    t, k, cost = _next_row(tails, skips, free, costs)
                    left = 0 if sided else min(2, sum(1 for x, gone in enumerate(t) if x < s and gone >= 0))
                    here = base + link - cost - costs.swap * left - straight
                    if here > top - margin:
                        t[s], k[s] = i, 0
                        keep = [x for x in range(count) if t[x] >= 0]
                        place = keep.index(s)
                        state = (tuple(t[x] for x in keep), tuple(k[x] for x in keep), 1 << place, place, False)
                        found.append((here, state, tail, left, 0))
            if count < limits.columns:
                here = base - ((costs.open_beside if fresh else costs.open) if tails else 0.0)
                if here > top - margin:
                    opened = _open(i, tails, skips, used, last, inner, free, costs)
                    found += [(here - cost, state, -1, 0, 0) for state, cost in opened]
            for here, state, tail, swaps, again in found:
                if here > top:
                    top = here
                old = new.get(state)
                if old is None or here > old[0]:
                    new[state] = (here, node, tail, swaps, again)
        states = {}
        kept = [0] * (limits.columns + 2)
        for state, (score, parent, tail, swaps, again) in sorted(new.items(), key=_by_score):
            if score < top - margin:
                break
            count = len(state[0])
            if kept[count] < limits.states:
                kept[count] += 1
                nodes.append((parent, tail, swaps, again))
                states[state] = (score, len(nodes) - 1)
        if len(nodes) > enough:
            nodes, states = _swept(nodes, states)
            enough = 2 * len(nodes) + _NODES
    score, node = max(states.values())
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


def _by_score(item: tuple[State, Reached]) -> float:
    return -item[1][0]


def _next_row(
    tails: tuple[int, ...], skips: tuple[int, ...], free: Sequence[int], costs: Costs
) -> tuple[list[int], list[int], float]:
    """Begin a printed row: columns without a line in the last one have skipped it; −1 for those that are closed."""
    t, k, cost = list(tails), list(skips), 0.0
    for x in free:
        cost += costs.skips[min(k[x], 2)]
        k[x] += 1
        if k[x] >= 3:
            t[x] = -1
    return t, k, cost


def _open(
    i: int,
    tails: tuple[int, ...],
    skips: tuple[int, ...],
    used: int,
    last: int,
    inner: bool,
    free: Sequence[int],
    costs: Costs,
) -> list[tuple[State, float]]:
    """Open a column with line i: beside those of this row, at the right end, or at the left of a new row. Gives the
    states and what they cost beside the price of opening."""
    found: list[tuple[State, float]] = []
    count = len(tails)
    for p in {max(used.bit_length(), last + 1), count}:
        low, high = used & ((1 << p) - 1), (used >> p) << (p + 1)
        found.append((((*tails[:p], i, *tails[p:]), (*skips[:p], 0, *skips[p:]), low | high | 1 << p, p, True), 0.0))
    if used and not inner:
        t, k, cost = _next_row(tails, skips, free, costs)
        keep = [x for x in range(count) if t[x] >= 0]
        found.append((((i, *(t[x] for x in keep)), (0, *(k[x] for x in keep)), 1, 0, True), cost))
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

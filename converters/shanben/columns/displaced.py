"""Put displaced lines back: single lines, runs, swapped runs, and stretches of two columns woven together.

The order as found is right for nearly all lines. What went wrong on the page came in events: a run of lines
stands in another column, two runs have changed places, every other line was sent next door, or a stretch of one
column was read across with its neighbour. Each kind of event is scored with all the joints that it changes, new
less old, and pays for being rare and for how many places it could have happened. The best is done, and again,
until none is worth its price. Only joints that are in doubt are candidates for a cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from shanben.columns.evidence import Evidence, Stretch
from shanben.columns.joints import Bools, Floats, Ints
from shanben.columns.strands import Costs, Limits, deal, strands_of

Kind = Literal["move", "swap", "weave", "zip"]
_ROUNDING = 0.01
"""Nats by which sums of the same scores may differ."""
_CLOSE = 6
"""Lines: a repair so near another one is of the same damage."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The prior in nats. ``event``: that anything went wrong here; ``far``: times log(1 + lines away);
    ``cluster``: what is taken off where both ends lie beside other repairs;
    ``sure``: cuts are not considered in joints above this; ``accept``: the gain after the price that is done,
    ``propose``: that is told as a suggestion."""

    event: float = 9.0
    far: float = 0.55
    cluster: float = 3.3
    sure_weave: float = 6.0
    double: float = 1.0
    sure: float = 4.0
    accept: float = 2.0
    propose: float = -1.0
    run: int = 8
    rows: int = 16
    zipped: int = 8
    window: int = 700
    woven: int = 120


@dataclass(frozen=True, slots=True)
class Event:
    """One repair: lines ``at .. at + count`` (every second one for weave and zip) go before place ``to``; swap:
    change places with the ``count`` lines from ``to`` on; zip: they go before ``to``, ``to + 1``, … .

    ``gain``: evidence in nats; ``net``: less the price. Places count in the order that the event was found in.
    """

    kind: Kind
    at: int
    count: int
    to: int
    gain: float
    net: float

    def apply(self, order: Sequence[int]) -> list[int]:
        """Give the order with the repair done."""
        o, i, k, t = list(order), self.at, self.count, self.to
        if self.kind == "swap":
            return o[:i] + o[t : t + k] + o[i + k : t] + o[i : i + k] + o[t + k :]
        places = range(i, i + k) if self.kind == "move" else range(i, i + 2 * k - 1, 2)
        taken = set(places)
        lines = [o[x] for x in places]
        out = []
        for q in range(len(o) + 1):
            if self.kind == "zip":
                if t <= q < t + k:
                    out.append(lines[q - t])
            elif q == t:
                out += lines
            if q < len(o) and q not in taken:
                out.append(o[q])
        return out

    def lines(self, order: Sequence[int]) -> list[int]:
        """Give the lines that the repair takes elsewhere."""
        i, k = self.at, self.count
        if self.kind in ("weave", "zip"):
            return [order[x] for x in range(i, i + 2 * k - 1, 2)]
        found = list(order[i : i + k])
        return found + list(order[self.to : self.to + k]) if self.kind == "swap" else found


def put_back(
    evidence: Evidence, order: Sequence[int], prices: Prices | None = None
) -> tuple[list[int], list[tuple[Event, list[int]]], list[tuple[Event, list[int]]]]:
    """Repair an order. Returns the new order, the repairs with the lines they moved, and those not worth doing.

    Long texts are worked through in windows, so that the cost grows with their length.
    """
    prices = prices or Prices()
    best = _by_windows(evidence, list(order), prices, set())
    starts: list[tuple[list[int], list[tuple[Event, list[int]]]]] = [(list(best[0]), best[1])]
    if best[1] and len(order) <= 2 * prices.window:
        starts.insert(0, (list(order), []))
    for start, before in starts:
        result, unwoven = _unweave(evidence, start, prices)
        if not unwoven:
            continue
        disturbed = {i for _, lines in unwoven for i in lines}
        result, more, doubtful = _by_windows(evidence, result, prices, disturbed)
        done = before + unwoven + more
        if sum(e.net for e, _ in done) > sum(e.net for e, _ in best[1]) + 1.0:
            best = result, done, doubtful
    return best


def _by_windows(
    evidence: Evidence, order: list[int], prices: Prices, disturbed: set[int]
) -> tuple[list[int], list[tuple[Event, list[int]]], list[tuple[Event, list[int]]]]:
    order = list(order)
    done: list[tuple[Event, list[int]]] = []
    doubtful: list[tuple[Event, list[int]]] = []
    step = prices.window * 3 // 5
    for begin in range(0, max(1, len(order) - prices.window + step), step):
        window = order[begin : begin + prices.window]
        window, accepted, proposed = _in_window(evidence, window, prices, disturbed)
        order[begin : begin + prices.window] = window
        done += accepted
        doubtful += proposed
    return order, done, doubtful


def _unweave(evidence: Evidence, order: list[int], prices: Prices) -> tuple[list[int], list[tuple[Event, list[int]]]]:
    """Deal stretches in which most joints are wrong: there several columns are woven together.

    Each strand then stands by itself, the one that goes on from above first and the one that leads on last; those
    that belong elsewhere are moved as runs later.
    """
    lines = np.array(order)
    score = evidence.score(lines[:-1], lines[1:], register=False)
    bad = (score < 0) & ~(evidence.short & evidence.ends)[lines[:-1]]
    dense = np.convolve(bad.astype(float), np.ones(7), mode="same") >= 5
    done: list[tuple[Event, list[int]]] = []
    for first, last in _runs(dense):
        while first > 0 and bad[first - 1]:
            first -= 1
        while last < len(bad) and bad[last]:
            last += 1
        stretch = order[first : last + 1]
        if not 6 <= len(stretch) <= prices.woven:
            continue
        part = Stretch(evidence, stretch)
        limits = Limits(columns=4)
        rows = list(range(part.n))
        costs = Costs(open=5.0, swap=2.5)
        dealt = deal(part, rows, costs=costs, limits=limits)
        plain = float(score[first:last].sum())
        gain = dealt.score - plain
        strands = [[stretch[i] for i in s] for s in strands_of(dealt)]
        net = gain - prices.event
        if net < prices.sure_weave or len(strands) < 2:
            continue
        above = (
            evidence.score(np.full(len(strands), order[first - 1]), np.array([s[0] for s in strands]))
            if first
            else None
        )
        lead = int(np.argmax(above)) if above is not None else 0
        strands.insert(0, strands.pop(lead))
        if last + 1 < len(order) and len(strands) > 1:
            below = evidence.score(np.array([s[-1] for s in strands[1:]]), np.full(len(strands) - 1, order[last + 1]))
            strands.append(strands.pop(1 + int(np.argmax(below))))
        order[first : last + 1] = [i for s in strands for i in s]
        done.append((Event("weave", first, len(stretch), first, gain, net), stretch))
    return order, done


def _runs(flags: Bools) -> list[tuple[int, int]]:
    """Give first and last place (exclusive) of each run of true values."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return list(zip(np.nonzero(edges > 0)[0].tolist(), np.nonzero(edges < 0)[0].tolist(), strict=True))


def _near(current: Sequence[int], touched: set[int]) -> npt.NDArray[np.float64]:
    """Give for each cut how near it is to a repair: 1 within a few lines, else 0. Damage comes in clusters."""
    flags = np.array([float(x in touched) for x in current])
    close = np.convolve(flags, np.ones(2 * _CLOSE + 1), mode="same") > 0
    return np.concatenate([close, close[-1:]]).astype(np.float64)


def _in_window(
    evidence: Evidence, order: list[int], prices: Prices, disturbed: set[int]
) -> tuple[list[int], list[tuple[Event, list[int]]], list[tuple[Event, list[int]]]]:
    if len(order) < 4:
        return order, [], []
    lines = np.array(order)
    table = _joints(evidence, lines, prices)
    where = {line: k for k, line in enumerate(order)}
    done: list[tuple[Event, list[int]]] = []
    current = list(range(len(order)))
    best: list[Event] = []
    touched = {where[i] for i in disturbed if i in where}
    for _ in range(80):
        best = sorted(
            _events(table, current, prices, _near(current, touched)), key=lambda e: (-e.net, e.at, e.count, e.to)
        )
        if not best or best[0].net < prices.accept:
            break
        for event in _apart(best, prices):
            lines_moved = event.lines(current)
            done.append((event, [order[x] for x in lines_moved]))
            around = {event.at - 1, event.to - 1, event.to}
            touched |= set(lines_moved) | {current[x] for x in around if 0 <= x < len(current)}
            current = event.apply(current)
    proposed: list[tuple[Event, list[int]]] = []
    seen: set[int] = set()
    for event in best:
        moved = [order[x] for x in event.lines(current)]
        if event.net >= prices.propose and not seen & set(moved):
            proposed.append((event, moved))
            seen |= set(moved)
    return [order[x] for x in current], done, proposed


def _apart(events: Sequence[Event], prices: Prices) -> list[Event]:
    """Give the events worth doing, best first, as far as they do not touch each other: none shifts another's places."""
    chosen: list[tuple[int, int]] = []
    found = []
    for event in events:
        if event.net < prices.accept:
            break
        wide = 2 * event.count if event.kind in ("weave", "zip") else event.count
        low, high = min(event.at, event.to) - 2, max(event.at + wide, event.to + event.count) + 2
        if all(high < a or b < low for a, b in chosen):
            chosen.append((low, high))
            found.append(event)
    return found


def _joints(evidence: Evidence, lines: Ints, prices: Prices) -> Floats:
    """Give the matrix of joint scores of these lines, the doubtful ones only; −8 elsewhere."""
    n = len(lines)
    score = evidence.score(lines[:-1], lines[1:], register=False)
    doubt = score < prices.sure
    tails = np.nonzero(np.concatenate([doubt, [True]]))[0]
    heads = np.nonzero(np.concatenate([[True], doubt]))[0]
    table = np.full((n, n), -8.0, np.float32)
    rows, columns = np.repeat(tails, len(heads)), np.tile(heads, len(tails))
    table[rows, columns] = evidence.score(lines[rows], lines[columns], register=False)
    for gap in (1, 2):
        a = np.arange(n - gap)
        table[a, a + gap] = evidence.score(lines[a], lines[a + gap], register=False)
    np.fill_diagonal(table, -20)
    return table


def _events(table: Floats, current: Sequence[int], prices: Prices, near: npt.NDArray[np.float64]) -> Iterator[Event]:
    """Give the best few events of each kind and size. Cuts that no joint could make worth it are left out at once."""
    n = len(current)
    order = np.array(current)
    padded = np.zeros((n + 2, n + 2), np.float32)
    padded[1 : n + 1, 1 : n + 1] = table[np.ix_(order, order)]
    old = np.concatenate([[0.0], np.diagonal(padded[1 : n + 1, 1 : n + 1], 1), [0.0]]).astype(np.float32)
    doubt = old < prices.sure
    doubt[0] = doubt[n] = True
    cuts = np.nonzero(doubt)[0]
    prices_by_way = prices.event + prices.far * np.log1p(np.arange(n + 1))
    clustered = bool(near.any())
    cheapest = prices.event - prices.cluster * clustered
    least = prices.propose - _ROUNDING

    def joint(a: Ints, b: Ints) -> Floats:
        """Score line a before line b; 0 at both ends of the text. Cells of places before the first and after the
        last hold 0."""
        return padded[np.clip(a, -1, n) + 1, np.clip(b, -1, n) + 1]

    def price(a: Ints, b: Ints) -> npt.NDArray[np.float64]:
        base: npt.NDArray[np.float64] = prices_by_way[np.abs(a - b)]
        return np.asarray(base - prices.cluster * near[a] * near[b], np.float64) if clustered else base

    # The best joint of each line with any below it, and with any above; the last is that of the end of the text.
    after, before = padded.max(axis=1)[1:], padded.max(axis=0)[1:]
    for k in range(1, prices.run + 1):
        at = cuts[cuts + k <= n]
        at = at[doubt[at + k]]
        if not len(at):
            continue
        close = joint(at - 1, at + k) - old[at] - old[at + k]
        hope = close + before[at] + after[at + k - 1] - cheapest
        worth = hope - old[cuts].min() >= least
        moved, to = at[worth], cuts[hope.max() - old[cuts] >= least]
        if len(moved) and len(to):
            i, t = moved[:, None], to[None, :]
            gain = close[worth, None] + joint(t - 1, i) + joint(i + k - 1, t) - old[t]
            net = np.where((t >= i) & (t <= i + k), -99.0, gain - price(i, t))
            yield from _best("move", moved, to, k, gain, net, prices)
        loss = old[at] + old[at + k]
        hope = before[at] + after[at + k - 1] + after[at - 1] + before[at + k] - loss - cheapest - prices.double
        worth = hope - loss.min() >= least
        swapped, loss = at[worth], loss[worth]
        if len(swapped) > 1:
            a, b = swapped[:, None], swapped[None, :]
            gain = (
                joint(a - 1, b) + joint(b + k - 1, a + k) + joint(b - 1, a) + joint(a + k - 1, b + k)
                - loss[:, None] - loss[None, :]
            )  # fmt: skip
            net = np.where(b > a + k, gain - price(a, b) - prices.double, -99.0)
            yield from _best("swap", swapped, swapped, k, gain, net, prices)
    yield from _woven(n, old, cuts, joint, price, prices)


def _woven(
    n: int,
    old: Floats,
    cuts: Ints,
    joint: Callable[[Ints, Ints], Floats],
    price: Callable[[Ints, Ints], npt.NDArray[np.float64]],
    prices: Prices,
) -> Iterator[Event]:
    """Give the events that take every second line of a stretch away: to one place, or to every second one."""
    every = np.arange(n + 1)
    skipped = joint(every - 1, every + 1) - old - np.append(old[1:], np.float32(0))
    taken = joint(every, every + 2)
    away, inner = skipped[1:], np.zeros(n, np.float32)
    for k in range(2, prices.rows + 1):
        at = np.arange(1, n - 2 * k + 2)
        if not len(at):
            break
        away = away[: len(at)] + skipped[at + 2 * k - 2]
        inner = inner[: len(at)] + taken[at + 2 * k - 4]
        chosen = at[away + inner > 0]
        if len(chosen):
            rest = (away + inner)[away + inner > 0]
            i, t = chosen[:, None], cuts[None, :]
            gain = rest[:, None] + joint(t - 1, i) + joint(i + 2 * k - 2, t) - old[t]
            net = np.where((t >= i) & (t <= i + 2 * k - 1), -99.0, gain - price(i, t) - prices.double)
            yield from _best("weave", chosen, cuts, k, gain, net, prices)
        chosen = at[away > -2]
        places = cuts[cuts + k - 1 <= n]
        if k <= prices.zipped and len(chosen) and len(places):
            rest = away[away > -2]
            i, t = chosen[:, None], places[None, :]
            gain = np.repeat(rest[:, None], len(places), axis=1)
            for m in range(k):
                gain += joint(t + m - 1, i + 2 * m) + joint(i + 2 * m, t + m) - old[np.minimum(t + m, n)]
            net = np.where((t + k >= i) & (t <= i + 2 * k), -99.0, gain - price(i, t) - prices.double)
            yield from _best("zip", chosen, places, k, gain, net, prices)


def _best(
    kind: Kind,
    at: Ints,
    to: Ints,
    count: int,
    gain: npt.NDArray[np.floating],
    net: npt.NDArray[np.floating],
    prices: Prices,
) -> Iterator[Event]:
    flat = net.ravel()
    worth = np.flatnonzero(flat >= prices.propose)
    for x in worth[np.argsort(-flat[worth], kind="stable")[:4]]:
        row, column = divmod(int(x), net.shape[1])
        yield Event(kind, int(at[row]), count, int(to[column]), float(gain[row, column]), float(flat[x]))

"""Join columns and blocks to a text: which column or block continues which.

Columns are cut where a joint looks wrong; then all ends are joined to all beginnings at once, so that what the
joints, the layout and the jump lines (下转第2版, 上接第1版) say together is greatest (a maximum matching). A joint
within a column has a bonus, the joint from the foot of a column to the top of the next one too; anything else pays
for how many places it could have gone. What nothing speaks for stays apart: there articles end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shanben.columns.evidence import Evidence
from shanben.columns.joints import Floats
from shanben.lazy import lazy_regex

Values = npt.NDArray[np.float64]

_ONWARD = lazy_regex(r"[下][转轉接]\s*第?\s*.{0,4}?\s*版|[Cc]ontinued on [Pp]age|\([Ss]ee .{0,20}[Pp]age")
_FROM = lazy_regex(r"[上][接承]\s*第?\s*.{0,4}?\s*版|[Cc]ontinued from [Pp]age|^\s*[Ff]rom [Pp]age")
_NUMBERED = lazy_regex(r"[①-⑳]")


@dataclass(frozen=True, slots=True)
class LinkPrices:
    """In nats. ``kept``: the bonus of a joint within a column; ``next_column``: from the foot of a column to the top
    of the next; ``following``: to what comes next in any case; ``jump``: from one jump line to its other half;
    ``least``: the value below which nothing is joined; ``cut``: the joint score below which a column can be cut;
    ``structure``: what a joint across the layout costs the whole hypothesis; ``blocks``: more blocks than these are
    joined in stretches."""

    kept: float = 5.0
    next_column: float = 1.5
    following: float = 0.7
    jump: float = 5.0
    least: float = 0.3
    cut: float = 0.0
    structure: float = 2.0
    blocks: int = 400


def link(
    evidence: Evidence,
    strands: Sequence[Sequence[int]],
    score: float | None = None,
    prices: LinkPrices | None = None,
    kept: Floats | None = None,
) -> tuple[list[int], float]:
    """Join strands (columns, blocks, lines that stand alone) to one order. ``kept`` tells for each line the bonus of
    its joint to the next one in its strand, in place of that in the prices.

    Returns the order and its score: ``score`` (that of the strands; all their joints, if not told) plus what the new
    joints gain less their price.
    """
    prices = prices or LinkPrices()
    if kept is None:
        kept = np.full(evidence.n, prices.kept, np.float32)
    if score is None:
        score = sum(float(evidence.score(np.array(s[:-1]), np.array(s[1:])).sum()) for s in strands if len(s) > 1)
    blocks, owner = _blocks(evidence, strands, prices)
    column_after = _next_columns(strands)
    order: list[int] = []
    for begin in range(0, len(blocks), prices.blocks):
        part = range(begin, min(len(blocks), begin + prices.blocks))
        joined, gain = _join(evidence, [blocks[k] for k in part], [owner[k] for k in part], column_after, prices, kept)
        order += joined
        score += gain
    return order, score


def _join(
    evidence: Evidence,
    blocks: Sequence[Sequence[int]],
    owner: Sequence[int],
    column_after: dict[int, int],
    prices: LinkPrices,
    kept: Floats,
) -> tuple[list[int], float]:
    """Join blocks. ``owner[k]`` is the strand of block k. Returns the order and the gain."""
    count = len(blocks)
    ends = np.array([s[-1] for s in blocks])
    begins = np.array([s[0] for s in blocks])
    joint = evidence.score(np.repeat(ends, count), np.tile(begins, count)).reshape(count, count).astype(float)
    far = 0.5 * math.log(count + 1) + 0.5
    value = joint - far
    first = {}
    for k in range(count - 1, -1, -1):
        first[owner[k]] = k
    for k in range(count):
        if k + 1 < count and owner[k] == owner[k + 1]:
            value[k, k + 1] = joint[k, k + 1] + kept[blocks[k][-1]]
            continue
        if k + 1 < count:
            value[k, k + 1] = joint[k, k + 1] + prices.following
        other = first.get(column_after.get(owner[k], -1))
        if other is not None:
            value[k, other] = joint[k, other] + prices.next_column
    np.fill_diagonal(value, -99.0)
    for a, b in _jumps(evidence, blocks):
        value[a, b] = joint[a, b] + prices.jump
    after = _without_rings(_matching(value - prices.least), value)
    before = {b: a for a, b in after.items()}
    order: list[int] = []
    for s in range(count):
        if s not in before:
            at: int | None = s
            while at is not None:
                order += blocks[at]
                at = after.get(at)
    gain = 0.0
    for k in range(count - 1):
        if owner[k] == owner[k + 1] and after.get(k) != k + 1:
            gain -= float(joint[k, k + 1]) + float(kept[blocks[k][-1]])
    for a, b in after.items():
        if b != a + 1 or owner[a] != owner[b]:
            near = b == a + 1 or value[a, b] > joint[a, b]
            gain += float(joint[a, b]) - (0.0 if near else 2 * far + prices.structure)
    return order, gain


def _blocks(
    evidence: Evidence, strands: Sequence[Sequence[int]], prices: LinkPrices
) -> tuple[list[list[int]], list[int]]:
    """Cut strands at joints that look wrong. Returns the blocks and the strand that each is of."""
    blocks: list[list[int]] = []
    owner: list[int] = []
    for number, strand in enumerate(strands):
        lines = np.array(strand)
        joints = evidence.score(lines[:-1], lines[1:])
        start = 0
        for k in [*(np.nonzero(joints < prices.cut)[0] + 1).tolist(), len(strand)]:
            blocks.append(list(strand[start:k]))
            owner.append(number)
            start = k
    return blocks, owner


def _next_columns(strands: Sequence[Sequence[int]]) -> dict[int, int]:
    """Give for each column the next one to the right: the first that begins after it and runs beside it."""
    long = sorted((s[0], s[-1], k) for k, s in enumerate(strands) if len(s) >= 3)
    found: dict[int, int] = {}
    for at, (top, foot, k) in enumerate(long):
        for other_top, other_foot, other in long[at + 1 : at + 9]:
            together = min(foot, other_foot) - other_top
            if together > 0.5 * min(foot - top, other_foot - other_top):
                found[k] = other
                break
    return found


def _jumps(evidence: Evidence, blocks: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Pair the blocks that end at a jump line with those that begin at its other half, in order."""
    onward: list[tuple[str, int]] = []
    back: list[tuple[str, int]] = []
    for k, block in enumerate(blocks):
        for pattern, line, found in ((_ONWARD, block[-1], onward), (_FROM, block[0], back)):
            text = evidence.texts[line]
            if evidence.width[line] < 14 and pattern.search(text):
                number = _NUMBERED.search(text)
                found.append((number.group() if number else "", k))
    pairs = []
    for mark, a in onward:
        for at, (other, b) in enumerate(back):
            if mark == other and a != b:
                pairs.append((a, b))
                del back[at]
                break
    return pairs


def _matching(value: Values) -> dict[int, int]:
    """Give the pairs (row, column) with the greatest sum of positive values, each row and column used once."""
    rows = np.nonzero((value > 0).any(axis=1))[0]
    columns = np.nonzero((value > 0).any(axis=0))[0]
    if not len(rows):
        return {}
    # Rows may stay alone: each has a column of its own of value 0.
    cost = np.zeros((len(rows), len(columns) + len(rows)))
    cost[:, : len(columns)] = -np.maximum(value[np.ix_(rows, columns)], 0)
    chosen = _assignment(cost)
    found = {}
    for r, c in enumerate(chosen):
        if c < len(columns) and value[rows[r], columns[c]] > 0:
            found[int(rows[r])] = int(columns[c])
    return found


def _assignment(cost: Values) -> list[int]:
    """Give for each row its column in the cheapest assignment (Kuhn 1955, Jonker and Volgenant 1987)."""
    n, m = cost.shape
    potential_row, potential = np.zeros(n + 1), np.zeros(m + 1)
    row_of = np.full(m + 1, -1)
    # Most rows get their cheapest column at once; for the others the matching is changed along the cheapest way.
    potential_row[:n] = cost.min(axis=1)
    cheapest = cost.argmin(axis=1)
    taken, row_of_taken = np.unique(cheapest, return_index=True)
    row_of[taken] = row_of_taken
    for row in sorted(set(range(n)) - set(row_of_taken.tolist())):
        row_of[m] = row
        at = m
        least = np.full(m, np.inf)
        way = np.full(m, m)
        done = np.zeros(m + 1, bool)
        while row_of[at] >= 0:
            done[at] = True
            r = row_of[at]
            open_columns = ~done[:m]
            now = cost[r] - potential_row[r] - potential[:m]
            better = open_columns & (now < least)
            least[better] = now[better]
            way[better] = at
            nearest = int(np.argmin(np.where(open_columns, least, np.inf)))
            step = least[nearest]
            potential_row[row_of[done]] += step
            potential[done] -= step
            least[open_columns] -= step
            at = nearest
        while at != m:
            row_of[at] = row_of[way[at]]
            at = int(way[at])
        row_of[m] = -1
    found = [-1] * n
    for column in range(m):
        if row_of[column] >= 0:
            found[int(row_of[column])] = column
    return found


def _without_rings(after: dict[int, int], value: Values) -> dict[int, int]:
    """Open every ring of joints at its weakest one."""
    free = dict(after)
    seen: set[int] = set()
    for start in after:
        path: list[int] = []
        at: int | None = start
        while at is not None and at not in seen:
            seen.add(at)
            path.append(at)
            at = free.get(at)
        if at is not None and at in path:
            ring = path[path.index(at) :]
            del free[min(ring, key=lambda k: value[k, free[k]])]
    return free

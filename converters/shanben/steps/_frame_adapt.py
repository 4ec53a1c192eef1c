"""Adapt known weights of the zones of a page to more labelled pages, for `shanben train-frame --adapt`.

The likelihood is that of a linear-chain conditional random field (Lafferty et al. 2001), as in training from nothing; but the
penalty counts how far weights move away from those that are known, so that what they know of pages that are not at
hand stays. Minimised by L-BFGS-B, each change parted into what is added and what is taken, which makes the L1 penalty smooth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from shanben.errors import UsageError
from shanben.steps._frame_zones import FOOT, HEAD, INSERT, NEVER, STEPS, ZONES, Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

L1, L2, ITERATIONS = 0.3, 0.5, 90
SUPPORT = 2
"""A feature that is new is learned if so many pages have it."""
BATCH, WIDER = 256, 1.3
"""So many pages are reckoned together, the longest of them so many times as long as the shortest."""


class Labelled(NamedTuple):
    """A page: the features of each line, the zone of each line as letters of `ZONES`, and the number of the page it was made from."""

    features: Sequence[Sequence[str]]
    zones: Sequence[str]
    origin: int


def adapt(pages: Sequence[Labelled], known: Weights) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Give the weights of features, a number for each zone, and of the steps from zone to zone, adapted to the pages.

    Raises UsageError without SciPy.
    """
    try:
        import numpy as np
        from scipy.optimize import minimize
    except ImportError:
        raise UsageError("adapting weights needs SciPy", fix="pip install 'shanben[train]'") from None
    names = _names(pages, known)
    start = np.zeros((len(names), len(ZONES)))
    for name, row in names.items():
        if name in known.rows:
            start[row] = np.array([int(tenths) for tenths in known.rows[name].split("\t")]) / 10
    steps = np.array(known.steps)
    chain = _Chain(sorted(pages, key=lambda page: len(page.features)), names, steps > NEVER)
    steps = np.where(chain.allowed, steps, 0.0)
    size = start.size

    def objective(parts: Floats) -> tuple[float, Floats]:
        more, less, by = parts[:size], parts[size : 2 * size], parts[2 * size :].reshape(steps.shape)
        change = (more - less).reshape(start.shape)
        value, slope, step_slope = chain.loss(start + change, steps + by)
        value += L1 * (more.sum() + less.sum()) + L2 * ((change**2).sum() + (by**2).sum())
        slope = (slope + 2 * L2 * change).ravel()
        return value, np.concatenate([slope + L1, L1 - slope, (step_slope + 2 * L2 * by).ravel()])

    bounds = [(0, None)] * (2 * size) + [(None, None)] * steps.size
    options = {"maxiter": ITERATIONS, "maxcor": 6}
    found = minimize(objective, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    weights = start + (found[:size] - found[size : 2 * size]).reshape(start.shape)
    steps = steps + found[2 * size :].reshape(steps.shape)
    return (
        {name: list(weights[row]) for name, row in names.items()},
        {step: float(steps[ZONES.index(step[0]), ZONES.index(step[1])]) for step in STEPS},
    )


def _names(pages: Sequence[Labelled], known: Weights) -> dict[str, int]:
    """Number the features that are known, and those that several pages have."""
    origins: dict[str, set[int]] = {}
    for page in pages:
        for own in page.features:
            for name in own:
                if name not in known.rows:
                    origins.setdefault(name, set()).add(page.origin)
    new = sorted(name for name, pages_of in origins.items() if len(pages_of) >= SUPPORT)
    return {name: row for row, name in enumerate([*known.rows, *new])}


class _Chain:
    """The likelihood of labelled pages: forward and backward sums over pages of about the same length at once."""

    def __init__(self, pages: Sequence[Labelled], names: Mapping[str, int], allowed: Any) -> None:
        import numpy as np
        from scipy.sparse import csr_matrix

        columns: list[int] = []
        ends = [0]
        for page in pages:
            for own in page.features:
                columns.extend({names[name] for name in own if name in names})
                ends.append(len(columns))
        self.allowed = allowed
        self._has = csr_matrix(
            (np.ones(len(columns), np.float32), np.array(columns, np.int32), np.array(ends)),
            shape=(len(ends) - 1, len(names)),
        )
        self._of = self._has.T.tocsr()
        self._gold = np.zeros((len(ends) - 1, len(ZONES)))
        self._steps = np.zeros(allowed.shape)
        line = 0
        for page in pages:
            zones = [ZONES.index(zone) for zone in page.zones]
            self._gold[np.arange(line, line + len(zones)), zones] = 1
            np.add.at(self._steps, (zones[:-1], zones[1:]), 1)
            line += len(zones)
        self._batches = [
            (_grid(start, sizes), np.array(sizes)) for start, sizes in _batches([len(p.features) for p in pages])
        ]

    def loss(self, weights: Floats, steps: Floats) -> tuple[float, Floats, Floats]:
        """Give the negative logarithm of the likelihood, and its slopes by the weights and the steps."""
        import numpy as np

        scores = np.asarray(self._has @ weights)
        expected = np.zeros_like(scores)
        stepped = np.zeros(steps.shape)
        total = 0.0
        barred = np.where(self.allowed, steps, NEVER)
        for grid, sizes in self._batches:
            total += self._sum(scores, barred, grid, sizes, expected, stepped)
        total -= float((scores * self._gold).sum() + (np.where(self.allowed, steps, 0) * self._steps).sum())
        slope = np.asarray(self._of @ (expected - self._gold))
        return total, slope, np.where(self.allowed, stepped - self._steps, 0)

    def _sum(self, scores: Floats, steps: Floats, grid: Any, sizes: Any, expected: Floats, stepped: Floats) -> float:
        """Add what a batch expects of lines and steps; give the sum of the logarithms of all ways."""
        import numpy as np

        begin, end = np.zeros(len(ZONES)), np.zeros(len(ZONES))
        begin[[INSERT, FOOT]] = end[[HEAD, INSERT]] = NEVER
        filled = grid >= 0
        count, longest = grid.shape
        own = np.where(filled[..., None], scores[np.maximum(grid, 0)], 0.0)
        down, up = np.zeros_like(own), np.zeros_like(own)
        down[:, 0] = begin + own[:, 0]
        for n in range(1, longest):
            reached = _log_sum(down[:, n - 1, :, None] + steps, 1) + own[:, n]
            down[:, n] = np.where(filled[:, n, None], reached, down[:, n - 1])
        up[:, -1] = end
        for n in range(longest - 2, -1, -1):
            left = _log_sum(steps + (own[:, n + 1] + up[:, n + 1])[:, None, :], 2)
            up[:, n] = np.where((n >= sizes - 1)[:, None], end, left)
        ways = _log_sum(down[np.arange(count), sizes - 1] + end, 1)
        expected[grid[filled]] = np.exp(down + up - ways[:, None, None])[filled]
        for n in range(1, longest):
            both = down[:, n - 1, :, None] + steps + (own[:, n] + up[:, n])[:, None, :]
            stepped += np.exp(both - ways[:, None, None])[filled[:, n]].sum(0)
        return float(ways.sum())


def _log_sum(logs: Any, axis: int) -> Any:
    import numpy as np

    most = logs.max(axis=axis, keepdims=True)
    return (most + np.log(np.exp(logs - most).sum(axis=axis, keepdims=True))).squeeze(axis)


def _batches(sizes: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    """Part pages, sorted by length, into batches: the number of the first line, and the lengths.

    >>> list(_batches([1, 2, 9, 11, 40]))
    [(0, [1, 2]), (3, [9, 11]), (23, [40])]
    """
    first = line = 0
    while first < len(sizes):
        end = first + 1
        while end < len(sizes) and end - first < BATCH and sizes[end] <= WIDER * max(4, sizes[first]):
            end += 1
        yield line, sizes[first:end]
        line += sum(sizes[first:end])
        first = end


def _grid(start: int, sizes: Sequence[int]) -> Any:
    """Give the numbers of lines, a row for each page, -1 behind its end."""
    import numpy as np

    grid = np.full((len(sizes), max(sizes)), -1)
    for row, size in enumerate(sizes):
        grid[row, :size] = np.arange(start, start + size)
        start += size
    return grid

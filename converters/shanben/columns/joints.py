"""How likely one printed line continues another: character n-grams over the joint, in nats.

For a tail (the end of a line) and a head (the beginning of another) the score is the sum over the first
characters of the head of log P(character | tail, head so far) − log P(character | head so far): the
pointwise mutual information of the two lines through the joint. 0: nothing known; positive: they belong
together; negative: they hardly do. The n-gram probabilities are interpolated Kneser–Ney estimates (Chen and
Goodman 1999), kept as sorted 36-bit hashes with 8-bit logarithms.

Chinese and Latin text have a model each. Traditional characters are read as their Simplified ones, full-width
and half-width marks as one, all digits as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shanben.columns import model_file
from shanben.lazy import lazy_re

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Script = Literal["han", "latin"]

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
KEY_BITS = 36
STEP = 1 / 16
"""Nats per step of the stored logarithms."""
BREAK = 0
"""The token that stands before every paragraph."""
_BLOCK = 1 << 13
"""Keys of which the places are found at a time; more at once would take memory that has to be fetched first."""
_MANY = 4
"""Where joints are so many times as many as tails and heads, most of their ends and beginnings come again."""

_FOLD = {
    "，": ",", "。": ".", "；": ";", "：": ":", "？": "?", "！": "!", "（": "(", "）": ")", "［": "[", "］": "]",
    "〔": "(", "〕": ")", "【": "[", "】": "]", "「": '"', "」": '"', "『": "'", "』": "'", "“": '"', "”": '"',
    "‘": "'", "’": "'", "—": "-", "–": "-", "―": "-", "…": "~", "⋯": "~", "•": "·", "・": "·", "〈": "《", "〉": "》",
}  # fmt: skip


def folding(simplified: dict[str, str]) -> dict[int, str]:
    """Give the table for `str.translate` that folds what the model does not tell apart."""
    table = {c: chr(c - 0xFEE0).lower() for c in range(0xFF01, 0xFF5F)}
    table |= {c: chr(c + 32) for c in range(ord("A"), ord("Z") + 1)}
    table |= {ord(a): b for a, b in simplified.items()}
    table |= {ord(a): b for a, b in _FOLD.items()}
    table |= {ord(c): "0" for c in "0123456789０１２３４５６７８９"}
    table[0x3000] = " "
    return table


_NUMBER = lazy_re(r"0(?:[.,]?0)*+")


def fold(text: str, table: dict[int, str]) -> str:
    """Fold what the model does not tell apart: forms of one character, all numbers, runs of white space.

    >>> fold("第１２章，增长 3.5%", folding({"長": "长"}))
    '第0章,增长 0%'
    """
    return _NUMBER.sub("0", " ".join(text.translate(table).split()))


def roll(tokens: Ints, length: int) -> Hashes:
    """Give the hash of the ``length`` tokens in each row. Shape (n, length) → (n,)."""
    out = np.zeros(len(tokens), np.uint64)
    for k in range(length):
        out = out * MULTIPLIER + (tokens[:, k].astype(np.uint64) + np.uint64(1))
    return out


def key(hashes: Hashes) -> Hashes:
    """Give the 36 bits under which n-grams are kept, well mixed."""
    mixed = (hashes ^ (hashes >> np.uint64(31))) * np.uint64(0xD6E8FEB86659FD93)
    return (mixed ^ (mixed >> np.uint64(32))) >> np.uint64(64 - KEY_BITS)


def power(k: int) -> np.uint64:
    """Give the multiplier to the power of ``k``, modulo 2**64."""
    return np.uint64(pow(int(MULTIPLIER), k, 1 << 64))


@dataclass(frozen=True, slots=True)
class Table:
    """All n-grams of one order: sorted keys, −log probability and −log backoff in steps.

    ``index`` gives, for the upper bits of a key, where the keys with these bits begin.
    """

    keys: Hashes
    cost: Bytes
    backoff: Bytes
    index: npt.NDArray[np.int32]
    shift: np.uint64

    @classmethod
    def of(cls, keys: Hashes, cost: Bytes, backoff: Bytes) -> Table:
        """Make the index of a table whose keys are sorted."""
        bits = max(1, min(24, int(np.ceil(np.log2(max(2, len(keys)))))))
        shift = np.uint64(KEY_BITS - bits)
        index = np.zeros((1 << bits) + 1, np.int32)
        for start in range(0, len(keys), _BLOCK):
            buckets = keys[start : start + _BLOCK] >> shift
            index[buckets.astype(np.int64) + 1] = np.arange(start + 1, start + len(buckets) + 1)  # the last one stays
        np.maximum.accumulate(index, out=index)
        return cls(keys, cost, backoff, index, shift)

    def find(self, keys: Hashes) -> Ints:
        """Give the place of each key, or −1."""
        bucket = (keys >> self.shift).astype(np.int64)
        at, end = self.index.take(bucket), self.index[1:].take(bucket)
        live = np.flatnonzero(at < end)
        at, wanted = at.take(live), keys.take(live)
        found = np.full(len(keys), -1, np.int64)
        while len(live):
            here = self.keys.take(at)
            hit = here == wanted
            found[live[hit]] = at[hit]
            at += 1
            going = np.flatnonzero((here < wanted) & (at < len(self.keys)))  # keys are sorted
            live, at, wanted = live.take(going), at.take(going), wanted.take(going)
        return found


@dataclass(frozen=True)
class NGrams:
    """The n-gram model of one script. ``tables[n - 1]`` holds the n-grams of length n."""

    tokens: dict[str, int]
    tables: tuple[Table, ...]

    @property
    def order(self) -> int:
        """Give the length of the longest n-grams."""
        return len(self.tables)

    def encode(self, text: str) -> list[int]:
        """Give the tokens of a folded text; what the model has never seen is one token of its own."""
        unknown = len(self.tokens) + 1
        return [self.tokens.get(c, unknown) for c in text]

    def heads(self, texts: Sequence[str]) -> Ints:
        """Give the first ``order − 1`` tokens of each text, filled up with BREAK. Shape (n, order − 1)."""
        width = self.order - 1
        return np.array([(self.encode(t[:width]) + [BREAK] * width)[:width] for t in texts], np.int64).reshape(
            -1, width
        )

    def tails(self, texts: Sequence[str]) -> Ints:
        """Give the last ``order − 1`` tokens of each text, filled up in front with BREAK. Shape (n, order − 1)."""
        width = self.order - 1
        rows = [([BREAK] * width + self.encode(t[-width:] if t else ""))[-width:] for t in texts]
        return np.array(rows, np.int64).reshape(-1, width)

    def _cost(self, keys: Hashes, length: int) -> tuple[Bools, Floats]:
        table = self.tables[length - 1]
        at = table.find(key(keys))
        hit = at >= 0
        return hit, np.where(hit, -STEP * table.cost[at], 0).astype(np.float32)

    def _backoff(self, keys: Hashes, length: int) -> Floats:
        table = self.tables[length - 1]
        at = table.find(key(keys))
        return np.where(at >= 0, -STEP * table.backoff[at], 0).astype(np.float32)

    def _alone(self, heads: Ints) -> Floats:
        """Give log P(character k | head so far), shape (n, order − 1)."""
        n, width = heads.shape
        out = np.zeros((n, width), np.float32)
        for k in range(width):
            done = np.zeros(n, bool)
            for m in range(k, -1, -1):
                hit, p = self._cost(roll(heads[:, k - m : k + 1], m + 1), m + 1)
                new = hit & ~done
                out[new, k] += p[new]
                done |= hit
                if m:
                    out[~done, k] += self._backoff(roll(heads[~done, k - m : k], m), m)
            out[~done, k] += -15.0
        return out

    def fluency(self, texts: Sequence[str]) -> Floats:
        """Give the mean log probability of the characters of each text, in nats; 0 for an empty one."""
        order = self.order
        rows = [self.encode(t) for t in texts]
        stream = np.array([t for r in rows for t in ([BREAK] * (order - 1) + r)], np.int64)
        owner = np.repeat(np.arange(len(rows)), [len(r) + order - 1 for r in rows])
        place = np.concatenate([np.arange(len(r) + order - 1) for r in rows]) if rows else np.zeros(0, np.int64)
        ends = np.nonzero(place >= order - 1)[0]
        windows = stream[ends[:, None] + np.arange(-(order - 1), 1)[None, :]]
        total = np.zeros(len(ends), np.float32)
        live = np.arange(len(ends))
        depth = np.minimum(place[ends] - (order - 1), order - 1)
        for m in range(order - 1, -1, -1):
            now = live[depth[live] >= m]
            later = live[depth[live] < m]
            hit, p = self._cost(roll(windows[now][:, order - 1 - m :], m + 1), m + 1)
            total[now] += p
            missed = now[~hit]
            if m:
                total[missed] += self._backoff(roll(windows[missed][:, order - 1 - m : order - 1], m), m)
            else:
                total[missed] -= 15.0
            live = np.concatenate([missed, later])
        sums = np.bincount(owner[ends], weights=total, minlength=len(rows))
        counts = np.bincount(owner[ends], minlength=len(rows))
        return (sums / np.maximum(counts, 1)).astype(np.float32)

    def log_ratio(self, tails: Ints, heads: Ints, rows: Ints, columns: Ints) -> Floats:
        """Give the score of the joints ``tails[rows[i]]`` | ``heads[columns[i]]`` in nats."""
        return Sides(self, tails, heads).log_ratio(rows, columns)


@dataclass(frozen=True)
class Sides:
    """Tails and heads between which joints are scored, with all that is known of each alone."""

    ngrams: NGrams
    tails: Ints
    heads: Ints

    @cached_property
    def _alone(self) -> Floats:
        return self.ngrams._alone(self.heads)

    @cached_property
    def _ends(self) -> dict[int, Hashes]:
        width = self.ngrams.order - 1
        return {m: roll(self.tails[:, width - m :], m) for m in range(1, width + 1)}

    @cached_property
    def _begins(self) -> dict[int, Hashes]:
        return {k: roll(self.heads[:, :k], k) for k in range(1, self.ngrams.order)}

    @cached_property
    def _after(self) -> dict[int, Floats]:
        """Give what each tail pays for being longer than any n-gram that goes on from it."""
        return {m: self.ngrams._backoff(ends, m) for m, ends in self._ends.items()}

    @cached_property
    def _apart(self) -> Floats:
        """Give the score of each tail with a head that nothing is known of it with."""
        total = np.zeros(len(self.tails), np.float32)
        for m in range(self.ngrams.order - 1, 0, -1):
            total += self._after[m]
        return total

    @cached_property
    def _lengths(self) -> Ints:
        """Give how many tokens each head has."""
        none = np.ones((len(self.heads), 1), bool)
        return np.asarray(np.argmax(np.concatenate([self.heads == BREAK, none], axis=1), axis=1), np.int64)

    def log_ratio(self, rows: Ints, columns: Ints) -> Floats:
        """Give the score of the joints ``tails[rows[i]]`` | ``heads[columns[i]]`` in nats.

        Over most joints none of the two or three characters next to them stand in a table; nothing longer does then,
        so nothing more is looked up for them.
        """
        model, width = self.ngrams, self.ngrams.order - 1
        total = np.zeros(len(rows), np.float32)
        some = np.nonzero(self._lengths[columns] >= 1)[0]
        total[some] = self._apart[rows[some]]
        joined = some[:0]
        for m, k in ((1, 1), (2, 1), (1, 2)):
            if m + k <= model.order:
                known = self._are_known(m, k, rows[some], columns[some])
                joined, some = np.concatenate([joined, some[known]]), some[~known]
        total[joined] = 0
        for k in range(1, width + 1):
            live = joined[self._lengths[columns[joined]] >= k]
            i, j = rows[live], columns[live]
            for m in range(model.order - k, 0, -1):
                hit, p = model._cost(self._ends[m][i] * power(k) + self._begins[k][j], m + k)
                total[live[hit]] += p[hit] - self._alone[j[hit], k - 1]
                live, i, j = live[~hit], i[~hit], j[~hit]
                if k == 1:
                    total[live] += self._after[m][i]
                else:
                    total[live] += model._backoff(self._ends[m][i] * power(k - 1) + self._begins[k - 1][j], m + k - 1)
        return total

    def _are_known(self, m: int, k: int, rows: Ints, columns: Ints) -> Bools:
        """Tell of which joints the last ``m`` tokens of the tail with the first ``k`` of the head stand in a table.

        Where all tails meet all heads, many of these are the same, and each is looked up once.
        """
        table = self.ngrams.tables[m + k - 1]
        if len(rows) > _MANY * (len(self.tails) + len(self.heads)):
            (ends, end_of), (begins, begin_of) = self._distinct_ends[m], self._distinct_begins[k]
            if len(ends) * len(begins) < len(rows):
                known = table.find(key((ends[:, None] * power(k) + begins).ravel())) >= 0
                return known.take(end_of.take(rows) * len(begins) + begin_of.take(columns))
        return table.find(key(self._ends[m][rows] * power(k) + self._begins[k][columns])) >= 0

    @cached_property
    def _distinct_ends(self) -> dict[int, tuple[Hashes, Ints]]:
        return {m: np.unique(self._ends[m], return_inverse=True) for m in (1, 2) if m in self._ends}

    @cached_property
    def _distinct_begins(self) -> dict[int, tuple[Hashes, Ints]]:
        return {k: np.unique(self._begins[k], return_inverse=True) for k in (1, 2) if k in self._begins}


@dataclass(frozen=True)
class JointModel:
    """The shipped or a user's own model: a fold table and an n-gram model a script."""

    fold: dict[int, str]
    models: dict[Script, NGrams]
    about: str = ""

    def folded(self, text: str) -> str:
        """Fold what is not told apart (`fold`)."""
        return fold(text, self.fold)


def save(path: Path, model: dict[str, Any]) -> None:
    """Write the arrays of a model as a compressed NumPy archive with fixed bytes."""
    np.savez_compressed(path, **model)


def pack(tables: Sequence[tuple[Hashes, Bytes, Bytes]], prefix: str) -> dict[str, Any]:
    """Give the arrays of one n-gram model, keys as differences in five byte planes."""
    out: dict[str, Any] = {}
    for n, (keys, cost, backoff) in enumerate(tables, start=1):
        gaps = np.diff(keys, prepend=np.uint64(0))
        planes = np.stack([((gaps >> np.uint64(8 * b)) & np.uint64(255)).astype(np.uint8) for b in range(5)])
        out |= {f"{prefix}{n}_gaps": planes, f"{prefix}{n}_cost": cost, f"{prefix}{n}_backoff": backoff}
    return out


def unpack(arrays: Any, prefix: str) -> tuple[Table, ...]:
    """Undo `pack`."""
    tables = []
    n = 1
    while f"{prefix}{n}_gaps" in arrays:
        planes = arrays[f"{prefix}{n}_gaps"]
        octets = np.zeros((planes.shape[1], 8), np.uint8)
        for b in range(5):
            octets[:, b] = planes[b]
        keys = octets.view("<u8")[:, 0].astype(np.uint64, copy=False)
        np.cumsum(keys, out=keys)
        tables.append(Table.of(keys, arrays[f"{prefix}{n}_cost"], arrays[f"{prefix}{n}_backoff"]))
        n += 1
    return tuple(tables)


@lru_cache(maxsize=2)
def load(path: Path) -> JointModel:
    """Read a model file. Raises RuleError where it is none."""
    arrays = model_file.read(path)
    pairs = str(arrays["simplified"])
    models: dict[Script, NGrams] = {}
    for script in ("han", "latin"):
        tokens = {c: i for i, c in enumerate(str(arrays[f"{script}_tokens"]), start=1)}
        models[script] = NGrams(tokens, unpack(arrays, script))
    return JointModel(folding(dict(zip(pairs[::2], pairs[1::2], strict=True))), models, str(arrays["about"]))

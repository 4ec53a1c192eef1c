"""Find the pieces of column lines where several columns stand side by side in one text line.

OCR and PDF tools that read across a page give text lines such as ``A1 B1 C1``: the first printed line of three
columns, parted by a run of blanks, one blank, a stray mark, or nothing. `find_cells` takes such lines apart:

1. Every place where a cell could end is a *cut*: at line ends, blanks and stray marks, and between any two Han
   characters unless the text plainly flows on there.
2. For each text line and each column width a dynamic programme over lengths, separators and flow says how well the
   line falls into cells of that width; a Viterbi pass over the lines gives stretches of one width.
3. In each stretch a beam search deals the cells to the columns, left to right and row by row. It adds up: the joint of
   each cell with the cell above it in its column, less the joint with the text it stood beside; the length of the
   cell (full, indented, or short at the end of a paragraph); what kind of separator it is; columns left empty;
   where the cell starts on the line, if runs of blanks tell. The separators of the text are learned in between.
4. A stretch stays as it is unless the joints alone speak clearly for the columns.

Where most text lines are one column line already and a few ran together without any mark (naive sorting of OCR boxes),
these few are cut at the column width and the cells get no column: putting them in order is left to others.

What is left alone: text whose lines are each one piece; tables, lists and verse, whose joints say nothing. A stretch
has one number of columns and one width, so a page whose columns differ much in width is read badly. Lines not in
columns (headlines, page furniture) are cells of their own with column −1. Where an article ends above another one
without a headline of its own line, or columns go on below a picture, one region is given; the joint of the bottom of a
column with the top of another is not looked at here.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from math import log

import numpy as np
import numpy.typing as npt

from shanben.columns.joints import BREAK, Ints, JointModel, NGrams, Script
from shanben.columns.lines import ROW
from shanben.columns.lines import cells as width_of
from shanben.lazy import lazy_regex

Reals = npt.NDArray[np.float64]

SPANNING = -1
"""The column of a cell that belongs to none: headline, page furniture, a line read in order."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one column has in one printed row.

    ``start`` and ``end`` are places in the source; marks read from a column rule stay at the end of the cell on their
    left, so the cells of a text leave out nothing but blanks. ``text_end`` is the end without such marks. ``row``
    counts the printed rows of the whole text, ``region`` the stretches in which columns run on, ``column`` the columns
    of the region from the left.
    """

    start: int
    end: int
    row: int
    column: int
    region: int
    text_end: int

    @property
    def spanning(self) -> bool:
        """Say whether the cell stands across the columns."""
        return self.column == SPANNING


# What may stand between two columns although nobody printed it, by kind.
RULES = frozenset("|｜丨_│┃¦")
QUOTES = frozenset("”“\"「」『』'‘’`[]′")
STOPS = frozenset("，,。.、:;·•‧")
DASHES = frozenset("-—一~^")
NOISE = RULES | QUOTES | STOPS | DASHES

FINAL = frozenset("。！？!?」』”\"…；：:;）)》’'.")
"""With these a paragraph may end."""
NEVER_FIRST = frozenset("，。、；：？！」』”）》,")
"""With these no line begins, so nothing is cut before them unless a blank says so."""
NEVER_LAST = frozenset("「『“（《")

_CENTRES = np.array([-7.0, -5.5, -4.5, -3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 5.0, 7.0, 10.0])
_EDGES = np.array([-6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0])
_USUAL: dict[Script, Reals] = {
    "han": np.array([-3.5, -2.6, -1.9, -1.3, -0.9, -0.5, -0.2, 0.25, 0.7, 1.4, 1.9, 3.0, 3.8, 4.4]),
    "latin": np.array([-1.8, -1.3, -1.0, -0.9, -0.8, -0.6, -0.4, -0.15, 0.0, 0.3, 0.5, 0.75, 1.2, 1.6]),
}
"""Log-likelihood ratio of true against chance joints at the centres, measured on held-out text of both scripts."""
_USUAL_WEIGHT = 30.0

# log P(separator | between columns) − log P(separator | inside a cell), before anything is learned from the text.
# N: line end, G: two blanks or more, S: one blank between Han, H: beside a Latin letter, A: between Latin letters,
# Y: after a hyphen, 0: nothing. Stray marks P (rule), Q (quote), K (stop), D (dash); l, r: with a blank on that side.
_GUTTER: dict[str, float] = {
    "N": -2.0, "G": 5.0, "S": 2.5, "H": 0.0, "A": -1.0, "0": -2.5, "Y": 4.0,
    "P": 1.0, "Pl": 3.0, "Pr": 3.0, "Plr": 4.0, "Q": 0.0, "Ql": 2.0, "Qr": 2.0, "Qlr": 3.0,
    "K": -3.0, "Kl": 1.0, "Kr": 0.0, "Klr": 2.0, "D": -2.0, "Dl": 1.0, "Dr": 1.0, "Dlr": 2.0,
}  # fmt: skip


def _width(c: str) -> float:
    """Give the printed width of a character in full-width cells."""
    if c in "\n\r\t \u3000":
        return 0.0
    if unicodedata.east_asian_width(c) in "WFA":
        return 1.0
    if c in "mwMW@%":
        return 0.8
    if c in "iljtfrI.,:;'|!()[]`-":
        return 0.33
    return 0.68 if "A" <= c <= "Z" else 0.52


@lru_cache(maxsize=8192)
def _measures(c: str) -> tuple[float, int]:
    return _width(c), 2 if unicodedata.east_asian_width(c) in "WF" else 1


_SAMPLED = 6_000
"""So many places in lines that are no rows are looked at, to learn how the text flows."""


def script_of(text: str) -> Script:
    """Say by which model a text is to be read."""
    han = sum("\u3400" <= c <= "\u9fff" for c in text)
    latin = sum(c.isascii() and c.isalpha() for c in text)
    return "han" if han * 3 > latin else "latin"


class Stream:
    """A text made ready for cutting: widths, tokens for the joint model, and all cuts.

    Cut ``k`` ends a cell at ``a[k]`` (stray marks after it reach to ``e[k]``) and begins the next one at ``b[k]``;
    ``kind[k]`` is its separator and ``flow[k]`` the joint across it. Start ``j`` is the place after cut ``j − 1``;
    start 0 is the first character. Lines that are not open have no cuts but their ends.
    """

    def __init__(self, text: str, model: JointModel, open_lines: Sequence[bool]) -> None:
        self.text = text
        self._closed = [0] * (len(text) + 1)
        """The number of the line of each character, from 1, where that line is not open, else 0."""
        for number, (line, may) in enumerate(zip(ROW.finditer(text), open_lines, strict=True), start=1):
            if not may:
                self._closed[slice(*line.span())] = [number] * len(line.group())
        self.script: Script = script_of(text)
        self.ngrams: NGrams = model.models[self.script]
        self.order = self.ngrams.order - 1
        self.solid = [i for i, c in enumerate(text) if not c.isspace()]
        self._measure()
        self._tokenize(text.translate(model.fold))
        self._cut()

    def _measure(self) -> None:
        text, han = self.text, self.script == "han"
        wide = np.zeros(len(text) + 1)
        self.x: list[int] = []
        x = 0
        for i, c in enumerate(text):
            w, step = _measures(c)
            if han:
                if c in ",;:!?()":
                    w = 0.9
                elif c == " " and 0 < i < len(text) - 1 and text[i - 1] != " " != text[i + 1]:
                    w = 0.28 if text[i - 1].isascii() or text[i + 1].isascii() else 0.0
            elif c == " ":
                w = 0.27
            elif c in "“”‘’":
                w = 0.4
            wide[i + 1] = w
            self.x.append(x)
            x = 0 if c == "\n" else x + step
        self.wide = np.cumsum(wide)

    def _tokenize(self, folded: str) -> None:
        if len(folded) != len(self.text):
            raise ValueError("fix the fold table: it must give one character for one")
        codes, unknown = self.ngrams.tokens, len(self.ngrams.tokens) + 1
        self.blank = codes.get(" ", unknown)
        latin = self.script == "latin"
        tokens: list[int] = []
        lines: list[int] = []
        at = np.zeros(len(folded) + 1, np.int64)
        line, before, gap, number = 0, "", False, False
        for i, c in enumerate(folded):
            at[i] = len(tokens)
            if c == "0" and number:  # all numbers are one token
                at[i] -= 1
                continue
            number = c == "0" or (number and c in ".," and folded[i + 1 : i + 2] == "0")
            if number and c != "0":
                at[i] -= 1
                continue
            if c.isspace():
                line += self.text[i] == "\n"
                gap = True
                continue
            if gap and before and (latin or (before.isascii() and c.isascii() and before.isalnum() and c.isalnum())):
                tokens.append(self.blank)
                lines.append(line)
                at[i] = len(tokens)
            gap, before = False, c
            tokens.append(codes.get(c, unknown))
            lines.append(line)
        at[len(folded)] = len(tokens)
        pad = [BREAK] * self.order
        self._tokens = np.array(pad + tokens + pad, np.int64)
        self._lines = np.array([-1] * self.order + lines + [-2] * self.order, np.int64)
        self._at = at

    def heads(self, b: Ints) -> Ints:
        """Give the first tokens of what begins at each place, up to the end of its text line."""
        first = self._at[b] + self.order
        index = first[:, None] + np.arange(self.order)
        out = np.where(self._lines[index] == self._lines[first][:, None], self._tokens[index], BREAK)
        out[np.cumsum(out == BREAK, axis=1) > 0] = BREAK
        return out

    def tails(self, a: Ints) -> Ints:
        """Give the last tokens of what ends at each place: in Latin text with a blank, or without the hyphen."""
        last = self._at[a - 1] + self.order
        index = last[:, None] - np.arange(self.order - 1, -1, -1)
        out: Ints = np.where(self._lines[index] == self._lines[last][:, None], self._tokens[index], BREAK)
        if self.script == "latin":
            hyphen = np.array([self._hyphen(int(p)) for p in a], bool)
            blank = np.concatenate([out[:, 1:], np.full((len(a), 1), self.blank)], axis=1)
            bare = np.concatenate([np.full((len(a), 1), BREAK), out[:, :-1]], axis=1)
            out = np.where(hyphen[:, None], bare, blank)
        out[np.cumsum((out == BREAK)[:, ::-1], axis=1)[:, ::-1] > 0] = BREAK
        return out

    def _hyphen(self, a: int) -> bool:
        return a >= 2 and self.text[a - 1] in "-\u00ad‐¬" and self.text[a - 2].isalpha()

    def _kind(self, p: int, q: int, noise: str) -> str:
        """Name the separator between the characters at ``p`` and ``q``."""
        between, text = self.text[p + 1 : q], self.text
        if "\n" in between:
            return "N"
        blanks = between.count(" ") + 2 * between.count("\u3000") + 2 * between.count("\t") + between.count("\u00a0")
        if noise:
            if blanks > 2:
                return "G"
            marks = set(noise)
            kind = "P" if marks & RULES else "Q" if marks & QUOTES else "K" if marks & STOPS else "D"
            return kind + "l" * text[p + 1].isspace() + "r" * text[q - 1].isspace()
        if blanks >= 2:
            return "G"
        if blanks == 0:
            return "0"
        left, right = text[p].isascii(), text[q].isascii()
        if self.script == "latin":
            return "Y" if self._hyphen(p + 1) and text[q].islower() else "A"
        return "A" if left and right else "H" if left or right else "S"

    def _candidates(self) -> Iterator[tuple[int, int, int, str]]:
        text, solid, latin = self.text, self.solid, self.script == "latin"
        closed = self._closed
        step = 1 + (len(closed) - closed.count(0)) // _SAMPLED
        for u in range(len(solid) - 1):
            p, q = solid[u], solid[u + 1]
            if closed[p] and closed[q] == closed[p] and u % step:
                continue
            x, y = text[p], text[q]
            kind = self._kind(p, q, "")
            if kind == "0":
                if latin:
                    if not ((x in '-.,”"' and y.isalpha()) or (x.isalnum() and y in '“"')):
                        continue
                elif (
                    (x.isascii() and y.isascii() and x.isalnum() and y.isalnum())
                    or (y in NEVER_FIRST and x not in NOISE)
                    or x in NEVER_LAST
                ):
                    continue
            yield p + 1, p + 1, q, kind
            if y not in NOISE or kind == "N":
                continue
            for r in range(u + 1, min(u + 4, len(solid) - 1)):
                end, after = solid[r], solid[r + 1]
                if text[end] not in NOISE or "\n" in text[end:after]:
                    break
                noise = "".join(text[p + 1 : after].split())
                if latin and not set(noise) & RULES:
                    break
                marked = self._kind(p, after, noise)
                if marked not in ("K", "D") or r == u + 1:
                    yield p + 1, end + 1, after, marked

    def _cut(self) -> None:
        text, last = self.text, self.solid[-1] + 1
        found = sorted(self._candidates(), key=lambda c: (c[2], c[0]))
        found.append((last, last, len(text), "N"))
        a, e, b = (np.array([c[i] for c in found], np.int64) for i in range(3))
        kind = [c[3] for c in found]
        n = len(found)
        heads, tails = self.heads(np.minimum(b, len(text) - 1)), self.tails(a)
        heads[-1] = BREAK
        every, none = np.arange(n), np.zeros(n, np.int64)
        base = np.zeros(n)
        if self.script == "latin":
            blank = np.full((1, self.order), BREAK, np.int64)
            blank[0, -1] = self.blank
            base = self.ngrams.log_ratio(blank, heads, none, every).astype(np.float64)
        self._scale(
            tails, heads, base, [k for k, c in enumerate(kind) if c == ("A" if self.script == "latin" else "0")]
        )
        flow = self._calibrated(tails, heads, base, every, every)
        closed = np.array(self._closed, np.int64)
        inner = (closed[a - 1] > 0) & (closed[a - 1] == closed[b])
        keep = np.array([k != "0" or f < 1.2 for k, f in zip(kind, flow, strict=True)]) & ~inner
        keep[-1] = True
        self.a, self.e, self.b = a[keep], e[keep], b[keep]
        self.kind = [k for k, kept in zip(kind, keep, strict=True) if kept]
        self._heads, self._tails, self._base = heads[keep], tails[keep], base[keep]
        n = len(self.kind)
        fresh = self.ngrams.log_ratio(
            np.full((1, self.order), BREAK, np.int64), self._heads, np.zeros(n, np.int64), np.arange(n)
        )
        self.flow: list[float] = np.append(flow[keep][:-1], 0.0).tolist()
        self.fresh: list[float] = (np.clip(fresh - self._base, -2, 3) * 0.6).tolist()
        self.starts = [self.solid[0], *self.b.tolist()]
        self.left: list[float] = [float(self.wide[s]) for s in self.starts]
        self.right: list[float] = self.wide[self.a].tolist()
        self.final = [text[i - 1] in FINAL for i in self.a.tolist()]
        self.line_end = [0] * n
        end = n - 1
        for k in range(n - 1, -1, -1):
            if self.kind[k] == "N":
                end = k
            self.line_end[k] = end

    def _scale(self, tails: Ints, heads: Ints, base: Reals, inner: list[int]) -> None:
        """Learn what joint scores mean in this text, from places inside its lines and from chance pairs of them.

        Where the model knows the register the scale is steep; where it does not, a low score means little.
        """
        usual = _USUAL[self.script]
        self._ratios = usual
        if len(inner) < 20:
            return
        step = max(1, len(inner) // 1500)
        here = np.array(inner[::step], np.int64)
        there = np.concatenate([np.roll(here, k) for k in (7, 11, len(here) // 3 + 1)])
        thrice = np.tile(here, 3)
        true = self.ngrams.log_ratio(tails, heads, here, here) - base[here]
        false = self.ngrams.log_ratio(tails, heads, thrice, there) - base[there]
        n_true = np.bincount(np.searchsorted(_EDGES, true), minlength=len(_CENTRES)).astype(np.float64)
        n_false = np.bincount(np.searchsorted(_EDGES, false), minlength=len(_CENTRES)).astype(np.float64)
        share_true, share_false = n_true / n_true.sum(), n_false / n_false.sum()
        seen = np.log((share_true + 0.001) / (share_false + 0.001))
        trust = np.minimum(n_true, n_false / 3) + 0.2 * np.maximum(n_true, n_false / 3)
        trust = trust / (trust + _USUAL_WEIGHT)
        self._ratios = np.maximum.accumulate(trust * seen + (1 - trust) * usual)

    def _calibrated(self, tails: Ints, heads: Ints, base: Reals, rows: Ints, columns: Ints) -> Reals:
        """Give log-likelihood ratios: these two belong together, against any two lines of the text."""
        score = self.ngrams.log_ratio(tails, heads, rows, columns).astype(np.float64)
        if self.script == "han":
            return np.interp(score, _CENTRES, self._ratios)
        hyphen = tails[rows][:, -1] != self.blank
        plain = np.interp(score - base[columns], _CENTRES, self._ratios)
        return np.where(hyphen, np.clip(0.5 * score - 1, -3, 3), plain)

    def lines(self) -> list[tuple[int, int]]:
        """Give the first start and the last cut of each text line."""
        ends = [k for k, kind in enumerate(self.kind) if kind == "N"]
        return list(zip([0, *(k + 1 for k in ends[:-1])], ends, strict=True))

    def joints(self, first: int, last: int, span: float) -> tuple[list[int], list[list[float]]]:
        """Give the joints of each head among the cuts ``first``–``last`` with the tails up to ``span`` before it."""
        cuts = np.arange(first, last + 1)
        right = np.maximum.accumulate(np.array(self.right[first : last + 1]))
        left = np.array(self.left[first + 1 : last + 2])
        low = np.minimum(np.searchsorted(right, left - span), cuts - first)
        count = cuts - first - low + 1
        total = np.concatenate([[0], np.cumsum(count)])
        rows = np.arange(total[-1]) - np.repeat(total[:-1] - low, count)
        values = self._calibrated(
            self._tails[first : last + 1],
            self._heads[first : last + 1],
            self._base[first : last + 1],
            rows,
            np.repeat(cuts - first, count),
        ).tolist()
        return (low + first).tolist(), [values[i:j] for i, j in pairwise(total)]


@dataclass
class Habits:
    """What is known of a stretch: number and width of its columns, separators, where columns begin on the line."""

    columns: int
    width: float
    spread: float
    indent: float
    gutter: dict[str, float]
    row: dict[str, float]
    bare: bool = False
    places: list[float] | None = None

    @classmethod
    def of(cls, script: Script, columns: int, width: float, bare: bool = False) -> Habits:
        """Give what holds before anything is learned; ``bare``: nothing is left of the gutters."""
        gutter = _GUTTER | {"A": 0.0} if script == "latin" else dict(_GUTTER)
        if bare:
            gutter["0"] = -0.7
        row = {kind: value - 2.5 for kind, value in gutter.items()} | {"N": 0.0}
        spread, indent = (0.9, 2.0) if script == "han" else (1.3, 1.3)
        return cls(columns, width, spread, indent, gutter, row, bare)

    def full(self, off: float) -> float:
        """Give the log density of a line that is ``off`` wider than it should be."""
        return max(-0.5 * (off / self.spread) ** 2, -3 - 0.5 * (off / (3 * self.spread)) ** 2) - log(self.spread * 2.5)


NEW, GONE = -1, -2
"""The state of a column with nothing in it yet, and of one that was left empty."""
OPEN, STOP, SHORT = 0, 1, 2
"""How the last cell of a column ended: within a sentence, full but after a stop, short at the end of a paragraph."""

State = tuple[int, tuple[int, ...]]
Entry = tuple[float, int, State | None, int]
"""Score, start of the last cell, state before it, its column."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A cell on the best path: its start, its last cut, its column, whether everything before it is closed."""

    start: int
    cut: int
    column: int
    reset: bool
    before: int = -1
    """The cut that ends the cell above it in its column, or −1."""
    short: bool = False


@dataclass
class Search:
    """The beam search over one stretch of text lines, cuts ``first``–``last``."""

    stream: Stream
    first: int
    last: int
    habits: Habits
    beam: int = 8
    force: float = 5.0
    allowed: list[bool] = field(default_factory=list)
    low: list[int] = field(default_factory=list)
    table: list[list[float]] = field(default_factory=list)

    def prepare(self) -> None:
        """Score all joints that may be asked for, and see which cuts without a separator may be reached."""
        self._reach()
        span = (self.habits.columns - 1) * self.habits.width + 12
        self.low, self.table = self.stream.joints(self.first, self.last, span)

    def _reach(self) -> None:
        """Keep of the cuts without a separator those that lie one column width after a line start or another cut."""
        s, w = self.stream, self.habits.width
        cuts = range(self.first, self.last + 1)
        bare = np.array([s.kind[k] == "0" for k in cuts])
        right, left = np.array(s.right[self.first : self.last + 1]), np.array(s.left[self.first + 1 : self.last + 2])
        reached = ~bare
        for _ in range(self.habits.columns if self.habits.bare else 2):
            sources = np.sort(np.append(left[reached], s.left[self.first]))
            near = np.searchsorted(sources, right - w - 2.2) < np.searchsorted(sources, right - w + 4.2)
            reached |= bare & near
        if self.habits.bare:
            reached |= np.array(s.final[self.first : self.last + 1])
        self.allowed = reached.tolist()

    def _ends(self, j: int) -> list[tuple[int, float, int, float, int]]:
        """Give the cuts at which a cell from start ``j`` may end, with scores going on and beginning a paragraph."""
        s, h = self.stream, self.habits
        place, left = s.starts[j], s.left[j]
        short_prior = log(0.10 / h.width)
        going, begin_indent, begin_flush = log(0.85), log(0.7), log(0.2)
        longest = h.width + 3.2 * h.spread + 0.5
        out = []
        merged = 0.0
        a, right, kinds, b = s.a, s.right, s.kind, s.b
        for k in range(j, self.last + 1):
            if a[k] <= place or not self.allowed[k - self.first]:
                continue
            size = right[k] - left
            if size > longest + 4:
                break
            if size <= longest:
                off = size - h.width
                end = STOP if s.final[k] else OPEN
                full = h.full(off)
                on, on_end = full + going, end
                begin, begin_end = max(h.full(off + h.indent) + begin_indent, full + begin_flush), end
                if off < 0.5:
                    short = short_prior - (0.0 if s.final[k] else 3.0)
                    if short > on:
                        on, on_end = short, SHORT
                    if short > begin:
                        begin, begin_end = short, SHORT
                if max(on, begin) - merged > -9:
                    out.append((k, on - merged, on_end, begin - merged, begin_end))
            kind = kinds[k]
            if kind == "N":
                break
            if kind == "G" and b[k + 1] != b[k]:
                merged += 4.0
        if len(out) > 10:
            out = sorted(out, key=lambda o: -max(o[1], o[3]))[:10]
        return out

    def _empty(self, state: int) -> tuple[float, int]:
        """Give the price of a column without a cell in this row, and its state after it."""
        if state == NEW:
            return 1.0, NEW
        if state == GONE:
            return 0.1, GONE
        return (3.0, 1.5, 0.7)[state & 3], GONE

    def _moves(self, kind: str, column: int, tails: tuple[int, ...]) -> list[tuple[int, float, tuple[int, ...]]]:
        """Give the columns that may come next: in this row or, after a row end, in the next one."""
        out = []
        c = self.habits.columns
        now = list(tails)
        price = 0.0
        gutter, row = self.habits.gutter[kind], self.habits.row[kind]
        for nxt in range(column + 1, c):
            if price > 9:
                break
            out.append((nxt, gutter - price, tuple(now)))
            paid, now[nxt] = self._empty(now[nxt])
            price += paid
        if column == SPANNING:
            return [(nxt, pay - gutter + row - 2.0, states) for nxt, pay, states in out]
        for nxt in range(c):
            if price > 9:
                break
            out.append((nxt, row - price, tuple(now)))
            paid, now[nxt] = self._empty(now[nxt])
            price += paid
        return out

    def run(self) -> tuple[float, list[Piece]]:
        """Give the best path and its score; 0 is the text as it stands."""
        s, h = self.stream, self.habits
        first, last = self.first, self.last
        columns = h.columns
        beams: list[dict[State, Entry]] = [{} for _ in range(last - first + 2)]
        tops = [-1e9] * len(beams)
        beams[0][SPANNING, (NEW,) * columns] = (0.0, -1, None, SPANNING)
        front, place = 0.0, s.left[first]
        for j in range(first, last + 1):
            here = beams[j - first]
            if not here:
                continue
            ranked = self._ranked(here)
            best = ranked[0][1][0]
            front = max(front - 0.7 * (s.left[j] - place), best)
            place = s.left[j]
            if best < front - 14:
                continue
            kind = s.kind[j - 1] if j > first else "N"
            flow = s.flow[j - 1] if j > first else 0.0
            fresh = s.fresh[j - 1] if j > first else 0.0
            line = kind == "N"
            ends = self._ends(j)
            end = s.line_end[j]
            size = (s.right[end] - s.left[j]) / h.width
            for state, entry in ranked:
                score = entry[0]
                if score < best - 10:
                    break
                column, tails = state
                if line and end <= last:
                    self._span(beams, j, end, state, score, size)
                for nxt, pay, now in self._moves(kind, column, tails):
                    above = now[nxt]
                    begins: bool | None
                    if above == NEW:
                        joint, begins = (fresh if nxt == 0 else max(0.0, fresh - 0.5)), None
                    elif above == GONE:
                        joint, begins = fresh - 3.0, True
                    else:
                        cut, how = (above >> 2), above & 3
                        low = self.low[j - 1 - first]
                        known = self.table[j - 1 - first][cut - low] if cut >= low else -0.5
                        if how == SHORT:
                            joint, begins = fresh, True
                        elif how == STOP and known < fresh - 1:
                            joint, begins = fresh - 1, True
                        else:
                            joint, begins = known, False
                    gain = score - flow + pay + joint
                    if h.places is not None and (kind == "G"):
                        gain += max(-4.0, 1.0 - 0.5 * ((s.x[s.starts[j]] - h.places[nxt]) / 4.0) ** 2)
                    if gain < best - 14:
                        continue
                    for k, on, on_end, begin, begin_end in ends:
                        if begins is None:
                            total, how = (gain + begin, begin_end) if begin > on else (gain + on, on_end)
                        elif begins:
                            total, how = gain + begin, begin_end
                        else:
                            total, how = gain + on, on_end
                        at = k + 1 - first
                        if total < tops[at] - 10:
                            continue
                        if total > tops[at]:
                            tops[at] = total
                        key = (nxt, (*now[:nxt], k * 4 + how, *now[nxt + 1 :]))
                        slot = beams[at]
                        old = slot.get(key)
                        if old is None or total > old[0]:
                            slot[key] = (total, j, state, nxt)
        return self._back(beams)

    def _ranked(self, here: dict[State, Entry]) -> list[tuple[State, Entry]]:
        """Give the best states, but of each column only some, so that no doubt about the phase is lost."""
        ranked = sorted(here.items(), key=lambda item: -item[1][0])
        if len(ranked) <= 3:
            return ranked
        most = self.beam // 2
        seen: Counter[int] = Counter()
        out = []
        for item in ranked:
            column = item[0][0]
            if seen[column] < most:
                seen[column] += 1
                out.append(item)
                if len(out) == self.beam:
                    break
        return out

    def _span(self, beams: list[dict[State, Entry]], j: int, end: int, state: State, score: float, size: float) -> None:
        """Let a whole text line stand across the columns: they run on below it, or all begin anew."""
        columns = self.habits.columns
        forced = self._forced(size)
        tails = state[1]
        closed = (SPANNING, (NEW,) * columns)
        slot = beams[end + 1 - self.first]
        options: list[tuple[State, float]]
        if state == closed:
            options = [(closed, score - forced)]
        else:
            price = score - forced - max(0.0, size - 0.6)
            options = [((SPANNING, tails), price - 1.5), (closed, price - 4.5)]
        for key, total in options:
            old = slot.get(key)
            if old is None or total > old[0]:
                slot[key] = (total, j, state, SPANNING)

    def _forced(self, size: float) -> float:
        """Give what a text line too wide for one column pays for being left whole."""
        if size > 1 + 1.5 / self.habits.width:
            return 0.8 * self.force + self.force * max(0.0, size - 1.3)
        return 0.0

    def _back(self, beams: list[dict[State, Entry]]) -> tuple[float, list[Piece]]:
        final = beams[-1]
        if not final:
            return -1e9, []
        state, entry = max(final.items(), key=lambda item: item[1][0])
        total = entry[0]
        path: list[Piece] = []
        at = self.last + 1
        while True:
            _, start, previous, column = entry
            if previous is None:
                break
            reset = column == SPANNING and all(t == NEW for t in state[1])
            before, short = -1, False
            if column != SPANNING:
                above = previous[1][column]
                before = above >> 2 if above >= 0 else -1
                short = state[1][column] & 3 == SHORT
            path.append(Piece(start, at - 1, column, reset, before, short))
            state, at = previous, start
            entry = beams[at - self.first][state]
        path.reverse()
        return total, path

    def learn(self, path: list[Piece]) -> None:
        """Take width, separators and the places of the columns from a path."""
        s, h = self.stream, self.habits
        sizes = [s.right[p.cut] - s.left[p.start] for p in path if p.column != SPANNING and not p.short]
        if len(sizes) >= 8:
            h.width = float(np.median(sizes))
        gutter: Counter[str] = Counter()
        row: Counter[str] = Counter()
        inside: Counter[str] = Counter()
        for p, q in pairwise(path):
            if p.column != SPANNING:
                inside.update(s.kind[p.start : p.cut])
                if q.column != SPANNING:
                    (gutter if q.column > p.column else row)[s.kind[p.cut]] += 1
        start = Habits.of(s.script, h.columns, h.width, h.bare)
        n_gutter, n_row, n_inside = gutter.total() + 5, row.total() + 3, inside.total() + 10
        for kind in start.gutter:
            g, r, i = (gutter[kind] + 0.3) / n_gutter, (row[kind] + 0.1) / n_row, (inside[kind] + 0.5) / n_inside
            if kind == "N":
                h.gutter[kind], h.row[kind] = log((gutter[kind] + 0.7) / n_gutter), log((row[kind] + 2.7) / n_row)
                continue
            seen = gutter[kind] + row[kind] + inside[kind]
            trust = seen / (seen + 12)
            h.gutter[kind] = trust * min(6.0, max(-6.0, log(g / i))) + (1 - trust) * start.gutter[kind]
            h.row[kind] = trust * min(6.0, max(-7.0, log(r / i))) + (1 - trust) * start.row[kind]
        places: list[list[int]] = [[] for _ in range(h.columns)]
        for p in path:
            if p.column != SPANNING and p.start > 0 and s.kind[p.start - 1] == "G":
                places[p.column].append(s.x[s.starts[p.start]])
        h.places = None
        if all(len(v) > 3 for v in places[1:]):
            h.places = [0.0, *(float(np.median(v)) for v in places[1:])]

    def evidence(self, path: list[Piece]) -> Evidence:
        """Weigh what the joints alone say for the columns."""
        s = self.stream
        gain, moved, pieces = 0.0, 0, 0
        cut_lines = set()
        for p in path:
            if p.column == SPANNING or p.start == self.first:
                continue
            kind = s.kind[p.start - 1]
            pieces += 1
            if kind != "N":
                cut_lines.add(s.line_end[p.start])
            if kind == "0":
                gain -= FREEDOM
            if p.before < 0 or p.before == p.start - 1:
                continue
            low = self.low[p.start - 1 - self.first]
            if p.before >= low:
                gain += self.table[p.start - 1 - self.first][p.before - low] - s.flow[p.start - 1]
                moved += 1
        return Evidence(gain, moved, pieces, len(cut_lines))


FREEDOM = 1.5
"""What a cut without any separator must bring, since one of many places was picked."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Gain of all joints against the text as it stands, joints that moved, cells in columns, text lines cut."""

    gain: float
    moved: int
    pieces: int
    lines: int

    def speaks(self, gain: float, mean: float, lines: int) -> bool:
        """Say whether the joints speak for the columns."""
        return self.lines >= lines and self.gain >= max(gain, mean * self.moved) and self.moved >= 0.5 * self.pieces


# ── which lines, how wide, how many ──────────────────────────────────────────────────────────────────────────────


LENIENT = 4.0
"""What a line score is raised by per cut: here nothing must be missed, the joints decide later."""


def _widths(script: Script) -> Reals:
    return np.arange(11.0, 29.0, 1.0) if script == "han" else np.arange(11.0, 24.0, 1.0)


def line_scores(s: Stream, open_lines: Sequence[bool]) -> tuple[list[tuple[int, int]], Reals, Reals]:
    """Give for each text line and each column width how well the line falls into cells, and into how many.

    A line that is one cell counts 0, so only lines that are cut speak. Those that are not open are not cut.
    """
    widths = _widths(s.script)
    spread = 0.9 if s.script == "han" else 1.3
    lines = s.lines()
    out = np.full((len(lines), len(widths)), 0.0)
    sizes = np.array([s.right[k1] - s.left[j0] for j0, k1 in lines])
    cells = np.ones((len(lines), len(widths)))
    single = np.full((len(lines), len(widths)), -0.4)
    gutter = Habits.of(s.script, 2, 20.0).gutter
    for n, (j0, k1) in enumerate(lines):
        if sizes[n] < widths[-1] + 3:
            off = sizes[n] - widths
            fits = 0.6 * np.exp(-0.5 * (off / spread) ** 2) + 0.15 * np.exp(-0.5 * ((off + 2) / spread) ** 2)
            single[n] = np.where(off < 3, np.clip(np.log(fits / (2.5 * spread) * 28 + 0.6), -0.4, 2.0), -0.4)
        if sizes[n] < 1.25 * widths[0] or not open_lines[n]:
            out[n] = single[n]
            continue
        m = k1 - j0 + 1
        price = np.array([gutter[s.kind[k]] - s.flow[k] for k in range(j0, k1 + 1)])
        price[-1] = 0.0
        value = np.full((m + 1, len(widths)), -1e9)
        number = np.zeros((m + 1, len(widths)))
        value[0] = 0.0
        here = np.arange(len(widths))
        for k, lo, fits in _fits(s, j0, k1, widths, spread):
            score = value[lo : k + 1] + fits
            pick = score.argmax(axis=0)
            gained = score[pick, here] + price[k] - log(2.5 * spread)
            better = gained > value[k + 1]
            value[k + 1] = np.where(better, gained, value[k + 1])
            number[k + 1] = np.where(better, number[lo + pick, here] + 1, number[k + 1])
        out[n] = np.where(number[m] > 1, value[m], single[n])
        cells[n] = number[m]
    return (
        lines,
        np.clip(out + LENIENT * (cells > 1) * np.maximum(0.0, sizes[:, None] / 18.0 - 0.6), -20.0, 40.0),
        cells,
    )


def _fits(s: Stream, j0: int, k1: int, widths: Reals, spread: float) -> Iterator[tuple[int, int, Reals]]:
    """Give for each cut of a text line the first start from which a cell may reach to it, and how well the cells from
    there and from all later starts fit each column width. Starts and cuts count from the line's first.
    """
    left, right = np.array(s.left[j0 : k1 + 1]), np.array(s.right[j0 : k1 + 1])
    final = np.array(s.final[j0 : k1 + 1])
    at = np.arange(len(left))
    lows = np.maximum.accumulate(np.minimum(at, np.searchsorted(left, right - (widths[-1] + 3))))
    for begin in range(0, len(left), _BLOCK):
        cuts = at[begin : begin + _BLOCK]
        starts = lows[cuts, None] + np.arange(int((cuts - lows[cuts]).max()) + 1)
        size = right[cuts, None] - left[np.minimum(starts, len(left) - 1)]
        off = size[:, :, None] - widths
        full = np.maximum(-0.5 * (off / spread) ** 2, -3 - 0.5 * (off / (3 * spread)) ** 2)
        stops = np.where(final[cuts], 0, 3)[:, None, None]
        short = np.where(off < 0, np.log(0.1 / widths) - stops + log(2.5 * spread), -99.0)
        fits = np.maximum(full, short)
        fits[size <= 0] = -1e9
        for k, cell in zip(cuts.tolist(), fits, strict=True):
            lo = int(lows[k])
            yield k, lo, cell[: k - lo + 1]


_BLOCK = 256
"""Cuts whose cells are measured in one go."""


def stretches(scores: Reals, switch: float = 12.0) -> list[tuple[int, int, int]]:
    """Give the runs of lines with one column width as (first line, line after the last, index of the width).

    Lines outside hold no columns. A Viterbi pass: each line pays for not fitting, each change of width costs
    ``switch``.
    """
    n, m = scores.shape
    gain = np.concatenate([np.zeros((n, 1)), scores], axis=1)
    best = gain[0] - np.append(0.0, np.full(m, switch / 2)) if n else np.zeros(m + 1)
    back = np.zeros((n, m + 1), np.int64)
    for i in range(1, n):
        top = int(best.argmax())
        stay = best >= best[top] - switch
        back[i] = np.where(stay, np.arange(m + 1), top)
        best = np.where(stay, best, best[top] - switch) + gain[i]
    state = int(best.argmax()) if n else 0
    found: list[tuple[int, int, int]] = []
    end = n
    for i in range(n - 1, -1, -1):
        previous = int(back[i, state]) if i else 0
        if i == 0 or previous != state:
            if state:
                found.append((i, end, state - 1))
            end = i
            state = previous
    return found[::-1]


def _choose(
    s: Stream, first: int, last: int, widths: list[float], numbers: list[int], usual: int, joined: bool
) -> Habits | None:
    """Try numbers and widths of columns on a piece of the stretch; None if none of them is borne out."""
    solid = [k for k in range(first, last + 1) if _GUTTER[s.kind[k]] >= 2]
    bare = s.script == "han" and len(solid) < (s.right[last] - s.left[first]) / (4 * widths[0])
    best: tuple[float, Habits] | None = None
    hope = False
    for width in widths:
        for number in numbers:
            search = Search(s, first, last, Habits.of(s.script, number, width, bare), beam=4)
            search.prepare()
            score, path = search.run()
            evidence = search.evidence(path)
            hope = hope or evidence.gain > HOPE * evidence.moved > 0
            if not joined and evidence.gain > DISMAL * evidence.moved:  # what it learns may better it
                search.learn(path)
                score, path = search.run()
                evidence = search.evidence(path)
            if joined:
                score = evidence.gain - JOINED_PRICE * evidence.pieces * (number - 2)
            else:
                score += evidence.gain - COLUMN_PRICE * evidence.pieces * abs(number - usual)
            if path and evidence.speaks(-5, -0.1, 2) and (best is None or score > best[0]):
                search.learn(path)
                best = (score, search.habits)
        if best is None and not hope:  # the other widths are no better guesses than the first
            return None
    return None if best is None else best[1]


DISMAL = -0.4
"""Nats for each joint that moves below which a trial is not tried again with what it has learnt."""
HOPE = 0.05
"""Nats that a joint which moves must gain, in one of the first trials, for further widths to be tried."""
COLUMN_PRICE = 0.5
"""What a column more or less than most lines seem to have must bring for each cell, in nats."""
JOINED_PRICE = 0.12
"""The same by the joints alone, where rows follow on one line and lengths say little about their number."""


def find_cells(text: str, model: JointModel) -> list[Cell] | None:
    """Take text lines apart in which several columns stand side by side; None if there are none.

    Every character that is no blank belongs to exactly one cell. Cells come in the order of the text.
    """
    open_lines = _open_lines(text)
    if len(text) < 80 or not any(open_lines):
        return None
    stream = Stream(text, model, open_lines)
    lines, scores, cells = line_scores(stream, open_lines)
    widths = _widths(stream.script)
    found = []
    for begin, stop, index in stretches(scores):
        if _runs_on(stream, lines[begin:stop], cells[begin:stop, index]):
            continue
        likely = [float(widths[i]) for i in _likely(scores[begin:stop], index)]
        solved = _solve(stream, lines[begin:stop], likely, cells[begin:stop, index])
        if solved is not None:
            found.append((begin, stop, *solved))
    if any(e.speaks(12, 0.12, 3) for *_, e in found):
        return _cells(stream, lines, [(begin, stop, path) for begin, stop, path, e in found if e.speaks(5, 0.12, 2)])
    glued = _glued(stream, lines)
    return _cells(stream, lines, glued) if glued else None


_LETTER = lazy_regex(r"[\p{L}\p{N}]")
_WIDE, _ROW, _NEAR, _OPEN, _EDGE = 12.0, 60.0, 12, 5, 3


def _open_lines(text: str) -> list[bool]:
    """Say cheaply of each line whether it may be a row of columns: of the wide lines around it several end within a
    sentence.

    A line so long that several rows may be joined in it counts for as many.
    """
    lines = ROW.findall(text)
    size = [width_of(line) for line in lines]
    wide = [n for n, width in enumerate(size) if width >= _WIDE]
    drawn = {n for n in wide if not _LETTER.search(lines[n])}
    rows = [0 if lines[n][-1] in FINAL or n in drawn else 1 + int(size[n] / _ROW) for n in wide]
    found = [False] * len(lines)
    for at in range(max(1, len(rows) - _NEAR + 1)):
        if sum(rows[at : at + _NEAR]) >= _OPEN:
            first, last = wide[at], wide[min(at + _NEAR, len(wide)) - 1]
            around = range(max(0, first - _EDGE), min(len(lines), last + 1 + _EDGE))
            found[around.start : around.stop] = [True] * len(around)
    for n in drawn:  # the rules of a table
        found[n] = False
    return found


def _glued(s: Stream, lines: list[tuple[int, int]]) -> list[tuple[int, int, list[Piece]]]:
    """Cut the few text lines into which neighbouring cells ran together where most text lines are one cell.

    Such lines are whole multiples of the column width, without any separator. The pieces get no column.
    """
    sizes = np.array([s.right[k] - s.left[j] for j, k in lines])
    spread = 0.9 if s.script == "han" else 1.3
    grid = np.arange(10.0, 29.0, 0.25)
    share = (np.abs(sizes[:, None] - grid) < 1.3 * spread).sum(axis=0)
    near = np.abs(sizes - grid[int(share.argmax())]) < 1.3 * spread
    width = float(np.median(sizes[near])) if near.any() else float(grid[0])
    if share.max() < max(12, 0.3 * len(lines)) or (sizes > 6.5 * width).any():
        return []
    wide = [n for n, size in enumerate(sizes) if size > width + 4 * spread]
    if not 3 <= len(wide) <= 0.5 * len(lines):
        return []
    parts = []
    exact = 0
    for n in wide:
        first, last = lines[n]
        if s.script == "han" and any(_GUTTER[s.kind[k]] >= 2 for k in range(first, last)):
            return []
        number = round(float(sizes[n]) / width)
        off = abs(float(sizes[n]) - number * width)
        ends = _even(s, first, last, width, number)
        if number < 2 or ends is None:
            continue
        exact += off < spread * (0.5 + number / 2)
        if off < spread * (1 + number):
            starts = [first, *(k + 1 for k in ends[:-1])]
            parts.append((n, n + 1, [Piece(j, k, SPANNING, True) for j, k in zip(starts, ends, strict=True)]))
    flows = [s.flow[p.cut] for _, _, path in parts for p in path[:-1]]
    if len(parts) < 3 or exact < 0.6 * len(wide) or float(np.mean(flows)) > -0.2:
        return []
    return parts


def _even(s: Stream, first: int, last: int, width: float, number: int) -> list[int] | None:
    """Give the cuts that part a text line into ``number`` cells of one width, where it flows on least."""
    spread = 0.9 if s.script == "han" else 1.3
    best: dict[int, tuple[float, list[int]]] = {first: (0.0, [])}
    for cell in range(number):
        nxt: dict[int, tuple[float, list[int]]] = {}
        for start, (score, ends) in best.items():
            for k in range(start, last + 1):
                if s.a[k] <= s.starts[start] or (k == last) != (cell == number - 1):
                    continue
                off = s.right[k] - s.left[start] - width
                if abs(off) > 3.5 * spread:
                    continue
                total = (
                    score
                    - 0.5 * (off / spread) ** 2
                    - (0.0 if k == last else s.flow[k] - (2.0 if s.kind[k] == "Y" else 0.0))
                )
                if k + 1 not in nxt or total > nxt[k + 1][0]:
                    nxt[k + 1] = (total, [*ends, k])
        best = nxt
    return best[last + 1][1] if last + 1 in best else None


def _likely(scores: Reals, index: int) -> list[int]:
    """Give the column widths worth a trial: the best one, and others that the lines fit nearly as well."""
    total = np.asarray(scores.sum(axis=0))
    others = [
        i for i in np.argsort(-total).tolist() if abs(i - index) > 1 and total[i] > total[index] - 1.0 * len(scores)
    ]
    return [index, *others[:2]]


ALL_STOP = 0.75
"""Share of text lines that end like sentences above which they are paragraphs: of rows of columns under a half do."""


def _runs_on(s: Stream, lines: list[tuple[int, int]], counts: Reals) -> bool:
    """Say cheaply that lines are no rows of columns: few are cut, or the text flows on across its separators."""
    cut = [line for line, count in zip(lines, counts, strict=True) if count > 1.5]
    if len(cut) < 2:
        return True
    if len(cut) >= 8 and sum(s.final[k1] for _, k1 in cut) > ALL_STOP * len(cut):
        return True
    if s.script == "latin":
        return False
    inner = [s.flow[k] for j0, k1 in cut for k in range(j0, k1) if _GUTTER[s.kind[k]] >= 2]
    if len(inner) >= len(cut):
        return float(np.mean(inner)) > 0.1
    ends = [s.flow[k1] for j0, k1 in cut]
    stops = [s.final[k1] for j0, k1 in cut]
    return float(np.mean(ends)) > 0.1 or float(np.mean(stops)) > 0.6


def _densest(left: list[float], right: list[float], cuts: Reals, room: float) -> tuple[int, int]:
    """Give the run of lines of at most ``room`` width, or one line, that has the most cuts."""
    best, most, end = (0, 1), -1.0, 0
    for begin in range(len(left)):
        end = max(end, begin + 1)
        while end < len(left) and right[end] - left[begin] < room:
            end += 1
        found = float(cuts[begin:end].sum())
        if found > most:
            best, most = (begin, end), found
    return best


def _solve(
    s: Stream, lines: list[tuple[int, int]], likely: list[float], counts: Reals
) -> tuple[list[Piece], Evidence] | None:
    """Deal a stretch to columns; None if a sample of it already says no."""
    first, last = lines[0][0], lines[-1][1]
    width = likely[0]
    many = counts[counts > 1.5]
    usual = int(np.median(many))
    joined = s.right[last] - s.left[first] > len(lines) * 6.5 * width
    numbers = (
        [2, 3, 4, 5, 6]
        if joined or usual > 6
        else sorted({c for c in (usual, usual + 1, int(np.quantile(many, 0.9))) if 2 <= c <= 6})
    )
    # A piece of the stretch with the most cut lines decides how many columns there are.
    room = 14 * width * max(numbers)
    begin, end = _densest([s.left[j] for j, _ in lines], [s.right[k] for _, k in lines], counts - 1, room)
    chosen = _choose(
        s, lines[begin][0], lines[end - 1][1], likely, numbers, round(float(np.quantile(many, 0.85))), joined
    )
    if chosen is None:
        return None
    search = Search(s, first, last, chosen, beam=6)
    search.prepare()
    if joined:
        search.beam = 12
    _, path = search.run()
    search.learn(path)
    search.beam = 20 if joined else 10
    _, path = search.run()
    evidence = search.evidence(path)
    return path, evidence


def _cells(s: Stream, lines: list[tuple[int, int]], parts: list[tuple[int, int, list[Piece]]]) -> list[Cell]:
    """Number rows and regions, and fill up with the lines that stay as they are."""
    out: list[Cell] = []
    row = region = -1
    at = 0
    for begin, stop, path in [*parts, (len(lines), len(lines), [])]:
        whole = [Piece(start, cut, SPANNING, True) for start, cut in lines[at:begin]]
        at = stop
        body, before = -1, SPANNING
        for p in [*whole, *path]:
            if p.column == SPANNING:
                region += 1
                row += not p.start or s.kind[p.start - 1] == "N"
                number, before = region, SPANNING
                if p.reset:
                    body = -1
            else:
                if body < 0:
                    region += 1
                    body = region
                row += before == SPANNING or p.column <= before
                number, before = body, p.column
            out.append(Cell(s.starts[p.start], int(s.e[p.cut]), row, p.column, number, int(s.a[p.cut])))
    return out

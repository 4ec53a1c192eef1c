"""How likely one line of this document follows another: the joint model, set by the document itself.

The score of a pair of lines is a log-likelihood ratio in nats: of the pair being neighbours in the text as its
author wrote it against being two lines taken at random. It adds up

* the joint model's score (`joints.py`), put on a scale that this document shows: every line is cut in the
  middle, which gives pairs that are known to belong together, and the halves are shuffled, which gives pairs
  that do not. Where the model knows the register (reports, laws) the scale is steep, where it does not
  (verse, old novels) it is flat, and a low score then means little;
* a span over the joint that stands elsewhere in the document (a name, a term, a set phrase);
* geometry: a line that is short and ends a sentence ends a paragraph, and what comes next is free.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import regex

from shanben.columns.joints import BREAK, Bools, Floats, Hashes, Ints, JointModel, Sides, power, roll
from shanben.columns.lines import cells, ends_sentence
from shanben.lazy import lazy_regex

_HAN = lazy_regex(r"\p{Han}")
_LETTER = lazy_regex(r"\p{L}")
_OTHER_SCRIPT = lazy_regex(r"[\p{L}--[\p{Han}\p{Latin}\p{Greek}\p{Common}\p{Bopomofo}]]", regex.V1)

_EDGES = np.array([-6.0, -4.5, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.5, 7.0, 9.0])
_CENTRES = np.array([-7.0, -5.2, -3.7, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 4.7, 6.2, 8.0, 11.0])
_PRIOR = np.array([-2.2, -1.9, -1.6, -1.1, -0.7, -0.3, 0.2, 0.8, 1.4, 2.0, 2.7, 3.3, 3.9, 4.6])
"""Ratios over all registers of the training text, at the centres of the bins."""
_PRIOR_WEIGHT = 12.0
_KNOWN = 4.5
_HIGHEST = 5.0
_LOWEST = -3.0

_SPAN_GAIN = np.array([-0.25, 0.0, 0.6, 1.4, 2.3, 3.0, 3.6])
"""What a span of n characters over the joint that stands elsewhere is worth (0: there is none)."""
_SPAN_LONGEST = 6

_ON_FROM_DIGITS = frozenset("0.%,:")
"""What goes on with a number that a line end split (digits are folded to 0)."""

_HEADS = 0.7
"""The chance that a short line which ends no sentence stands alone (a headline), in a text whose lines are whole."""
_HEADS_AMONG_LINES = 0.06


def is_latin(text: str) -> bool:
    """Tell whether a text is written mostly in Latin letters."""
    return 4 * len(_HAN.findall(text)) < len(_LETTER.findall(text))


def other_script(text: str) -> float:
    """Give the share of letters that are neither Han nor Latin."""
    letters = len(_LETTER.findall(text))
    return len(_OTHER_SCRIPT.findall(text)) / letters if letters else 0.0


class Evidence:
    """The lines of one document with all that tells which follows which. ``n`` lines, numbered from 0."""

    def __init__(self, texts: Sequence[str], model: JointModel) -> None:
        self.n = len(texts)
        self.texts = list(texts)
        self.latin = np.array([is_latin(t) for t in texts], bool)
        self.width = np.array([cells(t) for t in texts])
        self.ends = np.array([ends_sentence(t) for t in texts], bool)
        self.measure = self._measures()
        self.short = self.width < self.measure - np.where(self.latin, 4.5, 2.6)
        self._han, self._lat = model.models["han"], model.models["latin"]
        folded = [model.folded(t) for t in texts]
        self._folded = [f if lat else f.replace(" ", "") for f, lat in zip(folded, self.latin, strict=True)]
        self._hyphen = np.array([len(f) > 2 and f[-1] == "-" and f[-2].isalpha() for f in self._folded], bool)
        tails = [
            (f[:-1] if hyphen else f + " ") if lat else f
            for f, lat, hyphen in zip(self._folded, self.latin, self._hyphen, strict=True)
        ]
        self._tails = tails
        self.heads = _HEADS
        self.right_joints = self.wrong_joints = 0.0
        self._scale = self._calibrate()
        self._register, self._kinship = self._registers()

    def _measures(self) -> Floats:
        """Give the width of the column that each line stands in: a high quantile of the widths around it, or what
        most of them keep to where hardly any reaches that."""
        out = np.zeros(self.n, np.float32)
        slack = 4.5 if self.latin.mean() > 0.5 else 2.6
        for at in range(0, self.n, 50):
            around = slice(max(0, at - 60), at + 110)
            near = self.width[around]
            high = np.quantile(near[near > 0.4 * near.max()], 0.8)
            going = np.sort(near[~self.ends[around]])
            out[at : at + 50] = high
            if len(going) >= 0.5 * len(near):
                keeping = np.searchsorted(going, going, side="right") - np.searchsorted(going, going - slack)
                common = len(going) - 1 - int(np.argmax(keeping[::-1]))
                if keeping[common] >= 0.5 * len(near) and (np.abs(near - high) < slack).mean() < 0.2:
                    out[at : at + 50] = going[common]
        return out

    # --- the model -----------------------------------------------------------------------------------------

    @cached_property
    def _han_sides(self) -> Sides:
        plain = [t.replace(" ", "") for t in self._folded]
        return Sides(self._han, self._han.tails(plain), self._han.heads(plain))

    @cached_property
    def _ends_digit(self) -> Bools:
        return np.array([f[-1:] == "0" for f in self._folded], bool)

    @cached_property
    def _begins_digit(self) -> Bools:
        return np.array([f[:1] in _ON_FROM_DIGITS for f in self._folded], bool)

    @cached_property
    def _lat_sides(self) -> tuple[Sides, Floats]:
        heads = self._lat.heads(self._folded)
        return Sides(self._lat, self._lat.tails(self._tails), heads), self._after_blank(heads)

    def _after_blank(self, heads: Ints) -> Floats:
        """Give the score of each head after any word end, which every Latin head has."""
        every = np.arange(len(heads))
        return self._lat.log_ratio(self._lat.tails([" "]), heads, np.zeros(len(heads), np.int64), every)

    def raw(self, a: Ints, b: Ints) -> Floats:
        """Give the joint model's score of the pairs (a[i], b[i]) in nats, off the document's scale."""
        out = np.full(len(a), -2.0, np.float32)
        latin = self.latin[a] & self.latin[b]
        at = np.nonzero(~self.latin[a] & ~self.latin[b])[0]
        if len(at):
            score = self._han_sides.log_ratio(a[at], b[at])
            split_number = self._ends_digit[a[at]] & self._begins_digit[b[at]]
            out[at] = np.where(split_number, np.maximum(score, 0), score)
        at = np.nonzero(latin)[0]
        if len(at):
            sides, base = self._lat_sides
            free = np.where(self._hyphen[a[at]], 0, base[b[at]])
            out[at] = sides.log_ratio(a[at], b[at]) - free
        return out

    def _calibrate(self) -> tuple[Floats, Floats]:
        """Fit the scale of each script from lines cut in the middle. Returns (Han, Latin) ratios per bin."""
        han, latin = self._fit(~self.latin, latin=False), self._fit(self.latin, latin=True)
        share = float(self.latin.mean()) if self.n else 0.0
        self.right_joints = (1 - share) * han[1] + share * latin[1]
        self.wrong_joints = (1 - share) * han[2] + share * latin[2]
        return han[0], latin[0]

    def _fit(self, which: Bools, *, latin: bool) -> tuple[Floats, float, float]:
        """Fit one script. Returns the scale and what share of right and of wrong joints score above 0.5."""
        scale = _PRIOR.copy()
        texts = [self._folded[i] for i in np.nonzero(which)[0]][:4000]
        halves = [h for t in texts for h in _halves(t, latin=latin)]
        if len(halves) < 20:
            return scale.astype(np.float32), 0.5, 0.1
        model = self._lat if latin else self._han
        heads = model.heads([b for _, b in halves])
        sides = Sides(model, model.tails([a for a, _ in halves]), heads)
        every = np.arange(len(halves))
        steps = [1 + (len(halves) * k) // 7 + k for k in range(6)]
        true = sides.log_ratio(every, every)
        rows = np.concatenate([every] * len(steps))
        columns = np.concatenate([(every + s) % len(halves) for s in steps])
        false = sides.log_ratio(rows, columns)
        if latin:
            base = self._after_blank(heads)
            true, false = true - base, false - base[columns]
        t = np.bincount(np.digitize(true, _EDGES), minlength=len(_CENTRES)).astype(float)
        f = np.bincount(np.digitize(false, _EDGES), minlength=len(_CENTRES)).astype(float)
        f_share = (f + 0.5) / (f.sum() + 0.5 * len(f))
        # The prior says how many true pairs a bin should hold beside the false ones seen there.
        expected = f_share * np.exp(_PRIOR)
        expected /= expected.sum()
        t_share = (t + _PRIOR_WEIGHT * expected) / (t.sum() + _PRIOR_WEIGHT)
        f_share = (f + _PRIOR_WEIGHT * expected / np.exp(_PRIOR)) / (f.sum() + _PRIOR_WEIGHT)
        ratio = np.log(t_share / f_share)
        ratio = np.minimum(np.maximum.accumulate(_smooth(ratio)), _HIGHEST)
        right, wrong = (float((np.interp(x, _CENTRES, ratio) > 0.5).mean()) for x in (true, false))
        return ratio.astype(np.float32), right, wrong

    def with_torn_lines(self) -> Evidence:
        """Give the same lines for a text of one column line or a part of one per line, as OCR of sparse text gives:
        most short lines there are parts of torn ones, and few are headlines."""
        unfinished = float((self.short & ~self.ends).mean())
        if float((~self.short).mean()) < 0.15:  # no measure that most lines keep to
            return self
        torn = copy.copy(self)
        torn.__dict__.pop("_endings", None)  # which went by the chance of headlines
        torn.heads = float(np.clip(_HEADS_AMONG_LINES / max(unfinished, 0.01), 0.2, _HEADS))
        return torn

    # --- register -------------------------------------------------------------------------------------------

    def _registers(self) -> tuple[Floats, float]:
        """Give how well the model knows each line (standard scores), and how alike neighbours are in that.

        Two halves of one line are alike if articles of different kinds stand in the document (a report beside a
        story), and not otherwise. Returns (scores, correlation).
        """
        scores = np.zeros(self.n, np.float32)
        at = np.nonzero(~self.latin & (self.width >= 6))[0]
        if len(at) < 20:
            return scores, 0.0
        texts = [self._folded[i] for i in at]
        halves = [t[: len(t) // 2] for t in texts] + [t[len(t) // 2 :] for t in texts]
        value = self._han.fluency(texts + halves)
        whole, left, right = value[: len(at)], value[len(at) : 2 * len(at)], value[2 * len(at) :]
        spread = float(whole.std()) or 1.0
        scores[at] = np.clip((whole - whole.mean()) / spread, -2.5, 2.5)
        with np.errstate(invalid="ignore", divide="ignore"):  # halves that are all alike have no correlation
            halves_alike = float(np.nan_to_num(np.corrcoef(left, right)[0, 1]))
        # Whole lines tell twice as much as halves (Spearman–Brown).
        alike = max(0.0, halves_alike)
        return scores, min(0.85, 2 * alike / (1 + alike))

    def kinship(self, a: Ints, b: Ints) -> Floats:
        """Give the ratio for the registers of two lines: of a bivariate normal law against independence."""
        r = self._kinship
        if r < 0.15:
            return np.zeros(len(a), np.float32)
        x, y = self._register[a], self._register[b]
        ratio = -0.5 * math.log(1 - r * r) - (r * r * (x * x + y * y) - 2 * r * x * y) / (2 * (1 - r * r))
        return np.where((x == 0) | (y == 0), 0, np.clip(ratio, -3, 1.5)).astype(np.float32)

    # --- spans that the document has elsewhere ---------------------------------------------------------------

    @cached_property
    def _spans(self) -> tuple[list[Hashes], list[Hashes], dict[int, Hashes]]:
        """Give rolling hashes of the last and first characters of each line, and of all spans within lines."""
        longest = _SPAN_LONGEST
        plain = [t.replace(" ", "").rstrip("-") if lat else t for t, lat in zip(self._folded, self.latin, strict=True)]
        rows = [[ord(c) for c in t] for t in plain]
        empty = 0x110000
        first = np.array([(r[: longest - 1] + [empty] * longest)[: longest - 1] for r in rows], np.int64)
        last = np.array([([empty] * longest + r)[-(longest - 1) :] for r in rows], np.int64)
        stream = np.array([c for r in rows for c in (*r, empty)], np.int64)
        known = {}
        for n in range(2, longest + 1):
            windows = np.lib.stride_tricks.sliding_window_view(stream, n) if len(stream) >= n else stream[:0, None]
            inside = ~(windows == empty).any(axis=1)
            known[n] = np.unique(roll(windows[inside], n))
        ends = [roll(last[:, longest - 1 - m :], m) for m in range(longest)]
        begins = [roll(first[:, :m], m) for m in range(longest)]
        return ends, begins, known

    def span(self, a: Ints, b: Ints) -> Ints:
        """Give the length of the longest span over each joint that stands within a line of the document."""
        ends, begins, known = self._spans
        out = np.zeros(len(a), np.int64)
        live = np.nonzero(~(self.latin[a] | self.latin[b]))[0]
        for n in range(2, _SPAN_LONGEST + 1):
            if not len(live):
                break
            seen = np.zeros(len(live), bool)
            for m in range(1, n):
                wanted = ends[m][a[live]] * power(n - m) + begins[n - m][b[live]]
                at = np.minimum(np.searchsorted(known[n], wanted), max(0, len(known[n]) - 1))
                if len(known[n]):
                    seen |= known[n][at] == wanted
            out[live[seen]] = n
            live = live[seen]
        return out

    # --- all together --------------------------------------------------------------------------------------

    def score(self, a: Ints, b: Ints, *, register: bool = True) -> Floats:
        """Give the log-likelihood ratio in nats of line b[i] following line a[i].

        Without ``register`` it does not count whether the lines are alike in style: a text in order may change it
        with every paragraph.
        """
        a, b = np.asarray(a, np.int64), np.asarray(b, np.int64)
        raw = self.raw(a, b)
        ratio = np.where(
            self.latin[a], np.interp(raw, _CENTRES, self._scale[1]), np.interp(raw, _CENTRES, self._scale[0])
        )
        span = self.span(a, b)
        fading = np.clip((_KNOWN - raw) / 3.0, 0.15, 1.0)
        ratio = np.clip(ratio + _SPAN_GAIN[span] * fading, _LOWEST, _HIGHEST + 0.5)
        score = self._with_paragraphs(a, b, ratio)
        return np.asarray(score + self.kinship(a, b), np.float32) if register else score

    def pairs(self, pairs: Sequence[tuple[int, int]]) -> list[float]:
        """Give the scores of a few joints."""
        if not pairs:
            return []
        return [float(s) for s in self.score(np.array([a for a, _ in pairs]), np.array([b for _, b in pairs]))]

    def _with_paragraphs(self, a: Ints, b: Ints, ratio: npt.NDArray[np.float64]) -> Floats:
        """Weigh that a paragraph ends after line a, where any beginning may follow."""
        going_on, ending, loose = self._endings
        going = np.where(loose[a], np.minimum(ratio, 1.0), ratio)
        new = np.clip(self.begins[b], -0.8, 0.4)
        return np.asarray(np.logaddexp(going_on[a] + going, ending[a] + new), np.float32)

    @cached_property
    def _endings(self) -> tuple[Floats, Floats, Bools]:
        """Give for each line the log chances that its paragraph goes on and ends, and whether it looks like an end."""
        loose_end = self.short | (self.width > self.measure + np.maximum(3.0, 0.15 * self.measure))
        end = np.where(self.ends, np.where(loose_end, 0.97, 0.12), np.where(self.short, self.heads, 0.004))
        return np.log1p(-end), np.log(end), self.short & (self.ends | (self.heads > 0.5))

    @cached_property
    def begins(self) -> Floats:
        """Give how likely each line begins a paragraph, as a ratio in nats."""
        out = np.zeros(self.n, np.float32)
        at = np.nonzero(~self.latin)[0]
        if len(at):
            heads = self._han_sides.heads[at]
            none = np.full((1, heads.shape[1]), BREAK, np.int64)
            score = self._han.log_ratio(none, heads, np.zeros(len(at), np.int64), np.arange(len(at)))
            out[at] = 0.6 * np.clip(score, -3, 3)
        at = np.nonzero(self.latin)[0]
        for i in at:
            initial = self.texts[i].lstrip("\"'“‘(")[:1]
            out[i] = 0.7 if initial.isupper() else (-1.5 if initial.islower() else 0.0)
        return out


class Stretch(Evidence):
    """Some lines of a document, numbered anew from 0; everything is asked of the whole document."""

    def __init__(self, whole: Evidence, lines: Sequence[int]) -> None:
        at = np.array(lines, np.int64)
        self._whole, self._at = whole, at
        self.n = len(at)
        self.texts = [whole.texts[i] for i in lines]
        self.latin, self.width, self.ends = whole.latin[at], whole.width[at], whole.ends[at]
        self.measure, self.short = whole.measure[at], whole.short[at]
        self.right_joints, self.wrong_joints = whole.right_joints, whole.wrong_joints

    def score(self, a: Ints, b: Ints, *, register: bool = True) -> Floats:
        """Give the log-likelihood ratio in nats of line b[i] of the stretch following line a[i]."""
        return self._whole.score(self._at[np.asarray(a)], self._at[np.asarray(b)], register=register)


def _halves(text: str, *, latin: bool) -> list[tuple[str, str]]:
    """Cut a line at two places off its middle (where a gutter may be), a Latin one at blanks."""
    places = [round(len(text) * 0.37), round(len(text) * 0.63)]
    if latin:
        places = [text.find(" ", k) + 1 for k in places]
        return [(text[:k], text[k:]) for k in places if 4 <= k <= len(text) - 4]
    return [(text[:k], text[k:]) for k in places if 3 <= k <= len(text) - 3]


def _smooth(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    padded = np.concatenate([values[:1], values, values[-1:]])
    return 0.2 * padded[:-2] + 0.6 * padded[1:-1] + 0.2 * padded[2:]


def log_odds(share: float) -> float:
    """Give the natural logarithm of the odds of a probability."""
    return math.log(share / (1 - share))

"""How well are interleaved columns put back into reading order? The measure, and a program that prints it.

    python tests/benchmarks/columns.py [CASES_DIR] [--family F ...] [--per-case] [--json FILE] [--jobs N]
                                       [--whole-pipeline | --input | --gold | --oracle | --outputs DIR]

A case is a folder with `input.txt`, `gold.txt` (one line = one paragraph, a blank line between articles) and
`meta.json` (at least `family` and `language`; `negative` where nothing may move). README.md beside this file
tells what the numbers mean.

What is measured are *joints*. Each gold article is cut into windows of equal length, letters and digits only; the
joint of two neighbouring windows is the stretch between their centres, and it is right in a text that has this
stretch in one piece. Damage of OCR within a stretch is forgiven, up to a limit; a column line of other text in
the middle of it is not. Joints of different articles are never counted: which article comes first is free.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
import statistics
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

CASES = Path(__file__).resolve().parents[1] / "cases" / "columns"
NEVER = 10**9
"""A place behind every text: where an article stands that cannot be found."""


# --- letters and characters that count -------------------------------------------------------------------------

_NO_LETTER = re.compile(r"[\W_]+")
_END_HYPHEN = re.compile(r"(?<=[A-Za-z])[-\N{SOFT HYPHEN}\N{HYPHEN}\N{NOT SIGN}][ \t]*\r?\n\s*(?=[a-z])")
_WHITE = re.compile(r"\s+")
_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
_ALIKE = {
    '"': "“”「」﹁﹂",
    "'": "‘’『』",
    "-": "—–―",
    ".": "。…·・•",
    ",": "、",
    "(": "〔",
    ")": "〕",
    "[": "【",
    "]": "】",
    "<": "《〈",
    ">": "》〉",
}
_FOLD = {ord(mark): plain for plain, marks in _ALIKE.items() for mark in marks}


def letters(text: str) -> str:
    """Give the letters and digits of a text, in one width and one case: what joints are made of.

    >>> letters("他说：“ＯＫ, 好！”")
    '他说ok好'
    """
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", text).lower())


def plain(text: str) -> str:
    r"""Give a text as the character error rate sees it: no white space, no end-of-line hyphens, one style of marks.

    >>> plain("「甲」，乙。 the pa-\nper"), plain('"甲",乙.thepaper')
    ('"甲",乙.thepaper', '"甲",乙.thepaper')
    """
    folded = unicodedata.normalize("NFKC", _END_HYPHEN.sub("", text).translate(_FOLD)).translate(_FOLD)
    return _WHITE.sub("", folded)


def inventory(text: str) -> Counter[str]:
    """Count the Han characters of a text; where it has hardly any, its letters and digits."""
    text = unicodedata.normalize("NFKC", text)
    han = Counter(_HAN.findall(text))
    return han if han.total() >= 100 else Counter(c for c in text.lower() if c.isalnum())


def articles(gold: str) -> list[str]:
    """Give the articles of a gold text: what stands between blank lines."""
    return [part for part in re.split(r"\n[ \t]*\n", gold.strip()) if part.strip()]


# --- edit distance ---------------------------------------------------------------------------------------------
# Bit-parallel (Myers 1999, Hyyrö 2004), with Python's integers as bit vectors of any length: one column of the
# matrix is a few operations, whatever the length, and no library is needed.


def _columns(source: str, target: str) -> Iterator[tuple[int, int, int]]:
    """Go through the edit matrix, target character by target character.

    Give for each: bits of the source positions where the distance rises, where it falls, and by how much the
    distance of the whole source changes with this character.
    """
    where: dict[str, int] = {}
    for i, char in enumerate(source):
        where[char] = where.get(char, 0) | 1 << i
    full = (1 << len(source)) - 1
    last = len(source) - 1
    rises, falls = full, 0
    for char in target:
        same = where.get(char, 0)
        diagonal = (((same & rises) + rises) ^ rises) | same | falls
        more = falls | (full & ~(diagonal | rises))
        less = diagonal & rises
        step = (more >> last & 1) - (less >> last & 1)
        more = (more << 1 | 1) & full
        less = less << 1 & full
        rises, falls = less | (full & ~(diagonal | more)), more & diagonal
        yield rises, falls, step


def _common_ends(one: str, other: str) -> tuple[int, int]:
    """Give the length of the common beginning of two texts, and of the common end of what then remains."""
    shorter = min(len(one), len(other))
    head = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    tail = next((i for i in range(shorter - head) if one[-1 - i] != other[-1 - i]), shorter - head)
    return head, tail


def distance(one: str, other: str) -> int:
    """Give the edit distance of two texts: substitutions, insertions and deletions of single characters.

    >>> distance("deinterleave", "interleaved"), distance("", "倒"), distance("串栏", "串栏")
    (3, 1, 0)
    """
    head, tail = _common_ends(one, other)
    one, other = one[head : len(one) - tail], other[head : len(other) - tail]
    if not one or not other:
        return len(one) + len(other)
    return len(one) + sum(step for _, _, step in _columns(one, other))


def matches(one: str, other: str) -> list[tuple[int, int]]:
    """Give the pairs of places with the same character in one alignment of least distance.

    >>> matches("一二三四五", "一二千三五")
    [(0, 0), (1, 1), (2, 3), (4, 4)]
    """
    head, tail = _common_ends(one, other)
    found = [(len(one) - 1 - k, len(other) - 1 - k) for k in range(tail)]
    i, j = len(one) - tail - head, len(other) - tail - head
    if i and j:
        columns = [(0, 0), *((up, down) for up, down, _ in _columns(one[head : head + i], other[head : head + j]))]
        while i and j:
            bit = 1 << i - 1
            if columns[j][0] & bit:
                i -= 1
            elif columns[j - 1][1] & bit:
                j -= 1
            else:
                i, j = i - 1, j - 1
                if one[head + i] == other[head + j]:
                    found.append((head + i, head + j))
    return [(k, k) for k in range(head)] + found[::-1]


# --- joints ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grain:
    """Lengths that suit a script, in letters.

    window: distance of two joints. margin: what a stretch has beyond the two centres. end, end_needed: of so many
    letters at each end of a stretch so many must be found. gram: letters that are looked up together. slack: how
    far letters may be shifted by what OCR lost or doubled.
    """

    window: int
    margin: int
    end: int
    end_needed: int
    gram: int
    slack: int
    share_needed: float = 0.6

    @property
    def overhang(self) -> int:
        """Give what a stretch takes of each of its two windows."""
        return self.window // 2 + self.margin


HAN = Grain(window=20, margin=4, end=8, end_needed=5, gram=3, slack=3)
LATIN = Grain(window=40, margin=7, end=14, end_needed=8, gram=6, slack=5)


def grain_of(language: str) -> Grain:
    """Give the lengths for a language tag."""
    return LATIN if language.split("-")[0] == "en" else HAN


def stretches(gold: str, grain: Grain) -> list[str]:
    """Give the stretch of letters at each joint of a gold text; an article of hardly two windows gives one.

    >>> [len(s) for s in stretches("天" * 90 + "\\n\\n" + "地" * 25, HAN)]
    [28, 28, 28, 25]
    """
    found: list[str] = []
    for text in map(letters, articles(gold)):
        centres = range(grain.window, len(text) - grain.overhang + 1, grain.window)
        if centres:
            found += [text[c - grain.overhang : c + grain.overhang] for c in centres]
        elif len(text) >= grain.window:
            found.append(text[: 2 * grain.overhang])
    return found


class Reading:
    """A text in which stretches are looked for: its letters, and where each gram of them stands."""

    _COMMON = 60
    """A gram at more places than this says nothing."""
    _TRIES = 4
    """Places of a text that are looked at for one stretch."""
    _BIN = 3

    def __init__(self, text: str, grain: Grain) -> None:
        self.grain = grain
        self.letters = letters(text)
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for i, gram in enumerate(self._grams(self.letters)):
            self._places[gram].append(i)

    def _grams(self, text: str) -> Iterator[str]:
        return (text[i : i + self.grain.gram] for i in range(len(text) - self.grain.gram + 1))

    def has_read(self, stretch: str) -> bool:
        """Tell whether at least half of the grams of a stretch stand anywhere: has OCR seen these lines at all?"""
        seen = [gram in self._places for gram in self._grams(stretch)]
        return 2 * sum(seen) >= len(seen)

    def holds(self, stretch: str) -> bool:
        """Tell whether a stretch stands here in one piece."""
        return stretch in self.letters or any(self._fits(stretch, start) for start in self._starts(stretch))

    def _starts(self, stretch: str) -> Iterator[int]:
        """Give the places where a stretch may begin, the likeliest first: where most of its grams want it.

        Letters lost or doubled shift what follows, so places are taken three by three, and a neighbour that follows
        counts in full, one that precedes by half.
        """
        votes = Counter[int]()
        for offset, gram in enumerate(self._grams(stretch)):
            places = self._places.get(gram, ())
            if len(places) <= self._COMMON:
                votes.update((place - offset) // self._BIN for place in places)
        support = Counter({bin_: n + votes[bin_ + 1] + votes[bin_ - 1] / 2 for bin_, n in votes.items()})
        for bin_, n in support.most_common(self._TRIES):
            if n < 2:
                return
            yield bin_ * self._BIN

    def _fits(self, stretch: str, start: int) -> bool:
        """Tell whether a stretch stands here: both ends, most of the middle, and nothing foreign within."""
        grain, size = self.grain, len(stretch)
        pairs = matches(stretch, self.letters[max(0, start - grain.slack) : start + size + grain.slack + self._BIN])
        for (i, p), (j, q) in itertools.pairwise(pairs):
            inside = i + 1 > grain.end // 2 and j < size - grain.end // 2
            foreign = q - p - 1
            replaced = min(foreign, j - i - 1)
            if inside and max(replaced, foreign - replaced) > 2 * grain.slack:
                return False
        return (
            sum(i < grain.end for i, _ in pairs) >= grain.end_needed
            and sum(i >= size - grain.end for i, _ in pairs) >= grain.end_needed
            and len(pairs) >= grain.share_needed * size
        )

    def middle_of(self, article: str) -> float:
        """Give where an article stands: the middle of those of its grams that stand here once."""
        grams = self._grams(letters(article))
        once = [p[0] for p in (self._places.get(gram, ()) for gram in grams) if len(p) == 1]
        return statistics.median_high(once) if once else NEVER


def error_rate(gold: str, text: str, reading: Reading) -> float:
    """Give the character error rate, the articles of the gold text taken in the order in which the text has them."""
    ordered = sorted(articles(gold), key=reading.middle_of)
    wanted = "".join(map(plain, ordered))
    return distance(wanted, plain(text)) / max(1, len(wanted))


# --- scores ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """What one folder holds."""

    id: str
    family: str
    language: str
    negative: bool
    input: str
    gold: str

    @classmethod
    def read(cls, folder: Path) -> Case:
        """Read a case from its folder."""
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        return cls(
            id=folder.name,
            family=meta["family"],
            language=meta["language"],
            negative=bool(meta.get("negative")),
            input=_read(folder / "input.txt"),
            gold=_read(folder / "gold.txt"),
        )


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Score:
    """What one text is worth. `_before` is the same for the input as it stands."""

    id: str
    family: str
    negative: bool
    joints: int
    right_before: int
    right: int
    fixed: int
    broken: int
    gold_size: int
    error_rate_before: float
    error_rate: float
    characters: int
    lost: int
    added: int
    touched: bool
    seconds: float = 0.0


def measure(case: Case, output: str, seconds: float = 0.0) -> Score:
    """Compare what became of a case with its gold text."""
    grain = grain_of(case.language)
    before = Reading(case.input, grain)
    after = before if output == case.input else Reading(output, grain)
    joints = [s for s in stretches(case.gold, grain) if before.has_read(s)]
    was_right = [before.holds(s) for s in joints]
    is_right = was_right if after is before else [after.holds(s) for s in joints]
    rate_before = error_rate(case.gold, case.input, before)
    had, has = inventory(case.input), inventory(output)
    return Score(
        id=case.id,
        family=case.family,
        negative=case.negative,
        joints=len(joints),
        right_before=sum(was_right),
        right=sum(is_right),
        fixed=sum(new and not old for old, new in zip(was_right, is_right, strict=True)),
        broken=sum(old and not new for old, new in zip(was_right, is_right, strict=True)),
        gold_size=len(plain(case.gold)),
        error_rate_before=rate_before,
        error_rate=rate_before if after is before else error_rate(case.gold, output, after),
        characters=had.total(),
        lost=(had - has).total(),
        added=(has - had).total(),
        touched=output != case.input,
        seconds=seconds,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: many cases as if they were one text."""

    name: str
    cases: int
    joints: int
    order_before: float
    order: float
    fixed: int
    broken: int
    error_rate_before: float
    error_rate: float
    cover: float
    added: float
    touched: int
    seconds: float

    @classmethod
    def of(cls, name: str, scores: Sequence[Score]) -> Row:
        """Sum up scores; shares are in per cent."""
        joints = sum(s.joints for s in scores)
        gold = sum(s.gold_size for s in scores)
        characters = sum(s.characters for s in scores)
        return cls(
            name=name,
            cases=len(scores),
            joints=joints,
            order_before=_percent(sum(s.right_before for s in scores), joints),
            order=_percent(sum(s.right for s in scores), joints),
            fixed=sum(s.fixed for s in scores),
            broken=sum(s.broken for s in scores),
            error_rate_before=_percent(sum(s.error_rate_before * s.gold_size for s in scores), gold),
            error_rate=_percent(sum(s.error_rate * s.gold_size for s in scores), gold),
            cover=_percent(sum(s.characters - s.lost for s in scores), characters),
            added=_percent(sum(s.added for s in scores), characters),
            touched=sum(s.touched for s in scores),
            seconds=sum(s.seconds for s in scores),
        )

    HEAD = (
        f"{'family':<22} {'cases':>5} {'joints':>6} | {'order0%':>7} {'order%':>7} {'fixed':>6} {'broken':>6} |"
        f" {'CER0%':>6} {'CER%':>6} | {'cover%':>7} {'added%':>6} | {'touched':>7} | {'s':>7}"
    )

    def __str__(self) -> str:
        """Give the row as a line under `HEAD`."""
        return (
            f"{self.name:<22} {self.cases:>5} {self.joints:>6} |"
            f" {self.order_before:>7.2f} {self.order:>7.2f} {self.fixed:>6} {self.broken:>6} |"
            f" {self.error_rate_before:>6.2f} {self.error_rate:>6.2f} |"
            f" {self.cover:>7.2f} {self.added:>6.2f} | {self.touched:>7} | {self.seconds:>7.2f}"
        )


def _percent(part: float, whole: int) -> float:
    return 100 * part / whole if whole else 100.0 if part == whole else 0.0


def table(scores: Sequence[Score]) -> list[Row]:
    """Give the rows of the table: the families to repair, the negatives, and the total of either."""
    families: defaultdict[tuple[bool, str], list[Score]] = defaultdict(list)
    for score in scores:
        families[score.negative, score.family].append(score)
    rows = [Row.of(name + " (neg)" * negative, families[negative, name]) for negative, name in sorted(families)]
    for name, negative in ("ALL to repair", False), ("ALL negatives", True):
        chosen = [s for s in scores if s.negative is negative]
        if chosen:
            rows.append(Row.of(name, chosen))
    return rows


def false_moves(scores: Iterable[Score]) -> str:
    """Say in one line what was spoilt among the texts in which nothing may move."""
    negatives = [s for s in scores if s.negative]
    right = sum(s.right_before for s in negatives)
    broken = sum(s.broken for s in negatives)
    per_5000 = 5000 * broken / max(1, right)
    return (
        f"false moves: {broken} of {right} right joints of the negatives broken = {per_5000:.2f} in 5,000;"
        f" in {sum(s.broken > 0 for s in negatives)} of {len(negatives)} texts;"
        f" {sum(s.touched for s in negatives)} touched at all"
    )


# --- the oracle ------------------------------------------------------------------------------------------------


class Oracle:
    """Where each letter of a text stands in its gold text: what someone who knew it would sort by.

    Letters and their places in gold are paired as in a speech recogniser (Viterbi): a *diagonal* is a distance of
    letter and place that a run of letters keeps to. A letter that agrees adds 1, one that does not costs; a letter
    lost or doubled shifts the diagonal a little, and at a group of letters that gold has elsewhere the run may jump.
    """

    _WRONG, _SHIFT, _JUMP = 1.2, 2.0, 6.0
    _COMMON = 40
    """A group of letters at more places than this says nothing."""
    _STATES = 60

    def __init__(self, text: str, gold: str, grain: Grain) -> None:
        self._grain = grain
        self._text = text
        self._letters, self._at = _placed_letters(text)
        self._gold, _ = _placed_letters(gold)
        self._diagonals = self._best_diagonals()

    def text(self) -> str:
        """Give the text in the order of gold. What gold does not have (headlines, page headers) comes last."""
        pieces = self._pieces()
        cuts = [self._cut(begin) for _, begin in pieces[1:]]
        texts = [self._text[a:b] for a, b in itertools.pairwise([0, *cuts, len(self._text)])]
        order = sorted(range(len(pieces)), key=lambda k: pieces[k][0])
        return "\n".join(texts[k] for k in order)

    def _cut(self, letter: int) -> int:
        """Give the place in the text where a piece begins: at the line's beginning, if its first letter is the line's."""
        return self._text.rfind("\n", self._at[letter - 1], self._at[letter]) + 1 or self._at[letter]

    def _pieces(self) -> list[tuple[int, int]]:
        """Give the pieces of the text as (place in gold, first letter)."""
        at, slack = self._diagonals, self._grain.slack
        jumps = [i for i in range(1, len(at)) if abs(at[i] - at[i - 1]) > slack]
        pieces = []
        for begin, end in itertools.pairwise([0, *jumps, len(at)]):
            agreeing = [i for i in range(begin, end) if self._agrees(i, at[i])]
            pieces.append((begin + at[begin] if agreeing else NEVER, begin))
            if agreeing and end - 1 - agreeing[-1] > 2 * slack:
                pieces.append((NEVER, agreeing[-1] + 1))
        return pieces

    def _agrees(self, letter: int, diagonal: int) -> bool:
        place = letter + diagonal
        return 0 <= place < len(self._gold) and self._gold[place] == self._letters[letter]

    def _candidates(self) -> Iterator[set[int]]:
        """Give for each letter the diagonals on which the group of letters that begins there stands in gold."""
        size = self._grain.gram + 1
        places: defaultdict[str, list[int]] = defaultdict(list)
        for i in range(len(self._gold) - size + 1):
            places[self._gold[i : i + size]].append(i)
        for i in range(len(self._letters)):
            here = places.get(self._letters[i : i + size], ())
            yield {place - i for place in here} if len(here) <= self._COMMON else set()

    def _best_diagonals(self) -> list[int]:
        """Give for each letter its diagonal in the best pairing of all."""
        scores: dict[int, float] = {0: 0.0}
        jumps: list[dict[int, int]] = []
        for i, candidates in enumerate(self._candidates()):
            old = scores
            best = max(old, key=old.__getitem__)
            scores = {d: s + (1 if self._agrees(i, d) else -self._WRONG) for d, s in old.items()}
            came = {}
            for d in candidates:
                near = [(old[d + e] - self._SHIFT, d + e) for e in (-2, -1, 1, 2) if d + e in old]
                score, source = max([(old[best] - self._JUMP, best), *near])
                if score + 1 > scores.get(d, -math.inf):
                    scores[d] = score + 1
                    came[d] = source
            jumps.append(came)
            if len(scores) > self._STATES:
                scores = dict(sorted(scores.items(), key=lambda item: -item[1])[: self._STATES])
        d = max(scores, key=scores.__getitem__)
        found = []
        for came in reversed(jumps):
            found.append(d)
            d = came.get(d, d)
        return found[::-1]


def _placed_letters(text: str) -> tuple[str, list[int]]:
    """Give the letters and digits of a text, and the place in it where each stands."""
    found = [(letter, i) for i, char in enumerate(text) for letter in letters(char)]
    return "".join(letter for letter, _ in found), [i for _, i in found]


# --- the program -----------------------------------------------------------------------------------------------

Way = Callable[[Case], str]
"""How an output comes from a case."""


def repair(text: str) -> str:
    """Put the columns of a text back into reading order, and do nothing else to it."""
    from shanben.columns.order import reorder

    return reorder(text).text


def _repaired(case: Case) -> str:
    return repair(case.input)


def _cleaned(case: Case) -> str:
    from shanben.pipeline import clean

    return clean(case.input).text


def _input(case: Case) -> str:
    return case.input


def _gold(case: Case) -> str:
    return case.gold


def ordered_by_gold(case: Case) -> str:
    """Give the input in the order of the gold text: the best that cutting and moving could do."""
    return Oracle(case.input, case.gold, grain_of(case.language)).text()


def _made_elsewhere(case: Case, folder: Path) -> str:
    return _read(folder / f"{case.id}.txt")


def run(folder: Path, make: Way) -> Score:
    """Repair the case of one folder and measure what comes out. The seconds are those of the repair alone."""
    case = Case.read(folder)
    start = time.perf_counter()
    try:
        output = make(case)
    except Exception as error:
        error.add_note(f"in case {folder}")
        raise
    return measure(case, output, time.perf_counter() - start)


def find_cases(folder: Path, families: Sequence[str] = ()) -> list[Path]:
    """Give the folders of the cases in a folder, in the order of their names."""
    found = sorted(path.parent for path in folder.glob("*/meta.json"))
    if families:
        return [p for p in found if json.loads((p / "meta.json").read_text(encoding="utf-8"))["family"] in families]
    return found


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="?", type=Path, default=CASES, metavar="CASES_DIR")
    parser.add_argument("--family", action="append", default=[], help="only this family; may be given again")
    parser.add_argument("--per-case", action="store_true", help="print a line for each case, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows and scores as JSON")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes; 1 for timings that mean something")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--whole-pipeline", action="store_true", help="measure what `shanben clean` gives")
    what.add_argument("--input", action="store_true", help="measure the inputs as they stand: the baseline")
    what.add_argument("--gold", action="store_true", help="measure the gold texts: 100 %% order")
    what.add_argument("--oracle", action="store_true", help="measure the inputs sorted by their gold texts")
    what.add_argument("--outputs", type=Path, metavar="DIR", help="measure DIR/<id>.txt, made elsewhere")
    return parser.parse_args(argv)


def _way(given: argparse.Namespace) -> Way:
    if given.outputs:
        return partial(_made_elsewhere, folder=given.outputs)
    if given.whole_pipeline:
        return _cleaned
    if given.oracle:
        return ordered_by_gold
    return _input if given.input else _gold if given.gold else _repaired


def _print_cases(scores: Sequence[Score], repaired: Sequence[Score]) -> None:
    """Print a line for each case; for the oracle with the order that the repair gives it beside its own."""
    for k, s in enumerate(scores):
        beside = f" (repair {_percent(repaired[k].right, s.joints):>6.2f})" if repaired else ""
        print(
            f"{s.id:<28} {s.family:<15} {s.joints:>4} joints"
            f" order {_percent(s.right_before, s.joints):>6.2f} -> {_percent(s.right, s.joints):>6.2f}{beside}"
            f" fixed {s.fixed:>3} broken {s.broken:>3}"
            f" CER {100 * s.error_rate_before:>6.2f} -> {100 * s.error_rate:>6.2f}"
            f" lost {s.lost} added {s.added} {s.seconds:.2f} s"
        )


def _run_all(folders: Sequence[Path], make: Way, jobs: int) -> list[Score]:
    work = partial(run, make=make)
    if jobs == 1:
        return [work(folder) for folder in folders]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(work, folders))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the cases of a folder and print the table."""
    given = _arguments(argv)
    folders = find_cases(given.cases, given.family)
    if not folders:
        print(f"no cases in {given.cases}{' of ' + ', '.join(given.family) if given.family else ''}", file=sys.stderr)
        return 2
    start = time.perf_counter()
    scores = _run_all(folders, _way(given), given.jobs)
    elapsed = time.perf_counter() - start
    if given.per_case:
        _print_cases(scores, _run_all(folders, _repaired, given.jobs) if given.oracle else ())
    rows = table(scores)
    totals = sum(row.name.startswith("ALL ") for row in rows)
    print(Row.HEAD, *rows[:-totals], "-" * len(Row.HEAD), *rows[-totals:], sep="\n")
    if any(s.negative for s in scores):
        print(false_moves(scores))
    slowest = max(scores, key=lambda s: s.seconds)
    print(
        f"seconds: {sum(s.seconds for s in scores):.2f} of repair, {elapsed:.2f} with measuring;"
        f" slowest {slowest.id}, {slowest.seconds:.2f}"
    )
    if given.json:
        report = {"rows": [asdict(row) for row in rows], "cases": [asdict(score) for score in scores]}
        given.json.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

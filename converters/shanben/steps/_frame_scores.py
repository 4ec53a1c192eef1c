"""What the words of all lines of a page say: points for the frame, the likely title, the kinds that follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise
from operator import add

import regex

from shanben.lazy import lazy_regex
from shanben.steps._frame_lines import (
    CERTAIN,
    FACTS,
    LEADS,
    LONGEST_FRAME,
    OUTER,
    STOP,
    WORDS,
    Kind,
    Line,
    by_line,
    is_hard,
)
from shanben.steps._frame_params import FLAGS, Params

HAN = lazy_regex(r"\p{Han}+", FLAGS)
_FULL_STOP = lazy_regex(r"[。；][”’」』）)】]*$|[。；！？].*[。；！？]", FLAGS)
_TAG = lazy_regex(r"[\[【〔（(]\p{Han}{2}[\]】〕）)](?=[^\[【〔（(\p{P}\p{S}]{4})", FLAGS)
_QUOTED = lazy_regex(r"[“「《](.{4,24}?)[”」》]", FLAGS)
_TABLE = lazy_regex(r"\S(?:[ \u3000]{3,}|\t)\S", FLAGS)
HEADING = lazy_regex(
    r"[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十]{1,3}[）)]|第[一二三四五六七八九十百\d]{1,5}[章节条]",
    FLAGS,
)
LIKELY = 2
"""From so many points on a short line above or below the text is frame beside others."""
SCORED = 4
"""From so many points on such a line is frame by itself."""
PLEA = 9
"""From so many points, three strong words among them, even the last sentence of a text is."""
SENTENCE = 5
"""From so many points on a sentence above or below the text is."""
ABOUT_PAGES = 12
"""A text that uses words of so many points speaks about web pages."""
TITLE = 4
"""From so many points on, and if its words come again in the text, a line is surely the title."""
DENSE = 12
"""A sentence with less than a point for so many characters is text, whatever it has in all."""
ALONE = 6
"""From so many points on a line between paragraphs is."""
ALONE_CHARACTERS = 60
"""A longer line between paragraphs is text."""
PAIRED = 20_000
"""So many characters of a text tell which line above it is its title."""
ISLAND = 3
"""So many certain lines above it part a sentence or two from the text proper."""
SHORT = 6
"""Up to so many characters a line may be a word of a menu."""
ROW_OF_BUTTONS = 5
"""So many different buttons, one a line, are a row of them even between paragraphs."""
ISLAND_CHARACTERS = 120
"""So long, in all, may be what is parted so; in long texts a fifth of the text."""


class _Words:
    """A list of words that are looked for in lines."""

    def __init__(self, words: Iterable[str]) -> None:
        ordered = sorted({word.lower() for word in words if word}, key=lambda word: (word[0], -len(word)))
        self._by_first = {first: tuple(group) for first, group in groupby(ordered, lambda word: word[0])}
        self._beginnings = frozenset(word[:2] for word in ordered)
        self.found = by_line(self._found)

    def _found(self, said: str) -> frozenset[str]:
        """Give the words that stand in a line without blanks, longest first, none over another.

        >>> sorted(_Words(("下载页", "下载", "App")).found("打开App下载页"))
        ['app', '下载页']
        """
        line, at, found = said.lower().replace(" ", ""), 0, set()
        if self._beginnings.isdisjoint(map(add, line, line[1:])) and self._beginnings.isdisjoint(line):
            return frozenset()
        while at < len(line):
            for word in self._by_first.get(line[at], ()):
                if line.startswith(word, at):
                    found.add(word)
                    at += len(word)
                    break
            else:
                at += 1
        return frozenset(found)


class Points:
    """Counts how much in a line speaks for the frame, word by word."""

    def __init__(self, params: Params) -> None:
        weights = ((3, params.three), (2, params.two), (1, params.one))
        self._weight = {word.lower(): weight for weight, words in reversed(weights) for word in words}
        self._words = _Words(self._weight)
        self._against = _Words(params.against)
        self._shapes = tuple(lazy_regex(p, FLAGS) for p in params.shapes)

    def words(self, said: str) -> frozenset[str]:
        """Give the words of the table that a line has."""
        return self._words.found(said)

    def of(self, said: str, words: Iterable[str]) -> int:
        """Give the points of a line; of its words only those given count, and without any its shape is nothing."""
        counted = sum(self._weight[word] for word in words)
        if not counted:
            return 0
        marks = sum(2 for shape in self._shapes if shape.search(said))
        against = len(self._against.found(said)) + len(said) // 60 + min(2, said.count("“"))
        return counted + marks - against

    def weight(self, word: str) -> int:
        """Give the points of a word, 0 for those with one point, which texts of all kinds use."""
        return self._weight[word] if self._weight[word] > 1 else 0

    def strong(self, words: Iterable[str]) -> int:
        """Give how many of the words have the most points."""
        return sum(self._weight[word] == 3 for word in words)


@lru_cache(maxsize=8)
def _table(params: Params) -> Points:
    return Points(params)


def points_of(line: Line, params: Params) -> int:
    """Give the points of a line of text or prose by its words alone, 0 for other kinds."""
    if line.kind not in ("text", "prose"):
        return 0
    table, said = _table(params), line.said[:LONGEST_FRAME]
    return table.of(said, table.words(said))


@dataclass(frozen=True, slots=True)
class _Scores:
    """What the words of all lines say.

    Points and number of strong words of each line; the first and last sentence that is surely text; the first and
    last line that stands with them, no frame between; whether the text speaks about web pages.
    """

    points: dict[int, int]
    strong: dict[int, int]
    first: int
    last: int
    top: int
    bottom: int
    about_pages: bool


def count_scores(lines: Sequence[Line], params: Params) -> _Scores | None:
    """Count the points of the lines of text and prose, words that the text itself uses left out.

    None where no sentence is surely text, or where more sentences look like frame than like text: such a text
    may speak about web pages.
    """
    table = _table(params)
    inner = range(OUTER, len(lines) - OUTER)
    seen = [n for n, line in enumerate(lines) if n not in inner and line.kind in ("text", "prose")]
    words = {n: table.words(_untagged(lines[n])) for n in seen}
    raw = {n: table.of(lines[n].said, found) for n, found in words.items()}
    bold = {n: table.strong(found) for n, found in words.items()}
    plain = {n: raw[n] < SENTENCE or raw[n] * DENSE < len(lines[n].said) or not bold[n] for n in words}
    plain.update((n, True) for n in words if raw[n] < PLEA and _names_title(lines, n))
    sure = [n for n in words if plain[n] and is_hard(lines[n])]
    sure = sure or [n for n in words if lines[n].kind == "prose" and plain[n]]
    if not sure:
        return None
    bold_lines = {n for n in words if raw[n] >= SCORED and bold[n]}
    first, last = past_islands(lines, sure, bold_lines), past_islands(lines, sure[::-1], bold_lines)
    if first > last:
        first, last = sure[0], max(last, sure[0])
    used: set[str] = set()
    doubtful: Counter[str] = Counter()
    for n in range(first, last + 1):
        if n in words and (lines[n].kind == "prose" or HEADING.match(lines[n].said)):
            if plain[n]:
                used |= words[n]
            else:
                doubtful.update(words[n])
    points, strong = {}, {}
    for n, found in words.items():
        own = first <= n <= last and not plain[n]
        counted = {w for w in found - used if doubtful[w] <= own}
        points[n], strong[n] = table.of(lines[n].said, counted), table.strong(counted)
    taken = sum(len(lines[n].said) for n, p in points.items() if lines[n].kind == "prose" and p >= SENTENCE)
    kept = sum(len(lines[n].said) for n, p in points.items() if lines[n].kind == "prose" and p < SENTENCE)
    if taken > 2 * kept:
        return None
    about = sum(map(table.weight, used)) >= ABOUT_PAGES or sum(first <= n <= last and not plain[n] for n in words) > 1
    top, bottom = first, last
    while top and lines[top - 1].kind in ("text", "prose", "keep", "near"):
        top -= 1
    while bottom + 1 < len(lines) and lines[bottom + 1].kind in ("text", "prose", "keep", "near"):
        bottom += 1
        if not plain.get(bottom + 1, True) and strong.get(bottom, 0) and lines[bottom].kind == "text":
            bottom -= 1
            break
    return _Scores(points, strong, first, last, top, bottom, about)


def _names_title(lines: Sequence[Line], n: int) -> bool:
    """Tell whether a sentence begins with a quotation of a line above it, as a text that presents its subject does."""
    quoted = _QUOTED.match(lines[n].said) if lines[n].kind == "prose" else None
    return quoted is not None and any(line.said == quoted.group(1) for line in lines[: min(n, OUTER)])


def _untagged(line: Line) -> str:
    """Give what a line says without the tag at its head that says of what sort it is.

    >>> _untagged(Line(0, "[转载]河边的老房子", "text"))
    '河边的老房子'
    """
    tag = _TAG.match(line.said) if line.kind == "text" else None
    return line.said[tag.end() :] if tag else line.said


def weighed(lines: Sequence[Line], scores: _Scores, title: Title) -> list[Line]:
    """Give the lines above and below the text new kinds where their words speak for the frame."""
    calm = list(lines)
    name = lines[title.index].said if title.likely and len(lines[title.index].said) >= 4 else ""
    above = range(scores.first)
    below = range(len(lines) - 1, scores.last, -1)
    for zone in (above, below):
        for n in zone:
            if n not in scores.points or n == title.index or _TABLE.search(lines[n].said):
                continue
            beside = calm[n - zone.step].kind if 0 <= n - zone.step < len(lines) else "sign"
            kind = _weight_kind(lines, n, scores, beside in WORDS, name)
            calm[n] = replace(lines[n], kind=kind or lines[n].kind)
    for n in (*above, *below):
        around = (*calm[max(0, n - 1) : n], *calm[n + 1 : n + 2])
        sentence = lines[n].kind == "prose" and scores.points.get(n, 0) >= LIKELY and n != title.index
        if sentence and all(line.kind in CERTAIN for line in around):
            calm[n] = replace(calm[n], kind="scored")
    inner = range(scores.first + 1, scores.last) if not scores.about_pages else range(0)
    for n in inner:
        if (
            scores.points.get(n, 0) >= ALONE
            and not _FULL_STOP.search(lines[n].said)
            and len(lines[n].said) <= ALONE_CHARACTERS
        ):
            for m in _alone(lines, n, scores.points):
                calm[m] = replace(lines[m], kind="inside")
    return calm


def _weight_kind(lines: Sequence[Line], n: int, scores: _Scores, at_edge: bool, name: str) -> Kind | None:
    """Give the kind of a line above or below the text by its points, None where they are too few.

    A line that stands with the text needs more; ``at_edge`` says that the next line away from the text is frame.
    ``name`` is the title: with a mark and more words behind it, it is the name of a window.
    """
    said, points, strong = lines[n].said, scores.points[n], scores.strong[n]
    if n and lines[n - 1].kind == "path" and points < SCORED:
        return None
    joined = scores.top <= n <= scores.bottom
    stops = STOP.search(said) is not None
    if name and said.startswith(name) and regex.match(r"[ ]?[_|－—-]+", said[len(name) :]):
        return "scored"
    if HEADING.match(said) or (_FULL_STOP.search(said) and joined and (scores.about_pages or n < scores.first)):
        return None
    if lines[n].kind == "prose" and (stops or joined):
        if not joined or (n < scores.first and at_edge and strong and len(said) <= ALONE_CHARACTERS):
            return "scored" if points >= SENTENCE else None
        plead = points >= PLEA and strong >= 3 and not scores.about_pages
        return "scored" if plead or (not stops and strong and points >= SENTENCE) else None
    if joined and not (at_edge and n < scores.first):
        return "scored" if points >= SENTENCE and (strong or not scores.about_pages) else None
    if points >= (SENTENCE if lines[n].kind == "prose" else SCORED):
        return "scored"
    return "likely" if points >= LIKELY + joined and lines[n].kind == "text" else None


def _alone(lines: Sequence[Line], n: int, points: Mapping[int, int]) -> Iterator[int]:
    """Give a line between paragraphs and others like it beside it, if they are neither announced nor a list."""
    above, below = n - 1, n + 1
    while above and (lines[above].kind in WORDS or points.get(above, 0) >= LIKELY):
        above -= 1
    while below + 1 < len(lines) and (lines[below].kind in WORDS or points.get(below, 0) >= LIKELY):
        below += 1
    ends = [lines[above].kind, lines[below].kind]
    single = below - above == 2 and points[n] > ALONE and "prose" in ends and "text" in ends
    if (
        (single or set(ends) <= {"prose", "inside"})
        and below - above <= ROW_OF_BUTTONS
        and not lines[above].said.endswith(LEADS)
    ):
        yield from range(above + 1, below)


@dataclass(frozen=True, slots=True)
class Title:
    """The line that most looks like the title, -1 for none; whether it probably is, whether it surely is."""

    index: int = -1
    likely: bool = False
    sure: bool = False


def likely_title(lines: Sequence[Line], scores: _Scores) -> Title:
    """Give the line above the text that most looks like its title: its words come again, date or text follow it."""
    pairs = han_pairs("\n".join(line.said for line in lines[scores.first : scores.last + 1] if line.kind == "prose"))
    found, best = Title(), 0
    for n in range(scores.first):
        said = lines[n].said
        if n not in scores.points or is_hard(lines[n]) or HEADING.match(said) or said.endswith(LEADS):
            continue
        below = next((k for k in range(n + 1, scores.first + 1) if lines[k].kind not in WORDS), n)
        again = recurs(lines[n].said, pairs)
        leads = n == 0 or lines[n - 1].kind not in ("text", "prose")
        against = scores.points[n] if scores.strong[n] or scores.points[n] >= SCORED else 0
        value = 4 * again - against + (len(lines[n].said) > SHORT)
        placed = lines[below].kind in FACTS or (n > 0 and lines[n - 1].kind == "path")
        value += 2 * placed + (below == scores.first)
        if value >= max(best, 1):
            found, best = Title(n, (again and leads) or placed, again and placed and value >= TITLE), value
    return found


def past_islands(lines: Sequence[Line], hard: Sequence[int], frame: Collection[int] = ()) -> int:
    """Give the first of the lines of prose (in the order given) that is none of a few among lines of frame.

    Lines are frame if they are certain or in ``frame``; below a site's foot there is no text. Such islands are notices at the head, disclaimers and comments at the foot.
    """
    total = sum(len(lines[n].said) for n in hard)
    found, passed = hard[0], 0
    for n, inner in pairwise(hard):
        passed += len(lines[n].said)
        if passed > max(total // 5, ISLAND_CHARACTERS) or lines[min(n, inner)].said.endswith(LEADS):
            break
        between = range(min(n, inner) + 1, max(n, inner))
        parted = sum(lines[k].kind in CERTAIN or k in frame for k in between) >= ISLAND
        if parted or (inner < n and any(lines[k].kind == "foot" for k in between)):
            found = inner
    return found


def han_pairs(said: str) -> set[str]:
    """Give all pairs of neighbouring Han characters; of a long text, those of its beginning."""
    return {a + b for run in HAN.findall(said[:PAIRED]) for a, b in pairwise(run)}


def recurs(line: str, pairs: set[str]) -> bool:
    """Tell whether at least half of the pairs of characters of a line stand in the text below, as those of a title do."""
    own = han_pairs(line)
    return len(own) >= 2 and 2 * len(own & pairs) >= len(own)

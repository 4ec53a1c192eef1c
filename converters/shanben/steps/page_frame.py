"""Take away the frame of a web page: what stands above and below its text, decided by several signs together.

A line alone seldom tells: `下载` may be a heading, `联系电话：…` part of a notice. Between a menu and a row of buttons,
or below a copyright line, they are frame. So each line gets a kind by the vocabularies of the rule, the text is what
lies between the first and the last line of prose, and only above and below it lines may go. What states a fact about
the text (date, source, author) is left to the rules that capture it, but counts as a neighbour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import groupby, pairwise
from typing import Literal

import regex

from shanben.ledger import Capture, Change, Finding
from shanben.steps import Step
from shanben.values import Span, Text

Kind = Literal[
    "sign",
    "inside",
    "path",
    "foot",
    "list",
    "scored",
    "likely",
    "menu",
    "weak",
    "near",
    "fact",
    "stamp",
    "keep",
    "text",
    "prose",
]
KNOWN = frozenset({"sign", "inside", "path", "foot", "list"})
CERTAIN = KNOWN | {"scored"}
FACTS = frozenset({"fact", "stamp"})
WORDS = KNOWN | {"weak", "menu", "scored", "likely"}
BUTTONS = frozenset({"weak", "likely"})
"""Kinds of lines that are frame beside others, and nothing by themselves."""
PRESSED: frozenset[Kind] = frozenset({"weak", "likely", "sign", "scored"})
"""Kinds of lines that may be buttons."""
TITLES = frozenset({"text", "keep", "prose"})
"""Kinds of lines above the text that may be its title."""

_PATTERNS = (
    "signs", "paths", "inside", "feet", "near", "lists", "facts", "stamps", "keep", "shapes", "abstracts", "keywords",
)  # fmt: skip
"""Parameters that hold patterns."""
_FLAGS = regex.VERSION1
_GAPS = regex.compile(r"[^\p{L}\p{N}]+", _FLAGS)
_COUNT = regex.compile(r"\d+(?:[.,]\d+)?[万亿千kKwWmM]?[+＋]?", _FLAGS)
_BARS = regex.compile(r"[|｜·]", _FLAGS)
_TEXT_MARKS = regex.compile(r"[。；，！？“”]", _FLAGS)
_HAN = regex.compile(r"\p{Han}+", _FLAGS)
_SENTENCE = regex.compile(r"[。；，、!！?？…;,]['\"”’」』）)】]*(?:\[\d{1,3}\])*$", _FLAGS)
_FULL_STOP = regex.compile(r"[。；][”’」』）)】]*$|[。；！？].*[。；！？]", _FLAGS)
_LEAD = regex.compile(r"[，、。].*[：:]$|^[^：:]{10,}[：:]$", _FLAGS)
_ATTACHED = regex.compile(r"附|\d", _FLAGS)
_TAG = regex.compile(r"[\[【〔（(]\p{Han}{2}[\]】〕）)](?=[^\[【〔（(\p{P}\p{S}]{4})", _FLAGS)
_LINK = regex.compile(r"\[\d{1,3}\](?=[^\s\d])(?:\[(?:图片|圖片|image)\] ?)?", _FLAGS)
_ADDRESS = regex.compile(r"\d{1,3}\. ?[a-z]{3,6}:/\S+", _FLAGS)
_QUOTED = regex.compile(r"[“「《](.{4,24}?)[”」》]", _FLAGS)
_LABELLED = regex.compile(r"\p{Han}[\p{Han}\u3000 ]{1,7}[:：] ?[^\s，。；][^。]*$", _FLAGS)
_DAY = regex.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}", _FLAGS)
_TABLE = regex.compile(r"\S(?:[ \u3000]{3,}|\t)\S", _FLAGS)
_PAGE = regex.compile(r"(?:[页頁] ?)?(\d{1,3}) ?/ ?(\d{1,3})", _FLAGS)
_NUMBER = regex.compile(r"\d{1,2}[.．、]", _FLAGS)
_HEADING = regex.compile(
    r"[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十]{1,3}[）)]|第[一二三四五六七八九十百\d]{1,5}[章节条]",
    _FLAGS,
)
_DATE = regex.compile(r"年.{1,3}月.{1,4}日$", _FLAGS)
_STOP = regex.compile(r"[。；，;]['\"”’」』）)】]*(?:\[\d{1,3}\])*$", _FLAGS)
LEADS = ("：", ":")
"""What announces that a list follows."""
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
ABOVE_TITLE = 24
"""A line above the title, with frame between, is frame up to so many characters."""
PAIRED = 20_000
"""So many characters of a text tell which line above it is its title."""
_LONGEST_FRAME = 240
"""Lines longer than this, in characters, are text whatever they say."""
ISLAND = 3
"""So many certain lines above it part a sentence or two from the text proper."""
OUTER = 500
"""So many lines at each end of a text are looked at."""
ROW = 30
"""A line without a stop, not longer, between two lines of frame below the text is frame."""
SHORT = 6
"""Up to so many characters a line may be a word of a menu."""
ROW_OF_BUTTONS = 5
"""So many different buttons, one a line, are a row of them even between paragraphs."""
ISLAND_CHARACTERS = 120
"""So long, in all, may be what is parted so; in long texts a fifth of the text."""
REPEATED = 3
"""A button that stands so often is one even between paragraphs."""
BELOW_ABSTRACT = 12
"""Within so many lines below the beginning of an abstract its keywords follow."""
SIGNATURE = 16
"""Who signs a text needs no more characters."""
_LONG = 50
"""A line of so many characters is prose even without a final mark."""


@dataclass(frozen=True, slots=True)
class Params:
    """Vocabularies: words, ends of words, and patterns matched from the beginning of a line without its blanks.

    Words. words: controls that no text has on a line of its own. weak: controls only beside others. menu: columns of
    sites; further ones are known by their ``endings``, names of sites by ``sites``.
    Patterns. signs: lines of a page's frame. paths: where a page stands in its site. inside: lines of frame between
    paragraphs, too (posts of a forum, sections of a wiki). feet: lines of a site's foot. near: lines that belong to a
    frame when they stand in one. lists: headings over links to other pages. facts: lines that say something about the
    text. stamps: facts without a label; named groups of stamps and feet (``date``, ``publisher``) become metadata.
    keep: lines that stay. abstracts: beginnings of an abstract; below one, ``keywords`` stay, too.
    Words that count. three, two, one: words anywhere in a line and their points for the frame; against: words of
    authors, a point each for the text; shapes: patterns anywhere in a line, two points each. A word that the text
    itself uses counts nothing.
    Numbers. certain: how many certain lines make a frame. title: up to how many characters a line between two lines
    of frame is no title.
    """

    words: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    menu: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    feet: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    three: tuple[str, ...] = ()
    two: tuple[str, ...] = ()
    one: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    abstracts: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    certain: int = 2
    title: int = 10

    def __post_init__(self) -> None:
        """Raise ValueError for a pattern that is none, naming it."""
        for name in _PATTERNS:
            for pattern in getattr(self, name):
                try:
                    regex.compile(pattern, _FLAGS)
                except regex.error as error:
                    raise ValueError(f"'{pattern}' under {name} is no valid pattern: {error}") from None


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is not empty: its place in the text, what it says without blanks at its ends, its kind."""

    index: int
    said: str
    kind: Kind


@lru_cache(maxsize=64)
def _any(patterns: tuple[str, ...]) -> regex.Pattern[str]:
    """Compile patterns as one; none of them matches nothing."""
    return regex.compile("|".join(f"(?:{p})" for p in patterns) or r"(?!)", _FLAGS)


@lru_cache(maxsize=64)
def _set(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(filter(None, (_bare(word) for word in words)))


def _bare(line: str) -> str:
    """Give the letters of a line, without marks, blanks and counts."""
    return _COUNT.sub("", _GAPS.sub("", line))


def _parts(words: frozenset[str], line: str) -> list[str] | None:
    """Give the fewest words that make up the whole line, None if they cannot.

    >>> _parts(frozenset({"打印", "本页", "打印本页"}), "打印本页打印")
    ['打印本页', '打印']
    """
    best: list[list[str] | None] = [[]] + [None] * len(line)
    longest = max(map(len, words), default=0)
    for end in range(1, len(line) + 1):
        for start in range(max(0, end - longest), end):
            before = best[start]
            if before is None or line[start:end] not in words:
                continue
            found = best[end]
            if found is None or len(before) + 1 < len(found):
                best[end] = [*before, line[start:end]]
    return best[-1]


class _Kinds:
    """Tells the kind of a line by the vocabularies."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._weak = _set(params.weak)
        self._menu = _set(params.menu)
        self._strong = _set(params.words) - self._weak
        self._all = self._strong | self._weak | self._menu
        self._ends = tuple(params.endings)

    def of(self, line: str) -> Kind:
        """Give the kind of a line without blanks at its ends."""
        p = self._params
        if len(line) > _LONGEST_FRAME:
            return "prose"
        patterns: tuple[tuple[Kind, tuple[str, ...]], ...] = (
            ("keep", p.keep), ("inside", p.inside), ("path", p.paths), ("sign", p.signs), ("foot", p.feet),
            ("stamp", p.stamps), ("fact", p.facts), ("list", p.lists),
        )  # fmt: skip
        for kind, group in patterns:
            if _any(group).match(line):
                return (
                    kind
                    if kind in ("keep", "inside", "stamp")
                    or line.endswith(LEADS)
                    or _GAPS.sub("", line) not in self._weak
                    else "weak"
                )
        control = self._control(line)
        if control:
            return control
        if _any(p.near).match(line):
            return "near"
        ends = len(line) > 1 and (_SENTENCE.search(line) or _LEAD.search(line))
        return "prose" if ends or (len(line) >= _LONG and not _is_row(line)) else "text"

    def _control(self, line: str) -> Kind | None:
        """Tell whether the line is made of controls alone, or is a menu."""
        bare = _bare(line)
        if not bare:
            return "weak"
        parts = _parts(self._all, bare) if len(bare) <= 120 else None
        if parts:
            if any(part in self._strong for part in parts) or len(set(parts)) >= 3:
                return "sign"
            return "menu" if all(part in self._menu for part in parts) else "weak"
        items = [i for i in map(_bare, _GAPS.split(line)) if i]
        known = sum(map(self.is_item, items))
        if _TEXT_MARKS.search(line) or not known:
            return None
        if len(items) == 1:
            return None if _SENTENCE.search(line) else "menu"
        bars = len(_BARS.findall(line))
        barred = bars >= 3 and len(line) <= 10 * (bars + 1) and line[0] not in "|｜"
        several = len(items) >= 3 and max(map(len, items)) <= 12 and known >= max(2, _share(len(items)))
        return "sign" if barred or several else None

    def is_item(self, word: str) -> bool:
        """Tell whether a word may be an item of a menu."""
        if word in self._all or (len(word) <= 8 and word.endswith(self._ends)):
            return True
        return len(word) <= 24 and _parts(self._all, word) is not None


@lru_cache(maxsize=64)
def _by_first(words: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Give words by their first character, the longest first."""
    ordered = sorted({word.lower() for word in words if word}, key=lambda word: (word[0], -len(word)))
    return {first: tuple(group) for first, group in groupby(ordered, lambda word: word[0])}


def _words_in(said: str, words: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Give the words that stand in a line without blanks, longest first, none over another.

    >>> sorted(_words_in("打开App下载页", {"下": ("下载页", "下载"), "a": ("app",)}))
    ['app', '下载页']
    """
    line, at, found = said.lower().replace(" ", ""), 0, set()
    while at < len(line):
        word = next((w for w in words.get(line[at], ()) if line.startswith(w, at)), "")
        found.add(word)
        at += len(word) or 1
    return frozenset(found - {""})


class _Points:
    """Counts how much in a line speaks for the frame, word by word."""

    def __init__(self, params: Params) -> None:
        weights = ((3, params.three), (2, params.two), (1, params.one))
        self._weight = {word.lower(): weight for weight, words in reversed(weights) for word in words}
        self._words = _by_first(tuple(self._weight))
        self._against = _by_first(params.against)
        self._shapes = tuple(regex.compile(p, _FLAGS) for p in params.shapes)

    def words(self, said: str) -> frozenset[str]:
        """Give the words of the table that a line has."""
        return _words_in(said, self._words)

    def of(self, said: str, words: Iterable[str]) -> int:
        """Give the points of a line; of its words only those given count, and without any its shape is nothing."""
        counted = sum(self._weight[word] for word in words)
        if not counted:
            return 0
        marks = sum(2 for shape in self._shapes if shape.search(said))
        against = len(_words_in(said, self._against)) + len(said) // 60 + min(2, said.count("“"))
        return counted + marks - against

    def weight(self, word: str) -> int:
        """Give the points of a word, 0 for those with one point, which texts of all kinds use."""
        return self._weight[word] if self._weight[word] > 1 else 0

    def strong(self, words: Iterable[str]) -> int:
        """Give how many of the words have the most points."""
        return sum(self._weight[word] == 3 for word in words)


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


def _scores(lines: Sequence[_Line], params: Params) -> _Scores | None:
    """Count the points of the lines of text and prose, words that the text itself uses left out.

    None where no sentence is surely text, or where more sentences look like frame than like text: such a text
    may speak about web pages.
    """
    table = _Points(params)
    inner = range(OUTER, len(lines) - OUTER)
    seen = [n for n, line in enumerate(lines) if n not in inner and line.kind in ("text", "prose")]
    words = {n: table.words(_untagged(lines[n])) for n in seen}
    raw = {n: table.of(lines[n].said, found) for n, found in words.items()}
    bold = {n: table.strong(found) for n, found in words.items()}
    plain = {n: raw[n] < SENTENCE or raw[n] * DENSE < len(lines[n].said) or not bold[n] for n in words}
    plain.update((n, True) for n in words if raw[n] < PLEA and _names_title(lines, n))
    sure = [n for n in words if plain[n] and _is_hard(lines[n])]
    sure = sure or [n for n in words if lines[n].kind == "prose" and plain[n]]
    if not sure:
        return None
    bold_lines = {n for n in words if raw[n] >= SCORED and bold[n]}
    first, last = _past_islands(lines, sure, bold_lines), _past_islands(lines, sure[::-1], bold_lines)
    if first > last:
        first, last = sure[0], max(last, sure[0])
    used: set[str] = set()
    doubtful: Counter[str] = Counter()
    for n in range(first, last + 1):
        if n in words and (lines[n].kind == "prose" or _HEADING.match(lines[n].said)):
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


def _names_title(lines: Sequence[_Line], n: int) -> bool:
    """Tell whether a sentence begins with a quotation of a line above it, as a text that presents its subject does."""
    quoted = _QUOTED.match(lines[n].said) if lines[n].kind == "prose" else None
    return quoted is not None and any(line.said == quoted.group(1) for line in lines[: min(n, OUTER)])


def _untagged(line: _Line) -> str:
    """Give what a line says without the tag at its head that says of what sort it is.

    >>> _untagged(_Line(0, "[转载]河边的老房子", "text"))
    '河边的老房子'
    """
    tag = _TAG.match(line.said) if line.kind == "text" else None
    return line.said[tag.end() :] if tag else line.said


def _weighed(lines: Sequence[_Line], scores: _Scores, title: _Title) -> list[_Line]:
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


def _weight_kind(lines: Sequence[_Line], n: int, scores: _Scores, at_edge: bool, name: str) -> Kind | None:
    """Give the kind of a line above or below the text by its points, None where they are too few.

    A line that stands with the text needs more; ``at_edge`` says that the next line away from the text is frame.
    ``name`` is the title: with a mark and more words behind it, it is the name of a window.
    """
    said, points, strong = lines[n].said, scores.points[n], scores.strong[n]
    if n and lines[n - 1].kind == "path" and points < SCORED:
        return None
    joined = scores.top <= n <= scores.bottom
    stops = _STOP.search(said) is not None
    if name and said.startswith(name) and regex.match(r"[ ]?[_|－—-]+", said[len(name) :]):
        return "scored"
    if _HEADING.match(said) or (_FULL_STOP.search(said) and joined and (scores.about_pages or n < scores.first)):
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


def _alone(lines: Sequence[_Line], n: int, points: Mapping[int, int]) -> Iterator[int]:
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
class _Title:
    """The line that most looks like the title, -1 for none; whether it probably is, whether it surely is."""

    index: int = -1
    likely: bool = False
    sure: bool = False


def _likely_title(lines: Sequence[_Line], scores: _Scores) -> _Title:
    """Give the line above the text that most looks like its title: its words come again, date or text follow it."""
    pairs = _pairs("\n".join(line.said for line in lines[scores.first : scores.last + 1] if line.kind == "prose"))
    found, best = _Title(), 0
    for n in range(scores.first):
        said = lines[n].said
        if n not in scores.points or _is_hard(lines[n]) or _HEADING.match(said) or said.endswith(LEADS):
            continue
        below = next((k for k in range(n + 1, scores.first + 1) if lines[k].kind not in WORDS), n)
        again = _recurs(lines[n].said, pairs)
        leads = n == 0 or lines[n - 1].kind not in ("text", "prose")
        against = scores.points[n] if scores.strong[n] or scores.points[n] >= SCORED else 0
        value = 4 * again - against + (len(lines[n].said) > SHORT)
        placed = lines[below].kind in FACTS or (n > 0 and lines[n - 1].kind == "path")
        value += 2 * placed + (below == scores.first)
        if value >= max(best, 1):
            found, best = _Title(n, (again and leads) or placed, again and placed and value >= TITLE), value
    return found


def _share(items: int) -> float:
    """Give how many items of a menu must be known: half of a few, a third of many."""
    return items / 2 if items < 5 else items / 3


def _is_row(line: str) -> bool:
    """Tell whether a long line is a row of short pieces, as menus and feet are, and no sentence."""
    pieces = line.replace("|", " ").split()
    return len(pieces) >= 4 and len(line) <= 12 * len(pieces) and not regex.search("[。，；]", line)


def _is_hard(line: _Line) -> bool:
    """Tell whether a line of prose is no headline: it stops or pauses, or is long."""
    return line.kind == "prose" and (
        _STOP.search(line.said) is not None or line.said.endswith(LEADS) or len(line.said) >= _LONG
    )


def _body(lines: Sequence[_Line]) -> tuple[int, int]:
    """Give the indices of the first and last line of the text proper: from the first to the last prose."""
    prose = [n for n, line in enumerate(lines) if line.kind == "prose"]
    if not prose:
        return _body_without_prose(lines)
    hard = [n for n in prose if _is_hard(lines[n])] or prose
    first, last = hard[0], hard[-1]
    if not any(line.kind == "inside" for line in lines):
        first, last = _past_islands(lines, hard), _past_islands(lines, hard[::-1])
        if first > last:
            first, last = hard[0], max(last, hard[0])
    for n in reversed(range(first)):  # a headline may ask or exclaim, and so may the one under a list of links
        if lines[n].kind in CERTAIN or lines[n].kind in FACTS:
            break
        first = n if lines[n].kind == "prose" else first
    for n in range(last + 1, len(lines)):
        if lines[n].kind in CERTAIN:
            break
        last = n if lines[n].kind == "prose" else last
    for n in range(last + 1, len(lines)):  # a numbered heading goes on with the text, whatever stood above it
        if lines[n].kind == "text" and _HEADING.match(lines[n].said):
            last = n
            while last + 1 < len(lines) and lines[last + 1].kind in ("text", "keep"):
                last += 1
    if lines[last].said.endswith(LEADS):  # what a colon announces belongs to the text
        while last + 1 < len(lines) and lines[last + 1].kind in ("text", "keep", "menu", "weak", "list"):
            last += 1
    return first, last


def _signed(lines: Sequence[_Line], last: int) -> int:
    """Give the last line of a text whose date, notes or attachments stand below sentences that look like frame."""
    for n in range(last + 1, len(lines)):
        if lines[n].kind in KNOWN:
            break
        signed = lines[n].kind == "stamp" and _DAY.fullmatch(lines[n].said) and lines[n - 1].kind == "text"
        if lines[n].kind == "keep" or (signed and len(lines[n - 1].said) <= SIGNATURE):
            last = n
    return last


def _body_without_prose(lines: Sequence[_Line]) -> tuple[int, int]:
    """Give the first and last line of a list, table or poem: what follows path and facts, else the longest run."""
    runs = list(_runs(lines, ("text", "keep")))
    ahead = [n for n, line in enumerate(lines[: len(lines) // 2]) if line.kind == "path" or line.kind in FACTS]
    if ahead:
        below = _runs(lines, ("text", "keep", "weak", "menu", "near"))
        runs = [(a, b) for a, b in below if a > ahead[-1] and b - a + 1 >= REPEATED] or runs
    return max(runs, key=lambda run: run[1] - run[0], default=(0, 0))


def _past_islands(lines: Sequence[_Line], hard: Sequence[int], frame: Collection[int] = ()) -> int:
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


def page_frame(text: Text, params: Params) -> Iterator[Finding]:
    r"""Take away the lines above and below the text that belong to the page.

    >>> given = "首页 | 登录\n春天\n花都开了。\n【打印】【关闭】\n分享\n"
    >>> [c.before for c in page_frame(Text.of(given), Params(words=("登录", "关闭"), weak=("首页", "打印", "分享")))]
    ['首页 | 登录\n', '【打印】【关闭】\n', '分享\n']
    """
    known = _in_context(_with_keywords(_outer_lines(text, params), params))
    scores = _scores(known, params)
    title = _likely_title(known, scores) if scores else _Title()
    lines = _weighed(known, scores, title) if scores else known
    if not any(line.kind in CERTAIN or line.kind in ("weak", "menu") for line in lines):
        return
    first, last = _body(lines)
    last = _signed(lines, last)
    head, tail = lines[:first], lines[last + 1 :]
    has_prose = any(line.kind == "prose" for line in lines)
    above, below = _sure(head, has_prose), _sure(tail, has_prose)
    facts = sum(line.kind in FACTS for line in (*head, *tail))
    if not (above or below) or len(above) + len(below) + facts < params.certain:
        return
    frame = {
        *_head(head, above, lines, params, title),
        *_page_marks(lines, first, last, len(above) + len(below)),
        *(last + 1 + n for n in _foot(tail, below, params)),
        *_inside(lines),
        *(_buttons(lines, first, last) if has_prose and len(above) + len(below) >= ISLAND else ()),
    }
    unknown = {n for n, line in enumerate(lines) if line.kind == "text"}
    if not has_prose and len(unknown & frame) > len(unknown - frame):  # a list or a poem, cut at a wrong place
        frame -= unknown
    for n in sorted(frame):
        span = text.lines[lines[n].index]
        for field, value in _facts_of(lines[n], params):
            yield Capture(span.start, field, value)
        yield _removal(text.content, span)


def _facts_of(line: _Line, params: Params) -> Iterator[tuple[str, str]]:
    """Give field and value of what a stamp or a site's foot says in named groups of its pattern."""
    patterns = {"stamp": params.stamps, "foot": params.feet}.get(line.kind, ())
    found = _any(patterns).match(line.said) if patterns else None
    for field, value in (found.groupdict() if found else {}).items():
        if value and value.strip():
            yield field, value.strip()


def _inside(lines: Sequence[_Line]) -> set[int]:
    """Give the lines that are frame wherever they stand, with the buttons beside them."""
    found = {n for n, line in enumerate(lines) if line.kind == "inside"}
    for n in sorted(found):
        for step in (-1, 1):
            m = n + step
            while 0 <= m < len(lines) and lines[m].kind in PRESSED:
                found.add(m)
                m += step
    return found


def _buttons(lines: Sequence[_Line], first: int, last: int) -> set[int]:
    """Give the buttons between the first and last line of the text: those that come again, and rows of them."""
    found = [n for n in range(first, len(lines)) if lines[n].kind in PRESSED and len(lines[n].said) >= 2]
    times = Counter(lines[n].said for n in found)
    buttons = {n for n in found if times[lines[n].said] >= REPEATED}
    for a, b in _runs(lines[: last + 1], (*PRESSED, "menu")):
        if a < first or lines[a - 1].said.endswith(LEADS):  # announced, so content
            continue
        run = [line.said for line in lines[a : b + 1]]
        distinct = next((k for k, said in enumerate(run) if said in run[:k]), len(run))  # then a heading follows
        if distinct >= ROW_OF_BUTTONS and a > first:
            buttons |= set(range(a, a + distinct))
    return buttons


def _outer_lines(text: Text, params: Params) -> list[_Line]:
    """Give the lines that are not empty with their kinds; of a long text the inner ones count as prose unseen."""
    of = cache(_Kinds(params).of)
    content = text.content
    said = [(index, line) for index, span in enumerate(text.lines) if (line := content[span.start : span.end].strip())]
    inner = range(OUTER, len(said) - OUTER)
    if sum(len(_LINK.findall(line)) >= 2 for _, line in said) >= 2:
        said = [(index, _unlinked(line)) for index, line in said]
    return [_Line(index, line, "prose" if n in inner else of(line)) for n, (index, line) in enumerate(said)]


def _unlinked(line: str) -> str:
    """Take the numbers of links out of a line that is no sentence; an address under its number becomes such a number.

    >>> [_unlinked(line) for line in ("[3]首页 [4]登录", "[1]《农书》卷二。", "4. http://a.example/b")]
    ['首页 登录', '[1]《农书》卷二。', '']
    """
    if _ADDRESS.fullmatch(line):
        return ""
    return line if _STOP.search(line) else _LINK.sub("", line)


def _with_keywords(lines: Sequence[_Line], params: Params) -> Sequence[_Line]:
    """Keep the keywords that stand below an abstract, and those under a label."""
    start = next((n for n, line in enumerate(lines) if _any(params.abstracts).match(line.said)), len(lines))
    calm = list(lines)
    for n in range(start + 1, min(len(lines), start + BELOW_ABSTRACT)):
        if _any(params.keywords).match(lines[n].said):
            below = n + 1 + (lines[n].said.endswith(LEADS) and n + 1 < len(lines))
            calm[n:below] = (replace(line, kind="keep") for line in lines[n:below])
    return calm


def _in_context(lines: Sequence[_Line]) -> list[_Line]:
    """Mend kinds by the neighbours: the value under a label belongs to it.

    Take lines with a date and a time for text where several stand together: they are a schedule or a log.
    """
    calm = list(lines)
    for n in range(len(lines) - 1):
        label, value = calm[n], calm[n + 1]
        if label.kind == "near" and label.said.endswith(LEADS) and value.kind in ("text", "fact", "stamp"):
            calm[n + 1] = replace(value, kind="near")
        if label.kind == "list" and value.kind == "keep":
            calm[n] = replace(label, kind="text")
        if label.kind == "keep" and _ATTACHED.match(label.said) and _NUMBER.match(value.said):
            calm[n + 1] = replace(value, kind="keep")
    for a, b in _boxes(calm):
        calm[a : b + 1] = (replace(line, kind="near") if line.kind == "text" else line for line in calm[a : b + 1])
    for a, b in _runs(lines, ("stamp",)):
        if b > a and all(line.said[0].isdigit() for line in lines[a : b + 1]):
            calm[a : b + 1] = (replace(line, kind="text") for line in lines[a : b + 1])
    return calm


def _boxes(lines: Sequence[_Line]) -> Iterator[tuple[int, int]]:
    """Give first and last index of each run of labels with values that begins and ends with labels of frames.

    Three of those make it a box of facts about a document.
    """
    for labelled, run in groupby(range(len(lines)), lambda n: _LABELLED.match(lines[n].said) is not None):
        known = [n for n in run if lines[n].kind in ("near", "stamp", "fact")] if labelled else []
        if len(known) >= REPEATED:
            yield known[0], known[-1]


def _removal(content: str, span: Span) -> Change:
    end = span.end + (content[span.end : span.end + 1] == "\n")
    return Change(span.start, content[span.start : end], "", reason="frame of a web page")


def _runs(lines: Sequence[_Line], kinds: Iterable[Kind]) -> Iterator[tuple[int, int]]:
    """Give first and last index of each run of lines of these kinds."""
    wanted = set(kinds)
    for inside, run in groupby(range(len(lines)), lambda n: lines[n].kind in wanted):
        if inside:
            numbers = list(run)
            yield numbers[0], numbers[-1]


def _sure(lines: Sequence[_Line], runs: bool) -> set[int]:
    """Give the lines that are frame by themselves: certain ones, and (``runs``) three controls or menu words in a row."""
    found = {n for n, line in enumerate(lines) if line.kind in CERTAIN}
    words = [line.kind in WORDS or (line.kind == "text" and len(line.said) <= SHORT) for line in lines]
    for is_words, numbers in groupby(range(len(lines)), lambda n: words[n]) if runs else ():
        run = list(numbers) if is_words else []
        known = [n for n in run if lines[n].kind in WORDS]
        enough = len({lines[n].said for n in known}) >= REPEATED and 2 * len(known) >= len(run)
        if enough and any(lines[n].kind != "menu" for n in known):
            found |= set(known)
    return found


def _page_marks(lines: Sequence[_Line], first: int, last: int, known: int) -> set[int]:
    """Give the marks of pages (``1/3``, then ``2/3``) between paragraphs, if so many lines of frame are ``known``."""
    marks = [(n, m) for n, line in enumerate(lines[: last + 3]) if (m := _PAGE.fullmatch(line.said))]
    totals = {m.group(2) for _, m in marks}
    numbers = [int(m.group(1)) for _, m in marks]
    if known < ISLAND or len(totals) != 1 or numbers != sorted(set(numbers)) or numbers[-1] > int(*totals):
        return set()
    return {n for n, _ in marks} if len(marks) > 1 or first < marks[0][0] < last else set()


def _head(head: Sequence[_Line], sure: set[int], lines: Sequence[_Line], params: Params, title: _Title) -> set[int]:
    """Give the indices of the lines above the text that are frame."""
    facts = {n for n, line in enumerate(head) if line.kind in FACTS}
    if not sure and not facts:
        return set()
    end = max(sure | facts)
    rows = set()
    while end + 1 < len(head):
        below = head[end + 1]
        if below.kind == "text" and title.index > end + 1 and _is_row_of_words(below.said):
            rows.add(end + 1)
        elif below.kind not in ("weak", "likely", "near", "stamp"):
            break
        end += 1
    frame = rows | sure | {n for n in range(end + 1) if head[n].kind in ("weak", "likely", "near", "menu", "stamp")}
    if len(sure) >= ISLAND:
        frame |= {n for n in range(end + 1, len(head)) if head[n].kind in BUTTONS}
    beside = frame | facts
    frame -= _title_in_menu(head, frame, facts) | _first_heading(head, params, title)
    gap = len(head) - end - 1
    if title.sure:
        frame |= _above_title(head, title.index, beside)
    return frame | _names_and_twins(head[: end + 1], lines[end + 1 :], gap, beside, facts, params, title)


def _above_title(head: Sequence[_Line], title: int, beside: set[int]) -> set[int]:
    """Give the short lines above a title that is sure, with frame above and below them."""
    top = min(title, len(head))
    while top and top - 1 not in beside and head[top - 1].kind in TITLES:
        top -= 1
    return {n for n in range(top) if head[n].kind == "text" and len(head[n].said) <= ABOVE_TITLE}


def _names_and_twins(
    head: Sequence[_Line],
    rest: Sequence[_Line],
    gap: int,
    beside: set[int],
    facts: set[int],
    params: Params,
    title: _Title,
) -> set[int]:
    """Give the lines of text among lines of frame that are no title: site names, short words, a title that comes again.

    ``rest`` are the lines below the head; the text proper begins after ``gap`` of them.
    """
    titles = [n for n, line in enumerate(head) if line.kind in TITLES]
    text_below = any(line.kind in TITLES for line in rest[:gap])
    headline = gap == 0 and len(rest) > 0 and rest[0].kind == "prose" and not _is_hard(rest[0])
    name = (*head, *rest)[title.index].said if title.likely else ""
    held = _held_titles(head, titles, facts, text_below or headline, title, name)
    pairs = _pairs("\n".join(line.said for line in rest[gap:] if line.kind in TITLES))
    held |= {n for n in titles if _recurs(head[n].said, pairs)}
    feet = "\n".join(line.said for line in rest if line.kind == "foot")
    kept = {line.said for line in rest[: gap + 1]}
    found: set[int] = set()
    for n in reversed(titles):
        said = head[n].said
        above, below = _next(n, titles, -1), _next(n, titles, 1)
        between = (above < 0 or above in beside) and below in beside
        is_name = (len(said) >= 3 and said in feet) or (n == 0 and said.endswith(params.sites))
        is_name = is_name or (n == 0 and title.likely and title.index > 1 and len(said) <= params.title)
        named = is_name and (len(titles) > 1 or text_below)
        if between and (named or said in kept or (n not in held and _may_go(head[n], params))):
            found.add(n)
        else:
            kept.add(said)
    return found


def _may_go(line: _Line, params: Params) -> bool:
    """Tell whether a line of text between two lines of frame is too short for a title, or a row of short words."""
    return _width(line.said) <= params.title or _is_row_of_words(line.said)


def _width(said: str) -> int:
    """Give how many Han characters are as wide as a line.

    >>> [_width(said) for said in ("春天的花", "Lake News, 湖")]
    [4, 7]
    """
    return (len(said) + 1 + sum(char > "\u2e7f" for char in said)) // 2


def _is_row_of_words(said: str) -> bool:
    """Tell whether a line is made of four or more short words, as a menu is.

    >>> [_is_row_of_words(s) for s in ("市情概览 方志动态 年鉴阅读 老照片", "不忘初心 牢记使命")]
    [True, False]
    """
    words = said.replace("|", " ").split()
    return len(words) >= 4 and max(map(len, words)) <= 8 and _HAN.search(said) is not None


def _held_titles(
    head: Sequence[_Line], titles: Sequence[int], facts: set[int], text_below: bool, title: _Title, name: str
) -> set[int]:
    """Give the lines that may be the title: the likely one, those after the path or before facts, else the last.

    Where none is likely, the longest may be it, too.
    """
    if not titles:
        return set()
    held = {n for n in titles if _next(n, titles, 1) in facts}
    held |= {n for n in titles if (above := _next(n, titles, -1)) >= 0 and head[above].kind == "path"}
    if not held and not text_below:
        held.add(titles[-1])
    if title.likely:
        held -= {n for n in held if n != title.index and _is_row_of_words(head[n].said)}
        return held | {title.index} | {n for n in titles if head[n].said in name}
    longest = max(titles, key=lambda n: (not _is_row_of_words(head[n].said), len(head[n].said)))
    return held if text_below and _is_row_of_words(head[longest].said) else held | {longest}


def _pairs(said: str) -> set[str]:
    """Give all pairs of neighbouring Han characters; of a long text, those of its beginning."""
    return {a + b for run in _HAN.findall(said[:PAIRED]) for a, b in pairwise(run)}


def _recurs(line: str, pairs: set[str]) -> bool:
    """Tell whether at least half of the pairs of characters of a line stand in the text below, as those of a title do."""
    own = _pairs(line)
    return len(own) >= 2 and 2 * len(own & pairs) >= len(own)


def _title_in_menu(head: Sequence[_Line], frame: set[int], facts: set[int]) -> set[int]:
    """Give the word of a menu that must be the title: nothing else can be, or it alone parts path and facts."""
    words = [n for n in sorted(frame) if head[n].kind in ("menu", "weak")]
    if words and not any(line.kind in TITLES for line in head) and head[words[-1]].kind == "menu":
        return {words[-1]}
    below = [n for n in words if n and head[n - 1].kind == "path"]
    return {n for n in below if n + 1 in facts or (len(head[n].said) >= REPEATED and _text_follows(head, n))}


def _first_heading(head: Sequence[_Line], params: Params, title: _Title) -> set[int]:
    """Give the lone line right above the text that only ends as columns of sites do: with a title, it is a heading."""
    if not title.likely or title.index >= len(head) - 1 or head[-1].kind != "menu":
        return set()
    lone = _bare(head[-1].said) == head[-1].said and head[-2].kind not in ("menu", "weak")
    return {len(head) - 1} if lone and head[-1].said not in _set(params.menu) else set()


def _text_follows(head: Sequence[_Line], n: int) -> bool:
    """Tell whether a menu word of the head stands right above the text."""
    return head[n].kind == "menu" and (n + 1 == len(head) or head[n + 1].kind in TITLES)


def _next(n: int, passed: Sequence[int], step: int) -> int:
    """Give the next index in a direction that is not in ``passed``."""
    n += step
    while n in passed:
        n += step
    return n


def _foot(tail: Sequence[_Line], sure: set[int], params: Params) -> set[int]:
    """Give the indices of the lines below the text that are frame."""
    facts = {n for n, line in enumerate(tail) if line.kind in FACTS}
    lists = {n for n in sure if tail[n].kind == "list"}
    frame: set[int] = set()
    if sure:
        first = min(sure)
        alone = len(sure) + len(facts) < params.certain and not lists
        frame = set(sure) if alone else {n for n in range(first, len(tail)) if _goes(tail, n, first, lists)}
        frame |= set(range(first, _past_weak(tail, first))) if alone else set()
        up = _reach(tail, first, params)
        frame |= {n for n in range(up, first) if tail[n].kind != "fact"}
    for n in facts:  # buttons beside facts, above the first certain line
        frame |= {m for m in (n - 1, n + 1) if 0 <= m < len(tail) and tail[m].kind in BUTTONS}
    return frame


def _past_weak(tail: Sequence[_Line], n: int) -> int:
    """Give the index of the first line below a line that is none of a button."""
    n += 1
    while n < len(tail) and tail[n].kind in BUTTONS:
        n += 1
    return n


def _goes(tail: Sequence[_Line], n: int, first: int, lists: set[int]) -> bool:
    """Tell whether a line of the foot, at or below its first certain line, belongs to the frame."""
    kind = tail[n].kind
    if kind in ("keep", "fact"):
        return False
    if kind == "prose":
        if _STOP.search(tail[n].said):
            return False
        between = len(tail[n].said) <= ROW and all(line.kind in WORDS for line in (tail[n - 1], *tail[n + 1 : n + 2]))
        return between or any(first <= m < n for m in lists)
    signed = kind == "text" and n + 1 < len(tail) and tail[n + 1].kind == "keep"
    return not (signed and _DATE.search(tail[n + 1].said))


def _reach(tail: Sequence[_Line], first: int, params: Params) -> int:
    """Give the index from which lines above the first certain line belong to the frame.

    Buttons do, lines of a site beside its foot do, and whatever short lines part the certain line from a fact.
    """
    up = first
    while up and (
        tail[up - 1].kind in BUTTONS | {"stamp"} or (tail[up - 1].kind == "near" and tail[up].kind in ("foot", "near"))
    ):
        up -= 1
    if first - up > ROW_OF_BUTTONS:  # so many words are a list
        up = first
    top = up
    while (
        top
        and tail[top - 1].kind in ("weak", "likely", "menu", "text", "near")
        and len(tail[top - 1].said) <= params.title
    ):
        top -= 1
    return top if top and tail[top - 1].kind in FACTS else up


STEP = Step("page-frame", page_frame, Params)

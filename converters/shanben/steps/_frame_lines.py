"""What kind a line of a web page is, by the vocabularies of the rule and by the lines beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Literal, TypeVar

import regex

from shanben.lazy import lazy_regex
from shanben.rulebook.search import Groups
from shanben.steps._frame_params import FLAGS, Params
from shanben.values import Text

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
_GAPS = lazy_regex(r"[^\p{L}\p{N}]+", FLAGS)
_COUNT = lazy_regex(r"\d+(?:[.,]\d+)?[万亿千kKwWmM]?[+＋]?", FLAGS)
_BARS = lazy_regex(r"[|｜·]", FLAGS)
_HEADING = lazy_regex(r"\d{1,2}[.．、] ?\p{Han}{2}", FLAGS)
"""A numbered heading, whatever words it has."""
_TEXT_MARKS = lazy_regex(r"[。；，！？“”]", FLAGS)
_SENTENCE = lazy_regex(r"(?:[。；，、!！?？…;,]|(?<=\p{Han}{4})[.．])['\"”’」』）)】]*(?:\[\d{1,3}\])*$", FLAGS)
_LEAD = lazy_regex(r"[，、。].*[：:]$|^[^：:]{10,}[：:]$", FLAGS)
NUMERALS = "一二三四五六七八九十"
_COUNTED = lazy_regex(f"([{NUMERALS}])、", FLAGS)
_ATTACHED = lazy_regex(r"附|\d", FLAGS)
_LINK = lazy_regex(r"\[\d{1,3}\](?=[^\s\d])(?:\[(?:图片|圖片|image)\] ?)?", FLAGS)
_ADDRESS = lazy_regex(r"\d{1,3}\. ?[a-z]{3,6}:/\S+", FLAGS)
LABELLED = lazy_regex(r"\p{Han}[\p{Han}\u3000 ]{1,7}[:：] ?[^\s，。；][^。]*$", FLAGS)
_NUMBER = lazy_regex(r"\d{1,2}[.．、]", FLAGS)
STOP = lazy_regex(r"(?:[。；，;]|(?<=\p{Han}{4})[.．])['\"”’」』）)】]*(?:\[\d{1,3}\])*$", FLAGS)
BULLETS = ("•", "·", "◦", "○", "●", "▪")
"""What stands before an item of a list where a page is saved as text."""
LEADS = ("：", ":")
"""What announces that a list follows."""
LONGEST_FRAME = 240
"""Lines longer than this, in characters, are text whatever they say."""
OUTER = 500
"""So many lines at each end of a text are looked at."""
REPEATED = 3
"""A button that stands so often is one even between paragraphs."""
BELOW_ABSTRACT = 12
"""Within so many lines below the beginning of an abstract its keywords follow."""
TITLED = 10
"""So long a line above facts may be a title."""
SHORTEST_TITLE = 4
"""A shorter line is no title."""
HARDLY = 0.02
"""A line that is less likely text than this is all but surely none."""
NAME_PART = 4
"""A part of a line of names has no more characters."""
_LONG = 50
"""A line of so many characters is prose even without a final mark."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty: its place in the text, what it says without blanks at its ends, its kind."""

    index: int
    said: str
    kind: Kind


_T = TypeVar("_T")


def by_line(look: Callable[[str], _T]) -> Callable[[str], _T]:
    """Remember what is found out about a line, as the same lines come in every round; long ones are forgotten."""
    seen = lru_cache(maxsize=8192)(look)
    return lambda said: seen(said) if len(said) <= LONGEST_FRAME else look(said)


@lru_cache(maxsize=64)
def any_of(patterns: tuple[str, ...]) -> regex.Pattern[str]:
    """Compile patterns as one; none of them matches nothing."""
    return lazy_regex("|".join(f"(?:{p})" for p in patterns) or r"(?!)", FLAGS)


@lru_cache(maxsize=64)
def bare_set(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(filter(None, (bare_letters(word) for word in words)))


def bare_letters(line: str) -> str:
    """Give the letters of a line, without marks, blanks and counts."""
    return _COUNT.sub("", _GAPS.sub("", line))


@lru_cache(maxsize=8192)
def _parts(words: frozenset[str], line: str) -> list[str] | None:
    """Give the fewest words that make up the whole line, None if they cannot.

    >>> _parts(frozenset({"打印", "本页", "打印本页"}), "打印本页打印")
    ['打印本页', '打印']
    """
    best: list[list[str] | None] = [[]] + [None] * len(line)
    longest = _longest(words)
    reached = 0
    for start in range(len(line)):
        before = best[start]
        if before is None:
            if start > reached:
                return None
            continue
        for end in range(start + 1, min(len(line), start + longest) + 1):
            if line[start:end] in words:
                reached = max(reached, end)
                found = best[end]
                if found is None or len(before) + 1 < len(found):
                    best[end] = [*before, line[start:end]]
    return best[-1]


@lru_cache(maxsize=16)
def _longest(words: frozenset[str]) -> int:
    return max(map(len, words), default=0)


class _Kinds:
    """Tells the kind of a line by the vocabularies."""

    def __init__(self, params: Params) -> None:
        self._weak = bare_set(params.weak)
        self._menu = bare_set(params.menu)
        self._strong = bare_set(params.words) - self._weak
        self._all = self._strong | self._weak | self._menu
        self._ends = tuple(params.endings)
        grouped: dict[Kind, tuple[str, ...]] = {  # in the order in which they are tried
            "keep": params.keep, "inside": params.inside, "path": params.paths, "sign": params.signs,
            "foot": params.feet, "stamp": params.stamps, "fact": params.facts, "list": params.lists,
        }  # fmt: skip
        self._kinds = tuple(grouped)
        self._groups = Groups(tuple(grouped.values()))
        self._near = Groups([params.near])

    def of(self, line: str) -> Kind:
        """Give the kind of a line without blanks at its ends."""
        if len(line) > LONGEST_FRAME:
            return "prose"
        group = self._groups.first(line)
        if group is not None:
            kind = self._kinds[group]
            certain = kind in ("keep", "inside", "stamp") or line.endswith(LEADS)
            return kind if certain or _GAPS.sub("", line) not in self._weak else "weak"
        control = self._control(line)
        if control:
            return control
        if line.startswith(BULLETS) and len(line) > 2:
            return self._listed(line)
        if self._near.first(line) is not None:
            return "near"
        ends = len(line) > 1 and (_SENTENCE.search(line) or _LEAD.search(line))
        return "prose" if ends or (len(line) >= _LONG and not _is_row(line)) else "text"

    def _listed(self, line: str) -> Kind:
        """Give the kind of a line without its bullet, if that is a kind of pages; a word alone is an item of a list."""
        bare = line[1:].strip()
        kind = self.of(bare) if bare and bare[0] not in BULLETS else "text"
        known = kind in (*FACTS, "path", "foot") or (kind == "sign" and self._control(bare) is None)
        return kind if known else "prose" if kind == "prose" else "text"

    def _control(self, line: str) -> Kind | None:
        """Tell whether the line is made of controls alone, or is a menu."""
        bare = bare_letters(line)
        if not bare:
            return "weak"
        if _HEADING.match(line):
            return None
        parts = _parts(self._all, bare) if len(bare) <= 120 else None
        if parts:
            if any(part in self._strong for part in parts) or len(set(parts)) >= 3:
                return "sign"
            return "menu" if all(part in self._menu for part in parts) else "weak"
        if _TEXT_MARKS.search(line):
            return None
        items = [i for i in map(bare_letters, _GAPS.split(line)) if i]
        known = sum(map(self.is_item, items))
        if not known:
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


def _share(items: int) -> float:
    """Give how many items of a menu must be known: half of a few, a third of many."""
    return items / 2 if items < 5 else items / 3


def _is_row(line: str) -> bool:
    """Tell whether a long line is a row of short pieces, as menus and feet are, and no sentence."""
    pieces = line.replace("|", " ").split()
    return len(pieces) >= 4 and len(line) <= 12 * len(pieces) and not regex.search("[。，；]", line)


def is_hard(line: Line) -> bool:
    """Tell whether a line of prose is no headline: it stops or pauses, or is long."""
    return line.kind == "prose" and (
        STOP.search(line.said) is not None or line.said.endswith(LEADS) or len(line.said) >= _LONG
    )


def is_names(said: str) -> bool:
    """Tell whether a line is two or three short names, as of a paper and its reporter.

    >>> [is_names(line) for line in ("江城日报 周晓舟", "春到洞庭湖畔", "春到洞庭湖畔 万物生")]
    [True, False, False]
    """
    parts = said.split()
    return 2 <= len(parts) <= 3 and all(len(part) <= NAME_PART for part in parts)


@lru_cache(maxsize=4)
def _kinds(params: Params) -> Callable[[str], Kind]:
    """Give what tells the kind of a line; it remembers the lines that it has seen."""
    return by_line(_Kinds(params).of)


def outer_lines(text: Text, params: Params) -> list[Line]:
    """Give the lines that are not empty with their kinds; of a long text the inner ones count as prose unseen."""
    of = _kinds(params)
    content = text.content
    said = [(index, line) for index, span in enumerate(text.lines) if (line := content[span.start : span.end].strip())]
    inner = range(OUTER, len(said) - OUTER)
    if sum(len(_LINK.findall(line)) >= 2 for _, line in said) >= 2:
        said = [(index, _unlinked(line)) for index, line in said]
    return [Line(index, line, "prose" if n in inner else of(line)) for n, (index, line) in enumerate(said)]


def _unlinked(line: str) -> str:
    """Take the numbers of links out of a line that is no sentence; an address under its number becomes such a number.

    >>> [_unlinked(line) for line in ("[3]首页 [4]登录", "[1]《农书》卷二。", "4. http://a.example/b")]
    ['首页 登录', '[1]《农书》卷二。', '']
    """
    if _ADDRESS.fullmatch(line):
        return ""
    return line if STOP.search(line) else _LINK.sub("", line)


def with_keywords(lines: Sequence[Line], params: Params) -> Sequence[Line]:
    """Keep the keywords that stand below an abstract, and those under a label."""
    start = next((n for n, line in enumerate(lines) if any_of(params.abstracts).match(line.said)), len(lines))
    calm = list(lines)
    for n in range(start + 1, min(len(lines), start + BELOW_ABSTRACT)):
        if any_of(params.keywords).match(lines[n].said):
            below = n + 1 + (lines[n].said.endswith(LEADS) and n + 1 < len(lines))
            calm[n:below] = (replace(line, kind="keep") for line in lines[n:below])
    return calm


def in_context(lines: Sequence[Line]) -> list[Line]:
    """Mend kinds by the neighbours: the value under a label belongs to it.

    Take lines with a date and a time for text where several stand together: they are a schedule or a log. A sentence with
    the next number below a numbered sentence is the text's own, though it speaks of rights or of comments.
    """
    calm = list(lines)
    for n in range(len(lines) - 1):
        label, value = calm[n], calm[n + 1]
        below = lines[n + 2].kind if n + 2 < len(lines) else "text"
        titled = value.kind == "text" and len(value.said) >= TITLED and below in FACTS  # the label has no value
        if (
            label.kind == "near"
            and label.said.endswith(LEADS)
            and value.kind in ("text", "fact", "stamp")
            and not titled
        ):
            calm[n + 1] = replace(value, kind="near")
        if label.kind == "list" and value.kind == "keep":
            calm[n] = replace(label, kind="text")
        if label.kind == "keep" and _ATTACHED.match(label.said) and _NUMBER.match(value.said):
            calm[n + 1] = replace(value, kind="keep")
    for n, line in _counted_on(calm):
        calm[n] = replace(line, kind="prose")
    for a, b in _boxes(calm):
        calm[a : b + 1] = (replace(line, kind="near") if line.kind == "text" else line for line in calm[a : b + 1])
    for a, b in runs_of(lines, ("stamp",)):
        if b > a and all(line.said[0].isdigit() for line in lines[a : b + 1]):
            calm[a : b + 1] = (replace(line, kind="text") for line in lines[a : b + 1])
    return calm


def _counted_on(lines: Sequence[Line]) -> Iterator[tuple[int, Line]]:
    """Give the sentences that pages are known for and that count on from a sentence of text, such as ``六、版权。`` below ``五、``."""
    number = 0
    for n, line in enumerate(lines):
        found = _COUNTED.match(line.said)
        if not found:
            continue
        own = NUMERALS.index(found[1]) + 1
        if line.kind == "prose":
            number = own
        elif own > 1 and own == number + 1 and STOP.search(line.said):
            number = own
            yield n, line


def _boxes(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Give first and last index of each run of labels with values that begins and ends with labels of frames.

    Three of those make it a box of facts about a document.
    """
    for labelled, run in groupby(range(len(lines)), lambda n: LABELLED.match(lines[n].said) is not None):
        known = [n for n in run if lines[n].kind in ("near", "stamp", "fact")] if labelled else []
        if len(known) >= REPEATED:
            yield known[0], known[-1]


def runs_of(lines: Sequence[Line], kinds: Iterable[Kind]) -> Iterator[tuple[int, int]]:
    """Give first and last index of each run of lines of these kinds."""
    wanted = set(kinds)
    for inside, run in groupby(range(len(lines)), lambda n: lines[n].kind in wanted):
        if inside:
            numbers = list(run)
            yield numbers[0], numbers[-1]

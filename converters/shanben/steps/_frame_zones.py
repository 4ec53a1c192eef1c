"""Which zone of a page each line belongs to: head, text, insertion in the text, or foot.

A line alone seldom tells, and a list of words knows only the sites that it was made from. So all lines are weighed
together: each by its characters (groups of one to four), its shape, its place and its neighbours, and the zones as a
chain, head before text before foot. The weights are counts of a few thousand such features learned from labelled
pages (`data/frame-zones.tsv`). What the weights say is then held against laws that no weight can break: the first long
run of sentences is text, a foot begins with a line that belongs to pages, and a title stays.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import regex

from shanben.errors import SourceError
from shanben.lazy import lazy_regex
from shanben.resources import data_root
from shanben.steps._frame_lines import FACTS, HARDLY, KNOWN, LEADS, OUTER, STOP, Line, by_line, is_names
from shanben.steps._frame_params import FLAGS
from shanben.steps._frame_scores import HAN, han_pairs
from shanben.tools.storage import read_source

ZONES = "HTIF"
"""Head, text, insertion, foot."""
HEAD, TEXT, INSERT, FOOT = range(4)
STEPS = ("HH", "HT", "TT", "TI", "TF", "II", "IT", "FF")
"""Which zone may follow which."""
NEVER = -1e6
ANCHORS = KNOWN | FACTS | {"weak", "menu", "near"}
"""Kinds of lines with which a foot may begin, or a head end, where no sentence goes with it."""
BORDERS = (KNOWN | FACTS) - {"inside"}
"""Kinds of lines beyond which sentences go, too."""
PARTS = KNOWN - {"inside"}
"""Kinds of lines that part one run of sentences from the next."""
PRESENT, BESIDE = 2, 3
"""So many lines of such kinds make a page; or one, with facts, and so many buttons, names of columns and facts that are no text."""
SENTENCES, SENTENCE_CHARACTERS = 3, 120
"""So many sentences, with so many characters in all, make a run that is surely text."""
REACH = 40
"""A line of a known kind that is farther says nothing."""
UNKNOWN = frozenset({"text", "prose", "near", "keep"})
"""Kinds of lines that may be text."""
HEADED = frozenset({"list", "sign"})
HEADING = 20
"""Kinds of lines whose words tell what stands below them, and how long they are at most."""
BESIDE_LINES, MOST = 8, 60
"""So many lines on each side tell whether sentences stand there; more characters of one do not count."""
COUNTED = 150
"""More characters of one line do not count."""
DOUBT = 0.1
"""A line above or below the text goes if it is less likely text than this."""
LONE = 0.2
"""A line with such on both sides, beyond a list of links or a site's foot, goes if it is less likely text than this."""
EVEN = 0.5
"""A name under the title that stands in the frame, too, goes if it is less likely text than this."""
ACCOUNT = 0.9
"""The same for one that the foot gives more than once."""
NAME = 12
"""A longer line is no name."""
FEW = 3
"""So many lines between the text and a line that belongs to pages go with it."""
DENSE, SPARSE_LINES = 0.18, 20
"""At least so great a share of the lines of a head or foot is known, if it has more lines than this."""
LONGER = 7
"""So long a line at the very top may be the title."""
STATING = FACTS | {"keep"}
"""Kinds of lines that are left to the rules that capture what they state, or that stay."""
BRIEF, AMID = 40, 24
"""A longer sentence is no such line, or a longer line amid the text."""
TOGETHER = 4
"""So many lines below the text go though no line that belongs to pages stands above them."""
MANY = 3
"""Below so many lines that part runs of sentences, or a list of links or a site's foot, sentences go, too."""
SURE_TITLE = 0.6
"""So great a share of the pairs of characters of a line comes again in the text if it is surely the title."""
TITLE_LENGTH = 60
"""A longer line is no title."""

MENU = 6
"""So many lines of such kinds between a title and the text make a menu, other lines in it go, too."""

_LONGEST = 60
"""So many characters of a line are looked at."""
_ENDS = 120
"""So many characters at each end of a long line tell its shape."""
_DIGITS = lazy_regex(r"\d+", FLAGS)
_BLANKS = lazy_regex(r"\s+", FLAGS)
_STEPS = (0, 1, 2, 3, 5, 8, 12, 20, 40)
_LENGTHS = (1, 2, 3, 4, 6, 8, 11, 15, 20, 28, 40, 60, 100)
_SHAPES = {
    "sent": r"[！？!?…]['\"”’」』）)】]*$",
    "colon": r"[:：]$",
    "full": "。",
    "date": r"\d{2,4}[-/.年]\d{1,2}[-/.月]\d{1,2}",
    "time": r"\d{1,2}[:：]\d{2}",
    "url": r"https?:|www\.|\.com|\.cn",
    "label": r"[:：].",
    "label1": r"^\p{Han}{1,6}[:：]",
    "num": r"^(?:[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[）)]|第.{1,5}[章节条]|\d{1,2}[.、．])",
}
_SHAPE_PATTERNS = {name: lazy_regex(pattern, FLAGS) for name, pattern in _SHAPES.items()}
_END = lazy_regex(r"^[（(【\[]?(?:[责責]任[编編][辑輯]|[责責][编編])[】\]）)]?[:：]", FLAGS)
"""How the line begins with which many sites end a text."""
_LABEL = lazy_regex(
    r"^(?:作者|楼主|樓主|博主|来自|來自|上传者?|分享者|创建者)[:： ]{0,2}|[ |｜>＞].*$|官方[账帳帐][号號]$", FLAGS
)
"""What stands about a name in a line that gives it."""
_ACCOUNT = lazy_regex("官方[账帳帐][号號]$", FLAGS)
_NEXT = lazy_regex(r"[^\p{L}\p{N}]{0,3}[上下]一?(?:篇|条|條|则|則|頁|页)", FLAGS)
_REPLIES = lazy_regex("回答|答案|评论|評論|回复|回應|跟帖|跟贴|留言", FLAGS)
_PAUSE = lazy_regex(r"[，。；]", FLAGS)
_WINDOW = lazy_regex(r" [-–—|｜] \S|_\p{Han}", FLAGS)
"""What stands between a title and the name of its site in the title of a window."""
_BUTTON = lazy_regex(
    r"[【\[] ?(?:打印|关闭|關閉|列印|收藏|返回|推荐|分享|纠错|大|中|小)(?:本页|此页|本文|窗口|視窗)? ?[】\]]", FLAGS
)
"""A button in brackets, alone on its line."""
_BARS = lazy_regex(r"[|｜·>＞»›/／→┊]", FLAGS)
_CELLS = lazy_regex(r"\t\S+\t|(?:\S+(?:[ ]{2,}|\u3000+)){2,}\d", FLAGS)
"""Two cells of a row, and figures behind them or tabs about one."""
_DATE = lazy_regex(
    r"[〇○Oo0零一二三四五六七八九]{4}年[元一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日", FLAGS
)
_HAS_LETTER = lazy_regex(r"\p{L}", FLAGS)
_COMMAS = lazy_regex(r"[，、,；]", FLAGS)
_LATIN = lazy_regex(r"[A-Za-z]", FLAGS)
_OPENING = tuple("[【(（<《「“")

Tenths = tuple[int, ...]
"""A weight for each zone, in tenths, so that sums are exact in any order."""
Chances = Sequence[Sequence[float]]
"""A row for each line, or for each zone, and in it a number for each zone."""
_NOTHING: Tenths = (0,) * len(ZONES)


class _Read(dict[str, Tenths]):
    """The weights that stand behind a feature; many features have the same."""

    def __missing__(self, said: str) -> Tenths:
        tenths = tuple(map(int, said.split("\t")))
        if len(tenths) != len(ZONES):
            raise ValueError(said)
        self[said] = tenths
        return tenths


class Weights:
    """What is learned: ``rows``, weights for each feature as they stand in the file; ``steps``: zone after zone.

    In ``steps`` a row is the zone before, a column the one after.
    """

    def __init__(self, rows: Mapping[str, str], steps: Chances) -> None:
        self.rows = rows
        self.steps = steps
        self._read = _Read()
        for said in set(rows.values()):
            self._read[said]  # raises ValueError

    def scores(self, features: Iterable[Iterable[str]]) -> list[list[float]]:
        """Give the sum of the weights of each line's features, a column for each zone."""
        return [[tenths / 10 for tenths in self._sum(own)] for own in features]

    def line_scores(self, lines: Sequence[Line], points: Sequence[int]) -> list[list[float]]:
        """Give the same for lines; the sums of their groups of characters are kept for the next round."""
        others = self.scores(features_of(lines, points, groups=False))
        groups = [self._of_groups(line.said) for line in lines]
        return [[a / 10 + b for a, b in zip(*both, strict=True)] for both in zip(groups, others, strict=True)]

    def _sum(self, features: Iterable[str]) -> Tenths:
        rows, read = self.rows, self._read
        return tuple(map(sum, zip(*[read[rows[name]] for name in features if name in rows], strict=True))) or _NOTHING

    @cached_property
    def _of_groups(self) -> Callable[[str], Tenths]:
        return by_line(lambda said: self._sum(_groups(said)))


@lru_cache(maxsize=4)
def read_weights(file: str = "") -> Weights:
    """Read the weights that come with the package, or a file: a line about them, then tab-separated names and tenths.

    Raises SourceError for a file that cannot be read, or is something else.
    """
    if not file:
        return _weights_of(data_root().joinpath("frame-zones.tsv").read_text(encoding="utf-8"))
    try:
        return _weights_of(read_source(Path(file)).decode("utf-8"))
    except (ValueError, IndexError):
        fix = "name a file that `shanben train-frame` wrote"
        raise SourceError("this file holds no weights of zones", where=file, fix=fix) from None


def _weights_of(table: str) -> Weights:
    rows = {name: said for name, _, said in (line.partition("\t") for line in table.rstrip("\n").split("\n")[1:])}
    steps = [[NEVER] * len(ZONES) for _ in ZONES]
    for step in STEPS:
        if step in rows:
            steps[ZONES.index(step[0])][ZONES.index(step[1])] = int(rows.pop(step).split("\t")[0]) / 10
    return Weights(rows, steps)


def _step(number: int, steps: Sequence[int] = _STEPS) -> int:
    """Give which of a ladder of numbers is the first that is not smaller.

    >>> [_step(n) for n in (0, 4, 400)]
    [0, 4, 9]
    """
    return bisect_left(steps, number)


@by_line
def shape_of(said: str) -> list[str]:
    """Give the features of a line that its characters do not name: length, marks, blanks, figures."""
    size = max(1, len(said))
    if size > 2 * _ENDS:
        said = said[:_ENDS] + said[-_ENDS:]
    pieces = said.split()
    found = [f"L{_step(size, _LENGTHS)}", f"com{min(3, len(_COMMAS.findall(said)))}"]
    found += [name for name, pattern in _SHAPE_PATTERNS.items() if pattern.search(said)]
    if STOP.search(said):
        found.append("stop")
    found.append(f"bars{min(4, len(_BARS.findall(said)))}")
    found.append(f"pieces{min(6, len(pieces))}")
    if len(pieces) >= 3 and max(map(len, pieces)) <= 6:
        found.append("row")
    digits, latin = sum(map(str.isdigit, said)), len(_LATIN.findall(said))
    found += [f"digits{4 * digits // max(1, len(said))}", f"latin{4 * latin // max(1, len(said))}"]
    if not HAN.search(said):
        found.append("nohan" if digits or latin else "marks")
    if said.startswith(_OPENING):
        found.append(f"opens{said[0]}")
    return found


def _groups(said: str) -> set[str]:
    """Give the groups of one to four characters of a line, figures as 0, its ends marked.

    >>> sorted(_groups("A1"))
    ['#$', '#0', '#0$', '#^', '#^a', '#^a0', '#^a0$', '#a', '#a0', '#a0$']
    """
    line = _BLANKS.sub(" ", _DIGITS.sub("0", said[: 4 * _LONGEST].lower()))
    line = f"^{line}$" if len(line) <= _LONGEST else f"^{line[:_LONGEST]}"
    return {f"#{line[n : n + k]}" for k in (1, 2, 3, 4) for n in range(len(line) - k + 1)}


def _is_sentence(said: str) -> bool:
    """Tell whether a line is a sentence, or as long as one and no title with the name of its site.

    >>> [_is_sentence(said) for said in ("瓦是一片压一片的，中间不用灰浆。", "标题" * 25, "标题" * 25 + " - 某某网")]
    [True, True, False]
    """
    if len(said) >= 12 and STOP.search(said) is not None:
        return True
    return len(said) >= 50 and (_PAUSE.search(said) is not None or not _WINDOW.search(said))


def _mass(lines: Sequence[Line], numbers: Sequence[int] | range) -> int:
    """Give how many characters of sentences these lines have."""
    return sum(min(COUNTED, len(lines[n].said)) for n in numbers if _is_sentence(lines[n].said))


def _spoken(lines: Sequence[Line], numbers: range) -> int:
    """Give how many characters of short sentences, as people talk in stories, stand in a row, three at least."""
    best = now = count = 0
    for n in numbers:
        short = lines[n].kind == "prose" and not _is_sentence(lines[n].said)
        now, count = (now + len(lines[n].said), count + 1) if short else (0, 0)
        best = max(best, now if count >= SENTENCES else 0)
    return best


def _runs(lines: Sequence[Line]) -> Iterator[range]:
    """Give the runs of lines between those that part them."""
    start = 0
    for n in range(len(lines) + 1):
        if n == len(lines) or lines[n].kind in PARTS:
            if n > start:
                yield range(start, n)
            start = n + 1


def _again(said: str, pairs: set[str]) -> float:
    """Give which share of the pairs of characters of a line stands in the text, 0 for a line without three."""
    own = han_pairs(said)
    return len(own & pairs) / len(own) if len(own) >= 2 else 0.0


def features_of(lines: Sequence[Line], points: Sequence[int], *, groups: bool = True) -> list[list[str]]:
    """Give the features of each line, with or without its ``groups`` of characters; ``points`` are those of its words."""
    size = len(lines)
    shapes = [shape_of(line.said) for line in lines]
    sentence = [_is_sentence(line.said) for line in lines]
    sentences = [n for n, is_one in enumerate(sentence) if is_one]
    known = [n for n, line in enumerate(lines) if line.kind in KNOWN]
    facts = [n for n, line in enumerate(lines) if line.kind in FACTS or line.kind == "path"]
    runs = list(_runs(lines))
    inside = [sentences[bisect_left(sentences, run.start) : bisect_left(sentences, run.stop)] for run in runs]
    masses = [_mass(lines, numbers) for numbers in inside]
    main = max(zip(masses, runs, strict=True), key=lambda found: found[0], default=(0, range(size)))[1]
    share = 4 * max(masses, default=0) // max(1, sum(masses))
    times = Counter(line.said for line in lines)
    pairs = han_pairs("".join(line.said for line in lines if STOP.search(line.said) or len(line.said) >= 40))
    ended = [n for n, line in enumerate(lines) if _END.match(line.said) and sentences and n > sentences[0]]
    around = zip(_nearest(lines, "up"), _nearest(lines[::-1], "dn")[::-1], _rhythm(lines, sentence), strict=True)
    found = []
    for n, (line, others) in enumerate(zip(lines, around, strict=True)):
        own = [*shapes[n], f"K{line.kind}", f"P{max(-2, min(8, points[n]))}", *itertools.chain(*others)]
        if groups:
            own += _groups(line.said)
        for by in (-3, -2, -1, 1, 2, 3):
            if 0 <= n + by < size:
                own.append(f"{by}K{lines[n + by].kind}")
                if abs(by) < 3:
                    own += [f"{by}{name}" for name in shapes[n + by] if name[0] in "Lscrdt"]
        own += [f"top{_step(n)}", f"end{_step(size - 1 - n)}"]
        own += _places(n, sentences, "text") + _places(n, known, "known")
        up = bisect_left(facts, n)
        own += [f"facts{min(3, up)}", f"facts-{min(3, len(facts) - up)}"]
        own.append(f"main{share}" if n in main else f"main{'<' if n < main.start else '>'}{_step(_gap(n, main))}")
        if ended and n >= ended[0]:
            own.append("ended")
        if times[line.said] > 1:
            own.append(f"times{min(4, times[line.said])}")
        if HAN.search(line.said) and len(line.said) >= 4:
            own.append(f"again{int(4 * _again(line.said, pairs))}")
        found.append(own)
    return found


def _nearest(lines: Sequence[Line], name: str) -> list[list[str]]:
    """Give for each line the kind of the nearest one above it that is of a known kind, how far it is, and the pairs of what it says."""
    found: list[list[str]] = []
    last, pairs = -1, list[str]()
    for n, line in enumerate(lines):
        far = n - last
        found.append([f"{name}{lines[last].kind}{_step(far)}", *pairs] if last >= 0 and far <= REACH else [])
        if line.kind not in UNKNOWN:
            last = n
            headed = line.kind in HEADED and len(line.said) <= HEADING
            pairs = [f"{name}w{a}{b}" for a, b in itertools.pairwise(line.said)] if headed else []
    return found


def _rhythm(lines: Sequence[Line], sentence: Sequence[bool]) -> list[list[str]]:
    """Give for each line how many lines at steps of one to four are as long as it, and how long and what those beside it are."""
    size = len(lines)
    form = [(_step(len(line.said), _LENGTHS), is_one) for line, is_one in zip(lines, sentence, strict=True)]
    sentences = [0, *itertools.accumulate(sentence)]
    lengths = [0, *itertools.accumulate(min(MOST, len(line.said)) for line in lines)]
    found = []
    for n in range(size):
        own = []
        for by in (1, 2, 3, 4):
            beside = (n - 2 * by, n - by, n + by, n + 2 * by)
            own.append(f"rh{by}:{sum(0 <= m < size and form[m] == form[n] for m in beside)}")
        for a, b, name in ((max(0, n - BESIDE_LINES), n, "u"), (n + 1, min(size, n + 1 + BESIDE_LINES), "d")):
            if b > a:
                own.append(f"sh{name}{4 * (sentences[b] - sentences[a]) // (b - a)}")
                own.append(f"ml{name}{_step((lengths[b] - lengths[a]) // (b - a), _LENGTHS)}")
        found.append(own)
    return found


def _gap(n: int, run: range) -> int:
    return run.start - n if n < run.start else n - run.stop + 1


def _places(n: int, numbers: Sequence[int], name: str) -> list[str]:
    """Give how many of the lines in ``numbers`` stand above and below a line."""
    up = bisect_left(numbers, n)
    return [f"{name}{_step(up)}", f"{name}-{_step(len(numbers) - up)}"]


def likelihoods(scores: Chances, steps: Chances) -> tuple[list[float], str]:
    """Give how likely each line is text, 0 to 1, and the best zones as a string of `ZONES`.

    ``scores`` has a row for each line, a column for each zone; a page begins with head or text, ends with text or foot.
    """
    zones = range(len(ZONES))
    into = [[(z, steps[z][to]) for z in zones if steps[z][to] > NEVER] for to in zones]
    out = [[(z, steps[of][z]) for z in zones if steps[of][z] > NEVER] for of in zones]
    begin, end = (0, 0, NEVER, NEVER), (NEVER, 0, NEVER, 0)
    down = [[begin[z] + scores[0][z] for z in zones]]
    best, back = down[0], []
    for own in scores[1:]:
        before = down[-1]
        down.append([_log_sum([before[z] + step for z, step in into[to]]) + own[to] for to in zones])
        ways = [max(((best[z] + step, -z) for z, step in into[to]), default=(NEVER, 0)) for to in zones]
        back.append([-z for _, z in ways])
        best = [way + own[to] for to, (way, _) in enumerate(ways)]
    up = [list(end)]
    for own in scores[:0:-1]:
        after = [own[z] + up[-1][z] for z in zones]
        up.append([_log_sum([step + after[z] for z, step in out[of]]) for of in zones])
    up.reverse()
    all_ways = _log_sum([down[-1][z] + end[z] for z in zones])
    zone = max(zones, key=lambda z: (best[z] + end[z], -z))
    found = [zone]
    for ways_back in reversed(back):
        zone = ways_back[zone]
        found.append(zone)
    likely = [math.exp(a[TEXT] + b[TEXT] - all_ways) for a, b in zip(down, up, strict=True)]
    return likely, "".join(ZONES[z] for z in reversed(found))


def _log_sum(logs: Sequence[float]) -> float:
    """Give the logarithm of the sum of numbers of which the logarithms are given."""
    most = max(logs, default=NEVER)
    return most + math.log(sum([math.exp(one - most) for one in logs])) if logs else most


def zone_frame(
    lines: Sequence[Line], points: Callable[[Line], int], file: str = ""
) -> tuple[set[int], Mapping[int, float]]:
    """Give the indices of the lines that are frame, none if nothing shows that this is a page, and how likely each is text.

    ``points`` gives what the words of a line count; ``file`` names the weights, empty for those of the package.
    """
    if not lines:
        return set(), {}
    parts = sum(line.kind in PARTS or _BUTTON.fullmatch(line.said) is not None for line in lines)
    seen = [n for n in range(len(lines)) if n < OUTER or n >= len(lines) - OUTER]
    outer = [lines[n] for n in seen]
    weights = read_weights(file)
    scores = weights.line_scores(outer, [points(line) for line in outer])
    surely = _surely_text(outer)
    if len(seen) < len(lines):  # what is not looked at is text
        surely = range(min([OUTER, *surely]), max([OUTER, *surely]) + 1)
    if surely:
        for n, own in enumerate(scores):
            own[HEAD] = NEVER if n >= surely.start else own[HEAD]
            own[FOOT] = NEVER if n < surely.stop else own[FOOT]
    likely, zones = likelihoods(scores, weights.steps)
    chances = {seen[n]: chance for n, chance in enumerate(likely)}
    text = [n for n, zone in enumerate(zones) if zone == ZONES[TEXT]]
    around = _mass(outer, (*range(text[0]), *range(text[-1] + 1, len(outer))))
    near = _mass(outer, (*range(text[0]), *range(text[-1] + 1, _end_of_page(outer, text[-1] + 1))))
    said = _mass(outer, range(text[0], text[-1] + 1)) + _spoken(outer, range(text[0], text[-1] + 1))
    if parts == 1 and any(line.kind in FACTS for line in outer):
        known = ("weak", "menu", *FACTS)
        parts += sum(chance < DOUBT and outer[n].kind in known for n, chance in enumerate(likely)) >= BESIDE
    if parts < PRESENT or (not surely and (not said or said < min(around, 2 * near))):
        return set(), chances
    doubtless = {
        n
        for n, chance in enumerate(likely)
        if chance < (LONE if _BUTTON.fullmatch(outer[n].said) else DOUBT) and outer[n].kind != "keep"
    }
    placed = len(outer[text[0]].said) >= LONGER and text[0] + 1 < len(outer) and outer[text[0] + 1].kind in FACTS
    zones_found = (
        _below(outer, text[-1] + 1, doubtless, {n for n, chance in enumerate(likely) if chance < LONE}),
        _above(outer, text[0], doubtless, placed or _title_likeness(outer, text) >= SURE_TITLE),
    )
    frame = {n for zone in zones_found if _is_dense(outer, zone) for n in zone}
    frame -= _title(outer, text, frame) | (set() if placed and {0, 1} <= doubtless else _first_line(outer, text))
    frame |= _under_title(outer, zones, doubtless)
    frame |= _buttons(outer, zones, doubtless)
    frame |= _names_again(outer, text[0], doubtless, likely)
    frame = _dense_parts(outer, text, frame, _no_text(outer, text, likely))
    frame -= _signature(outer, text[-1] + 1)
    return {seen[n] for n in frame}, chances


def _surely_text(lines: Sequence[Line]) -> range:
    """Give the first run of sentences, from its first to its last sentence; empty where there is none."""
    for run in _runs(lines):
        sentences = [n for n in run if _is_sentence(lines[n].said)]
        while len(sentences) > SENTENCES and _is_motto(lines, *sentences[:2]):
            del sentences[0]
        if len(sentences) >= SENTENCES and _mass(lines, sentences) >= SENTENCE_CHARACTERS:
            return range(sentences[0], sentences[-1] + 1)
    return range(0)


def _end_of_page(lines: Sequence[Line], start: int) -> int:
    """Give the first line below the text after which a page tells of other things: a list of links, a foot, the next page."""
    wanted = (n for n in range(start, len(lines)) if _ends_page(lines[n]))
    return next(wanted, len(lines))


def _ends_page(line: Line) -> bool:
    if line.kind == "list":
        return _REPLIES.search(line.said) is None
    return line.kind == "foot" or _NEXT.match(line.said) is not None


def _is_motto(lines: Sequence[Line], first: int, second: int) -> bool:
    """Tell whether a lone sentence stands so far above the next, with facts between, that a site says it of itself."""
    return second - first > FEW and any(lines[n].kind in FACTS for n in range(first + 1, second))


def _below(lines: Sequence[Line], start: int, doubtless: set[int], doubted: set[int]) -> set[int]:
    """Give what goes below the text: from a line that belongs to pages on, up to a sentence; sentences from a border on.

    Facts right below the text are left to the rules that capture them. Beyond a border a lone ``doubted`` line goes too.
    """
    first = _first(lines, range(start, len(lines)), doubtless & {n for n in doubtless if lines[n].kind in ANCHORS})
    if start < first <= start + FEW and first < len(lines) and all(n in doubtless for n in range(start, first)):
        first = start
    parts = [n for n in range(start, len(lines)) if n in doubtless and lines[n].kind in PARTS]
    part = parts[0] if parts else len(lines)
    ends = [n for n in parts if lines[n].kind in ("list", "foot")] + parts[MANY - 1 : MANY]
    border = min(ends, default=len(lines))
    stop = _first(lines, range(first, border), {n for n in range(first, border) if _is_sentence(lines[n].said)})
    found = {
        n for n in doubtless if first <= n and (n < stop or n >= border) and (lines[n].kind not in FACTS or n > part)
    }
    lone = {n for n in doubted if n > border and n - 1 in found and n + 1 in found and lines[n].kind != "keep"}
    return found | lone


def _above(lines: Sequence[Line], end: int, doubtless: set[int], titled: bool) -> set[int]:
    """Give what goes above the text: up to a line that belongs to pages, sentences up to a border; facts stay.

    Where the text is ``titled``, so do the words below the last such line.
    """
    last = max((n for n in doubtless if n < end and lines[n].kind in ANCHORS), default=-1)
    border = max((n for n in doubtless if n < end and lines[n].kind in BORDERS), default=-1)
    while titled and last >= 0 and last + 1 in doubtless and last + 1 < end and len(lines[last + 1].said) < LONGER:
        last += 1
    return {
        n
        for n in doubtless
        if n <= last and lines[n].kind != "fact" and (n <= border or not _is_sentence(lines[n].said))
    }


def _is_dense(lines: Sequence[Line], zone: set[int]) -> bool:
    """Tell whether enough lines of a head or foot are known as lines of pages; else it may be a list of anything."""
    return len(zone) <= SPARSE_LINES or sum(lines[n].kind in ANCHORS for n in zone) >= DENSE * len(zone)


def _first_line(lines: Sequence[Line], text: Sequence[int]) -> set[int]:
    """Give the first line if it is long enough for a title and no row of words: a clipping may begin with its title.

    A name of a site that stands there is none: its words do not come again, those of the line at the head of the text do.
    """
    said = lines[0].said
    if len(said) <= NAME and 0 not in text and _title_likeness(lines, text) >= SURE_TITLE:
        pairs = han_pairs("".join(lines[n].said for n in text))
        if _again(said, pairs) < DOUBT:
            return set()
    return {0} if lines[0].kind == "text" and len(said) >= LONGER and len(said.split()) < 3 else set()


def _title_likeness(lines: Sequence[Line], text: Sequence[int]) -> float:
    """Give which share of the first line of the text comes again below, 0 where it is none of a title."""
    said = lines[text[0]].said
    if not LONGER <= len(said) <= TITLE_LENGTH or _is_sentence(said) or _SHAPE_PATTERNS["num"].search(said):
        return 0.0
    if is_names(said):
        return 0.0
    return _again(said, han_pairs("".join(lines[n].said for n in text[1:] if _is_sentence(lines[n].said))))


def _first(lines: Sequence[Line], among: range, wanted: set[int]) -> int:
    """Give the first of the wanted lines, the number of lines where there is none."""
    return next((n for n in among if n in wanted), len(lines))


def _under_title(lines: Sequence[Line], zones: str, doubtless: set[int]) -> set[int]:
    """Give the controls between a title of at most two lines and the text; facts stay."""
    block = regex.match("(H*TT?)(I+)T", zones)
    if not block or lines[len(block[1]) - 1].said.endswith(LEADS) or STOP.search(lines[len(block[1]) - 1].said):
        return set()
    between = range(len(block[1]), len(block[1]) + len(block[2]))
    anchors = [n for n in between if n in doubtless and lines[n].kind in ANCHORS - FACTS]
    if len(anchors) >= MENU and 2 * len(anchors) >= len(between):  # a menu below the title of the window
        return {n for n in doubtless if n in between and n <= anchors[-1]}
    return {n for n in anchors if not _is_sentence(lines[n].said)}


def _buttons(lines: Sequence[Line], zones: str, doubtless: set[int]) -> set[int]:
    """Give the long rows of buttons and counts, line by line, that stand in the text."""
    known = "".join(
        ("d" if _DIGITS.search(line.said) else "k")
        if zone != ZONES[TEXT] and n in doubtless and line.kind in ANCHORS - FACTS and len(line.said) <= NAME
        else "."
        for n, (zone, line) in enumerate(zip(zones, lines, strict=True))
    )
    rows = [row for row in regex.finditer(f"[dk]{{{MENU},}}", known) if "d" in row[0]]
    return {n for row in rows for n in range(*row.span())}


def _names_again(lines: Sequence[Line], title: int, doubtless: set[int], likely: Sequence[float]) -> set[int]:
    """Give the names between the title and the first sentence that a line of the frame gives, too.

    They are less likely text than even; the name of an account, which the foot gives more than once, may be more so.
    """
    sentence = next((n for n in range(title, len(lines)) if _is_sentence(lines[n].said)), title)
    others = [lines[n].said for n in doubtless if not title <= n < sentence or _ACCOUNT.search(lines[n].said)]
    gone = {*others, *(_LABEL.sub("", said) for said in others)}
    times = Counter(lines[n].said for n in doubtless if n > sentence)
    return {
        n
        for n in range(title + 1, sentence)
        if lines[n].kind == "text"
        and len(lines[n].said) <= NAME
        and lines[n].said in gone
        and likely[n] < (ACCOUNT if times[lines[n].said] > 1 else EVEN)
    }


def _no_text(lines: Sequence[Line], text: Sequence[int], likely: Sequence[float]) -> set[int]:
    """Give the lines that are all but surely no text, though no law above takes them; facts and rows of tables are none.

    Above the text, and below it from a line that belongs to pages on or where several stand together, short sentences go,
    too; amid the text lines with words go that stand together and that nothing announces, and what says when they were written.
    """
    no_text = {n for n, chance in enumerate(likely) if chance < HARDLY and not _CELLS.search(lines[n].said)}
    plain = {n for n in no_text if lines[n].kind not in STATING and _may_go(lines[n].said)}
    anchor = _first(lines, range(text[-1] + 1, len(lines)), {n for n in plain if lines[n].kind in ANCHORS})
    found = {n for n in plain if n < text[0] or n > anchor}
    for run in _rows(n for n in sorted(plain) if text[-1] < n < anchor):
        found.update(run if len(run) >= TOGETHER else ())
    said = {
        n
        for n in no_text
        if _HAS_LETTER.search(lines[n].said) and len(lines[n].said) <= AMID and not _PAUSE.search(lines[n].said)
    }
    for run in _rows(n for n in sorted(said) if text[0] < n < text[-1] and lines[n].kind != "keep"):
        announced = any(lines[n].said.endswith(LEADS) for n in range(max(text[0], run[0] - FEW), run[0]))
        found.update(run if len(run) > 1 and not announced else ())
    return found


def _dense_parts(lines: Sequence[Line], text: Sequence[int], frame: set[int], more: set[int]) -> set[int]:
    """Add lines to the frame above, amid and below the text where enough lines of the frame are known there, too."""
    zones = (range(text[0]), range(text[0], text[-1] + 1), range(text[-1] + 1, len(lines)))
    for zone in zones:
        whole = {n for n in zone if n in frame or n in more}
        if _is_dense(lines, whole):
            frame = frame | whole
    return frame


def _rows(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Give the numbers that follow each other, together."""
    for _, group in itertools.groupby(enumerate(numbers), lambda at: at[1] - at[0]):
        yield [n for _, n in group]


def _may_go(said: str) -> bool:
    """Tell whether a line is short, or no sentence nor a piece of one; a numbered sentence is none."""
    if len(said) > BRIEF:
        return not _is_sentence(said) and not _PAUSE.search(said)
    return not (_is_sentence(said) and _SHAPE_PATTERNS["num"].search(said))


def _signature(lines: Sequence[Line], start: int) -> set[int]:
    """Give the date in words right below a text, with what stands between: who signs it, a last short sentence."""
    below = range(start, min(start + FEW, len(lines)))
    end = next((n for n in below if _DATE.fullmatch(lines[n].said)), start - 1)
    return set(range(start, end + 1)) if all(lines[n].kind in UNKNOWN for n in range(start, end)) else set()


def _is_doubled(line: Line, below: Line) -> bool:
    """Tell whether a page gives its title twice."""
    return line.kind == "text" and len(line.said) >= LONGER and line.said == below.said


def _is_owner(lines: Sequence[Line], n: int, title: int) -> bool:
    """Tell whether the very first line is the name of an office with which a title above facts begins."""
    below = lines[title + 1].kind if title + 1 < len(lines) else "text"
    said = lines[title].said
    return n == 0 and title > 1 and below in FACTS and said != lines[0].said and said.startswith(lines[0].said)


def _title(lines: Sequence[Line], text: Sequence[int], frame: set[int]) -> set[int]:
    """Give the line above the text that may be its title, unless such a line stands at the head of the text, too.

    That are the last one whose words come again in the text and the one of which most do, else the last one that stands
    twice, above facts or below the path, else, where the text begins with a sentence, the longest.
    """
    sentence = _SHAPE_PATTERNS["sent"]
    said = [s for n in text if len(s := lines[n].said) >= 20 or STOP.search(s) or sentence.search(s)]
    pairs = han_pairs("".join(said))
    may_be = [
        n
        for n in range(text[0])
        if lines[n].kind in ("text", "prose", "menu")
        and 2 <= len(lines[n].said) <= TITLE_LENGTH
        and not _is_owner(lines, n, text[0])
    ]
    placed = [
        n
        for n in may_be
        if lines[n + 1].kind in FACTS or (n and lines[n - 1].kind == "path") or _is_doubled(lines[n], lines[n + 1])
    ]
    likeness = _title_likeness(lines, text)
    if likeness >= SURE_TITLE:
        placed = [n for n in placed if len(lines[n].said) >= LONGER]
        may_be = [n for n in may_be if n in placed or _again(lines[n].said, pairs) >= likeness]
    titles = [n for n in may_be if 2 * _again(lines[n].said, pairs) >= 1] or placed
    if titles:
        twice = {lines[n].said for n in titles} & {lines[n].said for n in text[:2]}
        best = max(titles, key=lambda n: (_again(lines[n].said, pairs), n))
        return set() if twice or any(n not in frame for n in titles) else {titles[-1], best}
    if likeness >= SURE_TITLE:
        return set()
    best = max(may_be, key=lambda n: (len(lines[n].said.split()) < 3, len(lines[n].said)), default=text[0])
    return {best} if _is_sentence(lines[text[0]].said) and best in frame else set()

"""Make the cases of this folder: texts whose columns are out of order, and texts in which nothing may move.

    python tests/cases/columns/make_cases.py            write all cases
    python tests/cases/columns/make_cases.py --check    are the cases here what this program makes? writes nothing

The prose in `prose/` was written for these cases: a title, a byline, an empty line, one paragraph a line. Here it
is set in columns and then spoilt the way a converter or an OCR program spoils it. No such program is run: what
their outputs look like is *simulated*, and `meta.json` says so. A case is made from its name alone, so the same
bytes come out everywhere.

The vocabulary: a *line* is a line of a column; a *row* are the lines of all columns at one height; a *measure* is
the width of a column, in Han characters or, for English, in letters. Gold texts hold the body of the articles;
headlines, bylines, running heads and jump lines are in the inputs alone.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Dice:
    """Chance that is the same in every version of Python: `random()` alone is promised to be."""

    def __init__(self, name: str) -> None:
        self._random = random.Random(name).random  # noqa: S311 - repeatable, not secret, is what is wanted

    def hits(self, share: float) -> bool:
        """Tell whether something happens that happens this often."""
        return self._random() < share

    def between(self, least: int, most: int) -> int:
        """Give a number; both ends are possible."""
        return least + int(self._random() * (most - least + 1))

    def choice(self, things: Sequence[str]) -> str:
        """Give one of several."""
        return things[self.between(0, len(things) - 1)]

    def jitter(self, size: float) -> float:
        """Give a number from -size to size."""
        return (2 * self._random() - 1) * size


# --- prose and how it is set ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Article:
    """A piece of prose."""

    title: str
    byline: str
    paragraphs: tuple[str, ...]

    @property
    def gold(self) -> str:
        """Give the body as gold texts have it."""
        return "\n".join(self.paragraphs)


def prose(name: str, paragraphs: slice = slice(None)) -> Article:
    """Read an article, or some of its paragraphs."""
    title, byline, _, *body = (HERE / "prose" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return Article(title, byline, tuple(body[paragraphs]))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a column. The indent of a paragraph is no character here: each tool shows it in its own way."""

    text: str
    indented: bool = False
    ends_paragraph: bool = False


_OPENING = "“‘（《「『"
_CLOSING = "，。、；：！？”’）》」』％"
_UNIT = re.compile(rf"[{_OPENING}]*(?:[A-Za-z0-9.%]+|.)[{_CLOSING}]*")


def _width(text: str) -> float:
    return sum(0.5 if c.isascii() else 1.0 for c in text)


def set_han(paragraph: str, measure: int, *, hang: bool = False) -> list[Line]:
    """Break a paragraph into lines of so many Han characters, two less in the first.

    No mark that closes begins a line and none that opens ends one. With `hang` a closing mark may stand outside of
    the measure, as in newspapers; without, it takes the character before it along.
    """
    lines: list[str] = []
    line = ""
    for unit in _UNIT.findall(paragraph):
        room = measure - 2 * (not lines)
        needed = _width(line + (unit.rstrip(_CLOSING) if hang else unit))
        if line and needed > room:
            lines.append(line)
            line = ""
        line += unit
    return _lines([*lines, line])


_HYPHEN_POINT = re.compile(
    r"(?<=[aeiouy])(?=[bcdfghjklmnprstvw][aeiouy])|(?<=[aeiou][bcdfglmnprst])(?=[bcdfgmnpst][aeiouy])"
)
"""Where an English word may be divided, about as typesetters do: be-fore, num-ber, but not fat-her."""


def set_latin(paragraph: str, measure: int) -> list[Line]:
    """Break a paragraph into lines of so many letters, three less in the first, long words with a hyphen."""
    lines: list[str] = []
    line = ""
    for word in paragraph.split():
        room = measure - 3 * (not lines)
        if len(line) + bool(line) + len(word) <= room:
            line = f"{line} {word}".lstrip()
            continue
        left = room - len(line) - bool(line) - 1
        points = [m.start() for m in _HYPHEN_POINT.finditer(word) if 1 < m.start() <= min(left, len(word) - 3)]
        if points and len(word) > 5:
            lines.append(f"{line} {word[: points[-1]]}-".lstrip())
            line = word[points[-1] :]
        else:
            lines.append(line)
            line = word
    return _lines([*lines, line])


def _lines(texts: Sequence[str]) -> list[Line]:
    return [Line(text, indented=i == 0, ends_paragraph=i == len(texts) - 1) for i, text in enumerate(texts)]


def set_article(article: Article, measure: int, *, hang: bool = False) -> list[Line]:
    """Break all paragraphs of an article."""
    if article.title.isascii():
        return [line for p in article.paragraphs for line in set_latin(p, measure)]
    return [line for p in article.paragraphs for line in set_han(p, measure, hang=hang)]


Columns = list[list[Line]]


def in_columns(lines: Sequence[Line], number: int) -> Columns:
    """Let lines run through columns of one height; the last may be shorter."""
    height = -(-len(lines) // number)
    return [list(lines[i * height : (i + 1) * height]) for i in range(number)]


def rows_of(columns: Columns) -> list[tuple[Line | None, ...]]:
    """Give the rows: what stands at one height."""
    return list(zip_longest(*columns))


# --- what spoils a text -----------------------------------------------------------------------------------------

_LOOK_ALIKE = dict(zip("未己日人土大王治拔今千由目侯戊", "末已曰入士太玉冶拨令干田日候戌", strict=True))
_LOOK_ALIKE |= {"1": "]", "l": "|", "I": "|", "m": "rn", "rn": "m", "e": "c", "間": "問", "時": "峙"}
_SPECKS = ("亡", "工", "口", "十", "、", ".", "一")


def misread(text: str, rate: float, dice: Dice) -> str:
    """Misread some characters: for one that looks like it, for a speck, or not at all."""
    if not rate:
        return text
    han = not text.isascii()
    read: list[str] = []
    for char in text:
        if char.isspace() or not dice.hits(rate * (4 if char in _LOOK_ALIKE else 1)):
            read.append(char)
        elif char in _LOOK_ALIKE:
            read.append(_LOOK_ALIKE[char])
        elif han and dice.hits(0.6):
            read.append(dice.choice(_SPECKS))
    return "".join(read)


_HALF_WIDTH = str.maketrans("，；：？！“”（）", ',;:?!""()')


def displaced(columns: Columns, events: Sequence[tuple[str, int, int, int, int]]) -> list[Line]:
    """Put lines where they do not belong, then read the columns one after the other.

    An event is a kind, a column, another column, a row, and a number of lines: `swap` exchanges the lines of both,
    `move` puts those of the first into the other, `zip` does so with every other line, `stretch` interleaves both
    columns and leaves the result in the first.
    """
    grid = [list(column) for column in columns]
    for kind, a, b, row, size in events:
        rows = slice(row, row + size)
        if kind == "swap":
            grid[a][rows], grid[b][rows] = grid[b][rows], grid[a][rows]
        elif kind == "move":
            taken = grid[a][rows]
            del grid[a][rows]
            grid[b][row:row] = taken
        elif kind == "zip":
            for step in range(size):
                grid[b].insert(row + 2 * step + 1, grid[a].pop(row + step))
        elif kind == "stretch":
            both = [line for pair in zip(grid[a][rows], grid[b][rows], strict=True) for line in pair]
            del grid[b][rows]
            grid[a][rows] = both
        else:
            raise ValueError(kind)
    return [line for column in grid for line in column]


def join_displaced(lines: Iterable[Line], within: str, between: str) -> str:
    """Join lines, with one string within paragraphs and another where a line was the end of one."""
    joined = "".join(line.text + (between if line.ends_paragraph else within) for line in lines)
    return joined.rstrip() + "\n"


# --- what tools write, simulated --------------------------------------------------------------------------------


def rowwise(columns: Columns, *, blank_after_row: bool = False) -> str:
    """Row after row, each column line on a text line of its own."""
    rows = ["\n".join(line.text for line in row if line) for row in rows_of(columns)]
    return ("\n\n" if blank_after_row else "\n").join(rows) + "\n"


def _indented(line: Line, spaces: int) -> str:
    return " " * (spaces * line.indented) + line.text


def pdf_layout(columns: Columns, dice: Dice, *, gap: int = 4) -> list[str]:
    """Columns side by side, each beginning at about one place, as `pdftotext -layout` has them."""
    widths = [max((len(line.text) + 3 * line.indented for line in column), default=0) for column in columns]
    starts = [sum(widths[:c]) + c * gap for c in range(len(columns))]
    text: list[str] = []
    for row in rows_of(columns):
        out = ""
        for c, line in enumerate(row):
            if line is None:
                continue
            start = starts[c] + (dice.between(-1, 1) if c > 1 else 0)
            out = out.ljust(max(start, len(out) + 1) if c else 0) + _indented(line, 3)
        text.append(out.rstrip())
    return text


def pdf_plain(columns: Columns, dice: Dice) -> list[str]:
    """Bands of rows: a column apart, the others joined row by row; indented lines fall out and follow behind."""
    rows = rows_of(columns)
    text: list[str] = []
    top = 0
    while top < len(rows):
        band = rows[top : top + dice.between(5, 8)]
        top += len(band)
        apart = dice.between(0, len(columns) - 1)
        alone = [line.text for row in band if (line := row[apart])]
        joined: list[str] = []
        for row in band:
            others = [line for c, line in enumerate(row) if line and c != apart]
            joined.append(" ".join(line.text for line in others if not line.indented))
            joined += [line.text for line in others if line.indented]
        text += [*(alone if apart == 0 else ()), *filter(None, joined), *(alone if apart else ()), ""]
    return text


def pdf_raw(columns: Columns) -> list[str]:
    """Column after column; a closing quotation mark at the end of a line takes a line end along."""
    lines = [line.text for column in columns for line in column]
    return [part for line in lines for part in re.sub(r"(?<=[”」])([，。、])", r"\n\1", line).split("\n")]


def psm6(columns: Columns, dice: Dice, *, rate: float, marks: str = "", runs: bool = False) -> list[str]:
    """Rows as text lines, one space between columns, here and there a mark where OCR saw a rule or a gap.

    With `runs` the gaps keep their width, and only where no mark was seen.
    """
    widest = [max((len(line.text) for line in column), default=0) for column in columns]
    text: list[str] = []
    for row in rows_of(columns):
        out = ""
        for c, line in enumerate(row):
            if line is None:
                continue
            if out and marks and dice.hits(0.35):
                out += f" {dice.choice(marks)}" + " " * dice.hits(0.7)
            elif out:
                before = row[c - 1]
                out += " " * (max(1, widest[c - 1] - len(before.text if before else "") + 4) if runs else 1)
            out += " " * (4 * line.indented * (runs and not out)) + misread(line.text, rate, dice)
        text.append(out)
        if dice.hits(0.35):
            text.append("")
    return text


def psm4(columns: Columns, dice: Dice, *, rate: float, marks: str) -> list[str]:
    """As `psm6`, but the lines of a block stand in one text line, joined by a space."""
    rows = [row for row in psm6(columns, dice, rate=rate, marks=marks) if row]
    text: list[str] = []
    while rows:
        size = dice.between(2, 5)
        text += [" ".join(rows[:size]), ""]
        rows = rows[size:]
    return text


def psm11(columns: Columns, dice: Dice, *, rate: float, blank: str = "\n\n") -> str:
    """Each piece that OCR found on a text line of its own, sorted by height, which it has only roughly."""
    pieces: list[tuple[float, int, str]] = []
    for c, column in enumerate(columns):
        for r, line in enumerate(column):
            height = r + dice.jitter(0.35)
            text = misread(line.text, rate, dice)
            cut = dice.between(3, max(3, len(text) - 3)) if len(text) > 8 and dice.hits(0.12) else len(text)
            pieces.append((height, 10 * c, text[:cut]))
            if cut < len(text):
                pieces.append((height + dice.jitter(0.1), 10 * c + 1, text[cut:]))
    return blank.join(text.strip() for _, _, text in sorted(pieces)) + "\n"


def psm3(
    columns: Columns, dice: Dice, *, rate: float, merged: int = 0, deep: tuple[int, int] = (4, 7), join: str = "\n"
) -> str:
    """Blocks of lines of one column, band by band; above them some rows that were not taken apart."""
    blocks = [row for row in psm6([c[:merged] for c in columns], dice, rate=rate, marks="|") if row] if merged else []
    top = merged
    height = max(map(len, columns))
    while top < height:
        size = dice.between(*deep)
        band = [column[top : top + size] for column in columns]
        order = list(range(len(band)))
        if dice.hits(0.4):
            order.reverse()
        blocks += [join.join(misread(line.text, rate, dice) for line in band[c]) for c in order if band[c]]
        top += size
    return "\n\n".join(blocks) + "\n"


def rapid(columns: Columns, dice: Dice, *, rate: float) -> str:
    """Boxes sorted by height, then from the left; boxes of one height are glued, with nothing between them."""
    text: list[str] = []
    for row in rows_of(columns):
        boxes = sorted((dice.jitter(0.5), c, line) for c, line in enumerate(row) if line)
        row_text = ""
        last = -1.0
        for height, _, line in sorted(boxes, key=lambda box: (round(box[0]), box[1])):
            glued = row_text and abs(height - last) < 0.45
            row_text += ("" if glued or not row_text else "\n") + misread(line.text, rate, dice).replace(" ", "")
            last = height
        text.append(row_text)
    return "\n".join(text) + "\n"


# --- cases ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A case: what goes in, what should come out, and what is to be said about it."""

    input: str
    gold: str
    meta: dict[str, object] = field(default_factory=dict)


Maker = Callable[[Dice], Made]
_MAKERS: list[tuple[str, str, str, Maker]] = []


def case(name: str, family: str, language: str) -> Callable[[Maker], Maker]:
    """Register a function as the maker of a case; the first line of its docstring goes into `meta.json`."""

    def register(maker: Maker) -> Maker:
        _MAKERS.append((name, family, language, maker))
        return maker

    return register


def gold_of(*articles: Article) -> str:
    """Give the gold text of articles: a blank line between them."""
    return "\n\n".join(article.gold for article in articles) + "\n"


def head(paper: str, date: str, page: str, space: str = " ") -> str:
    """Give a running head."""
    return f"{paper}{space}{date}{space}{page}"


def _meta(articles: Sequence[str], columns: int, measure: int, **more: object) -> dict[str, object]:
    return {"columns": columns, "measure": measure, "prose": list(articles), **more}


# Lines displaced one by one or in runs.


@case("s1-swap-report", "S1-seedlike", "zh-Hans")
def _(dice: Dice) -> Made:
    """Space-joined lines of three columns; two runs stand in each other's place; half-width punctuation."""
    article = prose("report")
    columns = in_columns(set_article(article, 18, hang=True), 3)
    lines = displaced(columns, [("swap", 0, 1, 4, 2), ("swap", 1, 2, 9, 1)])
    text = join_displaced(lines, " ", "\n\n").translate(_HALF_WIDTH)
    return Made(f"{article.title}\n\n{text}", gold_of(article), _meta(["report"], 3, 18, events=["swap 2", "swap 1"]))


@case("s1-runs-essay", "S1-seedlike", "zh-Hans")
def _(dice: Dice) -> Made:
    """Lines kept as lines; a run of three moved far away, a single line moved, a few characters misread."""
    article = prose("essay")
    columns = in_columns(set_article(article, 20), 3)
    lines = displaced(columns, [("move", 0, 2, 3, 3), ("move", 1, 0, 8, 1)])
    text = misread(join_displaced(lines, "\n", "\n"), 0.003, dice)
    return Made(text, gold_of(article), _meta(["essay"], 3, 20, events=["move 3", "move 1"], noise=0.003))


@case("s1-zip-story", "S1-seedlike", "zh-Hans")
def _(dice: Dice) -> Made:
    """Every other line of a stretch went into the column next door."""
    article = prose("story")
    columns = in_columns(set_article(article, 17, hang=True), 2)
    lines = displaced(columns, [("zip", 0, 1, 5, 4)])
    text = join_displaced(lines, " ", "\n\n").translate(_HALF_WIDTH)
    return Made(text, gold_of(article), _meta(["story"], 2, 17, events=["zip 4"]))


@case("s1-stretch-hant", "S1-seedlike", "zh-Hant")
def _(dice: Dice) -> Made:
    """Six rows of two columns are interleaved, the rest is in order."""
    article = prose("hant-essay")
    columns = in_columns(set_article(article, 19), 2)
    lines = displaced(columns, [("stretch", 0, 1, 4, 6)])
    return Made(
        f"{article.title}\n\n{join_displaced(lines, ' ', chr(10) * 2)}",
        gold_of(article),
        _meta(["hant-essay"], 2, 19, events=["stretch 6"]),
    )


# Row after row.


@case("s2-two-columns", "S2-rowwise", "zh-Hans")
def _(dice: Dice) -> Made:
    """One article in two columns, read row by row."""
    article = prose("story")
    return Made(
        rowwise(in_columns(set_article(article, 18), 2)), gold_of(article), _meta(["story"], 2, 18, layout="same")
    )


@case("s2-three-columns", "S2-rowwise", "zh-Hans")
def _(dice: Dice) -> Made:
    """One article in three columns, read row by row; numbers and Latin letters in it."""
    article = prose("technical", slice(4))
    text = rowwise(in_columns(set_article(article, 20), 3)).translate(_HALF_WIDTH)
    return Made(text, gold_of(article), _meta(["technical"], 3, 20, layout="same"))


@case("s2-four-articles", "S2-rowwise", "zh-Hans")
def _(dice: Dice) -> Made:
    """Four articles, one in each column, of unequal length, read row by row."""
    names = ["news-bus", "news-crane", "news-school", "news-flood"]
    articles = [prose(name) for name in names]
    text = rowwise([set_article(a, 16) for a in articles])
    return Made(text, gold_of(*articles), _meta(names, 4, 16, layout="different"))


@case("s2-english", "S2-rowwise", "en")
def _(dice: Dice) -> Made:
    """One English article in three columns, words hyphenated, a blank line after each row."""
    article = prose("en-story")
    text = rowwise(in_columns(set_article(article, 34), 3), blank_after_row=True)
    return Made(text, gold_of(article), _meta(["en-story"], 3, 34, layout="same"))


# Side by side.


@case("pdf-layout-side", "pdf-layout", "zh-Hans")
def _(dice: Dice) -> Made:
    """Two articles side by side, headlines and bylines in rows of their own; runs of spaces between columns."""
    names = ["essay", "news-school"]
    essay, news = (prose(names[0], slice(3)), prose(names[1]))
    columns = [*in_columns(set_article(essay, 20), 2), set_article(news, 20)]
    text = [
        head("临江晨报", "2023年5月16日 星期二", "副刊 第7版", " " * 18),
        "",
        " " * 14 + essay.title + " " * 32 + news.title,
        " " * 18 + essay.byline + " " * 36 + news.byline,
        *pdf_layout(columns, dice),
    ]
    return Made("\n".join(text) + "\n", gold_of(essay, news), _meta(names, 3, 20, layout="side"))


@case("pdf-layout-hant", "pdf-layout", "zh-Hant")
def _(dice: Dice) -> Made:
    """One article in three columns; the headline stands between the first lines of the columns."""
    article = prose("hant-essay", slice(4))
    first, *rest = pdf_layout(in_columns(set_article(article, 16), 3), dice, gap=9)
    cut = first.index("   ", 8)
    text = [head("港灣日報", "2022年11月8日", "副刊 第12版", " " * 20), "", first[:cut], " " * 30 + article.title]
    text += [" " * cut + first[cut:], *rest]
    return Made("\n".join(text) + "\n", gold_of(article), _meta(["hant-essay"], 3, 16, layout="lead"))


@case("pdf-layout-english", "pdf-layout", "en")
def _(dice: Dice) -> Made:
    """Two English articles below each other, in three columns each, words hyphenated."""
    names = ["en-bridge", "en-technical"]
    articles = [prose(name) for name in names]
    text = [head("The Valley Gazette", "Saturday, June 3", "Page 5", " " * 24), ""]
    for article in articles:
        text += [" " * 36 + article.title, "", *pdf_layout(in_columns(set_article(article, 32), 3), dice, gap=5), ""]
    return Made("\n".join(text), gold_of(*articles), _meta(names, 3, 32, layout="stack"))


@case("psm6-rules", "tess-psm6", "zh-Hans")
def _(dice: Dice) -> Made:
    """Three columns in one text line, one space between them, or a mark that OCR took a rule or a gap for."""
    article = prose("technical")
    body = psm6(in_columns(set_article(article, 18), 3), dice, rate=0.012, marks="|”“。「")
    text = [head("江畔科技报", "2021年3月9日 星期二", "应用第]版"), "-一 “应用第", article.title, "", *body]
    return Made("\n".join(text) + "\n", gold_of(article), _meta(["technical"], 3, 18, layout="single", noise=0.012))


@case("psm6-runs", "tess-psm6", "zh-Hans")
def _(dice: Dice) -> Made:
    """Two articles side by side, runs of spaces or a rule sign between the columns."""
    names = ["report", "news-flood"]
    report, news = prose(names[0], slice(3)), prose(names[1])
    columns = [*in_columns(set_article(report, 18), 2), set_article(news, 18)]
    body = psm6(columns, dice, rate=0.008, marks="|", runs=True)
    text = [
        head("青禾日报", "2024年1月18日 星期四", "要闻 第2版", " " * 30),
        f"<    7    {report.title}   {news.title}",
        "",
    ]
    return Made(
        "\n".join([*text, *body]) + "\n", gold_of(report, news), _meta(names, 3, 18, layout="side", noise=0.008)
    )


@case("psm6-english", "tess-psm6", "en")
def _(dice: Dice) -> Made:
    """Two columns of English with nothing but a space between them, words hyphenated."""
    article = prose("en-essay")
    body = psm6(in_columns(set_article(article, 36), 2), dice, rate=0.006)
    text = [head("The Harbour Review", "Monday, May 6", "Page 9"), article.title, "", *body]
    return Made("\n".join(text) + "\n", gold_of(article), _meta(["en-essay"], 2, 36, layout="single", noise=0.006))


@case("psm4-joined", "tess-psm4", "zh-Hans")
def _(dice: Dice) -> Made:
    """Rows of two columns; the rows of a block joined by a space, so that no line end is left to go by."""
    article = prose("essay", slice(4))
    body = psm4(in_columns(set_article(article, 20), 2), dice, rate=0.01, marks="|”")
    text = [head("临江晨报", "2023年5月16日 星期二", "副刊 第7版"), "", article.title, "", *body]
    return Made("\n".join(text), gold_of(article), _meta(["essay"], 2, 20, layout="single", noise=0.01))


# Pieces and blocks.


@case("psm11-sparse", "tess-psm11", "zh-Hans")
def _(dice: Dice) -> Made:
    """Three articles in three columns, each piece between blank lines, rows jumbled, some lines in two pieces."""
    names = ["news-bus", "news-crane", "news-school"]
    articles = [prose(name) for name in names]
    text = "\n\n".join(["湖畔新闻", "2020年10月27日 星期二", "要闻 第4版", *(a.title for a in articles)])
    body = psm11([set_article(a, 17) for a in articles], dice, rate=0.015)
    return Made(f"{text}\n\n{body}", gold_of(*articles), _meta(names, 3, 17, layout="side", noise=0.015))


@case("psm11-hant", "tess-psm11", "zh-Hant")
def _(dice: Dice) -> Made:
    """One article in two columns, pieces without blank lines between them, rows jumbled."""
    article = prose("hant-essay")
    body = psm11(in_columns(set_article(article, 19), 2), dice, rate=0.01, blank="\n")
    text = f"港灣日報\n2022年11月8日\n副刊 第12版\n{article.title}\n{article.byline}\n{body}"
    return Made(text, gold_of(article), _meta(["hant-essay"], 2, 19, layout="single", noise=0.01))


@case("psm3-blocks", "tess-psm3", "zh-Hans")
def _(dice: Dice) -> Made:
    """Blocks of three columns in bands; the first two rows were not taken apart."""
    article = prose("report", slice(4))
    body = psm3(in_columns(set_article(article, 17), 3), dice, rate=0.01, merged=2)
    text = "\n\n".join([head("青禾日报", "2024年1月18日 星期四", "要闻 第2版"), article.title, article.byline, body])
    return Made(text, gold_of(article), _meta(["report"], 3, 17, layout="single", noise=0.01))


@case("psm3-english", "tess-psm3", "en")
def _(dice: Dice) -> Made:
    """Blocks of three columns in bands, the lines of a block joined by a space, hyphens kept."""
    article = prose("en-story")
    body = psm3(in_columns(set_article(article, 32), 3), dice, rate=0.004, deep=(2, 4), join=" ")
    text = "\n\n".join(["The Valley Gazette", "Saturday, June 3", "Page 5", article.title, article.byline, body])
    return Made(text, gold_of(article), _meta(["en-story"], 3, 32, layout="single", noise=0.004))


@case("pdf-plain-lead", "pdf-plain", "zh-Hans")
def _(dice: Dice) -> Made:
    """A lead article in three columns above a short one: bands in which one column stands apart."""
    names = ["technical", "news-crane"]
    lead, news = prose(names[0], slice(3)), prose(names[1])
    text = ["江畔科技报", "", "2021年3月9日 星期二", "", lead.title, lead.byline, "", "应用 第1版", ""]
    text += [*pdf_plain(in_columns(set_article(lead, 18), 3), dice), news.title]
    text += pdf_plain(in_columns(set_article(news, 18), 3), dice)
    return Made("\n".join(text), gold_of(lead, news), _meta(names, 3, 18, layout="lead"))


@case("pdf-raw-jump", "pdf-raw", "zh-Hans")
def _(dice: Dice) -> Made:
    """Column after column, but the article goes on after another one, on a later page."""
    names = ["report", "news-bus"]
    report, news = prose(names[0]), prose(names[1])
    lines = set_article(report, 20)
    cut = len(lines) // 2 + 1
    text = [head("青禾日报", "2024年1月18日星期四", "要闻第1版"), report.title, report.byline]
    text += [*pdf_raw([lines[:cut]]), "（下转第3版）", news.title, news.byline, *pdf_raw([set_article(news, 20)])]
    text += ["", head("青禾日报", "2024年1月18日星期四", "要闻第3版"), "（上接第1版）", *pdf_raw([lines[cut:]])]
    return Made("\n".join(text) + "\n", gold_of(report, news), _meta(names, 1, 20, layout="jump"))


@case("rapid-glued", "rapid-yx", "zh-Hans")
def _(dice: Dice) -> Made:
    """Boxes sorted naively: those of one height glued together, the others in any order."""
    article = prose("story")
    body = rapid(in_columns(set_article(article, 18), 3), dice, rate=0.006)
    text = f"2023年5月16日星期二\n临江晨报\n小说第8版\n{article.title}\n{article.byline}\n{body}"
    return Made(text, gold_of(article), _meta(["story"], 3, 18, layout="single", noise=0.006))


@case("issue-two-pages", "issue", "zh-Hans")
def _(dice: Dice) -> Made:
    """Two pages in one text: an article in three columns goes on, row by row, beside another one on the next page."""
    names = ["essay", "news-crane", "news-flood"]
    essay, crane, flood = (prose(name) for name in names)
    essay = Article(essay.title, essay.byline, essay.paragraphs[:4])
    lines = set_article(essay, 18)
    cut = 2 * len(lines) // 3
    text = ["临江晨报", "", "2023年5月16日 星期二", "", essay.title, "", "要闻 第1版", "", essay.byline]
    text += [*pdf_plain(in_columns(lines[:cut], 2), dice), "（下转第2版）", "", crane.title]
    text += [*pdf_plain(in_columns(set_article(crane, 18), 2), dice), "▶▶下转2版①", ""]
    text += [
        head("临江晨报", "2023年5月16日 星期二", "综合 第2版", " " * 12),
        "",
        " " * 40 + flood.title,
        "（上接第1版）",
    ]
    text += pdf_layout([lines[cut:], *in_columns(set_article(flood, 18), 2)], dice)
    return Made("\n".join(text) + "\n", gold_of(essay, crane, flood), _meta(names, 3, 18, layout="jump", pages=2))


# Nothing may move.


def in_order(text: str, gold: str | None = None, **meta: object) -> Made:
    """Make a negative: all its lines are in order, so they are the gold text unless another is given."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return Made(text, gold or "\n".join(lines) + "\n", {"negative": True, **meta})


VERSE = """\
山居杂咏

一
推窗云入袖，扫径叶沾衣。
犬吠知客远，炊烟带雨归。

二
溪声昨夜涨，晓起没平桥。
渔父眠未醒，柳花满破舠。

晚课
灯下的字
一个一个坐下来
像放学以后
不肯回家的孩子

我念一遍
它们动一动
我再念一遍
窗外的雨
就小了一点

秋晒
把谷子摊开
把影子摊开
把一年里说不出口的话
也摊开
日头一到中午
它们都轻了
"""

COUPLETS = [
    ("春到檐前燕子知", "一年心事寄新泥"),
    ("旧书晒罢收难尽", "老友来时酒正宜"),
    ("渡口无人舟自在", "桥头有月影迟迟"),
    ("灯花落处棋声歇", "檐雨疏时客话低"),
    ("种豆南坡三两亩", "放歌北渚五更鸡"),
    ("山中历日无须记", "开到梅花便是时"),
    ("扫叶烹茶供一笑", "焚香读画送斜晖"),
    ("少年曾约同看海", "白发相逢又别离"),
]

TABLE = [
    ("站点", "建成年份", "藏书册数", "座位", "负责人"),
    ("枫林路站", "2016年", "4,820", "36", "韩小满"),
    ("石板乡站", "2019年", "2,105", "18", "周念慈"),
    ("云岭小学站", "2021年", "1,764", "24", "曹木生"),
    ("南湖湿地站", "2018年", "986", "12", "柳依依"),
    ("港务新村站", "2020年", "3,350", "30", "蔡文远"),
    ("城东车站站", "2022年", "1,208", "16", "田野青"),
    ("北门集市站", "2017年", "2,677", "20", "贺知秋"),
    ("临河街道站", "2023年", "5,012", "48", "邵建平"),
    ("合计", "", "21,922", "204", ""),
]

LIST = """\
野外观察员守则

一、出发以前
1. 查看天气预报，把路线和返回时间告诉值班员。
2. 检查望远镜、记录本、手电和急救包，电池另带一组。
3. 衣服颜色以灰、褐、绿为宜，不喷香水。

二、观察之中
（1）每十五分钟记录一次，没有看到鸟也要写“无”。
（2）先记数量，再记种类，最后记行为；
拿不准的种类画出翅膀和尾羽的样子。
（3）不追赶，不投食，不播放鸟鸣录音。

三、回来以后
- 当天把记录录入表格，原稿留底；
- 照片按日期和地点命名；
- 受伤的鸟交救助站，由站里登记：
  甲 猛禽
  乙 水鸟
  丙 其他
- 垃圾一律带回，包括别人留下的。
"""

DIALOGUE = """\
“你真的要把它卖了？”
“谁说我要卖？”
“全镇都在说。”
“那就让他们去说。”
老人把茶壶往桌子中间推了推。
“坐。”
“我不坐，说完就走。”
“走到哪里去？”
“回城里。”
“城里有渡船吗？”
年轻人不作声了。
“你小时候掉进江里两回，”老人说，“一回是我捞的，一回是你爹捞的。”
“我记得。”
“你不记得。你那时候只晓得哭。”
“我记得您的草帽。”
老人抬起头来。
“什么颜色？”
“没有颜色，”年轻人说，“旧得没有颜色了。”
“那是你爹的。”
“……”
“坐罢。”
“好。”
他坐下来。两个人谁也没有说话。茶凉了，又添了一回水。
"""

BILINGUAL = """\
操作须知
Operating Notes
开机前请确认漏斗内没有树叶和蛛网。
Make sure that there are no leaves and no cobwebs in the funnel before you switch on.
记录仪应放在离地一米的木架上，避开屋檐和树冠。
Put the recorder on a wooden stand one metre above the ground, clear of eaves and branches.
翻斗每翻动一次，代表零点二毫米降水。
Each tip of the bucket stands for two tenths of a millimetre of rain.
暴雨时读数会偏小，请查对修正表。
Readings are too low in heavy storms; consult the correction table.
每月检查一次滤网，并在值班日记上签名。
Inspect the mesh once a month and sign the station diary.
冬季结冰以前，请把漏斗取下收好。
Take the funnel off and store it before the first frost.
"""

DICTIONARY = """\
渡 dù ①由此岸到彼岸：～江｜～河。②渡口，多用作地名。③转手，移交：引～。
舠 dāo 形状像刀的小船。
缆 lǎn ①系船的粗绳。②像缆的东西：电～｜光～。
篙 gāo 撑船用的竹竿或木杆。
榫 sǔn 器物两部分利用凹凸相接的凸出部分。～头｜～眼。
刨 bào ①刮平木料的工具：～子。②用刨子刮平：～木头。
刨 páo ①挖掘：～土。②从中除去：～去开支。
锯 jù ①截断材料的工具。②用锯截断：～木头。
漆 qī 用漆树皮里的黏汁做成的涂料。也指人造的同类物品：油～。
凿 záo ①挖槽或打孔的工具。②打孔，挖掘：～井｜～冰。
"""

CHAT = """\
2023-05-16 19:02 小满
爷爷的船下周还开吗
2023-05-16 19:03 许老师
开 星期三要去看候鸟
2023-05-16 19:03 许老师
一共31个学生
2023-05-16 19:05 阿苗
我可以带望远镜吗
2023-05-16 19:05 小满
可以
2023-05-16 19:06 阿苗
那我也带板凳
2023-05-16 19:06 小满
船上有板凳😂
2023-05-16 19:08 许老师
[图片]
2023-05-16 19:09 许老师
家长签字的表格明天交 没交的抓紧
2023-05-16 19:15 阿苗妈妈
收到
2023-05-16 19:15 曹师傅
收到
2023-05-16 19:21 小满
爷爷说水位低 要早半小时
2023-05-16 19:22 许老师
好的 那就六点半在石阶集合
"""

CODE = """\
下面的函数把书名切成相邻两字的片段，再求各片段书号的交集：

def pieces(title):
    return [title[i:i + 2] for i in range(len(title) - 1)]


def find(index, words):
    found = None
    for piece in pieces(words):
        numbers = set(index.get(piece, ()))
        found = numbers if found is None else found & numbers
        if not found:
            return []
    return sorted(found or ())

用法如下，第一行建立索引，第二行查询：

index = build(read_titles("books.tsv"))
print(find(index, "江河"))

输出是书号的列表，例如 [17, 204, 3881]。若列表为空，请检查书名里是否有标点：

$ grep -c '[，。]' books.tsv
0
"""


@case("n-verse", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """Old and new verse: short lines, few marks."""
    return in_order(VERSE, content="verse")


@case("n-couplets", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """Couplets, both halves on one line with a gap between them: two columns that are read across."""
    return in_order("联语\n\n" + "".join(f"{a}    {b}\n" for a, b in COUPLETS), content="verse")


@case("n-table", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """A table whose columns are aligned with runs of spaces."""
    rows = ["".join(cell + " " * int(16 - 2 * _width(cell)) for cell in row).rstrip() for row in TABLE]
    return in_order("各站点藏书情况\n\n" + "\n".join(rows) + "\n\n注：数据截至2023年底。\n", content="table")


@case("n-list", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """Lists of several kinds, items of one and two lines."""
    return in_order(LIST, content="list")


@case("n-dialogue", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """Dialogue: lines hardly tell which of them comes next."""
    return in_order(DIALOGUE, content="dialogue")


@case("n-bilingual", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """Chinese and English line by line: two texts that are interleaved on purpose."""
    return in_order(BILINGUAL, content="bilingual")


@case("n-dictionary", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """Entries of a dictionary, each unlike its neighbours."""
    return in_order(DICTIONARY, content="dictionary")


@case("n-chat", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """A chat log: headings and short lines by turns."""
    return in_order(CHAT, content="chat")


@case("n-code", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """Prose and code by turns."""
    return in_order(CODE, content="code")


@case("n-wrapped-lines", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """Prose broken into lines, in order."""
    article = prose("essay")
    text = "\n".join(_indented(line, 4) for line in set_article(article, 22)) + "\n"
    return in_order(text, gold_of(article), content="essay", prose=["essay"])


@case("n-wrapped-spaces", "S3-clean", "zh-Hans")
def _(dice: Dice) -> Made:
    """Prose whose line ends became spaces, in order, half-width punctuation."""
    article = prose("report")
    text = join_displaced(set_article(article, 17, hang=True), " ", "\n\n").translate(_HALF_WIDTH)
    return in_order(text, gold_of(article), content="political", prose=["report"])


@case("n-wrapped-hant", "S3-clean", "zh-Hant")
def _(dice: Dice) -> Made:
    """Two short articles, one after the other, broken into lines."""
    articles = [prose("hant-market"), prose("hant-library")]
    parts = ["\n".join([a.title, a.byline, *(line.text for line in set_article(a, 20))]) for a in articles]
    return in_order("\n\n".join(parts) + "\n", content="news", prose=["hant-market", "hant-library"])


@case("n-wrapped-english", "S3-clean", "en")
def _(dice: Dice) -> Made:
    """English prose broken into lines, words hyphenated."""
    article = prose("en-technical")
    text = "\n".join(_indented(line, 2) for line in set_article(article, 44)) + "\n"
    return in_order(text, gold_of(article), content="technical", prose=["en-technical"])


@case("n-tool-one-column", "N-tool-inorder", "zh-Hans")
def _(dice: Dice) -> Made:
    """OCR of a page with one column: running head, folio, misread characters, blank lines anywhere."""
    article = prose("technical", slice(4))
    body = psm6([set_article(article, 24)], dice, rate=0.015)
    text = [
        head("江畔科技报", "2021年3月9日 星期二", "应用第]版"),
        "二",
        article.title,
        article.byline,
        "",
        *body,
        "",
        "— 7 —",
    ]
    return in_order("\n".join(text) + "\n", gold_of(article), prose=["technical"], noise=0.015)


@case("n-tool-furniture", "N-tool-inorder", "zh-Hans")
def _(dice: Dice) -> Made:
    """Columns in the right order; headlines, bylines, a page change and jump lines stand between their lines."""
    story, news = prose("story"), prose("news-school")
    lines = set_article(story, 20)
    cut = len(lines) - 12
    text = [head("临江晨报", "2023年5月16日星期二", "小说第8版"), story.title, story.byline, *pdf_raw([lines[:cut]])]
    text += ["（下转第9版）", "", head("临江晨报", "2023年5月16日星期二", "小说第9版"), "（上接第8版）"]
    text += [
        *pdf_raw([lines[cut:]]),
        "",
        news.title,
        news.byline,
        *pdf_raw([set_article(news, 20)]),
        "责任编辑：何听雨",
    ]
    return in_order("\n".join(text) + "\n", gold_of(story, news), prose=["story", "news-school"])


# --- writing and checking ---------------------------------------------------------------------------------------


def files() -> Iterator[tuple[str, bytes]]:
    """Make all cases: give the path of each file, below this folder, and what belongs into it."""
    for name, family, language, maker in _MAKERS:
        made = maker(Dice(f"columns/{name}"))
        what = (maker.__doc__ or "").strip()
        meta = {"id": name, "family": family, "kind": "simulated", "what": what, "language": language, **made.meta}
        yield f"{name}/input.txt", made.input.encode()
        yield f"{name}/gold.txt", made.gold.encode()
        yield f"{name}/meta.json", (json.dumps(meta, ensure_ascii=False, indent=1) + "\n").encode()


def differences(folder: Path = HERE) -> list[str]:
    """Say for each file in which way a folder is not what this program makes; nothing if all is well."""
    made = dict(files())
    there = {path.relative_to(folder).as_posix() for path in folder.glob("[a-z]*/*") if path.parent.name != "prose"}
    found = [f"{path}: missing" for path in sorted(made.keys() - there)]
    found += [f"{path}: no case makes it" for path in sorted(there - made.keys())]
    found += [f"{path}: differs" for path in sorted(made.keys() & there) if (folder / path).read_bytes() != made[path]]
    return found


def main(arguments: Sequence[str]) -> int:
    """Write all cases, or check them."""
    if arguments == ["--check"]:
        found = differences()
        print("\n".join(found) or "all cases are what make_cases.py makes")
        return bool(found)
    if arguments:
        print(__doc__)
        return 2
    for path, content in files():
        target = HERE / path
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

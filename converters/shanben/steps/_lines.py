"""What several steps need to know about lines: widths, endings, numbering. All offsets are code points."""

from __future__ import annotations

from unicodedata import east_asian_width

import regex

from shanben.lazy import lazy_regex

HAN = r"\p{Han}〇"
TERMINAL = "。！？!?…；;：:"
"""Marks after which a sentence, or the lead to a list, has come to an end."""
CLOSERS = "”’」』）)】》〉]"
OPENERS = "“‘「『（(【《〈["
NO_LINE_START = "，。、；：！？”’」』）》〉】％…,.;:!?)%"
"""Marks that may not begin a line (避头尾): a line that begins so was broken off from the one before."""
MID_SENTENCE = "，、,"

_NUMBERED = lazy_regex(
    r"""[ \t\u3000]*(?:
        \#{1,6}[ ]
      | 第[〇零○一二两兩三四五六七八九十百千廿卅壹贰貳叁叄参參肆伍陆陸柒捌玖拾0-9０-９]{1,7}[编編卷部篇章节節回集条條幕]
      | 篇[〇零一二三四五六七八九十0-9]{1,3}[:：]
      | [一二三四五六七八九十]{1,3}[、.．]
      | [壹贰貳叁叄参參肆伍陆陸柒捌玖拾]{1,3}[、．]
      | [（(][〇零一二三四五六七八九十0-9０-９]{1,3}[）)]
      | [0-9０-９]{1,3}(?:[、．]|\.(?![0-9]))
      | [①-⑳㈠-㈩⑴-⒇●○•·■◆▲★—–\-*+]
    )""",
    regex.VERSION1 | regex.VERBOSE,
)
_HAN = lazy_regex(r"[\p{Han}〇\u3000-\u303f\uff00-\uffef“”‘’…—]", regex.VERSION1)


_DRAWN = lazy_regex(r"[ \t\u3000]*+(?:```|~~~|\|.*\|$|[+|][-=+|]{3,}$|[┌├└┏┣┗╔╠╚│┃║].*[┐┤┘┓┫┛╗╣╝│┃║]$)", regex.VERSION1)


class _Cells(dict[str, float]):
    """The width of each character that was met."""

    def __missing__(self, character: str) -> float:
        cells = self[character] = 1.0 if east_asian_width(character) in "WFA" else 0.5
        return cells


_CELLS = _Cells()


def width(text: str) -> float:
    """Give the width in full-width cells, as on a page: Han and full-width marks 1, Latin and digits a half.

    >>> width("常务委员会,28次")
    7.5
    """
    return sum(map(_CELLS.__getitem__, text), 0.0)


def is_numbered(line: str) -> bool:
    """Tell whether a line begins as a heading or an item does.

    >>> [is_numbered(s) for s in ("一、总则", "（二）范围", "第三章 附则", "3. 围绕", "3.5万人", "## 题", "一是要")]
    [True, True, True, True, False, True, False]
    """
    return _NUMBERED.match(line) is not None


def ends_open(line: str) -> bool:
    """Tell whether a line stops in the middle of a sentence: no final mark, closing marks looked through.

    A quotation mark at the end stands the wrong way round, since none opens there.

    >>> [ends_open(s) for s in ("提高水", "平。", "他说：", "“好。”", "“好。“", "（见图）", "首先，")]
    [True, False, False, False, False, True, True]
    """
    bare = line.rstrip().rstrip(CLOSERS + "\"'")
    if bare[-1:] in ("“", "‘", "「", "『"):
        bare = bare[:-1] if bare[-2:-1] in TERMINAL + "—" else bare
    return bool(bare) and bare[-1] not in TERMINAL + ".—"


def is_han(text: str) -> bool:
    """Tell whether a text holds a Han character or a mark of Chinese text."""
    return _HAN.search(text) is not None


def begins_indented(line: str) -> bool:
    """Tell whether a line begins with an indent: an ideographic space, a tab, or two blanks."""
    return line[:1] in ("\u3000", "\t") or (line[:2].isspace() and len(line[:2]) == 2)


def is_drawn(line: str) -> bool:
    """Tell whether a line is a row or a border of a table that is drawn with signs, or fences code in.

    >>> [is_drawn(s) for s in ("|甲 |乙 |", "+----+----+", "│甲│乙│", "```sh", "夯实奋勇争 |", "——鲁迅")]
    [True, True, True, True, False, False]
    """
    return _DRAWN.match(line.rstrip()) is not None

"""The cover: an SVG of 1600 x 2400 made from the metadata alone. No font, no picture, no network.

A double frame, thick outside and thin inside (文武边), as round the page of a woodblock print.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from shanben.lazy import lazy_regex
from shanben.values import Document
from shanben.writers._labels import labels
from shanben.writers._metadata import clean_metadata

WIDTH, HEIGHT = 1600, 2400
MEASURE = 1080
"""Width of a line of the cover, in units of the view box."""
_PAPER, _INK, _BAND, _FRAME, _SEAL = "#f5efe0", "#1f2933", "#24384f", "#24384f", "#9b2d20"
_SONG = {
    "zh-Hans": "'Songti SC','Source Han Serif SC','Noto Serif CJK SC','Noto Serif SC',SimSun,serif",
    "zh-Hant": "'Songti TC','Source Han Serif TC','Noto Serif CJK TC','Noto Serif TC',PMingLiU,serif",
}
_LATIN = "'Iowan Old Style','Palatino Linotype',Palatino,Georgia,'Noto Serif',serif"

_NOT_FIRST = frozenset("、。，．：；？！）］｝〕〉》」』】〗’”…—·～／,.;:?!)]}%‰％°℃々ーっゃゅょッャュョ")
_NOT_LAST = frozenset("（［｛〔〈《「『【〖‘“([{￥＄$#＃")
_PHRASES = lazy_regex(r"(?<=[\p{Han}\p{P}])[ \u3000]+(?=[\p{Han}\p{Ps}\p{Pi}])")
_CLUSTER = lazy_regex(r"\p{Latin}[\p{Latin}\p{M}\p{Nd}'’\-]*|\p{Nd}[\p{Nd}.,]*|\X")


class _Line(NamedTuple):
    text: str
    size: int
    top: int
    fill: str = _INK
    bold: bool = False


def width(text: str) -> float:
    """Estimate the width of ``text`` in em: Han and its punctuation one, Latin about half.

    >>> width("善本"), width("ab") < 1.3
    (2.0, True)
    """
    return sum(map(_advance, text))


@lru_cache(maxsize=1 << 14)
def _advance(character: str) -> float:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(character) in "WFA":
        return 1.0
    if character.isspace():
        return 0.3
    return 0.72 if character.isupper() else 0.55


def wrap(text: str, measure: float) -> list[str]:
    """Break ``text`` into lines of at most ``measure`` em, even in length, keeping 避头尾.

    No line begins with a closing mark or ends with an opening one; Latin words and numbers stay whole
    unless they are longer than a line. A space between Han characters parts phrases: it always breaks.

    >>> wrap("中华人民共和国宪法（全文）", 8)
    ['中华人民共和国', '宪法（全文）']
    >>> wrap("甲乙丙，丁戊", 3)
    ['甲乙', '丙，', '丁戊']
    >>> wrap("不忘初心 牢记使命", 20)
    ['不忘初心', '牢记使命']
    """
    return [line for phrase in _PHRASES.split(text) if phrase.strip() for line in _even(phrase, measure)]


def _even(text: str, measure: float) -> list[str]:
    units = _units(text, measure)
    greedy = _filled(units, measure)
    if len(greedy) < 2:
        return greedy
    low, high = width(text) / len(greedy), measure
    # Where nothing is wider than the narrowest measure tried, no measure parts or joins the pieces in another way.
    pieces = [*(unit.width for unit in units), *(width(found[0]) for found in _CLUSTER.finditer(text))]
    same = max(pieces) <= low <= measure
    for _ in range(8):
        middle = (low + high) / 2
        if len(_filled(units if same else _units(text, middle), middle)) <= len(greedy):
            high = middle
        else:
            low = middle
    return _filled(units if same else _units(text, high), high)


class _Unit(NamedTuple):
    """A piece of text that is not broken, its width, and that without the blanks at its end."""

    text: str
    width: float
    bare: float


def _filled(units: Sequence[_Unit], measure: float) -> list[str]:
    """Give the lines when each takes as many units as go into it."""
    lines, line, used = [], "", 0.0
    for unit in units:
        text, wide = unit.text, unit.width
        if line and used + unit.bare > measure:
            lines.append(line.rstrip())
            line, used = "", 0.0
            if text[0].isspace():
                text = text.lstrip()
                wide = width(text)
        line += text
        used += wide
    return [*lines, line.rstrip()] if line.strip() else lines


def _units(text: str, measure: float) -> list[_Unit]:
    """Give the pieces between which a line may break. Very long words are cut."""
    units: list[str] = []
    glue = False
    for found in _CLUSTER.finditer(text):
        piece = found[0]
        glues_back = piece[0] in _NOT_FIRST or piece.isspace()
        if units and (glue or glues_back) and width(units[-1] + piece) <= max(2.0, measure):
            units[-1] += piece
        elif width(piece) > measure:
            step = max(1, int(measure / 0.72))
            units += [piece[i : i + step] for i in range(0, len(piece), step)]
        else:
            units.append(piece)
        glue = piece[-1] in _NOT_LAST
    return [_Unit(unit, width(unit), width(unit.rstrip())) for unit in units]


def fit(text: str, steps: Sequence[tuple[int, int]]) -> tuple[int, list[str]]:
    """Give the largest size at which ``text`` fits, and its lines; at the last step it is cut.

    ``steps`` are sizes with the number of lines that each may have, the largest size first.

    >>> fit("短", [(200, 1), (100, 2)])
    (200, ['短'])
    >>> fit("长" * 10_000, [(200, 1), (100, 2)])[1][1][-2:]
    '长…'
    """
    head = text[:1000]
    for size, lines in steps:
        broken = wrap(head, MEASURE / size)
        if broken and len(broken) <= lines and len(head) == len(text):
            return size, broken
    size, lines = steps[-1]
    kept = _filled(_units(head, MEASURE / size), MEASURE / size)[:lines] or [""]
    while width(kept[-1]) + 1 > MEASURE / size and len(kept[-1]) > 1:
        kept[-1] = kept[-1][:-1]
    return size, [*kept[:-1], kept[-1].rstrip() + "…"]


def svg(document: Document) -> bytes:
    """Give the cover as SVG. Every value is cleaned, cut to fit and escaped; the same input, the same bytes."""
    metadata = clean_metadata(document)
    family = _SONG.get(metadata.language, _LATIN)
    lines = _lines(metadata.title, metadata.subtitle, metadata.creators, metadata.date)
    foot = [part for part in (metadata.publisher, metadata.series) if part]

    root = etree.Element(
        "svg",
        {
            "width": str(WIDTH),
            "height": str(HEIGHT),
            "viewBox": f"0 0 {WIDTH} {HEIGHT}",
            "role": "img",
            "aria-label": f"{labels(metadata.language).cover}：{metadata.title[:200]}",
            "{http://www.w3.org/XML/1998/namespace}lang": metadata.language,
        },
        nsmap={None: "http://www.w3.org/2000/svg"},  # type: ignore[dict-item]
    )
    etree.SubElement(root, "title").text = labels(metadata.language).cover
    _box(root, 0, 0, WIDTH, HEIGHT, fill=_PAPER)
    _box(root, 0, 0, 132, HEIGHT, fill=_BAND)
    for stitch in range(300, HEIGHT, 600):
        _box(root, 0, stitch - 3, 132, 6, fill=_PAPER, opacity="0.75")
    _box(root, 128, 0, 4, HEIGHT, fill=_PAPER, opacity="0.5")
    _box(root, 232, 100, 1268, 2200, fill="none", stroke=_FRAME, stroke_width="12")
    _box(root, 254, 122, 1224, 2156, fill="none", stroke=_FRAME, stroke_width="3")
    centre = 254 + 1224 // 2
    group = etree.SubElement(root, "g", {"font-family": family, "text-anchor": "middle"})
    for line in lines:
        _text(group, centre, line)
    if foot:
        _box(root, centre - 60, 1984, 120, 4, fill=_SEAL)
    for row, part in enumerate(foot):
        size, [cut] = fit(part, [(56, 1), (48, 1), (40, 1)])
        _text(group, centre, _Line(cut, size, 2070 + row * 84))
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _lines(title: str, subtitle: str, creators: Sequence[str], date: str) -> list[_Line]:
    """Set title and subtitle in the upper part of the frame, creators and date in the lower."""
    size, broken = fit(title, [(208, 2), (176, 3), (148, 4), (128, 5), (108, 6), (92, 8), (80, 9)])
    leading = round(size * 1.4)
    top = max(400, 760 - leading * (len(broken) - 1) // 2)
    lines = [_Line(text, size, top + row * leading, bold=True) for row, text in enumerate(broken)]
    below = lines[-1].top + 50
    if subtitle:
        size, broken = fit(subtitle, [(72, 1), (60, 2), (52, 2)])
        for text in broken:
            below += round(size * 1.5)
            lines.append(_Line(text, size, below))
    names = [*creators[:3]]
    if len(creators) > 3:
        names[2] += " …"
    below = 1840 - 116 * len(names) - (100 if date else 0)
    for name in names:
        size, [text] = fit(name, [(80, 1), (68, 1), (56, 1), (48, 1)])
        below += 116
        lines.append(_Line(text, size, below))
    if date:
        lines.append(_Line(date, 52, below + 100))
    return lines


def _text(parent: etree._Element, centre: int, line: _Line) -> None:
    attributes = {"x": str(centre), "y": str(line.top), "font-size": str(line.size), "fill": line.fill}
    if line.bold:
        attributes["font-weight"] = "700"
    etree.SubElement(parent, "text", attributes).text = line.text


def _box(parent: etree._Element, x: int, y: int, wide: int, high: int, **style: str) -> None:
    attributes = {"x": str(x), "y": str(y), "width": str(wide), "height": str(high)}
    etree.SubElement(parent, "rect", attributes | {k.replace("_", "-"): v for k, v in style.items()})
